// Package report holds what was measured, compares it, and prints it.
//
// Ratios are taken within each round and their median is shown, so that a
// machine which is faster or slower for a while does not look like a
// difference between the targets.
package report

import (
	"encoding/json"
	"os"
	"slices"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

// Names of the targets that ratios refer to.
const (
	Direct  = "direct"
	Floor   = "proxyfloor"
	Raw     = "rawfloor"
	Gateway = "mcp-gw"
)

// Report is everything measured.
type Report struct {
	Time      time.Time   `json:"time"`
	Scenarios []*Scenario `json:"scenarios"`
	IdleMB    float64     `json:"idle_mb,omitempty"` // resident memory of the gateway, 10 backends, before any call; 0: not measured
	Failures  []string    `json:"failures,omitempty"`
}

// Scenario is one kind of load, and how each target did under it.
type Scenario struct {
	Name    string                    `json:"name"`
	Limit   float64                   `json:"limit"`   // of the gateway's CPU per operation, in times the floor's
	Targets []string                  `json:"targets"` // in order
	Rounds  map[string][]*load.Result `json:"rounds"`  // by target, one a round; nil: failed
}

// IdleLimitMB is the most that an idle gateway with 10 backends may occupy.
const IdleLimitMB = 40

// Verdict is a figure against what was promised.
type Verdict struct {
	What            string
	Measured, Limit float64
	Unit            string
}

// Met reports whether the promise was kept.
func (v Verdict) Met() bool { return v.Measured > 0 && v.Measured <= v.Limit }

// Verdicts are all figures that something was promised for, as far as the
// gateway was measured.
func (r *Report) Verdicts() []Verdict {
	var out []Verdict
	for _, s := range r.Scenarios {
		if slices.Contains(s.Targets, Gateway) {
			out = append(out, Verdict{s.Name + ", CPU", s.ratio(Gateway, Floor, cpu), s.Limit, "× floor"})
		}
	}
	if r.IdleMB > 0 {
		out = append(out, Verdict{"resident memory, 10 backends, idle", r.IdleMB, IdleLimitMB, "MB"})
	}
	return out
}

// Write stores the report as JSON.
func (r *Report) Write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func cpu(r *load.Result) float64  { return r.CPU }
func rate(r *load.Result) float64 { return r.PerSecond }

// median of f over the rounds of target.
func (s *Scenario) median(target string, f func(*load.Result) float64) float64 {
	var v []float64
	for _, r := range s.Rounds[target] {
		if r != nil {
			v = append(v, f(r))
		}
	}
	return median(v)
}

// ratio is the median over the rounds of target's f to base's.
func (s *Scenario) ratio(target, base string, f func(*load.Result) float64) float64 {
	var v []float64
	for i, r := range s.Rounds[target] {
		if b := s.Rounds[base]; r != nil && i < len(b) && b[i] != nil && f(b[i]) > 0 {
			v = append(v, f(r)/f(b[i]))
		}
	}
	return median(v)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
