package upstream

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A backend gets to know the client whose session it is.
func TestSessionIntroducesItsClient(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	for _, lane := range []*Lane{
		{Key: "a", Version: "2025-03-26", Capabilities: []byte(`{"roots":{"x":1e400}}`), Info: []byte(`{"name":"me","version":"2"}`)},
		{Key: "b"},
	} {
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{
		`"params":{"protocolVersion":"2025-03-26","capabilities":{"roots":{"x":1e400}},"clientInfo":{"name":"me","version":"2"}}`,
		`"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"mcp-gateway","version":"test"}}`,
	} {
		if got := b.asked("initialize")[i+1].body; !strings.Contains(got, want) {
			t.Errorf("initialized with %s, want %s", got, want)
		}
	}
}

// The stream is there before the first request, in which the backend may already have
// something to say on it; it is opened again where it broke off, and ends with the
// session.
func TestStreamOfALane(t *testing.T) {
	b := newBackend(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	await(t, "the gateway's own stream", func() bool { return b.streaming("session-1") })
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		if !b.streaming(q.session) {
			t.Error("the request came before the stream")
		}
		b.answer(w, q)
	})
	c := &client{}
	if err := u.Call(t.Context(), &ask{as: &Lane{Key: "a", Inbox: c}, tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	session := sessionsOf(b)[0]
	b.say(t, session, "id: 7\nretry: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}")
	await(t, "the message", func() bool { notified, _ := c.got(); return len(notified) == 1 })
	b.breakStream(session)
	b.say(t, session, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"n":2}}`)
	await(t, "the second message", func() bool { notified, _ := c.got(); return len(notified) == 2 })
	var ids []string
	for _, q := range b.asked("GET") {
		if q.session == session {
			ids = append(ids, q.Header.Get("Last-Event-ID"))
		}
	}
	if strings.Join(ids, ",") != ",7" {
		t.Errorf("the stream was opened with the ids %q, want none and 7", ids)
	}
	u.CloseLane("a")
	await(t, "ending the stream", func() bool { return !b.streaming(session) })
}

// Where nothing could come, nobody listens; and a backend without streams is asked for
// one in vain once.
func TestNoStream(t *testing.T) {
	t.Run("for a client that hears nothing", func(t *testing.T) {
		b := newBackend(t)
		b.offerStreams()
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		await(t, "the gateway's own stream", func() bool { return b.streaming("session-1") })
		if err := u.Call(t.Context(), &ask{as: &Lane{Key: "a", Capabilities: []byte("{ }")}, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
		if n := len(b.asked("GET")); n != 1 {
			t.Errorf("%d streams were asked for", n)
		}
	})
	t.Run("from a backend that has none", func(t *testing.T) {
		b := newBackend(t)
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		await(t, "asking for the gateway's own", func() bool { return len(b.asked("GET")) == 1 })
		for _, key := range []string{"a", "b", "c"} {
			if err := u.Call(t.Context(), &ask{as: &Lane{Key: key, Inbox: &client{}}, tool: "echo"}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(b.asked("GET")); n != 2 {
			t.Errorf("%d streams were asked for, want the gateway's and one client's", n)
		}
	})
	t.Run("from a backend that does not answer", func(t *testing.T) {
		b := newBackend(t)
		b.handle("GET", hang)
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		began := time.Now()
		for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			if err := u.Call(ctx, &ask{as: &Lane{Key: key, Inbox: &client{}}, tool: "echo"}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 6*streamPatience {
			t.Errorf("eight sessions took %v: more than one waited for its stream", took)
		}
	})
}

// A client's notification reaches its open sessions, and opens none.
func TestTell(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	const changed = `{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":{"x":1e400}}`
	u.Tell("a", []byte(changed))
	mustCall(t, u, "a", "echo", "done")
	mustCall(t, u, "b", "echo", "done")
	message := []byte(changed)
	u.Tell("a", message)
	clear(message) // it was copied
	await(t, "hearing of it", func() bool { return len(b.asked("notifications/roots/list_changed")) == 1 })
	if got := b.asked("notifications/roots/list_changed")[0]; got.body != changed || got.session != sessionsOf(b)[0] {
		t.Errorf("told %s in %s", got.body, got.session)
	}
}
