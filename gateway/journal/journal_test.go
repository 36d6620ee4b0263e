package journal

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shown marshals entries the way the API does, one a line.
func shown(t *testing.T, entries []Entry) string {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestEntriesAreTheLogOfTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{MaxArguments: 40})
		j.System(LevelInfo, "MCP session opened: s1 (1 active)")
		j.Backend(LevelWarn, "ha", "Heartbeat failed: token=hunter2 refused")
		m := j.Meter("ha", "light")

		c := m.Start([]byte(`{"room":"hall","password":"open"}`))
		time.Sleep(12 * time.Millisecond)
		c.End(Outcome{})

		c = m.Start(nil)
		time.Sleep(1500 * time.Microsecond)
		c.End(Outcome{IsError: true})

		c = m.Start([]byte(`{"x":"` + strings.Repeat("y", 40) + `"}`))
		c.End(Outcome{Err: "connection refused"})

		m.Start([]byte(`{"half":`)).End(Outcome{})

		want := `
{"id":1,"ts":"2000-01-01T00:00:00.000Z","level":"info","type":"system","message":"MCP session opened: s1 (1 active)"}
{"id":2,"ts":"2000-01-01T00:00:00.000Z","level":"warn","type":"backend_event","backend":"ha","message":"Heartbeat failed: token=•••• redacted, 7 chars refused"}
{"id":3,"ts":"2000-01-01T00:00:00.000Z","level":"info","type":"tool_call","backend":"ha","tool":"light","message":"→ ha::light","data":{"room":"hall","password":"•••• redacted, 4 chars"}}
{"id":4,"ts":"2000-01-01T00:00:00.012Z","level":"info","type":"tool_result","backend":"ha","tool":"light","durationMs":12,"status":"ok","message":"← ha::light OK 12ms"}
{"id":5,"ts":"2000-01-01T00:00:00.012Z","level":"info","type":"tool_call","backend":"ha","tool":"light","message":"→ ha::light"}
{"id":6,"ts":"2000-01-01T00:00:00.013Z","level":"warn","type":"tool_result","backend":"ha","tool":"light","durationMs":1.5,"status":"error","message":"← ha::light ERR 2ms"}
{"id":7,"ts":"2000-01-01T00:00:00.013Z","level":"info","type":"tool_call","backend":"ha","tool":"light","message":"→ ha::light","data":{"truncated":true,"bytes":48}}
{"id":8,"ts":"2000-01-01T00:00:00.013Z","level":"error","type":"tool_result","backend":"ha","tool":"light","durationMs":0,"status":"error","message":"← ha::light THROW 0ms: connection refused"}
{"id":9,"ts":"2000-01-01T00:00:00.013Z","level":"info","type":"tool_call","backend":"ha","tool":"light","message":"→ ha::light","data":{"invalid":true,"bytes":8}}
{"id":10,"ts":"2000-01-01T00:00:00.013Z","level":"info","type":"tool_result","backend":"ha","tool":"light","durationMs":0,"status":"ok","message":"← ha::light OK 0ms"}
`
		if got := shown(t, j.Entries(0)); got != want[1:] {
			t.Errorf("got\n%swant\n%s", got, want[1:])
		}
	})
}

func TestStartCopiesTheArguments(t *testing.T) {
	j := New(Options{})
	buffer := []byte(`{"n":1}`)
	j.Meter("b", "t").Start(buffer)
	copy(buffer, `{"n":2}`)
	if got := string(j.Entries(1)[0].Data); got != `{"n":1}` {
		t.Errorf("data is %s: the caller's buffer was kept", got)
	}
}

func TestRingKeepsTheNewest(t *testing.T) {
	j := New(Options{Entries: 5})
	if got := j.Entries(0); len(got) != 0 {
		t.Errorf("an empty journal has %d entries", len(got))
	}
	for i := 1; i <= 12; i++ {
		j.System(LevelInfo, fmt.Sprint(i))
	}
	for n, want := range map[int]string{0: "8 9 10 11 12", 2: "11 12", 5: "8 9 10 11 12", 100: "8 9 10 11 12"} {
		if got := messages(j.Entries(n)); got != want {
			t.Errorf("Entries(%d): got %s, want %s", n, got, want)
		}
	}
}

func messages(entries []Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Message)
	}
	return strings.Join(out, " ")
}

func TestMessagesAreBounded(t *testing.T) {
	j := New(Options{})
	j.System(LevelError, strings.Repeat("é", maxMessage))
	got := j.Entries(1)[0].Message
	if len(got) > maxMessage+len("…") || !strings.HasSuffix(got, "é…") {
		t.Errorf("a long message was kept with %d bytes, ending in %q", len(got), got[len(got)-6:])
	}
}

// A text that is cut in the middle of a secret shows no part of it.
func TestWhatIsCutIsNoSecret(t *testing.T) {
	for _, secret := range planted[:len(planted)-1] {
		for cut := 1; cut < len(secret); cut++ {
			j := New(Options{})
			before := strings.Repeat("x ", (maxMessage-cut)/2)
			j.System(LevelError, (before + " ")[:maxMessage-cut-1]+" "+secret+" and more")
			got := j.Entries(1)[0].Message
			if i := strings.LastIndexByte(got, ' '); strings.Contains(got[max(0, i-30):], secret[:min(cut, 6)]) && cut > 3 {
				t.Fatalf("cut after %d of %s: …%q", cut, secret, got[len(got)-60:])
			}
		}
	}
	long := clipTo(strings.Repeat("x", 5000), 1000)
	if len(long) != 1000+len("…") {
		t.Errorf("a word without end was cut to %d", len(long))
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	j := New(Options{Entries: 64})
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			s := j.SubscribeNew()
			defer s.Close()
			var last uint64
			for {
				select {
				case <-done:
					return
				case <-s.Ready():
				}
				entries, ok := s.Next()
				if !ok {
					s = j.Subscribe(last)
					continue
				}
				for _, e := range entries {
					if e.ID <= last {
						t.Errorf("entry %d came after %d", e.ID, last)
					}
					last = e.ID
				}
				j.Snapshot()
				j.Entries(10)
			}
		})
	}
	const calls = 500
	for w := range 4 {
		writers.Go(func() {
			m := j.Meter("b", fmt.Sprint("t", w%2))
			for range calls {
				m.Start([]byte(`{"a":1}`)).End(Outcome{IsError: w == 0})
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if got := j.BackendStats("b"); got.Calls != 4*calls || got.Errors != calls {
		t.Errorf("total is %+v, want %d calls and %d errors", got, 4*calls, calls)
	}
	if got := j.Entries(1)[0].ID; got != 2*4*calls {
		t.Errorf("the newest entry is %d, want %d", got, 2*4*calls)
	}
}

func TestRecordingACallIsCheap(t *testing.T) {
	m := New(Options{}).Meter("backend", "tool")
	arguments := []byte(`{"query":"` + strings.Repeat("x", 88) + `"}`)
	m.Start(nil).End(Outcome{}) // makes the histograms
	if n := testing.AllocsPerRun(200, func() { m.Start(arguments).End(Outcome{}) }); n > 1 {
		t.Errorf("a call costs %v allocations, want the copy of its arguments alone", n)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, size := range []int{0, 100, 4096, 65536} {
		b.Run(fmt.Sprint(size, "B"), func(b *testing.B) {
			m := New(Options{}).Meter("backend", "tool")
			arguments := make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				m.Start(arguments).End(Outcome{})
			}
		})
	}
}

func BenchmarkCallContended(b *testing.B) {
	j := New(Options{})
	for range 4 {
		defer j.SubscribeNew().Close()
	}
	arguments := make([]byte, 100)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		m := j.Meter("backend", "tool")
		for pb.Next() {
			m.Start(arguments).End(Outcome{})
		}
	})
}

func BenchmarkRender(b *testing.B) {
	j := New(Options{})
	m := j.Meter("backend", "tool")
	for range 100 {
		m.Start([]byte(`{"query":"how do I list all the open issues?","limit":20,"repo":{"owner":"octo","name":"cat"}}`)).End(Outcome{})
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Entries(200)
	}
}
