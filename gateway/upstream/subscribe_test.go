package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-gw/gateway/wire"
)

// updated keeps the updates that a gateway is told of.
type updated struct {
	mu   sync.Mutex
	uris []string
}

func (k *updated) take(backend string, m *wire.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	uri, _ := wire.Unquote(m.URI.In(m.Raw))
	k.uris = append(k.uris, backend+" "+uri)
}

func (k *updated) got() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.uris)
}

func uriOf(body string) string {
	var m struct{ Params struct{ URI string } }
	_ = json.Unmarshal([]byte(body), &m)
	return m.Params.URI
}

// subscribable is a legacy backend that takes subscriptions to all but "no".
func subscribable(t *testing.T) *backend {
	b := fullBackend(t)
	b.offerStreams()
	b.handle("resources/subscribe", func(w http.ResponseWriter, q *question) {
		b.mu.Lock()
		known := b.sessions[q.session]
		b.mu.Unlock()
		if !known {
			http.NotFound(w, q.Request)
			return
		}
		if uriOf(q.body) == "no" {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32002,"message":"no such thing","data":{"x":1e400}}}`, q.id)
			return
		}
		reply(w, q, `{}`)
	})
	b.handle("resources/unsubscribe", func(w http.ResponseWriter, q *question) { reply(w, q, `{}`) })
	return b
}

func urisOf(b *backend, method string) (uris []string) {
	for _, q := range b.asked(method) {
		uris = append(uris, q.session+" "+uriOf(q.body))
	}
	return uris
}

func mustSubscribe(t *testing.T, u *Upstream, uri string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := u.Subscribe(ctx, uri); err != nil {
		t.Fatalf("Subscribe(%q): %v", uri, err)
	}
}

func TestSubscribe(t *testing.T) {
	b := subscribable(t)
	cfg := quick()
	var told updated
	cfg.Updated = told.take
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	mustSubscribe(t, u, `a"b`)
	mustSubscribe(t, u, `a"b`)
	if got := urisOf(b, "resources/subscribe"); len(got) != 1 || got[0] != `session-1 a"b` {
		t.Errorf("subscribed to %q, want once in the gateway's own session", got)
	}
	b.say(t, "session-1", `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a\"b"}}`)
	await(t, "the update", func() bool { return slices.Equal(told.got(), []string{`b a"b`}) })

	err := u.Subscribe(t.Context(), "no")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != -32002 || string(refused.Object) != `{"code":-32002,"message":"no such thing","data":{"x":1e400}}` {
		t.Errorf("Subscribe: %v", err)
	}
	if !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error: %v", err)
	}
	u.Unsubscribe("no") // was none
	u.Unsubscribe(`a"b`)
	mustSubscribe(t, u, "c")
	if got := urisOf(b, "resources/unsubscribe"); len(got) > 0 {
		t.Errorf("unsubscribed from %q, which somebody still wants", got)
	}
	u.Unsubscribe(`a"b`)
	await(t, "unsubscribing", func() bool {
		return slices.Equal(urisOf(b, "resources/unsubscribe"), []string{`session-1 a"b`})
	})
}

// What is wanted is asked for again in each new session: after a restart, and when the
// backend forgot the session.
func TestSubscriptionsAreRenewed(t *testing.T) {
	b := subscribable(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustSubscribe(t, u, "a")
	u.Reconnect()
	await(t, "asking in the second session", func() bool {
		got := urisOf(b, "resources/subscribe")
		return len(got) == 2 && got[1] == "session-2 a"
	})
	awaitReady(t, u)
	b.forget()
	mustSubscribe(t, u, "b")
	await(t, "asking in the third session", func() bool {
		got := urisOf(b, "resources/subscribe")
		return slices.Contains(got, "session-3 a") && slices.Contains(got, "session-3 b")
	})
}

// A backend that was never there cannot be subscribed at; one that is away for a moment
// is asked when it is back.
func TestSubscribeWhileAway(t *testing.T) {
	b := subscribable(t)
	off := at(b.URL)
	off.Disabled = true
	u := start(t, off, quick())
	var lost *UnavailableError
	if err := u.Subscribe(t.Context(), "a"); !errors.As(err, &lost) || !lost.NotRun {
		t.Errorf("Subscribe: %v", err)
	}
	u.Set(at(b.URL))
	awaitReady(t, u)
	held := at(b.URL)
	held.Held = true
	u.Set(held)
	awaitState(t, u, "holding", func(s *State) bool { return s.Phase == PhaseHolding })
	mustSubscribe(t, u, "a")
	if got := urisOf(b, "resources/subscribe"); len(got) > 0 {
		t.Errorf("subscribed to %q", got)
	}
	u.Set(at(b.URL))
	await(t, "asking", func() bool { return len(urisOf(b, "resources/subscribe")) == 1 })
}

// Who does not wait for the answer leaves no subscription behind.
func TestSubscribeGivenUp(t *testing.T) {
	b := subscribable(t)
	taking := b.on["resources/subscribe"]
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	b.handle("resources/subscribe", func(w http.ResponseWriter, q *question) { close(arrived); <-goOn; taking(w, q) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- u.Subscribe(ctx, "a") }()
	<-arrived
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe: %v", err)
	}
	b.handle("resources/subscribe", taking)
	close(goOn)
	await(t, "taking it back", func() bool { return len(urisOf(b, "resources/unsubscribe")) == 1 })
}

func TestSubscriptionsAreBounded(t *testing.T) {
	s := newSubscriptions()
	for i := range maxSubscriptions {
		if _, err := s.add(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.add("7"); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if _, err := s.add("more"); err == nil || !strings.Contains(err.Error(), "10000 subscriptions") {
		t.Errorf("one too many: %v", err)
	}
	for range 2 {
		s.remove("7", nil)
	}
	if _, err := s.add("more"); err != nil {
		t.Errorf("in the place of another: %v", err)
	}
	s = newSubscriptions()
	if _, err := s.add(strings.Repeat("x", maxSubscriptionBytes)); err != nil {
		t.Error(err)
	}
	if _, err := s.add("y"); err == nil {
		t.Error("a byte too many was taken")
	}
}
