package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mcp-gw/gateway/wire"
)

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
