package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

var _ Gateway = (*gateway.Gateway)(nil)

// fakeGateway is a Gateway to which every url answers at once, unless it says
// "dead".
type fakeGateway struct {
	mu         sync.Mutex // guards what follows
	byHand     []gateway.BackendState
	docker     []gateway.BackendState
	tools      []gateway.ToolState
	reconnects []string
	switches   discovery.Switches
	journal    *journal.Journal
}

func (g *fakeGateway) Switch(s discovery.Switches) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.switches = s
}

func (g *fakeGateway) Put(_ string, set []discovery.Backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byHand = nil
	for _, b := range set {
		state := gateway.BackendState{
			Name: b.Name, URL: b.URL, Transport: b.Transport, Enabled: !b.Disabled, Headers: b.Headers,
			Source: b.Source, Status: "connected", State: "ready", Replicas: 1,
		}
		switch {
		case b.Disabled:
			state.Status, state.State = "disconnected", "disabled"
		case strings.Contains(b.URL, "dead"):
			refused := "connection refused"
			state.Status, state.State, state.Error, state.Reason = "error", "failed", &refused, refused
		}
		g.byHand = append(g.byHand, state)
	}
}

func (g *fakeGateway) Backends() []gateway.BackendState {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := append(append([]gateway.BackendState{}, g.byHand...), g.docker...)
	for i := range all {
		if g.switches.Backends[all[i].Name] {
			all[i].Enabled, all[i].State, all[i].DisabledBy = false, "disabled", "dashboard"
		}
		if all[i].Health == "" {
			all[i].Health = map[string]string{"ready": "healthy", "failed": "down", "disabled": "disabled", "degraded": "degraded"}[all[i].State]
		}
		if all[i].Health == "" {
			all[i].Health = "connecting"
		}
	}
	return all
}

func (g *fakeGateway) Backend(name string) (gateway.BackendState, bool) {
	for _, b := range g.Backends() {
		if b.Name == name {
			return b, true
		}
	}
	return gateway.BackendState{}, false
}

func (g *fakeGateway) Tools() []gateway.ToolState { return g.tools }

func (g *fakeGateway) Checks(string) []gateway.Check { return []gateway.Check{} }

func (g *fakeGateway) Catalogue() gateway.Catalogue {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := gateway.Catalogue{Resources: []gateway.ResourceState{}, Templates: []gateway.TemplateState{}, Prompts: []gateway.PromptState{}}
	for _, t := range g.tools {
		t.Enabled = t.Locked == "" && !g.switches.Tools[t.Backend][t.OriginalName]
		c.Tools = append(c.Tools, t)
	}
	return c
}

func (g *fakeGateway) Try(context.Context, discovery.Backend) gateway.BackendState {
	return gateway.BackendState{}
}

func (g *fakeGateway) Call(context.Context, string, []byte) gateway.CallResult {
	return gateway.CallResult{}
}

func (g *fakeGateway) WaitSwitched(context.Context) {}

func (g *fakeGateway) Reconnect(_ context.Context, name string) bool {
	_, ok := g.Backend(name)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reconnects = append(g.reconnects, name)
	return ok
}

func (g *fakeGateway) WaitAttempt(context.Context, string) {}

func (g *fakeGateway) Changed() <-chan struct{} { return nil }

func (g *fakeGateway) EndSession(id string) bool {
	c, there := g.journal.Client(id)
	return there && c.Era == "legacy" && c.Connected
}

func (g *fakeGateway) Journal() *journal.Journal { return g.journal }

type fakeDiscovery struct {
	mu      sync.Mutex // guards report and changed
	report  discovery.Report
	changed chan struct{}
	rescan  func(context.Context) error
	lastLog map[string][]string
}

// set changes the report, and tells.
func (d *fakeDiscovery) set(r discovery.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report = r
	if d.changed != nil {
		close(d.changed)
	}
	d.changed = make(chan struct{})
}

func (d *fakeDiscovery) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed
}

func (d *fakeDiscovery) Report() discovery.Report {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.report
}

func (d *fakeDiscovery) LastLog(_ context.Context, id string) ([]string, error) {
	return d.lastLog[id], nil
}

func (d *fakeDiscovery) Rescan(ctx context.Context) error { return d.rescan(ctx) }

// house is an API on a fake gateway and a real registry.
type house struct {
	gateway *fakeGateway
	server  *server
	handler http.Handler
	file    string // backends.json
	board   string // switches.json
}

func newHouse(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	h := &house{
		gateway: &fakeGateway{journal: journal.New(journal.Options{Entries: 300})},
		file:    filepath.Join(t.TempDir(), "backends.json"),
	}
	h.board = filepath.Join(filepath.Dir(h.file), "switches.json")
	log := slog.New(slog.DiscardHandler)
	switches := manual.NewSwitchboard(h.board, log, h.gateway)
	registry := manual.New(h.file, log)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- registry.Run(ctx, h.gateway) }()
	go func() { ended <- switches.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Errorf("registry: %v", err)
			}
		}
	})
	cfg := Config{
		Gateway: h.gateway,
		Manual:  registry, Switches: switches,
		MCP:     http.NotFoundHandler(),
		Check:   func(*http.Request) error { return nil },
		Ready:   func() bool { return true },
		Version: "1.2.3",
		Log:     log,
	}
	for _, c := range change {
		c(&cfg)
	}
	h.server = newServer(cfg)
	h.handler = below(h.server.basePath(), h.server.routes())
	return h
}

// call sends a request and holds the answer against the API's description.
func (h *house) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:3000"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	answered(t, r, w.Result(), w.Body.Bytes())
	return w.Code, strings.TrimSpace(w.Body.String())
}

// want fails unless the answer is exactly this.
func (h *house) want(t *testing.T, method, path, body string, status int, answer string) {
	t.Helper()
	gotStatus, got := h.call(t, method, path, body)
	if gotStatus != status || got != answer {
		t.Errorf("%s %s %s:\n got %d %s\nwant %d %s", method, path, body, gotStatus, got, status, answer)
	}
}

// live serves the house over a real connection; its requests end with ctx.
func (h *house) live(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h.handler)
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, ctx context.Context, url string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// field takes one field of a JSON object.
func field(t *testing.T, text, name string) string {
	t.Helper()
	var o map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(o[name])
}

func all(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
