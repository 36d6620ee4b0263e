package journal

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func TestNumbersOverADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{})
		fast, slow := j.Meter("a", "fast"), j.Meter("b", "slow")
		call := func(m *Meter, d time.Duration, kind ErrorKind) {
			r := j.Begin(&Request{Method: "tools/call", Meter: m, Backend: m.backend})
			time.Sleep(d)
			r.End(&Fate{Kind: kind}, nil, -1)
		}
		started := time.Now()
		time.Sleep(3 * time.Hour)
		for range 100 {
			call(fast, 4*time.Millisecond, "")
		}
		closed := j.Streams(nil)
		running := j.Begin(&Request{Method: "tools/call", Meter: slow})
		time.Sleep(2 * time.Minute)
		for range 19 {
			call(slow, 2*time.Second, ErrTimeout)
		}
		time.Sleep(5 * time.Minute)
		running.End(&Fate{Kind: ErrCancelled}, nil, -1)
		j.Begin(&Request{Method: "tools/list", Protocol: true}).End(&Fate{}, nil, 0)

		n := j.Numbers(Range15m, "", "")
		if n.Total.Calls != 120 || n.Total.Errors != 20 || !n.Since.Equal(started) || n.Step != 10*time.Second {
			t.Errorf("%+v", n.Total)
		}
		if n.Total.P50Ms == nil || *n.Total.P50Ms < 2 || *n.Total.P50Ms > 6 || *n.Total.P95Ms < 1000 || *n.Total.P99Ms < *n.Total.P95Ms {
			t.Errorf("percentiles %v %v %v", *n.Total.P50Ms, *n.Total.P95Ms, *n.Total.P99Ms)
		}
		s := n.Series
		ok, late, cancelled, peak, streams := 0, 0, 0, 0, 0
		for i := range s.T {
			ok += s.OK[i]
			late += s.ByKind[ErrTimeout][i]
			cancelled += s.ByKind[ErrCancelled][i]
			peak = max(peak, s.Run[i])
			streams = max(streams, s.Stream[i])
			if calls := s.OK[i] + s.Errors[i]; (s.P95Ms[i] != nil) != (calls >= minForPercents) {
				t.Errorf("%d calls and the percentile %v", calls, s.P95Ms[i])
			}
		}
		if len(s.T) != 91 || s.T[1]-s.T[0] != 10 || s.T[90] > time.Now().Unix() || s.T[0] > time.Now().Unix()-900 {
			t.Errorf("%d steps from %d to %d, now %d", len(s.T), s.T[0], s.T[len(s.T)-1], time.Now().Unix())
		}
		if ok != 100 || late != 19 || cancelled != 1 || peak != 2 || streams != 1 {
			t.Errorf("ok %d, late %d, cancelled %d, at once %d, streams %d", ok, late, cancelled, peak, streams)
		}
		if s.Run[75] != 1 || s.Stream[90] != 1 {
			t.Errorf("while nothing changed: %v running, %v streams", s.Run[75], s.Stream[90])
		}
		if len(n.Tools) != 2 || n.Tools[0].Name != "fast" || n.Tools[0].Calls != 100 || n.Tools[0].TotalMs != 400 || n.Tools[1].Errors != 20 || n.Tools[1].LastAt != stamp(time.Now()) {
			t.Errorf("%+v", n.Tools)
		}
		if len(n.Backends) != 2 || n.Backends[1].Errors != 20 || len(n.Backends[1].Spark.T) != 16 {
			t.Errorf("%+v", n.Backends)
		}
		for _, r := range []Range{Range1h, Range6h, Range24h} {
			if got := j.Numbers(r, "", ""); got.Total.Calls != 120 || got.Total.Errors != 20 {
				t.Errorf("%s: %+v", r, got.Total)
			}
		}
		if got := j.Numbers(Range1h, "b", ""); got.Total.Errors != 20 || got.Total.Calls != 20 || len(got.Tools) != 1 || len(got.Backends) != 1 || got.Step != time.Minute {
			t.Errorf("of one backend: %+v", got.Total)
		}
		if got := j.Numbers(Range1h, "a", "fast"); got.Total.Calls != 100 || len(got.Tools) != 1 || got.Step != 5*time.Minute {
			t.Errorf("of one tool: %+v, %d tools", got.Total, len(got.Tools))
		}
		if got := j.Numbers(Range1h, "a", "nothing"); got.Total.Calls != 0 || len(got.Tools) != 0 || len(got.Series.T) != len(got.Series.OK) {
			t.Errorf("of none: %+v", got.Total)
		}
		if got := j.Pulse(); got.Calls != 120 || got.Errors != 20 || got.Streams != 1 || got.P95Ms != nil {
			t.Errorf("%+v", got)
		}
		closed()

		time.Sleep(2 * time.Hour)
		call(fast, time.Millisecond, "")
		for r, want := range map[Range]int{Range15m: 1, Range1h: 1, Range6h: 121, Range24h: 121} {
			if got := j.Numbers(r, "", ""); got.Total.Calls != want {
				t.Errorf("%s, later: %+v", r, got.Total)
			}
			tools := 0
			for _, tool := range j.Numbers(r, "", "").Tools {
				tools += tool.Calls
			}
			if tools != want {
				t.Errorf("%s: the tools have %d calls", r, tools)
			}
		}
		time.Sleep(25 * time.Hour)
		if got := j.Numbers(Range24h, "", ""); got.Total.Calls != 0 || len(got.Tools) != 0 {
			t.Errorf("a day later: %+v", got.Total)
		}
	})
}

// What is said of the memory for a day holds.
func TestADayTakesBoundedMemory(t *testing.T) {
	for _, c := range []struct {
		levels []level
		most   uintptr
	}{{totalLevels, 200 << 10}, {backendLevels, 38 << 10}, {toolLevels, 9 << 10}} {
		size := uintptr(0)
		for _, l := range c.levels {
			size += uintptr(l.n) * (unsafe.Sizeof(counted{}) + unsafe.Sizeof(&counted{}))
		}
		if size > c.most || size < c.most*8/10 {
			t.Errorf("%v take %d bytes, said are at most %d", c.levels, size, c.most)
		}
	}
}

// What has been so for longer than is kept is still so.
func TestAGaugeThatSeldomChanges(t *testing.T) {
	var g gauge
	l := gaugeLevels[0]
	began := time.Unix(1_000_000*l.step, 0)
	g.set(began, 3)
	now := began.Add(time.Duration(l.step*int64(l.n)) * time.Second) // takes the place of the first
	g.set(now, 5)
	got := g.read(endingNow(now, 3600, l.step))
	last := len(got) - 1
	for i, n := range got[:last] {
		if n != 3 {
			t.Fatalf("step %d of %d: %d", i, last, n)
		}
	}
	if got[last] != 5 {
		t.Errorf("now it is %d", got[last])
	}
}

func TestRanges(t *testing.T) {
	for _, r := range []Range{Range15m, Range1h, Range6h, Range24h} {
		if !r.Valid() {
			t.Error(r)
		}
		of := rangeSteps[r]
		for _, c := range []struct {
			step   int64
			levels []level
		}{{of.total, totalLevels}, {of.backend, backendLevels}, {of.tool, toolLevels}} {
			fits := false
			f := endingNow(time.Now(), of.length, c.step)
			for _, l := range c.levels {
				fits = fits || c.step%l.step == 0 && f.step*f.n <= l.step*int64(l.n)
			}
			if !fits {
				t.Errorf("%s in steps of %d s: nothing reaches back so far", r, c.step)
			}
		}
	}
	if Range("2h").Valid() {
		t.Error("2h")
	}
}

func BenchmarkNumbers(b *testing.B) {
	j := New(Options{})
	for i := range 2000 {
		m := j.Meter("b", string(rune('a'+i)))
		j.Begin(&Request{Meter: m}).End(&Fate{}, nil, 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Numbers(Range24h, "", "")
	}
}
