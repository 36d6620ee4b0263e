package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// How a backend is, in one word: the same in the API, the metrics and the page.
const (
	HealthHealthy      = "healthy"
	HealthDegraded     = "degraded" // it works, and not well; or clients do not see it
	HealthConnecting   = "connecting"
	HealthAuthRequired = "auth_required"
	HealthDown         = "down"
	HealthDisabled     = "disabled"
)

const (
	// slow is a check that took so long that people notice.
	slow = 2 * time.Second
	// One check that fails is looked into at once; several of the last ones are a state.
	lately = 10
	// A backend that was connected more than maxConnects times within flapTime flaps.
	flapTime    = 10 * time.Minute
	maxConnects = 3
)

// health answers how a backend is whose state b was made of s, and why.
func health(b BackendState, s *upstream.State, now time.Time) (word, reason string) {
	switch s.Phase {
	case upstream.PhaseDisabled:
		return HealthDisabled, b.Reason
	case upstream.PhaseReady:
		if b.State == stateDegraded {
			return HealthDegraded, b.Reason
		}
		if why := unwell(s.Checks(), b.Endpoints, now); why != "" {
			return HealthDegraded, why
		}
		return HealthHealthy, b.Reason
	case upstream.PhaseProbing, upstream.PhaseHolding:
		if s.Failure == upstream.FailureAuth {
			return HealthAuthRequired, b.Reason
		}
		return HealthConnecting, b.Reason
	}
	if s.Failure == upstream.FailureAuth {
		return HealthAuthRequired, b.Reason
	}
	return HealthDown, cmp.Or(b.Reason, "it was lost")
}

// unwell says what is wrong with a backend that answers, "" when nothing is.
func unwell(checks []upstream.Check, endpoints []EndpointState, now time.Time) string {
	connects, asked, failed := 0, 0, 0
	current := true // of the connection that it has: checks of an earlier one are past
	for _, c := range slices.Backward(checks) {
		switch {
		case c.What == upstream.CheckConnect && c.Err == "":
			current = false
			if now.Sub(c.At) < flapTime {
				connects++
			}
		case c.What != upstream.CheckConnect && current && asked < lately:
			asked++
			if c.Err != "" {
				failed++
			}
		}
	}
	if connects > maxConnects {
		return fmt.Sprintf("it comes and goes: it was connected %d times in %.0f minutes", connects, flapTime.Minutes())
	}
	if failed > 1 {
		return fmt.Sprintf("%d of its last %d checks failed", failed, asked)
	}
	if n := len(checks); n > 0 {
		if last := checks[n-1]; last.What != upstream.CheckConnect && last.Err == "" && last.Took > slow {
			return fmt.Sprintf("it is slow: its last check took %.1f s", last.Took.Seconds())
		}
	}
	away := 0
	for _, e := range endpoints {
		if e.State == string(upstream.PhaseFailed) || e.State == string(upstream.PhaseHolding) {
			away++
		}
	}
	if away > 0 {
		return fmt.Sprintf("%d of its %d replicas are not there", away, len(endpoints))
	}
	return ""
}

// disabledBy answers who disabled a backend.
func (g *Gateway) disabledBy(b discovery.Backend) string {
	switch off := g.switches.Load(); {
	case off.All:
		return "unknown"
	case off.Backends[b.Name]:
		return "dashboard"
	case b.Source == discovery.SourceManual:
		return "file"
	}
	return "label"
}

// took is how long a check took, in ms, and -1 when it failed.
func took(c upstream.Check) float64 {
	if c.Err != "" {
		return -1
	}
	return float64(c.Took.Microseconds()) / 1000
}

// Checks answers the last checks of a backend, oldest first.
func (g *Gateway) Checks(name string) []Check {
	m := g.registry.Load().byName[name]
	if m == nil {
		return []Check{}
	}
	kept := m.up.State().Checks()
	out := make([]Check, len(kept))
	for i, c := range kept {
		out[i] = Check{At: c.At.UTC(), What: string(c.What), OK: c.Err == "", Error: c.Err}
		if c.Err == "" {
			ms := took(c)
			out[i].Ms = &ms
		}
	}
	return out
}
