package upstream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

func TestTuned(t *testing.T) {
	c := Config{ConnectTimeout: 5 * time.Second, PingInterval: time.Minute, LaneIdle: time.Hour}
	if got := c.tuned(discovery.Tuning{}); got.DialTimeout != c.ConnectTimeout || got.ConnectTimeout != c.ConnectTimeout || got.PingInterval != c.PingInterval || got.LaneIdle != c.LaneIdle {
		t.Errorf("without a tuning: %+v", got)
	}
	got := c.tuned(discovery.Tuning{Connect: 1, Init: 2, Idle: 3, Ping: 4})
	if got.DialTimeout != 1 || got.ConnectTimeout != 2 || got.LaneIdle != 3 || got.PingInterval != 4 {
		t.Errorf("%+v", got)
	}
}

func TestGate(t *testing.T) {
	if g := newGate(0); g.enter(t.Context()) != nil {
		t.Error("no gate holds somebody up")
	}
	g := newGate(1)
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one passed: %v", err)
	}
	g.leave()
	if err := g.enter(t.Context()); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

// A backend whose revision was chosen is spoken to in that one alone, and one that
// does not speak it is told of.
func TestProtocolThatWasChosen(t *testing.T) {
	for _, tt := range []struct {
		protocol string
		modern   bool
	}{{"2026-07-28", true}, {"2025-06-18", false}, {"", true}} {
		if got := speaks(tt.protocol, true); got != tt.modern {
			t.Errorf("%q: modern %t", tt.protocol, got)
		}
		if tt.protocol != "" && speaks(tt.protocol, true) == speaks(tt.protocol, false) {
			t.Errorf("%q is of both eras, or of none", tt.protocol)
		}
	}
	if err := errOtherProtocol("2026-07-28"); !strings.Contains(err.Error(), "2026-07-28") {
		t.Error(err)
	}
}

func TestDoubtEnds(t *testing.T) {
	now := time.Now()
	if _, doubt := doubted(&discovery.Backend{}, now); doubt {
		t.Error("doubt without a reason")
	}
	b := &discovery.Backend{Doubted: now}
	if soon, doubt := doubted(b, now.Add(time.Second)); !doubt || soon != doubtPing {
		t.Errorf("after a second: %v, %t", soon, doubt)
	}
	if _, doubt := doubted(b, now.Add(doubtTime)); doubt {
		t.Error("doubt without an end")
	}
}
