package report

import (
	"bytes"
	"fmt"
	"io"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

// Print writes a table for each scenario, and then the verdicts.
func (r *Report) Print(w io.Writer) error {
	var b bytes.Buffer
	for _, s := range r.Scenarios {
		s.print(&b)
	}
	if v := r.Verdicts(); len(v) > 0 {
		fmt.Fprintf(&b, "\n%-58s %9s %9s\n", "promised", "measured", "at most")
		for _, v := range v {
			mark := "✓"
			switch {
			case v.Measured == 0:
				mark = "✗ too short to tell"
			case !v.Met():
				mark = "✗ missed"
			}
			fmt.Fprintf(&b, "%-58s %9.2f %9.4g %-8s%s\n", v.What, v.Measured, v.Limit, v.Unit, mark)
		}
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "\nWRONG: %s\n", f)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (s *Scenario) print(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%s\n%-12s %9s %8s %8s %9s %8s %8s %8s %9s %6s\n", s.Name,
		"", "a second", "p50 ms", "p99 ms", "CPU µs", "× floor", "rate ×", "peak MB", "right", "wrong")
	for _, t := range s.Targets {
		right, wrong := 0, 0
		for _, r := range s.Rounds[t] {
			if r != nil {
				right, wrong = right+r.OK, wrong+r.Errors
			}
		}
		fmt.Fprintf(b, "%-12s %9.0f %8.2f %8.2f %9.1f %8.2f %8.2f %8.0f %9d %6d\n", t,
			s.median(t, rate),
			s.median(t, func(r *load.Result) float64 { return r.P50 }),
			s.median(t, func(r *load.Result) float64 { return r.P99 }),
			s.median(t, cpu)*1000, // seconds per 1000 to microseconds each
			s.ratio(t, Floor, cpu), s.ratio(t, Floor, rate),
			s.median(t, func(r *load.Result) float64 { return r.RSS }),
			right, wrong)
	}
}
