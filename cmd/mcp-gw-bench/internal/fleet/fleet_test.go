package fleet

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

func TestFleet(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
		cfg     load.Config
		path    string
		want    string // in the error; empty: none
	}{
		{"call", Options{Tools: 5}, load.Config{Tool: "echo", Payload: 100}, "/mcp", ""},
		{"call as stream", Options{Tools: 5, SSE: true}, load.Config{Tool: "echo", Payload: 70_000}, "/x/mcp", ""},
		{"sleep", Options{Tools: 5}, load.Config{Tool: "sleep", Args: `{"ms":1}`}, "/mcp", ""},
		{"list", Options{Tools: 20}, load.Config{Mode: load.ModeList, Tool: "echo", WantTools: 20}, "/mcp", ""},
		{"list in pages", Options{Tools: 20, Page: 6}, load.Config{Mode: load.ModeList, Tool: "sleep", WantTools: 20}, "/mcp", ""},
		{"list of another size", Options{Tools: 20}, load.Config{Mode: load.ModeList, Tool: "echo", WantTools: 7}, "/mcp?tools=7", ""},
		{"call where there are sessions only", Options{Tools: 5}, load.Config{Tool: "echo"}, "/legacy/mcp", "HTTP 400"},
		{"call where all have sessions only", Options{Tools: 5, Legacy: true}, load.Config{Tool: "echo"}, "/mcp", "HTTP 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(New(tt.options))
			defer s.Close()
			for version, want := range map[string]string{"2025-11-25": "", modern: tt.want} {
				cfg := tt.cfg
				cfg.URL, cfg.Version = s.URL+tt.path, version
				err := load.Probe(t.Context(), cfg)
				if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("%s: error %v, want %q", version, err, want)
				}
			}
		})
	}
}

// Gateways look for changes of the tool list; a fleet that refused them the
// stream would be measured together with their retries.
func TestListen(t *testing.T) {
	s := httptest.NewServer(New(Options{Tools: 2}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/mcp",
		strings.NewReader(`{"jsonrpc":"2.0","id":"l:0","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("MCP-Protocol-Version", modern)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if err != nil || !strings.Contains(line, `"notifications/subscriptions/acknowledged"`) || !strings.Contains(line, `subscriptionId":"l:0"`) {
		t.Errorf("first message %q, %v", line, err)
	}
}

func TestToolsAreTools(t *testing.T) {
	seen := map[string]bool{}
	for i := range 500 {
		text := string(tool(i))
		name, _, ok := strings.Cut(strings.TrimPrefix(text, `{"name":"`), `"`)
		if !ok || seen[name] || strings.Count(text, `"inputSchema"`) != 1 {
			t.Fatalf("tool %d: %.100s", i, text)
		}
		seen[name] = true
	}
}

func TestStats(t *testing.T) {
	s := httptest.NewServer(New(Options{Tools: 2}))
	defer s.Close()
	if err := load.Probe(t.Context(), load.Config{URL: s.URL + "/mcp", Tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(s.URL + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if want := `{"initialize":1,"tools_list":0,"tools_call":1,"streams_open":0,"sessions_open":0}`; err != nil || strings.TrimSpace(string(b)) != want {
		t.Errorf("stats %s, %v, want %s", b, err, want)
	}
}
