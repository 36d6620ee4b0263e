package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many clients of both eras at once, all of whose calls report progress, log, ask
// their callers things, and are cancelled, at backends of every kind: nothing that is
// one's reaches another, and no answer is lost.
//
// Not parallel: it takes all of the machine.
func TestNoForeignMessages(t *testing.T) {
	clients, rounds, progress := 64, 16, 120
	if testing.Short() {
		clients, rounds, progress = 8, 8, 40
	}
	const lanes = 3 // calls of each client at a time
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info")
	choirs := map[string]*choir{}
	for _, kind := range choirKinds {
		choirs[kind] = newChoir(t, kind)
		g.connect(t, kind, choirs[kind].url(), choirs[kind].transport())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var all []*singer
	var answers, cancelled atomic.Int64
	var wantLogs sync.Map // by singer
	var slowest record
	var work sync.WaitGroup
	began := time.Now()
	for i := range clients {
		s := joinSinger(t, g.mcp(), fmt.Sprintf("s%d", i), i%2 == 1)
		if i%4 == 3 {
			s.auth = "Bearer " + s.name
		}
		all = append(all, s)
		logs := new(atomic.Int64)
		wantLogs.Store(s, logs)
		for lane := range lanes {
			work.Go(func() {
				for n := lane; n < rounds; n += lanes {
					// A client's calls of one time go to one backend, those of others to all.
					kind := choirKinds[(i/2+n/lanes)%len(choirKinds)]
					v := verse{tool: kind + "__sing", id: strconv.Itoa(n + 1), part: part{
						Mark: fmt.Sprintf("%s-%d", s.name, n), Nonce: fmt.Sprintf("%s-%d", s.name, n),
						Progress: progress, Logs: 4, Asks: n%4 != 1, Pad: 200 * (n % 3)}}
					if n%5 == 4 {
						v.part.Asks, v.part.Hangs, v.part.Logs = false, true, 0
						takeBack(ctx, t, s, choirs[kind], v)
						cancelled.Add(1)
						continue
					}
					steps := 0
					v.on = func(m *message) {
						if m.Method == "notifications/progress" {
							if steps++; int(m.Params.Progress) != steps {
								s.complain(fmt.Sprintf("report %v where %d was due", m.Params.Progress, steps))
							}
						}
					}
					start := time.Now()
					m, err := s.sing(ctx, v)
					slowest.note(time.Since(start), kind+" "+v.part.Mark)
					if err != nil {
						t.Errorf("%s, %s: no answer: %v", kind, v.part.Mark, err)
						continue
					}
					want := ""
					if v.part.Asks {
						want = "accept " + v.part.Mark + "!"
					}
					if len(m.Result.Content) != 2 || m.Result.Content[0]["text"] != v.part.Mark || m.Result.Content[1]["text"] != want {
						t.Errorf("%s, %s: answered %.500s", kind, v.part.Mark, m.raw)
						continue
					}
					if steps != progress {
						t.Errorf("%s, %s: %d reports, want %d", kind, v.part.Mark, steps, progress)
					}
					answers.Add(1)
					logs.Add(int64(v.part.Logs))
				}
			})
		}
	}
	work.Wait()
	var heard int64
	for _, s := range all {
		want, _ := wantLogs.Load(s)
		eventually(t, "all log messages of "+s.name, func() bool { return s.logs.Load() >= want.(*atomic.Int64).Load() })
		if got := s.logs.Load(); got != want.(*atomic.Int64).Load() {
			t.Errorf("%s got %d log messages, want %d", s.name, got, want.(*atomic.Int64).Load())
		}
		s.complaints(t)
		heard += s.heard.Load()
	}
	for kind, c := range choirs {
		if twice := c.twice(); len(twice) > 0 {
			t.Errorf("%s: calls that ran twice: %v", kind, twice)
		}
	}
	if heard < 100_000 && !testing.Short() {
		t.Errorf("only %d messages came in all", heard)
	}
	t.Logf("%d messages to %d clients, %d answers, %d calls taken back, in %v; the slowest, %s, took %v", heard, clients, answers.Load(), cancelled.Load(), time.Since(began), slowest.what, slowest.took)
}

// record keeps the longest of many times.
type record struct {
	mu   sync.Mutex // guards what follows
	took time.Duration
	what string
}

func (r *record) note(took time.Duration, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if took > r.took {
		r.took, r.what = took, what
	}
}

// takeBack makes a call that ends by being cancelled, once it has said something, and
// sees that its backend hears of it.
func takeBack(ctx context.Context, t *testing.T, s *singer, c *choir, v verse) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan struct{})
	var once sync.Once
	v.on = func(*message) { once.Do(func() { close(came) }) }
	ended := make(chan error, 1)
	go func() {
		m, err := s.sing(ctx, v)
		if err == nil {
			err = fmt.Errorf("answered %.300s", m.raw)
		} else {
			err = nil
		}
		ended <- err
	}()
	select {
	case <-came:
	case err := <-ended:
		t.Errorf("%s, %s: ended before it was cancelled: %v", c.kind, v.part.Mark, err)
		return
	}
	if s.modern {
		cancel()
	} else if err := s.cancel(ctx, v.id); err != nil {
		t.Errorf("%s, %s: cancelling: %v", c.kind, v.part.Mark, err)
		return
	}
	if err := <-ended; err != nil {
		t.Errorf("%s, %s: cancelled and %v", c.kind, v.part.Mark, err)
	}
	for deadline := time.Now().Add(patience); c.how(v.part.Nonce) != "cancelled"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s, %s: the backend did not hear of the cancellation", c.kind, v.part.Mark)
			return
		}
	}
}
