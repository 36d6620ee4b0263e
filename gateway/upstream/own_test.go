package upstream

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"mcp-gw/gateway/wire"
)

// told is a client that keeps the updates it hears of.
type told struct{ updated }

func (c *told) Notified(_ string, m *wire.Message) {
	uri, _ := wire.Unquote(m.URI.In(m.Raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uris = append(c.uris, m.Method+" "+uri)
}

func (c *told) Asked(string, *wire.Message, Reply) bool { return false }

func mustSubscribeAs(t *testing.T, u *Upstream, lane *Lane, uri string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if own, err := u.SubscribeAs(ctx, lane, uri); err != nil || !own {
		t.Fatalf("SubscribeAs(%q): %v, %v", uri, own, err)
	}
}

// A legacy client subscribes in its own session, and hears there of updates; when the
// session is lost, the next one is told.
func TestSubscribeAs(t *testing.T) {
	b := subscribable(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	inbox := new(told)
	lane := &Lane{Key: "c", Inbox: inbox}
	mustSubscribeAs(t, u, lane, "a")
	mustSubscribeAs(t, u, lane, "b")
	if got := urisOf(b, "resources/subscribe"); !slices.Equal(got, []string{"session-2 a", "session-2 b"}) {
		t.Fatalf("subscribed to %q, want both in the client's own session", got)
	}
	b.say(t, "session-2", `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a"}}`)
	await(t, "the update", func() bool {
		return slices.Equal(inbox.got(), []string{"notifications/resources/updated a"})
	})
	if !u.UnsubscribeAs(t.Context(), lane, "b") || u.UnsubscribeAs(t.Context(), lane, "b") {
		t.Error("UnsubscribeAs must report whether there was one")
	}
	if got := urisOf(b, "resources/unsubscribe"); !slices.Equal(got, []string{"session-2 b"}) {
		t.Errorf("unsubscribed from %q", got)
	}

	var refused *RefusedError
	if own, err := u.SubscribeAs(t.Context(), lane, "no"); !own || !errors.As(err, &refused) || refused.Code != -32002 {
		t.Errorf("a refusal: %v, %v", own, err)
	}
	u.Reconnect()
	awaitReady(t, u)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	await(t, "asking in a new session", func() bool {
		mustSubscribeAs(t, u, lane, "c") // whatever opens one
		got := urisOf(b, "resources/subscribe")
		n := 0
		for _, who := range got {
			if who[len(who)-2:] == " a" {
				n++
			}
			if who[len(who)-2:] == " b" && n > 1 {
				t.Fatalf("asked again for what was given up: %q", got)
			}
		}
		return n == 2 && ctx.Err() == nil
	})
}

// Where a client has no session of its own with the backend, the gateway subscribes.
func TestSubscribeAsWithoutSessions(t *testing.T) {
	b := subscribable(t)
	b.stateless = true
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	lane := &Lane{Key: "c"}
	if own, err := u.SubscribeAs(t.Context(), lane, "a"); own || err != nil {
		t.Errorf("SubscribeAs: %v, %v", own, err)
	}
	if got := urisOf(b, "resources/subscribe"); len(got) > 0 || u.UnsubscribeAs(t.Context(), lane, "a") {
		t.Errorf("asked for %q", got)
	}
}
