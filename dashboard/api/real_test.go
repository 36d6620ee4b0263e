package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"log/slog"

	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

// mcpServer is an MCP server of 2025-11-25 without sessions, whose lists the test
// writes by hand.
type mcpServer struct {
	url string

	mu    sync.Mutex // guards what follows
	lists map[string]string
	calls int
}

const threeTools = `{"name":"get","description":"reads one","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}},` +
	`{"name":"put","inputSchema":{"type":"object"}},{"name":"fail","inputSchema":{"type":"object"}}`

func newMCPServer(t *testing.T) *mcpServer {
	m := &mcpServer{lists: map[string]string{"tools": threeTools, "prompts": `{"name":"greet","title":"<b>"}`,
		"resources": `{"uri":"file:///a","name":"a"}`, "resourceTemplates": `{"uriTemplate":"file:///{+path}","name":"t"}`}}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

func (m *mcpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var q struct {
		ID     json.RawMessage
		Method string
		Params struct {
			Name      string
			Arguments json.RawMessage
		}
	}
	if r.Method != http.MethodPost || json.Unmarshal(body, &q) != nil || q.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kind := strings.TrimSuffix(q.Method, "/list")
	if kind == "resources/templates" {
		kind = "resourceTemplates"
	}
	answer := `"result":{}`
	switch {
	case q.Method == "initialize":
		answer = `"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{}},"serverInfo":{"name":"stub","version":"1"}}`
	case q.Method == "server/discover":
		answer = `"error":{"code":-32601,"message":"Method not found"}`
	case kind+"/list" == q.Method, kind == "resourceTemplates":
		answer = fmt.Sprintf(`"result":{%q:[%s]}`, kind, m.lists[kind])
	case q.Method == "tools/call":
		m.calls++
		switch q.Params.Name {
		case "fail":
			answer = `"result":{"content":[{"type":"text","text":"no such thing"}],"isError":true}`
		case "put":
			answer = `"error":{"code":-32602,"message":"text is missing"}`
		case "hang":
			m.mu.Unlock()
			<-r.Context().Done()
			m.mu.Lock()
		default:
			answer = fmt.Sprintf(`"result":{"content":[{"type":"text","text":%q}]}`, q.Params.Arguments)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, q.ID, answer)
}

// realHouse is an API on a real gateway.
type realHouse struct {
	*house
	gw *gateway.Gateway
}

func newRealHouse(t *testing.T, change ...func(*Config)) *realHouse {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	gw := gateway.New(gateway.Config{Version: "1.2.3", Log: log, Journal: journal.New(journal.Options{})})
	file := filepath.Join(t.TempDir(), "backends.json")
	registry := manual.New(file, log)
	board := filepath.Join(filepath.Dir(file), "switches.json")
	switches := manual.NewSwitchboard(board, log, gw)
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = gw.Run(ctx) })
	work.Go(func() { _ = registry.Run(ctx, gw) })
	work.Go(func() { _ = switches.Run(ctx) })
	t.Cleanup(func() { gw.EndStreams(); cancel(); work.Wait() })
	cfg := Config{Gateway: gw, Manual: registry, Switches: switches, MCP: gw.Handler(), Check: gw.Check,
		Ready: func() bool { return true }, Version: "1.2.3", Log: log}
	for _, c := range change {
		c(&cfg)
	}
	s := newServer(cfg)
	h := &realHouse{house: &house{server: s, handler: s.routes(), file: file, board: board}, gw: gw}
	eventually(t, "the registry", func() bool { return gw.Heard(discovery.SourceManual) })
	return h
}

// register adds a backend at url and waits until its tools are listed.
func (h *realHouse) register(t *testing.T, name, url string) {
	t.Helper()
	status, body := h.call(t, "POST", "/api/backends", fmt.Sprintf(`{"name":%q,"url":%q,"transport":"http"}`, name, url))
	if status != 200 || !strings.Contains(body, `"status":"connected"`) {
		t.Fatalf("%d %s", status, body)
	}
}
