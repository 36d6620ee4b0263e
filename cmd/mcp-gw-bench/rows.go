package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// row is one promise on discovery and how it is measured. A row answers durations, or,
// where plain is set, one figure of another kind.
type row struct {
	name, what string
	p50, p99   time.Duration // zero: nothing is promised
	measure    func(context.Context, *rig) ([]time.Duration, error)
	plain      func(context.Context, *rig) ([]figure, error)
}

// figure is what is no duration, with what is promised of it.
type figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Most  float64 `json:"most"`
	Unit  string  `json:"unit"`
}

// rows are those besides start and kill, which both kinds of clients see; in an order
// in which none disturbs the next.
var rows = []row{
	{name: "run", what: "docker run called → listed", p50: 400 * time.Millisecond, p99: time.Second, measure: measureRun},
	{name: "listens", what: "server begins to listen → listed", p50: 250 * time.Millisecond, p99: time.Second, measure: measureListens},
	{name: "refused", what: "die event → a call is refused", p50: 5 * time.Millisecond, p99: 50 * time.Millisecond, measure: measureRefused},
	{name: "routed", what: "docker kill called → no new call answered", p50: 30 * time.Millisecond, p99: 150 * time.Millisecond, measure: measureRouted},
	{name: "recreate", what: "compose recreates: the gap between calls", p50: 600 * time.Millisecond, p99: 2 * time.Second, measure: measureRecreate},
	{name: "cut", what: "event stream cut → it is read again", p50: 200 * time.Millisecond, p99: time.Second, measure: measureCut},
	{name: "back", what: "engine is back → what changed meanwhile is listed", p50: 500 * time.Millisecond, p99: 2 * time.Second, measure: measureBack},
	{name: "lost", what: "a start that no event told → listed", p99: 30 * time.Second, measure: measureLost},
	{name: "crowd", what: "a crowd started: the last start → all listed", p50: 2 * time.Second, p99: 5 * time.Second, measure: measureCrowd},
	{name: "idle", what: "a crowd that does nothing", plain: measureIdle},
}

// result is what a row came to.
type result struct {
	Name    string          `json:"name"`
	What    string          `json:"what"`
	Times   []time.Duration `json:"times_ns,omitempty"`
	Figures []figure        `json:"figures,omitempty"`
	row     row
}

// printRows writes a table and returns how many promises were not kept.
func printRows(w io.Writer, all []result) (missed int, err error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n%-48s %5s %9s %9s %9s   in ms\n", "", "runs", "p50", "p99", "max")
	verdict := func(name string, value, most float64) {
		mark := "✓"
		if value > most {
			mark = "✗ missed"
			missed++
		}
		fmt.Fprintf(&b, "   %s ≤ %g %s", name, most, mark)
	}
	for _, r := range all {
		if r.row.measure != nil {
			v := sorted(r.Times)
			p50, p99 := ms(percentile(v, .5)), ms(percentile(v, .99))
			fmt.Fprintf(&b, "%-48s %5d %9.1f %9.1f %9.1f", r.What, len(v), p50, p99, ms(v[len(v)-1]))
			if r.row.p50 > 0 {
				verdict("p50", p50, ms(r.row.p50))
			}
			if r.row.p99 > 0 {
				verdict("p99", p99, ms(r.row.p99))
			}
			b.WriteByte('\n')
			continue
		}
		for _, f := range r.Figures {
			fmt.Fprintf(&b, "%-48s %15.2f %s", r.What+": "+f.What, f.Value, f.Unit)
			verdict(f.What, f.Value, f.Most)
			b.WriteByte('\n')
		}
	}
	_, err = w.Write(b.Bytes())
	return missed, err
}
