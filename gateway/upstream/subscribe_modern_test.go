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
)

// listener is a modern backend whose second kind of stream tells of resources. It
// honours what begins with "ok".
type listener struct {
	*backend
	lock   sync.Mutex
	asked  [][]string // the resources of each stream
	open   int
	most   int
	refuse bool
	out    map[int]chan string // by the number of the stream
}

func newListener(t *testing.T) *listener {
	b := &listener{backend: fullBackend(t), out: map[int]chan string{}}
	b.modern = true
	b.handle("subscriptions/listen", func(w http.ResponseWriter, q *question) {
		var m struct {
			Params struct {
				Notifications struct{ ResourceSubscriptions []string }
			}
		}
		_ = json.Unmarshal([]byte(q.body), &m)
		uris := m.Params.Notifications.ResourceSubscriptions
		ack := `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":%s}}`
		if uris == nil {
			stream(w)
			send(w, ack, `{"toolsListChanged":true}`)
			hang(w, q)
			return
		}
		b.lock.Lock()
		b.asked = append(b.asked, uris)
		refuse := b.refuse
		b.lock.Unlock()
		if refuse {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"not these"}}`, q.id)
			return
		}
		honoured, _ := json.Marshal(slices.DeleteFunc(slices.Clone(uris), func(uri string) bool { return !strings.HasPrefix(uri, "ok") }))
		out := make(chan string, 10)
		b.lock.Lock()
		n := len(b.asked) - 1
		b.out[n] = out
		b.open++
		b.most = max(b.most, b.open)
		b.lock.Unlock()
		defer func() { b.lock.Lock(); b.open--; b.lock.Unlock() }()
		stream(w)
		send(w, ack, `{"resourceSubscriptions":`+string(honoured)+`}`)
		for {
			select {
			case text, ok := <-out:
				if !ok {
					return
				}
				send(w, "%s", text)
			case <-q.Context().Done():
				return
			}
		}
	})
	return b
}

func (b *listener) streams() (asked [][]string, open, most int) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return slices.Clone(b.asked), b.open, b.most
}

func (b *listener) last() (int, chan string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	n := len(b.asked) - 1
	return n, b.out[n]
}

func TestSubscribeModern(t *testing.T) {
	b := newListener(t)
	cfg := quick()
	var told updated
	cfg.Updated = told.take
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	mustSubscribe(t, u, "ok 1")
	mustSubscribe(t, u, "ok 2")
	asked, _, most := b.streams()
	if len(asked) != 2 || !slices.Equal(asked[0], []string{"ok 1"}) || !slices.Equal(asked[1], []string{"ok 1", "ok 2"}) || most != 2 {
		t.Errorf("streams for %q, %d of them at once; the new one must be there before the old one ends", asked, most)
	}
	await(t, "ending the old one", func() bool { _, open, _ := b.streams(); return open == 1 })
	_, out := b.last()
	out <- `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"ok 2"}}`
	await(t, "the update", func() bool { return slices.Equal(told.got(), []string{"b ok 2"}) })

	err := u.Subscribe(t.Context(), "no")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != -32601 {
		t.Errorf("Subscribe to what is not honoured: %v", err)
	}
	// A stream that broke is opened again.
	n, out := b.last()
	close(out)
	await(t, "another stream", func() bool { now, _ := b.last(); _, open, _ := b.streams(); return now > n && open == 1 })
	u.Unsubscribe("ok 1")
	u.Unsubscribe("ok 2")
	await(t, "ending the stream", func() bool { _, open, _ := b.streams(); return open == 0 })
}

// A refusal of the new set leaves the old stream as it was.
func TestSubscribeModernRefused(t *testing.T) {
	b := newListener(t)
	cfg := quick()
	var told updated
	cfg.Updated = told.take
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	mustSubscribe(t, u, "ok 1")
	_, out := b.last()
	b.lock.Lock()
	b.refuse = true
	b.lock.Unlock()
	err := u.Subscribe(t.Context(), "ok 2")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != -32602 || string(refused.Object) != `{"code":-32602,"message":"not these"}` {
		t.Errorf("Subscribe: %v", err)
	}
	await(t, "asking for the rest", func() bool { asked, _, _ := b.streams(); return len(asked) == 3 })
	out <- `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"ok 1"}}`
	await(t, "the update", func() bool { return slices.Equal(told.got(), []string{"b ok 1"}) })
	if _, open, _ := b.streams(); open != 1 {
		t.Errorf("%d streams are open, want the old one", open)
	}
}

// Many at once are one stream, or a few.
func TestSubscribeModernTogether(t *testing.T) {
	b := newListener(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := u.Subscribe(context.Background(), fmt.Sprint("ok ", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if asked, _, _ := b.streams(); len(asked) > 20 {
		t.Errorf("%d streams for 200 resources", len(asked))
	}
}

// A backend without such streams refuses, and is not asked again and again.
func TestSubscribeModernUnknown(t *testing.T) {
	b := fullBackend(t)
	b.modern = true
	cfg := quick()
	cfg.PingInterval = shortestPause
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var refused *RefusedError
	if err := u.Subscribe(ctx, "a"); !errors.As(err, &refused) {
		t.Errorf("Subscribe: %v", err)
	}
	before := len(b.asked("subscriptions/listen"))
	checks := len(b.asked("server/discover"))
	await(t, "three checks", func() bool { return len(b.asked("server/discover")) >= checks+3 })
	if n := len(b.asked("subscriptions/listen")); n != before {
		t.Errorf("asked %d times more", n-before)
	}
}
