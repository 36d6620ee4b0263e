package journal

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{})
		fast, slow, other := j.Meter("a", "fast"), j.Meter("a", "slow"), j.Meter("b", "other")
		if fast != j.Meter("a", "fast") {
			t.Error("the same pair has two meters")
		}
		if got := fast.Stats(); got != (Stats{}) {
			t.Errorf("before the first call: %+v", got)
		}
		call := func(m *Meter, d time.Duration, o Outcome) {
			c := m.Start(nil)
			time.Sleep(d)
			c.End(o)
		}
		for range 90 {
			call(fast, 4*time.Millisecond, Outcome{})
		}
		for range 10 {
			call(slow, 2*time.Second, Outcome{IsError: true, Err: "answered all the same"})
		}
		call(other, time.Hour, Outcome{Err: "timeout"})

		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > want/3 {
				t.Errorf("%s is %v ms, want about %v", what, got, want)
			}
		}
		if got := j.BackendStats("a"); got.Calls != 100 || got.Errors != 10 {
			t.Errorf("backend a: %+v", got)
		} else {
			near("p50", got.P50Ms, 4)
			near("p95", got.P95Ms, 2000)
		}
		if got := other.Stats(); got.P50Ms != 700_000 || got.Calls != 1 || got.Errors != 1 {
			t.Errorf("above all bounds: %+v", got)
		}
		if got := j.BackendStats("nobody"); got != (Stats{}) {
			t.Errorf("an unknown backend: %+v", got)
		}

		s := j.Snapshot()
		if len(s.Tools) != 3 || s.Tools[1] != (ToolCalls{"a", "slow", Counts{Errors: 10}}) {
			t.Errorf("tools: %+v", s.Tools)
		}
		h := s.Backends[0].Durations
		if h.Count != 100 || math.Abs(h.Seconds-20.36) > 1e-6 {
			t.Errorf("histogram: count %d, sum %v", h.Count, h.Seconds)
		}
		for bound, want := range map[float64]uint64{0.001: 0, 0.002: 0, 0.005: 90, 0.01: 90, 1: 90, 2: 100, 500: 100} {
			got, ok := h.Buckets[bound]
			if !ok || got != want {
				t.Errorf("bucket %v: got %d (%v), want %d", bound, got, ok, want)
			}
		}

		call2 := slow.Start(nil)
		j.Retain(func(backend, tool string) bool { return backend == "a" && tool == "fast" })
		call2.End(Outcome{}) // a call under way ends on a dropped meter
		if s := j.Snapshot(); len(s.Tools) != 1 || len(s.Backends) != 1 {
			t.Errorf("after Retain: %+v", s)
		}
		if got := j.BackendStats("a").Calls; got != 101 {
			t.Errorf("the backend forgot the calls of its dropped tool: %d", got)
		}
		if got := j.Meter("a", "slow").Stats().Calls; got != 0 {
			t.Errorf("a tool that came back remembers %d calls", got)
		}
	})
}

// A backend that lists other names each time leaves nothing behind, but what was called.
func TestMetersThatNobodyUsedAreSwept(t *testing.T) {
	j := New(Options{})
	for _, tool := range []string{"listed", "called", "requested", "gone"} {
		j.Meter("a", tool)
	}
	j.Meter("a", "called").Start(nil)
	j.Begin(&Request{Meter: j.Meter("a", "requested")})
	if left := j.Sweep(func(m *Meter) bool { return m.tool == "listed" }); left != 3 || j.Meters() != 3 {
		t.Errorf("%d are left, want 3", left)
	}
	if j.ToolStats("a", "called"); j.Meters() != 3 {
		t.Error("who asks makes a meter")
	}
}

func TestStepsCoverEveryDuration(t *testing.T) {
	if len(bounds)+1 != steps {
		t.Fatalf("%d bounds, %d steps", len(bounds), steps)
	}
	for i, bound := range bounds {
		if got := step(bound); got != i {
			t.Errorf("%v is in step %d, want %d", bound, got, i)
		}
		if got := step(bound + 1); got != i+1 {
			t.Errorf("just above %v: step %d, want %d", bound, got, i+1)
		}
	}
	if step(0) != 0 || step(-1) != 0 {
		t.Error("no duration is not in the first step")
	}
}

func TestPercentileInterpolates(t *testing.T) {
	var count [steps]uint64
	count[step(3*time.Millisecond)] = 100 // 2 to 3 ms
	for q, want := range map[float64]float64{0.5: 2.5, 0.95: 2.95, 0.01: 2.01} {
		if got := percentile(&count, 100, q); math.Abs(got-want) > 0.001 {
			t.Errorf("p%v: got %v, want %v", q*100, got, want)
		}
	}
}
