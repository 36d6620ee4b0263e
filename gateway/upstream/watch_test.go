package upstream

import (
	"testing"
	"time"
)

// What nobody calls is asked less and less often, where events tell of its end.
func TestAnIdleContainerIsAskedSeldom(t *testing.T) {
	const usual = 30 * time.Second
	l := &link{cfg: Config{PingInterval: usual}}
	container := at("http://c/mcp")
	container.Generation = "1"
	next := func(streams bool) (all []time.Duration) {
		d := usual
		for range 5 {
			d = l.nextPing(container, d, streams)
			all = append(all, d)
		}
		return all
	}
	if got := next(false); got[0] != 2*usual || got[4] != lazyPings*usual {
		t.Errorf("it waits %v", got)
	}
	if got := next(true); got[4] != laziestPings*usual {
		t.Errorf("with a stream it waits %v", got)
	}
	l.called.Store(true)
	if got := l.nextPing(container, lazyPings*usual, true); got != usual {
		t.Errorf("after a call it waits %v", got)
	}
	container.Tuning.Ping = usual
	if got := next(true); got[4] != usual {
		t.Errorf("with an interval of its own it waits %v", got)
	}
	if got := l.nextPing(at("http://elsewhere/mcp"), usual, true); got != usual {
		t.Errorf("a server that no events tell of is asked after %v", got)
	}
}

// Most checks tell nothing new: nobody need hear of them, and yet they are shown.
func TestAUsualCheckIsNoNews(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.PingInterval = 10 * time.Millisecond
	u := start(t, at(b.URL), cfg)
	s := awaitReady(t, u)
	await(t, "lists that are read again after the connect", func() bool { s = u.State(); time.Sleep(3 * quiet); return u.State() == s })
	before := s.Checked().At
	await(t, "a check", func() bool { return s.Checked().At.After(before) })
	if u.State() != s {
		t.Error("a check made another state")
	}
	u.suspect.ring()
	await(t, "a state after a check that somebody waits for", func() bool { return u.State() != s })
}
