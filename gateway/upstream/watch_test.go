package upstream

import (
	"testing"
	"time"

	"mcp-gw/discovery"
)

// What nobody calls is seldom asked, where events tell of its end.
func TestAnIdleContainerIsAskedSeldom(t *testing.T) {
	const usual = 30 * time.Second
	container := at("http://c/mcp")
	container.Generation = "1"
	patient := container
	patient.Tuning.Ping = usual
	for _, tt := range []struct {
		what            string
		b               discovery.Backend
		called, streams bool
		want            time.Duration
	}{
		{"nobody calls it", container, false, false, lazyPings * usual},
		{"nobody calls it, and its stream is open", container, false, true, laziestPings * usual},
		{"it was called", container, true, true, usual},
		{"it has an interval of its own", patient, false, true, usual},
		{"no events tell of it", at("http://elsewhere/mcp"), false, true, usual},
	} {
		l := &link{cfg: Config{PingInterval: usual}}
		l.called.Store(tt.called)
		if got := l.nextPing(&tt.b, tt.streams); got != tt.want {
			t.Errorf("%s: asked after %v, want %v", tt.what, got, tt.want)
		}
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

func TestChecksAreSpreadAndComeTogether(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC)
	moments := map[time.Time]bool{}
	for range 1000 {
		d := due(now, 5*time.Minute)
		if d > 5*time.Minute || d < 5*time.Minute-31*time.Second {
			t.Fatalf("5 min: due in %v", d)
		}
		at := now.Add(d)
		if at.Nanosecond() != 0 {
			t.Fatalf("5 min: due at %v, in the midst of a second", at)
		}
		moments[at] = true
		if d := due(now, time.Second); d > time.Second || d < 900*time.Millisecond {
			t.Fatalf("1 s: due in %v", d)
		}
	}
	if n := len(moments); n < 20 || n > 31 {
		t.Errorf("a thousand checks came at %d moments, want one for nearly each of 30 seconds", n)
	}
}
