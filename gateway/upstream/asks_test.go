package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// What comes on the stream of a client's session is the client's, unless it names one
// of its calls.
func TestStreamOfASession(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	c := &client{}
	a := &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo"}
	arrived := make(chan *question, 1)
	goOn := make(chan struct{})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { arrived <- q; <-goOn; b.answer(w, q) })
	done := make(chan error)
	go func() { done <- u.Call(context.Background(), a) }()
	q := <-arrived
	lists := len(b.asked("tools/list"))
	for _, text := range []string{
		`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`,
		`{"jsonrpc":"2.0","id":"p","method":"ping"}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + q.id + `,"progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}`,
		`[{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}},{"bad":1},` + sampling + `]`,
	} {
		b.say(t, q.session, "data: "+text)
	}
	await(t, "everything", func() bool {
		notified, asked := c.got()
		_, own := a.got()
		return len(notified) == 2 && len(asked) == 1 && len(own) == 1 && len(b.answers(`"p"`)) == 1 && len(b.asked("tools/list")) > lists
	})
	notified, asked := c.got()
	_, own := a.got()
	if !strings.Contains(notified[0], `b {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,`) ||
		!strings.Contains(notified[1], "notifications/message") || asked[0] != "b "+sampling || !strings.Contains(own[0], `"progress":1`) {
		t.Errorf("notified %q, asked %q, the call got %q", notified, asked, own)
	}
	c.replies[0]([]byte(`{"jsonrpc":"2.0","id":"s","result":{"text":"hi"}}`))
	await(t, "the answer", func() bool { return len(b.answers(`"s"`)) == 1 })
	if got := b.answers(`"s"`)[0]; got.session != q.session || !strings.Contains(got.body, "hi") {
		t.Errorf("answered %s in %s", got.body, got.session)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A client without a stream is asked by way of the one call that it has under way; of
// two, none can be told to be meant.
func TestStreamMessageForTheOnlyCall(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	lane := &Lane{Key: "a", Inbox: &client{deaf: true}}
	arrived, goOn := make(chan *question), make(chan struct{})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { arrived <- q; <-goOn; b.answer(w, q) })
	begin := func(onAsk func(*wire.Message, Reply) bool) (*question, chan error) {
		done := make(chan error, 1)
		go func() { done <- u.Call(context.Background(), &ask{as: lane, tool: "echo", onAsk: onAsk}) }()
		return <-arrived, done
	}
	first, firstDone := begin(func(m *wire.Message, reply Reply) bool {
		reply([]byte(`{"jsonrpc":"2.0","id":` + string(m.ID.In(m.Raw)) + `,"result":{"taken":1}}`))
		return true
	})
	b.say(t, first.session, `data: {"jsonrpc":"2.0","id":"one","method":"roots/list"}`)
	await(t, "an answer", func() bool { return len(b.answers(`"one"`)) == 1 })
	_, secondDone := begin(nil)
	b.say(t, first.session, `data: {"jsonrpc":"2.0","id":"two","method":"roots/list"}`)
	await(t, "a refusal", func() bool { return len(b.answers(`"two"`)) == 1 })
	if one, two := b.answers(`"one"`)[0].body, b.answers(`"two"`)[0].body; !strings.Contains(one, "taken") || !strings.Contains(two, "-32601") {
		t.Errorf("answers %s, %s", one, two)
	}
	close(goOn)
	for _, done := range []chan error{firstDone, secondDone} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A call whose exchange gives up on what came elsewhere ends with that error.
func TestRefusedMessageEndsTheCall(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		b.say(t, q.session, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		hang(w, q)
	})
	gone := errors.New("the client is gone")
	x := &leaving{ask{as: &Lane{Key: "a", Capabilities: []byte(`{"sampling":{}}`), Exclusive: true}, tool: "echo"}, gone}
	if err := u.Call(t.Context(), x); err == nil || !strings.Contains(err.Error(), gone.Error()) {
		t.Errorf("call: %v", err)
	}
}

type leaving struct {
	ask
	err error
}

func (l *leaving) Receive(*wire.Message, Peer) error { return l.err }

// A person may think for longer than a backend may be silent.
func TestAskKeepsACallAlive(t *testing.T) {
	for _, where := range []string{"in the call", "on the stream"} {
		t.Run(where, func(t *testing.T) {
			b := newBackend(t)
			b.offerStreams()
			want := at(b.URL)
			want.CallTimeout = 100 * time.Millisecond
			u := start(t, want, quick())
			awaitReady(t, u)
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				stream(w)
				if where == "in the call" {
					send(w, "%s", sampling)
				} else {
					b.say(t, q.session, "data: "+sampling)
				}
				await(t, "the answer", func() bool { return len(b.answers(`"s"`)) == 1 })
				send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
			})
			c := &client{}
			replies := make(chan Reply, 1)
			a := &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo", onAsk: func(_ *wire.Message, reply Reply) bool { replies <- reply; return true }}
			done := make(chan error)
			go func() { done <- u.Call(context.Background(), a) }()
			if where == "on the stream" {
				await(t, "being asked", func() bool { _, asked := c.got(); return len(asked) == 1 })
				replies <- c.replies[0]
			}
			reply := <-replies
			select {
			case err := <-done:
				t.Fatalf("the call ended: %v", err)
			case <-time.After(3 * want.CallTimeout): // the person's thoughts
			}
			reply([]byte(`{"jsonrpc":"2.0","id":"s","result":{}}`))
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Nor may anybody think for ever, and after the answer the backend is timed as before.
func TestVigil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := func(silence time.Duration, meanwhile func(*vigil)) time.Duration {
			v := &vigil{}
			ctx, cancel := context.WithCancelCause(t.Context())
			start := time.Now()
			v.begin(silence, &slot{}, cancel)
			defer v.end()
			go meanwhile(v)
			<-ctx.Done()
			if err := context.Cause(ctx); !errors.Is(err, errSilent) {
				t.Errorf("ended with %v", err)
			}
			return time.Since(start)
		}
		for name, test := range map[string]struct {
			silence   time.Duration
			meanwhile func(*vigil)
			want      time.Duration
		}{
			"silence":           {time.Minute, func(v *vigil) {}, time.Minute},
			"a sign of life":    {time.Minute, func(v *vigil) { time.Sleep(50 * time.Second); v.alive() }, 110 * time.Second},
			"an ask":            {time.Minute, func(v *vigil) { v.asks.Add(1) }, personPatience},
			"an answered ask":   {time.Minute, func(v *vigil) { v.asks.Add(1); time.Sleep(5 * time.Minute); v.alive(); v.asks.Add(-1) }, 6 * time.Minute},
			"long own patience": {time.Hour, func(v *vigil) { v.asks.Add(1) }, time.Hour},
		} {
			if got := ended(test.silence, test.meanwhile); got != test.want {
				t.Errorf("%s: ended after %v, want %v", name, got, test.want)
			}
		}
	})
}

// The gateway's own session says what a client might be able to do, so that servers
// show all they have, and declines what it is asked.
func TestOwnSession(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	if body := b.asked("initialize")[0].body; !strings.Contains(body, `"capabilities":`+ownCapabilities+`,`) {
		t.Errorf("initialized with %s", body)
	}
	for id, test := range map[string]struct{ method, want string }{
		`"r"`: {"roots/list", `"result":{"roots":[]}`},
		`"e"`: {"elicitation/create", `"result":{"action":"decline"}`},
		`"s"`: {"sampling/createMessage", `"error":{"code":-1,"message":"User rejected sampling request`},
		`7`:   {"ping", `"result":{}`},
		`"x"`: {"x/y", `"error":{"code":-32601,`},
	} {
		b.say(t, "session-1", fmt.Sprintf(`data: {"jsonrpc":"2.0","id":%s,"method":%q,"params":{}}`, id, test.method))
		await(t, "answering "+test.method, func() bool { return len(b.answers(id)) == 1 })
		if got := b.answers(id)[0]; !strings.Contains(got.body, test.want) || got.session != "session-1" {
			t.Errorf("%s: answered %s in %s", test.method, got.body, got.session)
		}
	}
	mustCall(t, u, "a", "echo", "done")
	if s := sessionsOf(b); s[0] == "session-1" {
		t.Error("a client's call ran in the gateway's own session")
	}
}
