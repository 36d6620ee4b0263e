package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// A backend dies in the middle of everything, and comes back.
func TestRestartsOfABackend(t *testing.T) {
	t.Parallel()
	for _, kind := range choirKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t)
			c := newChoir(t, kind)
			g.connect(t, kind, c.url(), c.transport())
			scenes := []*scene{setScene(t, g.mcp(), c, "legacy", false), setScene(t, g.mcp(), c, "modern", true)}
			for _, s := range scenes {
				s.hears(t, "before")
			}
			c.kill()
			for _, s := range scenes {
				receive(t, s.name+"'s reporting call to end", s.reporting).failed(t, s.name+" client, the reporting call")
				if !s.modern && kind != "modern" {
					receive(t, s.name+"'s asking call to end", s.asking).failed(t, s.name+" client, the asking call")
				}
			}
			c.restart(t)
			for _, s := range scenes {
				s.works(t, "after the restart")
				s.hears(t, "after the restart")
				s.complaints(t)
			}
			// A modern backend keeps nothing of a call that asks, and takes the input as
			// if nothing had been; another has lost the call.
			o := scenes[1].finish(t)
			if kind != "modern" {
				o.failed(t, "the input for a call that is lost")
			} else {
				o.succeeded(t, "the input of a modern client")
				scenes[0].answer(t)
				receive(t, "the answered call to end", scenes[0].asking).succeeded(t, "the input of a legacy client")
			}
			once(t, c)
		})
	}
}

// The gateway dies in the middle of everything, and comes back on its address: the
// clients' sessions are good, and what was lost says so.
func TestRestartsOfTheGateway(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	var scenes []*scene
	for _, kind := range choirKinds {
		c := newChoir(t, kind)
		g.connect(t, kind, c.url(), c.transport())
		scenes = append(scenes, setScene(t, g.mcp(), c, "l"+kind, false), setScene(t, g.mcp(), c, "m"+kind, true))
	}
	gone := joinSinger(t, g.mcp(), "gone", false)
	g.kill()
	for _, s := range scenes {
		if o := receive(t, "the reporting call to end", s.reporting); o.err == nil {
			t.Errorf("%s: the reporting call was answered by a dead gateway: %.300s", s.name, o.m.raw)
		}
		s.leave()
	}
	gone.leave()
	g.start(t)
	for _, s := range scenes {
		g.awaitStatus(t, s.c.kind, "connected")
		s.works(t, "with the session of before")
		s.watch(t)
		s.hears(t, "watching again")
		s.complaints(t)
		if !s.modern {
			continue
		}
		o := s.finish(t)
		switch {
		case s.c.kind == "modern":
			o.succeeded(t, s.name+": the input for a call of a modern backend")
		case o.err != nil || !strings.Contains(o.m.text(), "the gateway was restarted"):
			t.Errorf("%s: the input for a call that is lost: %v %.300s", s.name, o.err, raw(o.m))
		}
	}
	// A session that its client ends is over, also one of before.
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, g.mcp(), nil)
	req.Header.Set("Mcp-Session-Id", gone.session)
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode/100 != 2 {
		t.Errorf("DELETE of a session of before: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if err := gone.say(t.Context(), `{"jsonrpc":"2.0","id":1,"method":"ping"}`); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("ping in a session that was ended: %v, want 404", err)
	}
	// Another gateway, with another key, knows none of them.
	other := startGateway(t)
	stranger := newSinger(t, other.mcp(), "stranger", false)
	stranger.session = scenes[0].session
	if err := stranger.say(t.Context(), `{"jsonrpc":"2.0","id":1,"method":"ping"}`); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("ping at another gateway: %v, want 404", err)
	}
	for _, s := range scenes {
		once(t, s.c)
	}
}
