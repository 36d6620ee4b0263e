package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves h for the test's time.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		_ = s.Listener.Close() // or Close would wait for a connection of the last moment
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// echo serves a real MCP server of both eras, and answers its URL.
func echo(t testing.TB) string {
	t.Helper()
	return serve(t, server.NewStreamableHTTPServer(echoServer("echo"), server.WithStateful(true))).URL
}

func docker(set ...discovery.Backend) (string, []discovery.Backend) {
	for i := range set {
		set[i].Source = discovery.SourceDocker
	}
	return discovery.SourceDocker, set
}

func at(name, url string) discovery.Backend {
	return discovery.Backend{Name: name, URL: url, Transport: discovery.TransportHTTP}
}

// names are those of all backends, in their order, with what they are.
func names(g *gateway.Gateway) string {
	var all []string
	for _, b := range g.Backends() {
		all = append(all, b.Name+":"+b.Source)
	}
	return strings.Join(all, " ")
}

func toolNames(g *gateway.Gateway) string {
	var all []string
	for _, tool := range g.Tools() {
		all = append(all, tool.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A set replaces the one that its source put before, and touches no other's.
func TestPutReplaces(t *testing.T) {
	g, _ := run(t)
	url := echo(t)
	for _, step := range []struct {
		source string
		set    []discovery.Backend
		names  string
		tools  string
	}{
		{discovery.SourceDocker, []discovery.Backend{at("b", url), at("a", url)}, "b:docker a:docker", "a__echo b__echo"},
		{discovery.SourceManual, []discovery.Backend{at("m", url)}, "b:docker a:docker m:manual", "a__echo b__echo m__echo"},
		{discovery.SourceDocker, []discovery.Backend{at("a", url), at("c", url)}, "a:docker m:manual c:docker", "a__echo c__echo m__echo"},
		{discovery.SourceManual, nil, "a:docker c:docker", "a__echo c__echo"},
		{discovery.SourceDocker, []discovery.Backend{}, "", ""},
	} {
		for i := range step.set {
			step.set[i].Source = step.source
		}
		g.Put(step.source, step.set)
		await(t, "having "+step.names, func() bool { return names(g) == step.names && toolNames(g) == step.tools })
	}
}

// Of a burst of sets the last one counts.
func TestLastPutCounts(t *testing.T) {
	g, _ := run(t)
	url := echo(t)
	for i := range 200 {
		if i%2 == 0 {
			g.Put(docker(at("a", url)))
		} else {
			g.Put(docker(at("b", url)))
		}
	}
	await(t, "having b alone", func() bool { return names(g) == "b:docker" && toolNames(g) == "b__echo" })
}

// A person's registration wins over a label, which hears of it; when it goes, the
// label's backend is there.
func TestManualWins(t *testing.T) {
	g, mcpURL := run(t)
	labelled, registered := echo(t), echo(t)
	box := at("x", labelled)
	box.Container = &discovery.Container{ID: "1", Name: "box"}
	g.Put(docker(box))
	await(t, "the label's", func() bool { return toolNames(g) == "x__echo" })
	g.Put(manual(at("x", registered)))
	await(t, "the registration", func() bool { b, _ := g.Backend("x"); return b.Source == "manual" && b.Status == "connected" })
	g.WaitAttempt(t.Context(), "x") // until clients see it as well
	b, _ := g.Backend("x")
	if b.URL != registered || len(b.Diagnostics) != 1 || b.Diagnostics[0].Code != "L020" || !strings.Contains(b.Diagnostics[0].Message, "container box") {
		t.Errorf("backend: %s %+v", b.URL, b.Diagnostics)
	}
	if status, body := modern(t, mcpURL, "tools/call", "x__echo", `"name":"x__echo","arguments":{"text":"here"}`); status != 200 || !strings.Contains(body, "here") {
		t.Errorf("call: %d %s", status, body)
	}
	g.Put(manual())
	await(t, "the label's again", func() bool { b, _ := g.Backend("x"); return b.Source == "docker" && b.Status == "connected" })
	if b, _ := g.Backend("x"); len(b.Diagnostics) != 0 || b.Container == nil {
		t.Errorf("backend: %+v", b)
	}
}

// What only concerns people changes no connection.
func TestFactsKeepTheConnection(t *testing.T) {
	g, _ := run(t)
	var discovered atomic.Int32
	inner := server.NewStreamableHTTPServer(echoServer("echo"))
	b := at("x", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Method") == "server/discover" {
			discovered.Add(1)
		}
		inner.ServeHTTP(w, r)
	})).URL)
	g.Put(docker(b))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	for _, health := range []string{"starting", "healthy"} {
		b.Container = &discovery.Container{Name: "box", Health: health}
		b.Diagnostics = []discovery.Diagnostic{{Code: "L001", Message: health}}
		g.Put(docker(b))
		await(t, "showing "+health, func() bool {
			s, _ := g.Backend("x")
			return s.Container != nil && s.Container.Health == health && len(s.Diagnostics) == 1 && s.Diagnostics[0].Message == health
		})
		if s, _ := g.Backend("x"); s.Status != "connected" {
			t.Errorf("status %s", s.Status)
		}
	}
	if n := discovered.Load(); n != 1 {
		t.Errorf("connected %d times", n)
	}
}

// One backend that hangs and one that is dead leave all else alone.
func TestUnwellBackendsHarmNobody(t *testing.T) {
	g, mcpURL := runWith(t, gateway.Config{ConnectTimeout: 500 * time.Millisecond}, func(*gateway.Gateway) {})
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	hung := serve(t, http.HandlerFunc(hang))
	g.Put(manual(at("hung", hung.URL), at("dead", dead.URL), at("well", echo(t))))
	// No handshake and no list waits for any of them, however it stands with them.
	began := time.Now()
	for range 20 {
		if status, body := modern(t, mcpURL, "server/discover", "", ""); status != 200 || !strings.Contains(body, "2026-07-28") {
			t.Fatalf("discover: %d %s", status, body)
		}
		call := legacy(t, mcpURL)
		if status, body := call("tools/list", "{}"); status != 200 || !strings.Contains(body, `"tools":[`) {
			t.Fatalf("list: %d %s", status, body)
		}
	}
	if took := time.Since(began); took > 8*time.Second { // had each of 20 waited, it would be ten
		t.Errorf("60 answers from memory took %v", took)
	}
	await(t, "the one that is well", func() bool { return toolNames(g) == "well__echo" })
	call := legacy(t, mcpURL)
	if status, body := call("tools/call", `{"name":"well__echo","arguments":{"text":"here"}}`); status != 200 || !strings.Contains(body, "here") {
		t.Errorf("call: %d %s", status, body)
	}
	await(t, "naming both problems", func() bool {
		h, _ := g.Backend("hung")
		d, _ := g.Backend("dead")
		return strings.Contains(h.Reason, "did not answer within") && strings.Contains(d.Reason, "nothing listens there") &&
			h.Error != nil && d.Error != nil && h.Status == "error" && d.Status == "error" && d.NextRetryAt != nil
	})
	if status, body := call("tools/call", `{"name":"dead__x"}`); status != 200 || !strings.Contains(body, `"isError":true`) || !strings.Contains(body, "nothing listens there") {
		t.Errorf("call of the dead: %d %s", status, body)
	}
}

// hang holds a request until its client is gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	buf := make([]byte, 4096)
	for {
		if _, err := r.Body.Read(buf); err != nil {
			break
		}
	}
	select {
	case <-r.Context().Done():
	case <-time.After(20 * time.Second):
	}
}

func TestWaitAttempt(t *testing.T) {
	g, _ := run(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	url := echo(t)
	for range 20 {
		g.Put(manual(at("well", url), at("dead", dead.URL)))
		g.WaitAttempt(ctx, "well")
		if b, ok := g.Backend("well"); !ok || b.Status != "connected" || len(b.Tools) != 1 {
			t.Fatalf("after the attempt: %s, %s", b.Status, b.Reason)
		}
		if got := toolNames(g); got != "well__echo" {
			t.Fatalf("after the attempt clients see %q", got)
		}
		g.WaitAttempt(ctx, "dead")
		if b, ok := g.Backend("dead"); !ok || b.Status != "error" || b.Error == nil {
			t.Fatalf("after the attempt: %s, %s", b.Status, b.Reason)
		}
		// The same name with another URL is another attempt.
		g.Put(manual(at("dead", url), at("well", dead.URL)))
		g.WaitAttempt(ctx, "dead")
		g.WaitAttempt(ctx, "well")
		if d, _ := g.Backend("dead"); d.Status != "connected" {
			t.Fatalf("with a good URL: %s, %s", d.Status, d.Reason)
		}
		if w, _ := g.Backend("well"); w.Status != "error" && w.Status != "connecting" || w.URL != dead.URL {
			t.Fatalf("with a bad URL: %s at %s, %s", w.Status, w.URL, w.Reason)
		}
		g.Put(manual())
		g.WaitAttempt(ctx, "well")
		await(t, "having none", func() bool { return names(g) == "" })
	}
	g.WaitAttempt(ctx, "nobody")
	hung := serve(t, http.HandlerFunc(hang))
	g.Put(manual(at("hung", hung.URL)))
	brief, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	g.WaitAttempt(brief, "hung")
	if brief.Err() == nil {
		t.Error("an attempt that hangs was not waited for")
	}
}

func TestReconnect(t *testing.T) {
	g, _ := run(t)
	if g.Reconnect(t.Context(), "nobody") {
		t.Error("reconnected nobody")
	}
	g.Put(manual(at("x", echo(t))))
	await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
	for range 10 {
		if !g.Reconnect(t.Context(), "x") {
			t.Error("no such backend")
		}
		if b, _ := g.Backend("x"); b.Status != "connected" || toolNames(g) != "x__echo" {
			t.Errorf("after Reconnect: %s, %s", b.Status, b.Reason)
		}
	}
}
