package upstream

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
)

// A client that only listens keeps its session and stream, however long it says
// nothing; one that could not hear anything does not.
func TestListeningLaneIsNotSwept(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	cfg := quick()
	cfg.PingInterval, cfg.LaneIdle = 10*time.Millisecond, 30*time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	c := &client{}
	for _, lane := range []*Lane{{Key: "listening", Inbox: c}, {Key: "deaf"}} {
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	s := sessionsOf(b)
	await(t, "sweeping", func() bool { return len(b.asked("DELETE")) > 0 })
	pings := len(b.asked("ping"))
	await(t, "more rounds than it takes", func() bool { return len(b.asked("ping")) >= pings+10 })
	if d := b.asked("DELETE"); len(d) != 1 || d[0].session != s[1] {
		t.Errorf("closed %v, want %s alone", d, s[1])
	}
	b.say(t, s[0], `data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
	await(t, "hearing", func() bool { notified, _ := c.got(); return len(notified) == 1 })
	u.CloseLane("listening")
	await(t, "closing it", func() bool { return len(b.asked("DELETE")) == 2 })
}

// A late call of a client that left does not leave a session behind for ever.
func TestLateCallOfOneThatLeft(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.PingInterval, cfg.LaneIdle = 10*time.Millisecond, 30*time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	left := &Lane{Key: "a", Inbox: &client{}}
	call := func(lane *Lane) {
		t.Helper()
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	call(left)
	u.CloseLane("a")
	call(left)
	back := &Lane{Key: "a", Inbox: &client{}} // under its old name
	call(back)
	s := sessionsOf(b)
	if s[1] == s[2] {
		t.Error("who came back shares the session of the one that left")
	}
	await(t, "sweeping", func() bool { return len(b.asked("DELETE")) == 2 })
	gone := []string{b.asked("DELETE")[0].session, b.asked("DELETE")[1].session}
	if !slices.Contains(gone, s[0]) || !slices.Contains(gone, s[1]) {
		t.Errorf("closed %v of %v", gone, s)
	}
}

// Who listens gives way only when nobody else can.
func TestListenerGivesWayLast(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.MaxLanes = 2
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	for _, lane := range []*Lane{{Key: "listening", Inbox: &client{}}, {Key: "a"}, {Key: "b"}} {
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "closing one", func() bool { return len(b.asked("DELETE")) == 1 })
	if s := sessionsOf(b); b.asked("DELETE")[0].session != s[1] {
		t.Errorf("closed %s of %v", b.asked("DELETE")[0].session, s)
	}
	if err := u.Call(t.Context(), &ask{as: &Lane{Key: "too", Inbox: &client{}}, tool: "echo"}); err != nil {
		t.Error(err)
	}
}

// forgetful makes b answer the streams of sessions that it does not know as it answers
// their requests.
func forgetful(b *backend) {
	b.offerStreams()
	streams := b.on["GET"]
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		b.mu.Lock()
		known := b.sessions[q.session]
		b.mu.Unlock()
		if !known {
			http.NotFound(w, q.Request)
			return
		}
		streams(w, q)
	})
}

// When the backend lost the session of a client that listens, there is another one
// without a call.
func TestListenerGetsANewSession(t *testing.T) {
	b := newBackend(t)
	forgetful(b)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	c := &client{}
	if err := u.Call(t.Context(), &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	old := sessionsOf(b)[0]
	b.forget()
	b.breakStream(old)
	// The gateway's own session was lost as well: which of the new ones is the
	// client's shows by who hears.
	await(t, "hearing in another session", func() bool {
		var open []string
		b.mu.Lock()
		for id := range b.streams {
			if id != old && b.sessions[id] {
				open = append(open, id)
			}
		}
		b.mu.Unlock()
		for _, id := range open {
			b.say(t, id, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		}
		notified, _ := c.got()
		return len(notified) > 0
	})
	mustCallIn := func() {
		if err := u.Call(t.Context(), &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	mustCallIn()
	if s := sessionsOf(b); s[1] == old || !b.streaming(s[1]) {
		t.Errorf("the call went to %s, which is not the session that listens", s[1])
	}
}

// A backend that knows the session and has no stream at the path is left alone, and
// so is one whose answer could not be had.
func TestStreamRefusedInAKnownSession(t *testing.T) {
	b := newBackend(t)
	b.handle("GET", func(w http.ResponseWriter, q *question) { http.NotFound(w, q.Request) })
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	for _, key := range []string{"a", "b"} {
		if err := u.Call(t.Context(), &ask{as: &Lane{Key: key, Inbox: &client{}}, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
		await(t, "learning that there are no streams", func() bool { return u.State().link.streamless.Load() })
	}
	// The gateway's own session and the first client's may both ask before either has
	// learned; the second client's does not.
	if n, streams := len(b.asked("initialize")), len(b.asked("GET")); n != 3 || streams < 1 || streams > 2 {
		t.Errorf("initialized %d times, asked for %d streams", n, streams)
	}
}

// A backend that loses every session is not given new ones without end.
func TestLossesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sl := &slot{since: time.Now()}
		var waits time.Duration
		n := 0
		for pause := sl.lostOne(); pause > 0; pause = sl.lostOne() {
			time.Sleep(pause)
			waits += pause
			n++
		}
		if n != maxLosses || waits < 30*time.Second || waits > 2*time.Minute {
			t.Errorf("%d sessions within %v", n, waits)
		}
		sl.since = time.Now()
		time.Sleep(lasting + time.Second)
		if pause := sl.lostOne(); pause != shortestPause {
			t.Errorf("after one that lasted: %v", pause)
		}
	})
}

// Over HTTP+SSE, where the stream is the session, as well.
func TestListenerOverSSEGetsANewSession(t *testing.T) {
	streams := make(chan context.CancelFunc, 10)
	srv := serve(t, nil)
	real := server.NewSSEServer(echoServer(), server.WithBaseURL(srv.URL))
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			streams <- cancel
			r = r.WithContext(ctx)
		}
		real.ServeHTTP(w, r)
	})
	b := at(srv.URL + "/sse")
	b.Transport = discovery.TransportSSE
	u := start(t, b, quick())
	awaitReady(t, u)
	<-streams // the gateway's own
	lane := &Lane{Key: "a", Inbox: &client{}}
	if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	(<-streams)()
	select {
	case <-streams:
	case <-time.After(patience):
		t.Fatal("no new session")
	}
	await(t, "a session", func() bool {
		slots := u.State().link.openSlots("a")
		return len(slots) == 1 && !slots[0].session().over()
	})
}

// Who listened has a session again when the backend is back, without a call, unless it
// left meanwhile.
func TestListenersAreReconnected(t *testing.T) {
	b := newBackend(t)
	forgetful(b)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	c := &client{}
	for _, lane := range []*Lane{{Key: "stays", Inbox: c}, {Key: "leaves", Inbox: &client{}}, {Key: "deaf"}} {
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		held := at(b.URL)
		held.Held = true
		u.Set(held)
		awaitState(t, u, "holding", func(s *State) bool { return s.Phase == PhaseHolding })
		u.CloseLane("leaves")
		opened := len(b.asked("initialize"))
		u.Set(at(b.URL))
		awaitReady(t, u)
		await(t, "a session and its stream", func() bool {
			slots := u.State().link.openSlots("stays")
			return len(slots) == 1 && b.streaming(slots[0].session().(*httpSession).id)
		})
		b.say(t, u.State().link.openSlots("stays")[0].session().(*httpSession).id,
			`data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		await(t, "hearing", func() bool { notified, _ := c.got(); return len(notified) == round+1 })
		if n := len(b.asked("initialize")) - opened; n != 2 {
			t.Errorf("round %d: opened %d sessions, want the gateway's and one client's", round, n)
		}
	}
}

// The announcements of a backend are counted, and nothing else is: not what is listed
// again because a session was lost.
func TestLostSessionAnnouncesNothing(t *testing.T) {
	b := fullBackend(t)
	forgetful(b)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	await(t, "the gateway's own stream", func() bool { return b.streaming("session-1") })
	mustCall(t, u, "a", "echo", "done")
	b.forget()
	b.setTools(`[{"name":"echo","inputSchema":{"type":"object"}},{"name":"more","inputSchema":{"type":"object"}}]`)
	mustCall(t, u, "a", "echo", "done")
	awaitState(t, u, "listing again", func(s *State) bool { return len(s.Tools) == 2 })
	own := u.State().link.shared.session().(*httpSession).id // it was lost as well, and is another one
	if own == "session-1" {
		t.Fatal("the lists were read in a session that is lost")
	}
	b.breakStream("session-1")
	b.say(t, own, `data: {"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`)
	s := awaitState(t, u, "hearing a change", func(s *State) bool { return s.Announced[catalog.Prompts] > 0 })
	if want := [catalog.Kinds]uint64{catalog.Prompts: 1}; s.Announced != want {
		t.Errorf("announced %v, want %v", s.Announced, want)
	}
}
