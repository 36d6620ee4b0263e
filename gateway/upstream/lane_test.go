package upstream

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// sessionsOf answers the sessions that calls came in, in order.
func sessionsOf(b *backend) []string {
	var ids []string
	for _, q := range b.asked("tools/call") {
		ids = append(ids, q.session)
	}
	return ids
}

func TestEachClientHasItsSession(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	for _, lane := range []string{"a", "b", "a", "", "b"} {
		mustCall(t, u, lane, "echo", "done")
	}
	s := sessionsOf(b)
	if s[0] != s[2] || s[1] != s[4] || s[0] == s[1] || s[3] == s[0] || s[3] == s[1] {
		t.Errorf("sessions %v for the clients a b a - b", s)
	}
	u.CloseLane("a")
	await(t, "closing a's session", func() bool { return len(b.asked("DELETE")) == 1 })
	if got := b.asked("DELETE")[0].session; got != s[0] {
		t.Errorf("closed %s, want %s", got, s[0])
	}
	mustCall(t, u, "a", "echo", "done")
	if now := sessionsOf(b); now[5] == s[0] {
		t.Error("a closed session was used again")
	}
}

// A server without sessions serves all clients in none.
func TestStatelessServerIsShared(t *testing.T) {
	b := newBackend(t)
	b.stateless = true
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustCall(t, u, "a", "echo", "done")
	mustCall(t, u, "b", "echo", "done")
	if n := len(b.asked("initialize")); n != 1 {
		t.Errorf("initialized %d times", n)
	}
}

// A client that leaves in the middle of a call does not have the session closed
// under it, and one that leaves while its session is being opened leaves none behind.
func TestLaneClosedWhileInUse(t *testing.T) {
	for _, during := range []string{"tools/call", "initialize"} {
		t.Run(during, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			arrived, goOn := make(chan struct{}), make(chan struct{})
			b.handle(during, func(w http.ResponseWriter, q *question) {
				close(arrived)
				<-goOn
				b.answer(w, q)
			})
			done := make(chan error)
			go func() { _, err := call(t, u, "a", "echo"); done <- err }()
			<-arrived
			u.CloseLane("a")
			if n := len(b.asked("DELETE")); n > 0 {
				t.Error("the session was closed under its call")
			}
			close(goOn)
			if err := <-done; err != nil {
				t.Error(err)
			}
			await(t, "closing the session", func() bool { return b.live() == 1 }) // the gateway's own stays
		})
	}
}

// The session of a closed slot is given out once, to whoever used it last.
func TestSlotGivesItsSessionOutOnce(t *testing.T) {
	s := &httpSession{}
	sl := &slot{open: func(*slot) (session, serverInfo, error) { return s, serverInfo{}, nil }}
	for range 2 {
		if got, err := sl.acquire(t.Context(), nil); got != s || err != nil {
			t.Fatalf("acquire: %v, %v", got, err)
		}
	}
	if got := sl.close(); got != nil {
		t.Error("close gave out a session in use")
	}
	if got := sl.release(time.Now()); got != nil {
		t.Error("the first release gave it out")
	}
	if got := sl.release(time.Now()); got != s {
		t.Error("the last release did not")
	}
	if got := sl.close(); got != nil {
		t.Error("it was given out twice")
	}
}

func TestLanesAreBounded(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.MaxLanes = 3
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	for _, lane := range []string{"a", "b", "c", "a", "d"} {
		mustCall(t, u, lane, "echo", "done")
	}
	await(t, "closing the one unused longest", func() bool { return len(b.asked("DELETE")) == 1 })
	if s := sessionsOf(b); b.asked("DELETE")[0].session != s[1] {
		t.Errorf("closed %s, want b's of %v", b.asked("DELETE")[0].session, s)
	}
}

func TestIdleLanesAreSwept(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.PingInterval, cfg.LaneIdle = 20*time.Millisecond, 60*time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	mustCall(t, u, "a", "echo", "done")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		close(arrived)
		<-goOn
		b.answer(w, q)
	})
	done := make(chan error)
	go func() { _, err := call(t, u, "busy", "echo"); done <- err }()
	<-arrived
	s := sessionsOf(b)
	await(t, "sweeping", func() bool { return len(b.asked("DELETE")) == 1 })
	pings := len(b.asked("ping"))
	await(t, "two more rounds", func() bool { return len(b.asked("ping")) >= pings+2 })
	if d := b.asked("DELETE"); len(d) != 1 || d[0].session != s[0] {
		t.Errorf("closed %v, want %s alone", d, s[0])
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Sessions are not left behind at a backend that lives on.
func TestSessionsAreClosedWhenTheConnectionIsGivenUp(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	for _, lane := range []string{"a", "b"} {
		mustCall(t, u, lane, "echo", "done")
	}
	u.Reconnect()
	await(t, "leaving one session", func() bool { return b.live() == 1 && len(b.asked("DELETE")) == 3 })
	mustCall(t, u, "a", "echo", "done")

	for name, end := range map[string]func(*Upstream){"when the gateway stops": (*Upstream).Stop, "when it is removed": (*Upstream).Remove} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			mustCall(t, u, "a", "echo", "done")
			end(u)
			await(t, "leaving no session", func() bool { return b.live() == 0 && len(b.asked("DELETE")) == 2 })
		})
	}
	t.Run("when the list fails", func(t *testing.T) {
		b := newBackend(t)
		b.handle("tools/list", func(w http.ResponseWriter, _ *question) { http.Error(w, "boom", 500) })
		u := start(t, at(b.URL), quick())
		awaitState(t, u, "three attempts", func(s *State) bool { return s.Attempts >= 3 })
		await(t, "closing their sessions", func() bool { return len(b.asked("DELETE")) >= 2 })
	})
	t.Run("when the revision is unknown", func(t *testing.T) {
		b := newBackend(t)
		b.handle("initialize", func(w http.ResponseWriter, q *question) {
			w.Header().Set("Mcp-Session-Id", "s")
			reply(w, q, `{"protocolVersion":"1999-01-01"}`)
		})
		start(t, at(b.URL), quick())
		await(t, "closing the session", func() bool {
			return slices.ContainsFunc(b.asked("DELETE"), func(q question) bool { return q.session == "s" })
		})
	})
}
