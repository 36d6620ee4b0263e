package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mcp-gw/gateway/wire"
)

// Over HTTP+SSE everything comes on one stream. What names no call belongs to the only
// one, then to the client, then to the newest call.
func TestSSEAsk(t *testing.T) {
	answering := func(text string) func(*wire.Message, Reply) bool {
		return func(m *wire.Message, reply Reply) bool {
			reply([]byte(`{"jsonrpc":"2.0","id":` + string(m.ID.In(m.Raw)) + `,"result":{"by":"` + text + `"}}`))
			return true
		}
	}
	for name, test := range map[string]struct {
		inbox Inbox
		calls int
		want  string
	}{
		"one call":                      {&client{}, 1, `"by":"call 0"`},
		"one call of nobody's":          {nil, 1, `"by":"call 0"`},
		"two calls, and a client":       {&client{}, 2, `"by":"the client"`},
		"two calls, and a deaf client":  {&client{deaf: true}, 2, `"by":"call 1"`},
		"two calls of who cannot hear":  {nil, 2, `"code":-32601`},
		"no call, and a client":         {&client{}, 0, `"by":"the client"`},
		"no call, and nobody who hears": {nil, 0, `"code":-32601`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSSEBackend(t)
			u := startSSE(t, b, quick())
			lane := &Lane{Key: "a", Inbox: test.inbox}
			var stream *sseStream
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				stream = b.of(q)
				b.reply(w, q, `{"text":"done"}`)
			})
			if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil { // opens the session
				t.Fatal(err)
			}
			arrived, done := make(chan string), make(chan error, test.calls)
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				w.WriteHeader(http.StatusAccepted)
				arrived <- q.id
			})
			var ids []string
			for i := range test.calls {
				go func() {
					done <- u.Call(context.Background(), &ask{as: lane, tool: "echo", onAsk: answering(fmt.Sprint("call ", i))})
				}()
				ids = append(ids, <-arrived)
			}
			stream.out <- `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}`
			if c, ok := test.inbox.(*client); ok && strings.Contains(test.want, "the client") {
				await(t, "asking the client", func() bool { _, asked := c.got(); return len(asked) == 1 })
				c.replies[0]([]byte(`{"jsonrpc":"2.0","id":"q","result":{"by":"the client"}}`))
			}
			await(t, "the answer", func() bool { return len(b.answers(`"q"`)) == 1 })
			if got := b.answers(`"q"`)[0].body; !strings.Contains(got, test.want) {
				t.Errorf("answered %s, want %s", got, test.want)
			}
			for _, id := range ids {
				stream.out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{}}`, id)
			}
			for range test.calls {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A request that reaches its call too late is refused, not forgotten.
func TestSSELateAsk(t *testing.T) {
	b := newSSEBackend(t)
	u := startSSE(t, b, quick())
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		s := b.of(q)
		s.out <- fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, q.id)
		s.out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
		s.out <- `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}`
		w.WriteHeader(http.StatusAccepted)
	})
	block := make(chan struct{})
	a := &ask{as: &Lane{Key: "a"}, tool: "echo", onNotify: func() { <-block }}
	done := make(chan error)
	go func() { done <- u.Call(context.Background(), a) }()
	sl := func() *inbox {
		l := u.State().link
		l.mu.Lock()
		slots := l.lanes["a"]
		l.mu.Unlock()
		if len(slots) == 0 {
			return nil
		}
		s, ok := slots[0].session().(*sseSession)
		if !ok {
			return nil
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, in := range s.pending {
			return in
		}
		return nil
	}
	await(t, "the request waiting behind the answer", func() bool { in := sl(); return in != nil && in.waiting() == 2 })
	close(block)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	await(t, "the refusal", func() bool { return len(b.answers(`"q"`)) == 1 })
	if got := b.answers(`"q"`)[0].body; !strings.Contains(got, "-32601") {
		t.Errorf("answered %s", got)
	}
}
