package downstream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mcp-gw/gateway/bridge"
)

func TestEvictionTakesTheOneUnusedLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(func(c *Config) { c.MaxSessions = 3 })
		var all []*session
		for range 3 {
			all = append(all, h.sessions.open(hello{Version: "2025-11-25"}))
			time.Sleep(time.Second)
		}
		all[0].touch()
		h.sessions.open(hello{Version: "2025-11-25"})
		if !h.there(all[0]) || h.there(all[1]) || !h.there(all[2]) {
			t.Error("the wrong one was evicted")
		}
		if left := h.left(); len(left) != 1 || left[0] != all[1].tag {
			t.Errorf("told of %v", left)
		}
		// One in the middle of a call is spared while another is idle, and a stream
		// counts as much.
		_, cancel := context.WithCancelCause(context.Background())
		defer all[2].began("1", cancel)()
		time.Sleep(time.Second)
		all[0].touch()
		h.sessions.open(hello{Version: "2025-11-25"})
		h.sessions.open(hello{Version: "2025-11-25"})
		if !h.there(all[2]) {
			t.Error("a session with a call was evicted although others were idle")
		}
		for range 5 { // all busy: the bound holds nevertheless
			s := h.sessions.open(hello{Version: "2025-11-25"})
			defer s.opened(cancel)()
		}
		if n := h.sessions.count(); n != 3 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(func(c *Config) { c.SessionIdle = 10 * time.Minute })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.Run(ctx) }()
		defer func() { stop(); <-done }()
		ignore := func(error) {}
		idle, calling, streaming, used := h.sessions.open(hello{Version: "2025-11-25"}), h.sessions.open(hello{Version: "2025-11-25"}), h.sessions.open(hello{Version: "2025-11-25"}), h.sessions.open(hello{Version: "2025-11-25"})
		ended := calling.began("1", ignore)
		// Another call under the same id, against the rules, that ends before.
		calling.began("1", ignore)()
		closed := streaming.opened(ignore)
		for range 6 {
			time.Sleep(5 * time.Minute)
			used.touch()
		}
		for name, s := range map[string]*session{"calling": calling, "streaming": streaming, "used": used} {
			if !h.there(s) {
				t.Errorf("the %s session ended", name)
			}
		}
		if h.there(idle) || len(h.left()) != 1 {
			t.Errorf("the idle session is there; told of %v", h.left())
		}
		ended()
		closed()
		time.Sleep(15 * time.Minute)
		if n := h.sessions.count(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// A client that lost its stream opens another one before the loss of the first was
// noticed, or after, or both at once: the newest is the session's.
func TestNewestStreamWins(t *testing.T) {
	s := &session{calls: map[string]*running{}}
	open := func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		return ctx, s.opened(cancel)
	}
	conn, lost := context.WithCancel(context.Background())
	_, closeFirst := open(conn)
	lost() // the first one's client is gone, which its handler has yet to notice
	second, closeSecond := open(context.Background())
	closeFirst()
	if !s.busy() {
		t.Error("the end of the first stream took the second one with it")
	}
	third, closeThird := open(context.Background())
	if context.Cause(second) != errStreamReplaced || third.Err() != nil {
		t.Errorf("second: %v, third: %v", context.Cause(second), third.Err())
	}
	closeSecond()
	s.end()
	if context.Cause(third) != errStreamReplaced {
		t.Errorf("third after the session's end: %v", context.Cause(third))
	}
	closeThird()
	if late, closeLate := open(context.Background()); late.Err() == nil {
		t.Error("a session that is over has a stream")
	} else {
		closeLate()
	}
}

func TestCancelByID(t *testing.T) {
	s := &session{calls: map[string]*running{}}
	contexts := map[string]context.Context{}
	for _, id := range []string{`1`, `"1"`, `0`} {
		ctx, cancel := context.WithCancelCause(context.Background())
		contexts[id] = ctx
		defer s.began(id, cancel)()
	}
	s.cancel(`"1"`)
	s.cancel(`2`)
	for id, ctx := range contexts {
		if got, want := context.Cause(ctx) == bridge.ErrCancelled, id == `"1"`; got != want {
			t.Errorf("call %s cancelled: %v", id, got)
		}
	}
}
