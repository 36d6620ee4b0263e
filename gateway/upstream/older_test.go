package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/gateway/wire"
)

// bothEras is a modern backend that has sessions for older clients.
func bothEras(t *testing.T) *backend {
	b := fullBackend(t)
	b.modern, b.both = true, true
	b.handle("logging/setLevel", func(w http.ResponseWriter, q *question) { reply(w, q, `{}`) })
	return b
}

// eraOfCalls answers the revisions of the calls so far, with an s where there was a
// session.
func eraOfCalls(b *backend) (eras []string) {
	for _, q := range b.asked("tools/call") {
		era := q.Header.Get("Mcp-Protocol-Version")
		if q.session != "" {
			era += "s"
		}
		eras = append(eras, era)
	}
	return eras
}

// A backend of both eras is spoken to as each client speaks.
func TestBothErasAsTheClientSpeaks(t *testing.T) {
	b := bothEras(t)
	b.offerStreams()
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	c := &client{}
	old := &Lane{Key: "old", Version: "2025-06-18", Capabilities: []byte(`{"sampling":{}}`), Inbox: c}
	old.SetLevel("error")
	modern := &Lane{Key: "modern", Modern: true, Capabilities: []byte(`{"sampling":{}}`), Exclusive: true}
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		if q.session == "" {
			b.answer(w, q)
			return
		}
		stream(w)
		send(w, "%s", sampling)
		await(t, "the answer", func() bool { return len(b.answers(`"s"`)) == 1 })
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
	})
	a := &ask{as: old, tool: "echo", onAsk: func(m *wire.Message, reply Reply) bool {
		go reply([]byte(`{"jsonrpc":"2.0","id":"s","result":{"y":1}}`))
		return true
	}}
	if err := u.Call(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	m := &ask{as: modern, tool: "echo"}
	if err := u.Call(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(eraOfCalls(b), " "); got != "2025-11-25s 2026-07-28" || a.peer.Modern || !m.peer.Modern {
		t.Errorf("called in %s, as peers %+v and %+v", got, a.peer, m.peer)
	}
	hello := b.asked("initialize")
	if len(hello) != 1 || !strings.Contains(hello[0].body, `"protocolVersion":"2025-06-18","capabilities":{"sampling":{}}`) {
		t.Errorf("initialized with %+v", hello)
	}
	s := sessionsOf(b)[0]
	if got := b.answers(`"s"`)[0]; got.session != s || !strings.Contains(got.body, `"y":1`) {
		t.Errorf("answered %s in %s", got.body, got.session)
	}
	if told := levels(b); len(told) != 1 || !strings.HasPrefix(told[0], s+` "level":"error"`) {
		t.Errorf("told the levels %q", told)
	}
	b.say(t, s, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
	await(t, "hearing on the stream", func() bool { notified, _ := c.got(); return len(notified) == 1 })
	u.CloseLane("old")
	await(t, "closing the session", func() bool { return len(b.asked("DELETE")) == 1 && !b.streaming(s) })
	if got := b.asked("DELETE")[0].session; got != s {
		t.Errorf("closed %s, want %s", got, s)
	}
	b.handle("tools/call", nil)
	mustCall(t, u, "again", "echo", "done")
}

// So is a real server of both eras, whose tool asks the client.
func TestBothErasOfARealServer(t *testing.T) {
	real := echoServer()
	real.EnableSampling()
	real.AddTool(mcp.NewTool("think"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		//lint:ignore SA1019 clients of the revisions before are asked so
		got, err := real.RequestSampling(ctx, mcp.CreateMessageRequest{CreateMessageParams: mcp.CreateMessageParams{
			Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent("why?")}}, MaxTokens: 10}})
		if err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		return mcp.NewToolResultText("thought with " + got.Model), nil
	})
	srv := serve(t, server.NewStreamableHTTPServer(real, server.WithStateful(true)))
	u := start(t, at(srv.URL), quick())
	if s := awaitReady(t, u); !s.Peer.Modern || !s.link.older.Load() {
		t.Fatalf("peer %+v, older %v; want both eras", s.Peer, s.link.older.Load())
	}
	a := &ask{as: &Lane{Key: "old", Capabilities: []byte(`{"sampling":{}}`), Inbox: &client{deaf: true}}, tool: "think",
		onAsk: func(m *wire.Message, reply Reply) bool {
			id := string(m.ID.In(m.Raw))
			go reply([]byte(`{"jsonrpc":"2.0","id":` + id + `,"result":{"role":"assistant","model":"a person","content":{"type":"text","text":"so"}}}`))
			return m.Method == "sampling/createMessage"
		}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := u.Call(ctx, a); err != nil {
		t.Fatal(err)
	}
	if answer, _ := a.got(); !strings.Contains(answer, "thought with a person") || a.peer.Modern {
		t.Errorf("answer %s of %+v", answer, a.peer)
	}
	m := &ask{as: &Lane{Key: "new", Modern: true}, tool: "echo"}
	if err := u.Call(ctx, m); err != nil || !m.peer.Modern {
		t.Errorf("a modern client's call: %v, %+v", err, m.peer)
	}
}

// A server that names older revisions and has no session for them is asked for one
// once: its older clients are served in the newer revision, as if it had said so. What
// those sessions would be told, the shared one is not.
func TestNoSessionForOlderClients(t *testing.T) {
	for name, refuse := range map[string]func(*backend) func(http.ResponseWriter, *question){
		"without an id": func(*backend) func(http.ResponseWriter, *question) {
			return func(w http.ResponseWriter, q *question) {
				reply(w, q, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}`)
			}
		},
		"refused": func(*backend) func(http.ResponseWriter, *question) {
			return func(w http.ResponseWriter, q *question) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}`, q.id)
			}
		},
		"unknown": func(*backend) func(http.ResponseWriter, *question) {
			return func(w http.ResponseWriter, q *question) {
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}`, q.id)
			}
		},
		"an error": func(*backend) func(http.ResponseWriter, *question) {
			return func(w http.ResponseWriter, q *question) { http.Error(w, "boom", 500) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := bothEras(t)
			b.handle("initialize", refuse(b))
			b.handle("notifications/initialized", func(w http.ResponseWriter, q *question) { w.WriteHeader(202) })
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			lanes := []*Lane{{Key: "a", Inbox: &client{}}, {Key: "b", Inbox: &client{}}, {Key: "a", Inbox: &client{}}}
			for _, lane := range lanes {
				lane.SetLevel("info")
				if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
					t.Fatal(err)
				}
			}
			if n, got := len(b.asked("initialize")), strings.Join(eraOfCalls(b), " "); n != 1 || got != "2026-07-28 2026-07-28 2026-07-28" {
				t.Errorf("initialized %d times, called in %s", n, got)
			}
			u.Tell("a", []byte(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`))
			u.SyncLevel("a")
			shared := u.State().link.shared.session()
			u.CloseLane("a")
			if err := u.Call(t.Context(), &ask{as: lanes[0], tool: "echo"}); err != nil || shared.over() {
				t.Errorf("after a client left: %v; the shared session is over: %v", err, shared.over())
			}
			u.Stop() // waits for what is on its way
			awaitState(t, u, "the end", func(s *State) bool { return s.Phase == PhaseFailed })
			if told := append(b.asked("notifications/roots/list_changed"), b.asked("logging/setLevel")...); len(told) > 0 {
				t.Errorf("the modern session was told %v", told)
			}
			if gone := b.asked("DELETE"); len(gone) > 0 {
				t.Errorf("closed %v", gone)
			}
		})
	}
}

func TestOlderSessionLost(t *testing.T) {
	b := bothEras(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustCall(t, u, "a", "echo", "done")
	b.forget()
	mustCall(t, u, "a", "echo", "done")
	if got := strings.Join(sessionsOf(b), " "); got != "session-1 session-1 session-2" {
		t.Errorf("called in %s", got)
	}
	if ran := b.ran.Load(); ran != 2 {
		t.Errorf("ran %d times", ran)
	}
}

// A server that cannot be reached has said nothing of sessions.
func TestOlderSessionNotReached(t *testing.T) {
	dead, err := url.Parse("http://" + freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	u := New(at(dead.String()), quick(), func() {})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	l := &link{name: "b", cfg: u.cfg, self: u.self, ctx: ctx, kill: cancel, callCtx: ctx, endpoint: newEndpoint(ctx, dead, nil, u.cfg)}
	defer l.endpoint.close()
	l.older.Store(true)
	modern := &httpSession{endpoint: l.endpoint, p: Peer{true, "2026-07-28"}}
	s, _, err := u.openOlder(l, &slot{link: l, lane: &Lane{Key: "a"}}, modern)
	if s != nil || !neverRan(err) || !l.older.Load() {
		t.Errorf("session %v, error %v, older %v; want the dial's error, and nothing remembered", s, err, l.older.Load())
	}
}

// A contradiction is told as one, and not answered with a handshake of another era.
func TestContradictingRefusal(t *testing.T) {
	for name, status := range map[string]int{"400": 400, "200": 200} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.modern = true
			refuse := func(w http.ResponseWriter, q *question) {
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}`, q.id)
			}
			b.handle("server/discover", refuse)
			want := at(b.URL)
			want.Alternatives = []string{b.URL + "/other"}
			u := start(t, want, quick())
			s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
			if !strings.Contains(s.Reason, "does not support the revision that it names") {
				t.Errorf("reason %q", s.Reason)
			}
			if n := len(b.asked("initialize")) + len(b.asked("GET")); n > 0 {
				t.Errorf("%d requests of other eras", n)
			}
			if n := len(b.asked("server/discover")); n < 2 {
				t.Error("it was not asked again")
			}
			// One that comes to itself is taken.
			var tries atomic.Int32
			b.handle("server/discover", func(w http.ResponseWriter, q *question) {
				if tries.Add(1)%2 == 1 {
					refuse(w, q)
					return
				}
				b.answer(w, q)
			})
			u.Reconnect()
			if s := awaitReady(t, u); !s.Peer.Modern {
				t.Errorf("peer %+v", s.Peer)
			}
		})
	}
}

// A listen that is answered at once, with whatever, is not asked for again and again.
func TestListenAnsweredAtOnce(t *testing.T) {
	b := newBackend(t)
	b.modern = true
	b.handle("subscriptions/listen", func(w http.ResponseWriter, q *question) { reply(w, q, `{}`) })
	cfg := quick()
	cfg.PingInterval = 50 * time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	await(t, "asking for the stream", func() bool { return len(b.asked("subscriptions/listen")) == 1 })
	checks := len(b.asked("server/discover"))
	await(t, "ten checks", func() bool { return len(b.asked("server/discover")) >= checks+10 })
	if n := len(b.asked("subscriptions/listen")); n != 1 {
		t.Errorf("asked %d times", n)
	}
	var refused *RefusedError
	if err := u.Subscribe(t.Context(), "a"); !errors.As(err, &refused) {
		t.Errorf("Subscribe: %v", err)
	}
}
