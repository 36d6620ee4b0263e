package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
)

// replica serves a real MCP server whose tool says which one it is.
func replica(t *testing.T, name string, more ...string) (url string) {
	s := server.NewMCPServer("demo", "1.0.0", server.WithToolCapabilities(true))
	for _, tool := range append([]string{"who"}, more...) {
		s.AddTool(mcp.NewTool(tool), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("I am " + name), nil
		})
	}
	return serve(t, server.NewStreamableHTTPServer(s, server.WithStateful(true))).URL
}

// scaled is the backend demo at the URLs, each in a container of its own.
func scaled(urls ...string) discovery.Backend {
	b := at("demo", "")
	for i, url := range urls {
		r := discovery.Replica{URL: url, Generation: url, Container: &discovery.Container{ID: url, Name: fmt.Sprintf("demo-%d", i+1)},
			ReplicaRole: discovery.ReplicaRole{ID: url, Weight: 1}}
		if i > 0 {
			b.Replicas = append(b.Replicas, r)
			continue
		}
		b.URL, b.Generation, b.Container, b.Replica = r.URL, r.Generation, r.Container, r.ReplicaRole
	}
	return b
}

// F22: that a service is scaled up and down is no news to clients, and fails no call.
func TestF22ScalingIsNotSeenByClients(t *testing.T) {
	g, url := run(t)
	urls := make([]string, 5)
	for i := range urls {
		urls[i] = replica(t, fmt.Sprint(i+1))
	}
	g.Put(docker(scaled(urls[0])))
	await(t, "connecting", func() bool { return toolNames(g) == "demo__who" })
	f := follow(t, url)
	told := f.told.Load()

	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			status, body := f.call("tools/call", `{"name":"demo__who","arguments":{}}`)
			if status != 200 || !strings.Contains(body, "I am ") {
				t.Errorf("legacy: %d %s", status, body)
			}
			if status, body = modern(t, url, "tools/call", "demo__who", `"name":"demo__who","arguments":{}`); status != 200 || !strings.Contains(body, "I am ") {
				t.Errorf("modern: %d %s", status, body)
			}
		}
	}()
	ready := func(n int) func() bool {
		return func() bool {
			b, _ := g.Backend("demo")
			count := 0
			for _, e := range b.Endpoints {
				if e.State == "ready" {
					count++
				}
			}
			return b.Replicas == n && count == n
		}
	}
	g.Put(docker(scaled(urls...)))
	await(t, "five replicas", ready(5))
	time.Sleep(100 * time.Millisecond)
	b, _ := g.Backend("demo")
	for i, e := range b.Endpoints {
		if e.ID != urls[i] || e.URL == "" || e.Container == nil || e.Weight != 1 {
			t.Errorf("endpoint %+v", e)
		}
	}
	if b.Status != "connected" || b.State != "ready" || len(b.Tools) != 1 || len(b.Diagnostics) != 0 {
		t.Errorf("%s %s, %d tools, %v", b.Status, b.State, len(b.Tools), b.Diagnostics)
	}
	// Those that go are held first, as the engine tells of their end.
	down := scaled(urls...)
	for i := range down.Replicas {
		down.Replicas[i].Doubted = time.Now()
	}
	g.Put(docker(down))
	await(t, "the calls to end at those that go", func() bool {
		b, _ := g.Backend("demo")
		for _, e := range b.Endpoints[1:] {
			if e.State != "draining" || e.Calls > 0 {
				return false
			}
		}
		return true
	})
	down = scaled(urls...)
	for i := range down.Replicas {
		down.Replicas[i].Held = true
	}
	g.Put(docker(down))
	g.Put(docker(scaled(urls[0])))
	await(t, "one replica", func() bool { b, _ := g.Backend("demo"); return b.Replicas == 1 && b.Endpoints == nil })
	time.Sleep(100 * time.Millisecond)
	close(stop)
	<-done
	if now := f.told.Load(); now != told {
		t.Errorf("clients were told of %d changes", now-told)
	}
}

// F23: while the image changes, clients see one change, that of the tools.
func TestF23RollingImageChangeIsOneChange(t *testing.T) {
	g, url := run(t)
	old := []string{replica(t, "old 1"), replica(t, "old 2")}
	fresh := []string{replica(t, "new 1", "newer"), replica(t, "new 2", "newer")}
	g.Put(docker(scaled(old...)))
	await(t, "connecting", func() bool { return toolNames(g) == "demo__who" })
	f := follow(t, url)
	told := f.told.Load()
	call := func() string {
		t.Helper()
		status, body := f.call("tools/call", `{"name":"demo__who","arguments":{}}`)
		if status != 200 || !strings.Contains(body, "I am ") {
			t.Fatalf("%d %s", status, body)
		}
		return body
	}
	call()
	for i := range fresh { // the first takes the place of an old one, then the second
		set := scaled(append([]string{fresh[0]}, append(fresh[1:i+1:i+1], old[i:]...)...)...)
		for j := range set.Replicas {
			set.Replicas[j].Drain = j >= i
		}
		g.Put(docker(set))
		await(t, "the new tools", func() bool { return toolNames(g) == "demo__newer demo__who" })
		call()
	}
	g.Put(docker(scaled(fresh...)))
	await(t, "the end of the old ones", func() bool {
		b, _ := g.Backend("demo")
		return b.Replicas == 2 && len(b.Endpoints) == 2 && b.Endpoints[1].State == "ready"
	})
	if body := call(); !strings.Contains(body, "I am new") {
		t.Errorf("answered by an old one: %s", body)
	}
	time.Sleep(400 * time.Millisecond) // what would be told would be by now
	if now := f.told.Load() - told; now != 1 {
		t.Errorf("clients were told of %d changes, want 1", now)
	}
}
