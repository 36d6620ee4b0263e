package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// listenAt serves h at addr, which was free a moment ago.
func listenAt(t *testing.T, addr string, h http.Handler) *httptest.Server {
	t.Helper()
	var l net.Listener
	await(t, "listening at "+addr, func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	})
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() { shut(s) })
	return s
}

// A call to a backend that is being restarted waits for it, and runs once.
func TestCallWaitsForARestart(t *testing.T) {
	for name, modern := range map[string]bool{"legacy": false, "modern": true} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.modern = modern
			addr := b.Listener.Addr().String()
			u := start(t, at("http://"+addr), quick())
			awaitReady(t, u)
			mustCall(t, u, "a", "echo", "done")
			b.close()
			done := make(chan error)
			go func() { done <- callUnbroken(t, u, "a") }()
			awaitState(t, u, "noticing", func(s *State) bool { return s.Phase == PhaseHolding && len(s.Tools) == 1 })
			b.forget()
			before := b.ran.Load()
			listenAt(t, addr, b)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := b.ran.Load() - before; n != 1 {
				t.Errorf("the call ran %d times", n)
			}
		})
	}
}

// What may have run is not sent again.
func TestBrokenConnectionIsNotRetried(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	for name, answer := range map[string]func(http.ResponseWriter, *question){
		"before the header": func(http.ResponseWriter, *question) { panic(http.ErrAbortHandler) },
		"inside a stream": func(w http.ResponseWriter, _ *question) {
			stream(w)
			panic(http.ErrAbortHandler)
		},
		"inside a body": func(w http.ResponseWriter, _ *question) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"jsonrpc":`))
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(b.asked("tools/call"))
			b.handle("tools/call", answer)
			_, err := call(t, u, "a", "echo")
			var lost *UnavailableError
			if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(lost.Reason, "closed the") {
				t.Errorf("call: %v", err)
			}
			if n := len(b.asked("tools/call")) - before; n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// The tools of a backend that does not come back vanish when the hold is over, also
// when what is at its address now accepts connections and never answers.
func TestHoldEnds(t *testing.T) {
	for name, hung := range map[string]bool{"dead": false, "hung": true} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			addr := b.Listener.Addr().String()
			cfg := quick()
			cfg.ConnectTimeout, cfg.Hold = time.Minute, 300*time.Millisecond
			u := start(t, at("http://"+addr), cfg)
			awaitReady(t, u)
			b.close()
			if hung {
				listenAt(t, addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hang(w, &question{Request: r}) }))
			}
			u.Reconnect()
			awaitState(t, u, "losing it", func(s *State) bool { return s.Phase == PhaseHolding && len(s.Tools) == 1 })
			awaitState(t, u, "the end of the hold", func(s *State) bool { return len(s.Tools) == 0 })
			if _, err := call(t, u, "", "echo"); err == nil {
				t.Error("a call succeeded")
			}
		})
	}
}

// Another generation at the same address: calls of the old one end at once, and
// nothing of the old one is used with the new one.
func TestGenerationChange(t *testing.T) {
	b := newBackend(t)
	want := at(b.URL)
	want.Generation = "1"
	u := start(t, want, quick())
	awaitReady(t, u)
	mustCall(t, u, "a", "echo", "done")
	arrived := make(chan struct{})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { close(arrived); hang(w, q) })
	done := make(chan error)
	go func() { _, err := call(t, u, "a", "echo"); done <- err }()
	<-arrived

	held := want
	held.Held = true
	u.Set(held)
	err := <-done
	var lost *UnavailableError
	if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(err.Error(), "restarted") {
		t.Errorf("the call of the old generation: %v", err)
	}
	s := awaitState(t, u, "holding", func(s *State) bool { return s.Backend.Held })
	if s.Phase != PhaseHolding || len(s.Tools) != 1 || s.Status() != "connecting" {
		t.Errorf("held: %s with %d tools", s.Phase, len(s.Tools))
	}
	b.handle("tools/call", nil)
	go func() { _, err := call(t, u, "a", "echo"); done <- err }()
	next := want
	next.Generation = "2"
	u.Set(next)
	if err := <-done; err != nil {
		t.Errorf("the call that waited: %v", err)
	}
	calls := sessionsOf(b)
	if calls[2] == calls[0] {
		t.Error("a session of the old generation was used with the new one")
	}
}

// No call goes to a process that is not wanted any more, not even before its connection
// is given up; what comes back to what it was is used as it was.
func TestTheNextCallHeedsTheWish(t *testing.T) {
	b := newBackend(t)
	want := at(b.URL)
	u := start(t, want, quick())
	awaitReady(t, u)
	now := make(chan struct{})
	close(now)
	held := want
	held.Held = true
	for range 100 {
		before := b.ran.Load()
		u.Set(held)
		err := u.CallHere(context.Background(), &ask{lane: "a", tool: "echo"}, now)
		var lost *UnavailableError
		if !errors.As(err, &lost) || !lost.NotRun {
			t.Fatalf("a call right after the wish: %v", err)
		}
		if b.ran.Load() != before {
			t.Fatal("it ran")
		}
		u.Set(want)
		mustCall(t, u, "a", "echo", "done")
	}
}

// A wish for another generation is heard while the gateway waits for the old one,
// whatever it waits for.
func TestWishInterruptsWaiting(t *testing.T) {
	for name, test := range map[string]struct {
		stuck     string // the method that is never answered
		transport discovery.Transport
		ready     bool // the old generation is connected first
	}{
		"discovery":  {stuck: "server/discover"},
		"initialize": {stuck: "initialize"},
		"first list": {stuck: "tools/list"},
		"sse stream": {stuck: "GET", transport: discovery.TransportSSE},
		"ping":       {stuck: "ping", ready: true},
		"list again": {stuck: "tools/list", ready: true},
	} {
		t.Run(name, func(t *testing.T) {
			old, successor := newBackend(t), newBackend(t)
			cfg := quick()
			cfg.ConnectTimeout, cfg.PingInterval = time.Minute, 20*time.Millisecond
			b := at(old.URL)
			b.Generation = "1"
			if b.Transport = test.transport; b.Transport == "" {
				b.Transport = discovery.TransportAuto
			}
			if !test.ready {
				old.handle(test.stuck, hang)
			}
			u := start(t, b, cfg)
			if test.ready {
				awaitReady(t, u)
				old.handle(test.stuck, hang)
			}
			before := len(old.asked(test.stuck))
			if test.ready || before == 0 {
				await(t, "asking", func() bool { return len(old.asked(test.stuck)) > before })
			}
			next := at(successor.URL)
			next.Generation = "2"
			u.Set(next)
			awaitState(t, u, "connecting to the next", func(s *State) bool { return isReady(s) && s.Backend.Generation == "2" })
		})
	}
}

// A backend that could not be reached for long is tried rarely; its successor is
// not.
func TestSuccessorIsTriedQuickly(t *testing.T) {
	hung := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hang(w, &question{Request: r}) }))
	cfg := quick()
	cfg.ConnectTimeout = time.Minute
	u := New(at(hung.URL), cfg, func() {})
	u.attempts = 10 * slowAttempts
	run(t, u)
	b := newBackend(t)
	addr := b.Listener.Addr().String()
	b.close()
	u.Set(at("http://" + addr))
	awaitState(t, u, "a first failure", func(s *State) bool { return s.Reason != "" })
	listenAt(t, addr, b)
	awaitReady(t, u)
}

func TestReconnect(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	before := awaitReady(t, u)
	u.Reconnect()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := u.AwaitAttempt(ctx, before.Attempts)
	if s.Phase != PhaseReady || s.Attempts != before.Attempts+1 || s.link == before.link {
		t.Errorf("after Reconnect: %s, %d attempts", s.Phase, s.Attempts)
	}
}

// A person's wish for a new connection ends an attempt that hangs, and is fulfilled
// by the one that follows: that one is not given up again.
func TestReconnectWhileConnecting(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.ConnectTimeout = time.Minute
	arrived := make(chan struct{})
	b.handle("initialize", func(w http.ResponseWriter, q *question) { close(arrived); hang(w, q) })
	u := start(t, at(b.URL), cfg)
	<-arrived
	b.handle("initialize", nil)
	u.Reconnect()
	awaitReady(t, u)
	mustCall(t, u, "", "echo", "done")
	if n := len(b.asked("initialize")); n != 2 {
		t.Errorf("initialized %d times, want 2", n)
	}
}

func TestDisableAndEnable(t *testing.T) {
	b := newBackend(t)
	off := at(b.URL)
	off.Disabled = true
	u := start(t, off, quick())
	if s := u.State(); s.Phase != PhaseDisabled || s.Status() != "disconnected" {
		t.Errorf("disabled: %s, %s", s.Phase, s.Status())
	}
	if _, err := call(t, u, "", "echo"); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("call: %v", err)
	}
	u.Set(at(b.URL))
	awaitReady(t, u)
	u.Set(off)
	awaitState(t, u, "disabling", func(s *State) bool { return s.Phase == PhaseDisabled && len(s.Tools) == 0 })
}

// Calls under way and calls that wait end when the backend is removed.
func TestStopEndsCalls(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	arrived := make(chan struct{})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { close(arrived); hang(w, q) })
	done := make(chan error, 1)
	go func() { _, err := call(t, u, "a", "echo"); done <- err }()
	<-arrived
	u.Remove()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "removed") {
			t.Errorf("call: %v", err)
		}
	case <-time.After(patience):
		t.Error("the call did not end")
	}
	if _, err := call(t, u, "a", "echo"); err == nil {
		t.Error("a call after Stop succeeded")
	}
}
