package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// follower is a legacy client with an open stream.
type follower struct {
	call func(method, params string) (int, string)
	told atomic.Int32 // how many list_changed came
	done chan struct{}
}

// follow opens a session and its stream. It lists the tools once.
func follow(t *testing.T, url string) *follower {
	t.Helper()
	_, h, _ := post(t, url, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
	session := []string{"Mcp-Session-Id", h.Get("Mcp-Session-Id")}
	f := &follower{done: make(chan struct{}), call: func(method, params string) (int, string) {
		t.Helper()
		status, _, body := post(t, url, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`, session...)
		return status, body
	}}
	f.call("tools/list", "{}")
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	r.Header.Set("Mcp-Session-Id", session[1])
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.done)
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "notifications/tools/list_changed") {
				f.told.Add(1)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-f.done; res.Body.Close() })
	return f
}

func answering(text string) server.ToolHandlerFunc {
	return func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(text), nil
	}
}

// One change is told once, and a storm of them from time to time: clients fetch the
// whole list each time. The last change is among what is told.
func TestChangesAreCoalesced(t *testing.T) {
	g, url := run(t)
	s := echoServer("x")
	g.Put(manual(at("x", serve(t, server.NewStreamableHTTPServer(s)).URL)))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	f := follow(t, url)

	s.AddTool(mcp.NewTool("more"), answering("more"))
	await(t, "being told", func() bool { return f.told.Load() == 1 })
	if _, body := f.call("tools/list", "{}"); !strings.Contains(body, "x__more") {
		t.Errorf("told before the change: %s", body)
	}

	began, before := time.Now(), f.told.Load()
	for i := range 60 {
		s.AddTool(mcp.NewTool(fmt.Sprintf("tool%d", i)), answering("x"))
		time.Sleep(20 * time.Millisecond)
	}
	await(t, "seeing all", func() bool { _, body := f.call("tools/list", "{}"); return strings.Contains(body, "tool59") })
	took := time.Since(began)
	// Whoever is told of the last change only sees the whole list.
	seen := f.told.Load()
	await(t, "being told of the last", func() bool { return f.told.Load() > seen || f.told.Load() > before })
	time.Sleep(600 * time.Millisecond) // for more to come than may
	if n := int(f.told.Load() - before); n < 2 || n > int(took/(250*time.Millisecond))+3 {
		t.Errorf("told %d times in %v", n, took)
	}
}

// Nothing is told while what clients see stays the same, whatever goes on.
func TestNothingIsToldWithoutAChange(t *testing.T) {
	g, url := run(t)
	g.Put(manual(at("x", echo(t))))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	f := follow(t, url)
	for range 5 {
		g.Reconnect(t.Context(), "x") // its tools stay listed meanwhile
	}
	dead := serve(t, http.NotFoundHandler()).URL
	g.Put(docker(at("dead", dead), discovery.Backend{Name: "off", URL: dead, Disabled: true}))
	g.WaitAttempt(t.Context(), "dead")
	time.Sleep(300 * time.Millisecond)
	if n := f.told.Load(); n != 0 {
		t.Errorf("told %d times", n)
	}
	// It would have been told.
	g.Put(docker())
	g.Put(manual())
	await(t, "being told of a change", func() bool { return f.told.Load() == 1 })
}

// A list that changes and changes back within the calm is told of once more: who
// fetched it in between has the wrong one.
func TestThereAndBackIsTold(t *testing.T) {
	g, url := run(t)
	s := echoServer("x")
	g.Put(manual(at("x", serve(t, server.NewStreamableHTTPServer(s)).URL)))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	f := follow(t, url)
	for i := range 3 {
		told := f.told.Load()
		name := fmt.Sprintf("brief%d", i)
		s.AddTool(mcp.NewTool(name), answering("x"))
		await(t, "seeing it", func() bool { _, body := f.call("tools/list", "{}"); return strings.Contains(body, name) })
		s.DeleteTools(name)
		await(t, "seeing it gone", func() bool { return !strings.Contains(toolNames(g), name) })
		await(t, "being told", func() bool { return f.told.Load() > told })
	}
	await(t, "the list at the end", func() bool { return toolNames(g) == "x__echo" })
}

// runHeld is run with a hold that suits a test.
func runHeld(t *testing.T, hold time.Duration) (*gateway.Gateway, string) {
	t.Helper()
	return runWith(t, gateway.Config{}, func(g *gateway.Gateway) { g.SetHold(hold) })
}

// A container that restarts keeps its tools listed, and calls wait for it; nobody is
// told anything, and no client has to do anything.
func TestRestartIsInvisible(t *testing.T) {
	for name, option := range map[string]server.StreamableHTTPOption{
		"modern backend": server.WithStateful(true),
		"legacy backend": server.WithStreamableHTTPProtocolVersions("2025-11-25"),
	} {
		t.Run(name, func(t *testing.T) {
			g, url := runHeld(t, time.Minute)
			generation := func(n string) discovery.Backend {
				b := at("x", serve(t, server.NewStreamableHTTPServer(echoServer("x"), server.WithStateful(true), option)).URL)
				b.Generation = n
				return b
			}
			b := generation("1")
			g.Put(docker(b, at("other", echo(t))))
			await(t, "connecting", func() bool { return toolNames(g) == "other__echo x__echo" })
			f := follow(t, url)
			f.call("tools/call", `{"name":"x__echo","arguments":{"text":"a"}}`)
			b.Held = true
			other, _ := g.Backend("other")
			set := func(x discovery.Backend) { g.Put(docker(x, at("other", other.URL))) }
			set(b)
			await(t, "holding", func() bool { b, _ := g.Backend("x"); return b.State == "holding" && b.Status == "connecting" })
			type result struct {
				status int
				body   string
			}
			answers := make(chan result, 2)
			go func() {
				status, body := f.call("tools/call", `{"name":"x__echo","arguments":{"text":"waited"}}`)
				answers <- result{status, body}
			}()
			go func() {
				status, body := modern(t, url, "tools/call", "x__echo", `"name":"x__echo","arguments":{"text":"waited"}`)
				answers <- result{status, body}
			}()
			if status, body := f.call("tools/call", `{"name":"other__echo","arguments":{"text":"here"}}`); status != 200 || !strings.Contains(body, "here") {
				t.Errorf("the other backend: %d %s", status, body)
			}
			if got := toolNames(g); got != "other__echo x__echo" {
				t.Errorf("tools while it restarts: %s", got)
			}
			set(generation("2"))
			for range 2 {
				if a := <-answers; a.status != 200 || !strings.Contains(a.body, "waited") {
					t.Errorf("call across the restart: %d %s", a.status, a.body)
				}
			}
			if n := f.told.Load(); n != 0 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// Tools of a backend that does not come back vanish when the hold is over, and come
// back with it.
func TestToolsVanishAfterTheHold(t *testing.T) {
	g, url := runHeld(t, 200*time.Millisecond)
	b := at("x", echo(t))
	g.Put(docker(b))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	f := follow(t, url)
	held := b
	held.Held = true
	g.Put(docker(held))
	await(t, "vanishing", func() bool { return toolNames(g) == "" && f.told.Load() == 1 })
	if s, _ := g.Backend("x"); s.Status != "error" || !strings.Contains(s.Reason, "expected back") {
		t.Errorf("status %s, reason %q", s.Status, s.Reason)
	}
	if status, body := f.call("tools/call", `{"name":"x__echo"}`); status != 200 || !strings.Contains(body, `"isError":true`) {
		t.Errorf("call: %d %s", status, body)
	}
	g.Put(docker(b))
	await(t, "coming back", func() bool { return toolNames(g) == "x__echo" && f.told.Load() == 2 })
}

// A client's good-bye closes its sessions with backends.
func TestLeavingClosesSessionsBehind(t *testing.T) {
	g, url := run(t)
	inner := server.NewStreamableHTTPServer(echoServer("x"), server.WithStateful(true), server.WithStreamableHTTPProtocolVersions("2025-11-25"))
	var opened, closed atomic.Int32
	backend := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			closed.Add(1)
		}
		if r.Method == http.MethodPost && r.Header.Get("Mcp-Session-Id") == "" && r.Header.Get("MCP-Protocol-Version") == "" {
			opened.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	g.Put(manual(at("x", backend.URL)))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	_, h, _ := post(t, url, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
	session := h.Get("Mcp-Session-Id")
	for range 2 {
		post(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x__echo"}}`, "Mcp-Session-Id", session)
	}
	if n := opened.Load(); n != 2 {
		t.Errorf("%d sessions were opened, want the gateway's and the client's", n)
	}
	r, _ := http.NewRequest(http.MethodDelete, url, nil)
	r.Header.Set("Mcp-Session-Id", session)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	await(t, "closing the client's session", func() bool { return closed.Load() == 1 })
}
