package main

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// promises on how fast discovery is; zero: none.
var promises = []struct {
	what     string
	p50, p99 time.Duration
	of       func(delays) []time.Duration
}{
	{"docker start returned → listed", 100 * time.Millisecond, 500 * time.Millisecond, func(d delays) []time.Duration { return d.Start }},
	{"docker kill called → gone", 250 * time.Millisecond, time.Second, func(d delays) []time.Duration { return d.Kill }},
}

// printDelays writes a table and returns how many promises were not kept.
func printDelays(w io.Writer, all []delays) (missed int, err error) {
	var b bytes.Buffer
	for _, d := range all {
		fmt.Fprintf(&b, "\nclient of %s, %d runs, ms\n%-32s %8s %8s %8s %8s\n", d.Client, len(d.Start), "", "p50", "p95", "p99", "max")
		for _, p := range promises {
			v := sorted(p.of(d))
			fmt.Fprintf(&b, "%-32s", p.what)
			for _, q := range []float64{.5, .95, .99, 1} {
				fmt.Fprintf(&b, " %8.1f", ms(percentile(v, q)))
			}
			for _, limit := range []struct {
				name string
				q    float64
				most time.Duration
			}{{"p50", .5, p.p50}, {"p99", .99, p.p99}} {
				if limit.most == 0 {
					continue
				}
				mark := "✓"
				if percentile(v, limit.q) > limit.most {
					mark = "✗ missed"
					missed++
				}
				fmt.Fprintf(&b, "   %s ≤ %.0f %s", limit.name, ms(limit.most), mark)
			}
			b.WriteByte('\n')
		}
	}
	_, err = w.Write(b.Bytes())
	return missed, err
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
