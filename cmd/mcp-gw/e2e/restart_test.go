package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A backend's process is killed and started again on its port, while clients of
// both eras have sessions open. Their next call succeeds, and nobody who uses
// another backend notices anything.
func TestRestartedBackendIsNoticedByNoClient(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, false).tool("fine", fixed(`"result":{"content":[]}`))
		g.connect(t, "healthy-"+eraName(modern), s.url, "http")
	}
	loop := startLoop(t, g, "healthy-legacy__fine", "healthy-modern__fine")

	for _, b := range []struct {
		name, path, transport, tool, arguments string
		start                                  func(*testing.T) *peer
	}{
		{"tsv1", "/mcp", "http", "echo", `{"a":1}`, typescriptV1},
		{"tsv1sse", "/sse", "sse", "echo", `{"a":1}`, typescriptV1},
		{"tsv2", "/mcp", "http", "echo", `{"a":1}`, typescriptV2},
		{"go25", "/mcp", "http", "test_simple_text", `{}`, func(t *testing.T) *peer { return goSDK(t, false) }},
		{"go26", "/mcp", "http", "test_simple_text", `{}`, func(t *testing.T) *peer { return goSDK(t, true) }},
		{"mcpgo", "/mcp", "http", "test_simple_text", `{}`, mcpGo},
		// This one answers 400, not 404, to a session it does not know.
		{"every", "/mcp", "http", "echo", `{"message":"a"}`, func(t *testing.T) *peer { return everything(t, "streamableHttp") }},
	} {
		t.Run(b.name, func(t *testing.T) {
			p := b.start(t)
			g.connect(t, b.name, p.address(b.path), b.transport)
			exposed := b.name + "__" + b.tool
			legacy, modern := dialLegacy(t, g.mcp()), dialModern(t, g.mcp())
			legacy.listen(t)
			clients := startSDKClients(t)
			v1, v2 := clients.dial(t, "v1", g.mcp(), "http"), clients.dial(t, "v2-auto", g.mcp(), "http")
			golang := dialGoSDK(t, legacyVersion, g.mcp(), "http")
			call := func(when string) {
				for _, c := range []*rawClient{legacy, modern} {
					got, err := c.try(t.Context(), callTool(exposed, b.arguments))
					if err != nil || got.result() == nil || string(get(got.result(), "isError")) == "true" {
						t.Errorf("%s, raw %s client: got %v %v", when, eraName(c.modern), got, err)
					}
				}
				for name, c := range map[string]sdkConnection{"TypeScript 1.x": v1, "TypeScript 2.x": v2, "Go": golang} {
					got := c.call(t, sdkCall{tool: exposed, arguments: b.arguments})
					if get(got, "result", "content") == nil || string(get(got, "result", "isError")) == "true" {
						t.Errorf("%s, %s client: got %s", when, name, got)
					}
				}
			}
			call("before")
			p.kill()
			p.restart(t)
			t.Logf("the calls right after the restart took %v", took(func() { call("right after the restart") }))
		})
	}
	loop.stop(t)
}

// While a backend stays down its calls are answered with what is wrong, its
// tools go in the end, and both clients' sessions work once it is back.
func TestBackendDownForAWhile(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	p := typescriptV1(t)
	g.connect(t, "b", p.address("/mcp"), "http")
	clients := []*rawClient{dialLegacy(t, g.mcp()), dialModern(t, g.mcp())}
	p.kill()
	for _, c := range clients {
		var got answer
		var err error
		d := took(func() { got, err = c.try(t.Context(), callTool("b__echo", `{}`)) })
		if err != nil || get(got.final, "error") == nil && string(get(got.result(), "isError")) != "true" {
			t.Errorf("%s client, backend down: got %v %v, want an error in the answer", eraName(c.modern), got, err)
		}
		t.Logf("%s client, backend down: answered after %v: %.300s", eraName(c.modern), d, got.final)
	}
	eventually(t, "the tools of the lost backend to go", func() bool {
		return str(g.backend(t, "b"), "status") != "connected" && len(clients[0].tools(t)) == 0 && len(clients[1].tools(t)) == 0
	})
	if got := g.backend(t, "b"); str(got, "error") == "" {
		t.Errorf("state of the lost backend: got %s, want an error in it", without(got, "tools"))
	}
	p.restart(t)
	t.Logf("connected again %v after the backend listened", took(func() { g.awaitStatus(t, "b", "connected") }))
	for _, c := range clients {
		c.must(t, callTool("b__echo", `{}`))
	}
}

// loop calls tools all the time, from a client of each era.
type loop struct {
	done  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup
	calls atomic.Int64
	bad   chan string
}

func startLoop(t *testing.T, g *gateway, tools ...string) *loop {
	t.Helper()
	l := &loop{done: make(chan struct{}), bad: make(chan string, 16)}
	for _, modern := range []bool{false, true} {
		c := dial(t, g.mcp(), modern)
		l.wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.done:
					return
				case <-time.After(2 * time.Millisecond): // leaves the machine to the others
				}
				got, err := c.try(t.Context(), callTool(tools[i%len(tools)], `{}`))
				if l.calls.Add(1); err != nil || got.result() == nil || string(get(got.result(), "isError")) == "true" {
					select {
					case l.bad <- fmt.Sprintf("call %d of the %s client: %v %v", i, eraName(modern), got, err):
					default:
					}
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *loop) end() {
	l.once.Do(func() { close(l.done) })
	l.wg.Wait()
}

// stop ends the loop and reports every call of it that failed.
func (l *loop) stop(t *testing.T) {
	t.Helper()
	l.end()
	close(l.bad)
	for failure := range l.bad {
		t.Errorf("a healthy backend's call failed meanwhile: %s", failure)
	}
	if l.calls.Load() == 0 {
		t.Error("the loop made no call")
	}
	t.Logf("%d calls to healthy backends meanwhile", l.calls.Load())
}

// A call in flight when its backend dies is answered with an error, soon, and is
// not sent a second time: it may have had its effect.
func TestCallInFlightOfADyingBackend(t *testing.T) {
	t.Parallel()
	for _, b := range []struct {
		name, path, transport string
		start                 func(*testing.T) *peer
	}{
		{"http25", "/mcp", "http", typescriptV1}, {"sse24", "/sse", "sse", typescriptV1}, {"http26", "/mcp", "http", typescriptV2},
	} {
		t.Run(b.name, func(t *testing.T) {
			g := startGateway(t)
			p := b.start(t)
			g.connect(t, b.name, p.address(b.path), b.transport)
			for _, client := range []bool{false, true} {
				c := dial(t, g.mcp(), client)
				answers := make(chan answer, 1)
				go func() {
					got, err := c.try(t.Context(), callTool(b.name+"__slow", `{"tag":"doomed"}`))
					if err != nil {
						t.Errorf("%s client: %v", eraName(client), err)
					}
					t.Logf("%s client: answered %v", eraName(client), got)
					answers <- got
				}()
				p.await(t, "started", "doomed")
				p.kill()
				got := receive(t, "an answer after the backend died", answers)
				if get(got.final, "error") == nil && string(get(got.result(), "isError")) != "true" {
					t.Errorf("%s client: got %v, want an error", eraName(client), got)
				}
				p.restart(t)
				c.must(t, callTool(b.name+"__echo", `{}`))
				for len(p.events) > 0 {
					if line := <-p.events; str([]byte(line), "event") == "started" {
						t.Errorf("%s client: the call was sent to the backend a second time", eraName(client))
					}
				}
			}
		})
	}
}

// A stopped process is the hung backend of real life: the kernel accepts for it.
func TestStoppedBackendHoldsUpNobody(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	p := typescriptV1(t)
	g.connect(t, "stopped", p.address("/mcp"), "http")
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "healthy", s.url, "http")
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }()
	for _, client := range []bool{false, true} {
		c := dial(t, g.mcp(), client)
		disconnect, _ := begin(t, c, callTool("stopped__echo", `{}`))
		other := dial(t, g.mcp(), client)
		other.must(t, callTool("healthy__fine", `{}`))
		other.tools(t)
		if status, _, _ := g.api(t, http.MethodGet, "/api/backends", ""); status != 200 {
			t.Errorf("GET /api/backends: got HTTP %d", status)
		}
		disconnect()
	}
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for _, client := range []bool{false, true} {
		dial(t, g.mcp(), client).must(t, callTool("stopped__echo", `{}`))
	}
}
