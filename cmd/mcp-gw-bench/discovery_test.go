package main

import (
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var fifty []time.Duration
	for i := range 50 {
		fifty = append(fifty, time.Duration(i+1))
	}
	for _, tt := range []struct {
		in   []time.Duration
		q    float64
		want time.Duration
	}{{fifty, .5, 25}, {fifty, .95, 48}, {fifty, .99, 50}, {fifty, 1, 50}, {fifty[:1], .5, 1}, {fifty[:2], .5, 1}} {
		if got := percentile(tt.in, tt.q); got != tt.want {
			t.Errorf("%v of %d: %d, want %d", tt.q, len(tt.in), got, tt.want)
		}
	}
}

func TestPrintDelays(t *testing.T) {
	var b strings.Builder
	missed, err := printDelays(&b, []delays{{Client: sessions,
		Start: []time.Duration{2 * time.Second, 90 * time.Millisecond, 100 * time.Millisecond},
		Kill:  []time.Duration{301 * time.Millisecond}}})
	want := `
client of 2025-11-25, 3 runs, ms
                                      p50      p95      p99      max
docker start returned → listed      100.0   2000.0   2000.0   2000.0   p50 ≤ 100 ✓   p99 ≤ 500 ✗ missed
docker kill called → gone           301.0    301.0    301.0    301.0   p50 ≤ 250 ✗ missed   p99 ≤ 1000 ✓
`
	if err != nil || missed != 2 || b.String() != want {
		t.Errorf("%d missed, %v, got:\n%s\nwant:\n%s", missed, err, b.String(), want)
	}
}

func TestPrintRows(t *testing.T) {
	timed := row{what: "one", p50: 100 * time.Millisecond, p99: time.Second, measure: measureRun}
	plain := row{what: "two", plain: measureIdle}
	var b strings.Builder
	missed, err := printRows(&b, []result{
		{What: "one", Times: []time.Duration{90 * time.Millisecond, 2 * time.Second, 80 * time.Millisecond}, row: timed},
		{What: "two", Figures: []figure{{"CPU", .4, .5, "%"}, {"memory", 61, 60, "MB"}}, row: plain}})
	want := `
                                                  runs       p50       p99       max   in ms
one                                                  3      90.0    2000.0    2000.0   p50 ≤ 100 ✓   p99 ≤ 1000 ✗ missed
two: CPU                                                    0.40 %   CPU ≤ 0.5 ✓
two: memory                                                61.00 MB   memory ≤ 60 ✗ missed
`
	if err != nil || missed != 2 || b.String() != want {
		t.Errorf("%d missed, %v, got:\n%s\nwant:\n%s", missed, err, b.String(), want)
	}
}
