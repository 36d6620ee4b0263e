package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// Whatever the tests start must be over when they are.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = 10 * time.Second

// quick is a Config with times that suit a test.
func quick() Config {
	return Config{Log: slog.New(slog.DiscardHandler), Record: journal.New(journal.Options{}), Version: "test",
		MaxMessage: 1 << 20, ConnectTimeout: 2 * time.Second, CallTimeout: 5 * time.Second,
		PingInterval: time.Hour, Hold: 3 * time.Second, LaneIdle: time.Hour, MaxLanes: 100}
}

func at(url string) discovery.Backend {
	return discovery.Backend{Name: "b", Source: discovery.SourceManual, URL: url, Transport: discovery.TransportAuto}
}

// run lives u's life for the test's time.
func run(t *testing.T, u *Upstream) *Upstream {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); u.Run() }()
	t.Cleanup(func() {
		u.Stop()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("Run did not end after Stop")
		}
	})
	return u
}

func start(t *testing.T, b discovery.Backend, cfg Config) *Upstream {
	t.Helper()
	return run(t, New(b, cfg, func() {}))
}

// awaitState waits for a state that ok likes.
func awaitState(t *testing.T, u *Upstream, what string, ok func(*State) bool) *State {
	t.Helper()
	limit := time.After(patience)
	for {
		s := u.State()
		if ok(s) {
			return s
		}
		select {
		case <-s.next:
		case <-limit:
			t.Fatalf("%s did not happen; state is %s, %d tools, reason %q", what, s.Phase, len(s.Tools), s.Reason)
		}
	}
}

func isReady(s *State) bool { return s.Phase == PhaseReady }

func awaitReady(t *testing.T, u *Upstream) *State {
	t.Helper()
	return awaitState(t, u, "connecting", isReady)
}

// await waits until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// ask is an Exchange that keeps what it gets.
type ask struct {
	lane, tool string // of a client without a stream; "" is nobody
	as         *Lane  // of another client
	onNotify   func()
	onAsk      func(m *wire.Message, reply Reply) bool // nil: there is nobody to ask

	mu       sync.Mutex // guards what follows
	ids      []int64
	peer     Peer
	notified []string
	answer   string
}

func (a *ask) Lane() *Lane {
	if a.as == nil && a.lane != "" {
		return &Lane{Key: a.lane}
	}
	return a.as
}

func (a *ask) Ask(m *wire.Message, reply Reply) bool { return a.onAsk != nil && a.onAsk(m, reply) }

func (a *ask) Encode(dst []byte, id int64, to Peer) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids, a.peer = append(a.ids, id), to
	members := `"name":"` + a.tool + `","arguments":{}`
	if to.Modern {
		return newSelf("test").appendRequest(dst, id, "tools/call", members)
	}
	return appendLegacy(dst, id, "tools/call", members+`,"_meta":{"progressToken":`+strconv.FormatInt(id, 10)+`}`)
}

func (a *ask) Header(h http.Header, to Peer) {
	if to.Modern {
		h["Mcp-Method"], h["Mcp-Name"] = []string{"tools/call"}, []string{a.tool}
	}
}

func (a *ask) Receive(m *wire.Message, _ Peer) error {
	a.mu.Lock()
	if m.Kind == wire.KindResponse {
		a.answer = string(m.Raw)
	} else {
		a.notified = append(a.notified, string(m.Raw))
	}
	a.mu.Unlock()
	if m.Kind != wire.KindResponse && a.onNotify != nil {
		a.onNotify()
	}
	return nil
}

func (a *ask) got() (answer string, notified []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answer, a.notified
}

// call calls tool and answers the response.
func call(t *testing.T, u *Upstream, lane, tool string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	a := &ask{lane: lane, tool: tool}
	err := u.Call(ctx, a)
	answer, _ := a.got()
	return answer, err
}

// callUnbroken calls echo in lane. A kept connection may break under a request,
// which then may have run and is not repeated: such a call is made anew.
func callUnbroken(t *testing.T, u *Upstream, lane string) error {
	t.Helper()
	for range 100 {
		_, err := call(t, u, lane, "echo")
		var lost *UnavailableError
		if !errors.As(err, &lost) || lost.NotRun {
			return err
		}
	}
	return errors.New("every connection broke")
}

// mustCall fails the test unless tool answers with text.
func mustCall(t *testing.T, u *Upstream, lane, tool, text string) {
	t.Helper()
	if answer, err := call(t, u, lane, tool); err != nil || !strings.Contains(answer, text) {
		t.Fatalf("call of %s: %q, %v; want %q", tool, answer, err, text)
	}
}
