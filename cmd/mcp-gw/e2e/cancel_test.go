package e2e

import (
	"context"
	"fmt"
	"testing"
)

// hanging is a tool that runs until it is cancelled, released or given up.
type hanging struct {
	started chan *stubCall
	release chan struct{}
	ended   chan string // "cancelled", "released" or "given up"
}

func addHanging(s *stub, name string) *hanging {
	h := &hanging{make(chan *stubCall, 64), make(chan struct{}), make(chan string, 64)}
	s.tool(name, func(c *stubCall) string {
		h.started <- c
		released, stop := context.WithCancel(context.Background())
		defer stop()
		go func() {
			select {
			case <-h.release:
				stop()
			case <-released.Done():
			}
		}()
		switch {
		case waitFor(c.ctx, released):
			h.ended <- "cancelled"
			return ""
		case released.Err() != nil:
			h.ended <- "released"
			return `"result":{"content":[]}`
		}
		h.ended <- "given up"
		return ""
	})
	return h
}

// begin sends a call that will not be answered soon, and returns what ends its
// HTTP request and a channel closed when that has ended.
func begin(t *testing.T, c *rawClient, a ask) (disconnect func(), ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if x, err := c.open(ctx, a); err == nil {
			_, _ = x.finish()
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return cancel, done
}

func TestCancellationReachesTheBackend(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, kind := range stubKinds {
		s := kind.start(t)
		h := addHanging(s, "hang")
		g.connect(t, kind.name, s.url, s.transport())
		for _, client := range []bool{false, true} {
			t.Run(eraName(client)+" client, "+kind.name, func(t *testing.T) {
				c := dial(t, g.mcp(), client)
				a := callTool(kind.name+"__hang", `{}`)
				a.id = `"call to cancel"`
				disconnect, ended := begin(t, c, a)
				call := receive(t, "the call to start at the backend", h.started)
				if client {
					disconnect()
				} else {
					c.notify(t, "notifications/cancelled", `"requestId":`+a.id+`,"reason":"enough"`)
				}
				if how := receive(t, "the call to end at the backend", h.ended); how != "cancelled" {
					t.Errorf("the call at the backend was %s, want cancelled", how)
				}
				receiveClosed(t, "the client's request to end", ended)
				if !kind.modern {
					var ids []string
					for _, n := range s.received("notifications/cancelled") {
						ids = append(ids, string(get(n, "params", "requestId")))
					}
					if len(ids) == 0 || ids[len(ids)-1] != string(call.id) {
						t.Errorf("cancelled ids at the backend: got %v, want the last to be its own id %s", ids, call.id)
					}
				}
			})
		}
	}
}

func receiveClosed(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	done := make(chan bool, 1)
	go func() { <-c; done <- true }()
	receive(t, what, done)
}

// In the legacy era a lost connection is no wish to cancel; and no client's
// cancellation may hit another client's request of the same id.
func TestWhatDoesNotCancel(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, backend := range []bool{false, true} {
		t.Run(eraName(backend)+" backend", func(t *testing.T) {
			s := newStub(t, backend, true)
			victim, clock := addHanging(s, "victim"), addHanging(s, "clock")
			g.connect(t, eraName(backend), s.url, "http")

			disconnected, watched, other := dialLegacy(t, g.mcp()), dialLegacy(t, g.mcp()), dialLegacy(t, g.mcp())
			a := callTool(eraName(backend)+"__victim", `{}`)
			a.id = "7"
			disconnect, _ := begin(t, disconnected, a)
			receive(t, "the first call to start", victim.started)
			_, answered := begin(t, watched, a)
			receive(t, "the second call to start", victim.started)

			disconnect()
			other.notify(t, "notifications/cancelled", `"requestId":7`)
			other.notify(t, "notifications/cancelled", `"requestId":"7"`)

			// Cancellations that do count, sent later, tell when the earlier ones
			// would have had their effect.
			for range 3 {
				stop, _ := begin(t, dialModern(t, g.mcp()), callTool(eraName(backend)+"__clock", `{}`))
				receive(t, "the clock call to start", clock.started)
				stop()
				receive(t, "the clock call to be cancelled", clock.ended)
			}
			select {
			case how := <-victim.ended:
				t.Fatalf("a call that nobody cancelled was %s", how)
			default:
			}
			close(victim.release)
			for range 2 {
				if how := receive(t, "the calls to end", victim.ended); how != "released" {
					t.Errorf("a call that nobody cancelled was %s", how)
				}
			}
			receiveClosed(t, "the answer to the watched call", answered)
		})
	}
}

// The SDKs' own ways to cancel, against the SDKs' own servers.
func TestCancellationOfOfficialClients(t *testing.T) {
	t.Parallel()
	v1, v2 := typescriptV1(t), typescriptV2(t)
	g := startGateway(t)
	g.connect(t, "http25", v1.address("/mcp"), "http")
	g.connect(t, "sse24", v1.address("/sse"), "sse")
	g.connect(t, "http26", v2.address("/mcp"), "http")
	clients := startSDKClients(t)
	for _, sdk := range []string{"v1", "v2", "v2-auto"} {
		for backend, p := range map[string]*peer{"http25": v1, "sse24": v1, "http26": v2} {
			t.Run(sdk+" client, "+backend, func(t *testing.T) {
				c := clients.dial(t, sdk, g.mcp(), "http")
				tag := sdk + " " + backend
				id, answer := clients.send(t, "call", fmt.Sprintf(`"as":%q,"name":%q,"arguments":{"tag":%q}`, c.name, backend+"__slow", tag))
				p.await(t, "started", tag)
				clients.must(t, "cancel", fmt.Sprintf(`"call":%d`, id))
				p.await(t, "cancelled", tag)
				receive(t, "the call to fail at the client", answer)
			})
		}
	}
}
