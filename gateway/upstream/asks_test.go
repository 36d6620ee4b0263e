package upstream

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"mcp-gw/gateway/wire"
)

// client is an Inbox that keeps what it gets.
type client struct {
	deaf bool // it has no stream to be asked on

	mu       sync.Mutex // guards what follows
	notified []string
	replies  []Reply
	asked    []string
}

func (c *client) Notified(backend string, m *wire.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notified = append(c.notified, backend+" "+string(m.Raw))
}

func (c *client) Asked(backend string, m *wire.Message, reply Reply) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf {
		return false
	}
	c.asked = append(c.asked, backend+" "+string(m.Raw))
	c.replies = append(c.replies, reply)
	return true
}

func (c *client) got() (notified, asked []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.notified...), append([]string(nil), c.asked...)
}

// answers answers the responses that b got, by the id that they name.
func (b *backend) answers(id string) (bodies []question) {
	for _, q := range b.asked("POST") { // a response has no method
		if strings.Contains(q.body, `"id":`+id+`,`) {
			bodies = append(bodies, q)
		}
	}
	return bodies
}

const sampling = `{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"x":1e400}}`

// What a backend asks inside a call is the caller's to answer, whenever that comes.
func TestAskInsideACall(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		send(w, "%s", sampling)
		await(t, "the answer", func() bool { return len(b.answers(`"s"`)) == 1 })
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
	})
	var got string
	a := &ask{as: &Lane{Key: "a"}, tool: "echo", onAsk: func(m *wire.Message, reply Reply) bool {
		got = string(m.Raw)
		go func() {
			reply([]byte(`{"jsonrpc":"2.0","id":"s","result":{"y":1e400}}`))
			reply([]byte(`{"jsonrpc":"2.0","id":"s","result":"twice"}`))
		}()
		return true
	}}
	if err := u.Call(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got != sampling {
		t.Errorf("asked %s", got)
	}
	answers := b.answers(`"s"`)
	if want := `{"jsonrpc":"2.0","id":"s","result":{"y":1e400}}`; len(answers) != 1 || answers[0].body != want || answers[0].session != sessionsOf(b)[0] {
		t.Errorf("answers %+v", answers)
	}
}

// A backend that asks whom nobody can ask is told so, in each of the cases.
func TestAskInVain(t *testing.T) {
	for name, test := range map[string]struct {
		stateless bool
		call      *ask
	}{
		"the client declines":   {false, &ask{as: &Lane{Key: "a"}, tool: "echo", onAsk: func(*wire.Message, Reply) bool { return false }}},
		"there are no sessions": {true, &ask{as: &Lane{Key: "a"}, tool: "echo", onAsk: func(*wire.Message, Reply) bool { panic("asked") }}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.stateless = test.stateless
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				stream(w)
				send(w, "%s", sampling)
				await(t, "the refusal", func() bool { return len(b.answers(`"s"`)) == 1 })
				send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
			})
			if err := u.Call(t.Context(), test.call); err != nil {
				t.Fatal(err)
			}
			if got := b.answers(`"s"`)[0].body; !strings.Contains(got, `"code":-32601`) || !strings.Contains(got, "sampling/createMessage") {
				t.Errorf("answered %s", got)
			}
		})
	}
}

// An answer for a session that is gone goes nowhere, also not into the next one.
func TestLateAnswerGoesNowhere(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	var late Reply
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		send(w, "%s", sampling)
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
	})
	a := &ask{as: &Lane{Key: "a"}, tool: "echo", onAsk: func(_ *wire.Message, reply Reply) bool { late = reply; return true }}
	if err := u.Call(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	u.CloseLane("a")
	await(t, "closing the session", func() bool { return len(b.asked("DELETE")) == 1 })
	late([]byte(`{"jsonrpc":"2.0","id":"s","result":{}}`))
	b.handle("tools/call", nil)
	mustCall(t, u, "a", "echo", "done")
	u.Stop() // waits for what is on its way
	await(t, "the end", func() bool { return b.live() == 0 })
	if got := b.answers(`"s"`); len(got) > 0 {
		t.Errorf("answers %+v", got)
	}
}
