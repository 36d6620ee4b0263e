package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

func result(cpu, rate float64) *load.Result {
	return &load.Result{CPU: cpu, PerSecond: rate, OK: 100, P50: 1, P99: 2, RSS: 30}
}

func sample() *Report {
	return &Report{IdleMB: 41, Scenarios: []*Scenario{{
		Name: "call 100 B", Limit: 1.5, Targets: []string{Direct, Floor, Gateway},
		Rounds: map[string][]*load.Result{
			Direct: {result(.05, 200), result(.05, 200), result(.05, 200)},
			// The machine was half as fast in the second round, and in the
			// third the gateway failed.
			Floor:   {result(.1, 100), result(.2, 50), result(.1, 100)},
			Gateway: {result(.14, 80), result(.26, 40), nil},
		},
	}}}
}

func TestRatiosAreTakenWithinRounds(t *testing.T) {
	s := sample().Scenarios[0]
	if got := s.ratio(Gateway, Floor, cpu); got < 1.349 || got > 1.351 {
		t.Errorf("CPU ratio %v, want 1.35, the median of 1.4 and 1.3", got)
	}
	if got := s.ratio(Gateway, Floor, rate); got != .8 {
		t.Errorf("rate ratio %v, want 0.8", got)
	}
	if got := s.ratio(Raw, Floor, cpu); got != 0 {
		t.Errorf("ratio of what was not measured: %v, want 0", got)
	}
}

func TestVerdicts(t *testing.T) {
	r := sample()
	v := r.Verdicts()
	if len(v) != 2 || !v[0].Met() || v[1].Met() {
		t.Errorf("verdicts %+v: want the first met and the second, 41 of 40 MB, not", v)
	}
	// A gateway that never answered must not pass as one that costs nothing.
	r.Scenarios[0].Rounds[Gateway] = []*load.Result{nil, nil, nil}
	if v := r.Verdicts(); v[0].Met() {
		t.Errorf("%+v counts as met without a measurement", v[0])
	}
	r.Scenarios[0].Targets = []string{Direct, Floor}
	if v := r.Verdicts(); len(v) != 1 {
		t.Errorf("%d verdicts without a gateway, want the memory's only", len(v))
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestPrint(t *testing.T) {
	r := sample()
	r.Failures = []string{"call, mcp-gw, round 3: no answer"}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := `
call 100 B
              a second   p50 ms   p99 ms    CPU µs  × floor   rate ×  peak MB     right  wrong
direct             200     1.00     2.00      50.0     0.50     2.00       30       300      0
proxyfloor         100     1.00     2.00     100.0     1.00     1.00       30       300      0
mcp-gw              60     1.00     2.00     200.0     1.35     0.80       30       200      0

promised                                                    measured   at most
call 100 B, CPU                                                 1.35       1.5 × floor ✓
resident memory, 10 backends, idle                             41.00        40 MB      ✗ missed

WRONG: call, mcp-gw, round 3: no answer
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	if err := sample().Write(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || len(back.Verdicts()) != 2 || back.Verdicts()[0].Measured != sample().Verdicts()[0].Measured {
		t.Errorf("read back %+v, %v", back, err)
	}
}
