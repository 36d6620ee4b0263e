package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// echoServer is a real MCP server with one tool that answers its arguments.
func echoServer(name string) *server.MCPServer {
	s := server.NewMCPServer(name, "1.0.0", server.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("echo", mcp.WithDescription("answers what it was asked"), mcp.WithString("text")),
		func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText(r.GetString("text", "")), nil
		})
	return s
}

// run starts a gateway for the test's time and answers its address.
func run(t testing.TB) (*gateway.Gateway, string) {
	t.Helper()
	return runWith(t, gateway.Config{}, func(*gateway.Gateway) {})
}

// runWith is run with a configuration, and a change before Run.
func runWith(t testing.TB, cfg gateway.Config, change func(*gateway.Gateway)) (*gateway.Gateway, string) {
	t.Helper()
	cfg.Version = "test"
	g := gateway.New(cfg)
	change(g)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = g.Run(ctx) }()
	srv := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		g.EndStreams()
		srv.Close()
		cancel()
		<-done
	})
	return g, srv.URL + "/mcp"
}

func manual(set ...discovery.Backend) (string, []discovery.Backend) {
	for i := range set {
		set[i].Source = discovery.SourceManual
	}
	return discovery.SourceManual, set
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// post sends one message and answers the status, header and the last message of
// the answer.
func post(t testing.TB, url, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		b = []byte(strings.TrimPrefix(lines[len(lines)-1], "data: "))
	}
	return res.StatusCode, res.Header, string(bytes.TrimSpace(b))
}

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`

func modern(t *testing.T, url, method, name, params string) (int, string) {
	t.Helper()
	if params != "" {
		params += ","
	}
	h := []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	if name != "" {
		h = append(h, "Mcp-Name", name)
	}
	status, _, body := post(t, url, `{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":{`+params+meta+`}}`, h...)
	return status, body
}

// legacy opens a session and answers what sends in it.
func legacy(t *testing.T, url string) func(method, params string) (int, string) {
	t.Helper()
	status, h, body := post(t, url, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	if status != 200 || !strings.Contains(body, `"protocolVersion":"2025-11-25"`) {
		t.Fatalf("initialize: %d %s", status, body)
	}
	session := h.Get("Mcp-Session-Id")
	if status, _, body := post(t, url, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "Mcp-Session-Id", session); status != 202 {
		t.Fatalf("initialized: %d %s", status, body)
	}
	return func(method, params string) (int, string) {
		t.Helper()
		status, _, body := post(t, url, `{"jsonrpc":"2.0","id":"x","method":"`+method+`","params":`+params+`}`,
			"Mcp-Session-Id", session, "MCP-Protocol-Version", "2025-11-25")
		return status, body
	}
}

func TestEveryEraReachesEveryTransport(t *testing.T) {
	stateful := httptest.NewServer(server.NewStreamableHTTPServer(echoServer("stateful"), server.WithStateful(true)))
	t.Cleanup(stateful.Close)
	sse := httptest.NewServer(nil)
	t.Cleanup(sse.Close)
	sse.Config.Handler = server.NewSSEServer(echoServer("sse"), server.WithBaseURL(sse.URL))
	legacyOnly := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("MCP-Protocol-Version") == "2026-07-28" {
			http.Error(w, "Bad Request: No valid session ID provided", http.StatusBadRequest)
			return
		}
		stateful.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(legacyOnly.Close)

	g, url := run(t)
	g.Put(manual(
		discovery.Backend{Name: "modern", URL: stateful.URL + "/mcp", Transport: discovery.TransportHTTP},
		discovery.Backend{Name: "legacy", URL: legacyOnly.URL + "/mcp", Transport: discovery.TransportHTTP},
		discovery.Backend{Name: "sse", URL: sse.URL + "/sse", Transport: discovery.TransportSSE},
	))
	await(t, "three tools", func() bool { return len(g.Tools()) == 3 })
	eras := map[string]string{}
	for _, b := range g.Backends() {
		eras[b.Name] = b.Era + " " + string(b.Transport)
	}
	for name, want := range map[string]string{"modern": "modern http", "legacy": "legacy http", "sse": "legacy sse"} {
		if eras[name] != want {
			t.Errorf("backend %s is %q, want %q", name, eras[name], want)
		}
	}

	call := legacy(t, url)
	for _, backend := range []string{"modern", "legacy", "sse"} {
		args := `{"name":"` + backend + `__echo","arguments":{"text":"größe <&> 12345678901234567890"}}`
		if status, body := call("tools/call", args); status != 200 || !strings.Contains(body, "größe") || !strings.Contains(body, `"id":"x"`) {
			t.Errorf("legacy client, %s backend: %d %s", backend, status, body)
		}
		status, body := modern(t, url, "tools/call", backend+"__echo", args[1:len(args)-1])
		if status != 200 || !strings.Contains(body, "größe") || !strings.Contains(body, `"resultType":"complete"`) || !strings.Contains(body, `"id":7`) {
			t.Errorf("modern client, %s backend: %d %s", backend, status, body)
		}
	}
	if status, body := modern(t, url, "tools/list", "", ""); status != 200 || !json.Valid([]byte(body)) || strings.Count(body, "__echo") != 3 {
		t.Errorf("modern tools/list: %d %s", status, body)
	}
	if status, body := call("tools/list", "{}"); status != 200 || !json.Valid([]byte(body)) || strings.Count(body, "__echo") != 3 {
		t.Errorf("legacy tools/list: %d %s", status, body)
	}
	if status, body := modern(t, url, "server/discover", "", ""); status != 200 || !strings.Contains(body, "2026-07-28") {
		t.Errorf("discover: %d %s", status, body)
	}
}
