package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

func TestHealth(t *testing.T) {
	h := newHouse(t)
	h.call(t, "POST", "/api/backends", ha)
	h.call(t, "POST", "/api/backends", `{"name":"dead","url":"http://dead","transport":"http"}`)
	h.gateway.tools = []gateway.ToolState{{Tool: json.RawMessage(`{}`)}}
	status, got := h.call(t, "GET", "/api/health", "")
	got = regexp.MustCompile(`"uptimeMs":[1-9]\d*,`).ReplaceAllString(got, "")
	want := `{"status":"ok","version":"1.2.3","backendCount":2,"connectedBackends":1,"toolCount":1,"docker":{"enabled":false,"connected":false},"problems":[]}`
	if status != 200 || got != want {
		t.Errorf("got %d %s\nwant %s", status, got, want)
	}
}

func TestAliveAndReady(t *testing.T) {
	ready := false
	h := newHouse(t, func(c *Config) { c.Ready = func() bool { return ready } })
	h.want(t, "GET", "/healthz", "", 200, `{"status":"ok"}`)
	h.want(t, "GET", "/readyz", "", 503, `{"error":"the gateway is starting or shutting down"}`)
	ready = true
	h.want(t, "GET", "/readyz", "", 200, `{"status":"ok"}`)
	r := httptest.NewRecorder()
	h.handler.ServeHTTP(r, httptest.NewRequest(http.MethodHead, "/healthz", nil))
	if r.Code != 200 {
		t.Errorf("HEAD /healthz answers %d", r.Code)
	}
}

func TestWhatIsNotThereIsSaidInJSON(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/api/nothing", 404, "there is nothing at /api/nothing; /api/openapi.json describes what there is"},
		{"GET", "/api", 404, "there is nothing at /api; /api/openapi.json describes what there is"},
		{"GET", "/api/", 404, "there is nothing at /api/; /api/openapi.json describes what there is"},
		{"GET", "/favicon.ico", 404, "there is nothing at /favicon.ico; /api/openapi.json describes what there is"},
		{"GET", "/.well-known/oauth-protected-resource/mcp", 404, "there is nothing at /.well-known/oauth-protected-resource/mcp; /api/openapi.json describes what there is"},
		{"POST", "/register", 404, "there is nothing at /register; /api/openapi.json describes what there is"},
		{"PUT", "/api/backends", 405, "PUT is not possible on /api/backends; /api/openapi.json describes what is"},
		{"PATCH", "/api/backends", 405, "PATCH is not possible on /api/backends; /api/openapi.json describes what is"},
	} {
		r := httptest.NewRecorder()
		h.handler.ServeHTTP(r, httptest.NewRequest(c.method, c.path, nil))
		var answer struct{ Error string }
		if err := json.Unmarshal(r.Body.Bytes(), &answer); err != nil || r.Code != c.status || answer.Error != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.Code, r.Body)
		}
		if got := r.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
}

func TestTheGuardStandsBeforeEveryRoute(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Check = func(r *http.Request) error { return errors.New("host " + r.Host + " is not allowed") }
	})
	requests := []string{"GET /nothing", "GET /api/nothing", "PUT /api/health", "POST /"}
	for _, r := range h.server.routes().Routes() {
		if !isMCP(r.Path) { // guards itself
			requests = append(requests, r.Method+" "+strings.NewReplacer(":name", "x", ":id", "x", "*", "x").Replace(r.Path))
		}
	}
	for _, request := range requests {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, nil)
		r.Host = "evil.example"
		h.handler.ServeHTTP(w, r)
		want := `{"error":"host evil.example is not allowed"}`
		if method == http.MethodHead {
			want = ""
		}
		if got := strings.TrimSpace(w.Body.String()); w.Code != 403 || got != want {
			t.Errorf("%s: %d %s", request, w.Code, got)
		}
	}
}

// isMCP reports whether a route is the MCP handler's.
func isMCP(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first == "mcp" || first == "sse" || first == "messages"
}

func TestMCPIsMountedBare(t *testing.T) {
	var seen []string
	h := newHouse(t, func(c *Config) {
		c.Check = func(*http.Request) error { return errors.New("the handler asks this itself") }
		c.MCP = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method+" "+r.URL.Path)
			w.WriteHeader(http.StatusTeapot)
		})
	})
	for _, request := range []string{"GET /mcp", "POST /mcp", "DELETE /mcp", "PUT /mcp", "OPTIONS /mcp", "PATCH /mcp", "HEAD /mcp", "POST /mcp/group", "GET /mcp/",
		"GET /sse", "POST /sse", "GET /sse/group", "POST /messages"} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(strings.Repeat("x", 11<<20))))
		if w.Code != http.StatusTeapot || len(seen) == 0 || seen[len(seen)-1] != request {
			t.Errorf("%s: %d, seen %v", request, w.Code, seen)
		}
	}
	// No header of ours, and the very writer of the server.
	h = newHouse(t, func(c *Config) {
		c.MCP = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if _, ok := w.(*httptest.ResponseRecorder); !ok {
				t.Errorf("the handler writes to a %T", w)
			}
		})
	})
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/mcp", nil))
	if len(w.Header()) != 0 {
		t.Errorf("headers of ours on an answer: %v", w.Header())
	}
}

func TestAPanicIsNoPage(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Ready = func() bool { panic("secret detail") } })
	h.want(t, "GET", "/readyz", "", 500, `{"error":"the gateway failed to answer this; its log says why"}`)
}

func TestReplicasAreShown(t *testing.T) {
	h := newHouse(t)
	web := labelled("web")
	web.Replicas = 3
	for i, state := range []string{"ready", "draining", "holding"} {
		web.Endpoints = append(web.Endpoints, gateway.EndpointState{ID: strings.Repeat("c", i+1), URL: "http://172.20.0.2:8080/mcp",
			State: state, Weight: 1, Container: web.Container})
	}
	h.gateway.docker = []gateway.BackendState{web}
	if status, got := h.call(t, "GET", "/api/backends/web", ""); status != 200 || !strings.Contains(got, `"id":"cc"`) || !strings.Contains(got, `"state":"draining"`) {
		t.Errorf("%d %s", status, got)
	}
}

func TestMetrics(t *testing.T) {
	h := newHouse(t)
	h.call(t, "POST", "/api/backends", ha)
	h.gateway.tools = []gateway.ToolState{{Tool: json.RawMessage(`{}`)}}
	m := h.gateway.journal.Meter("ha", "odd\xff\"name\n")
	for _, o := range []journal.Outcome{{}, {}, {IsError: true}, {Err: "refused"}} {
		m.Start(nil).End(o)
	}
	_, got := h.call(t, "GET", "/metrics", "")
	for _, want := range []string{
		"mcp_gw_calls_in_flight 0", "mcp_gw_client_streams 0",
		`mcp_gw_calls_total{backend="ha",status="ok",tool="odd�\"name\n"} 2`,
		`mcp_gw_calls_total{backend="ha",status="error",tool="odd�\"name\n"} 1`,
		`mcp_gw_calls_total{backend="ha",status="failed",tool="odd�\"name\n"} 1`,
		`mcp_gw_call_duration_seconds_bucket{backend="ha",le="500"} 4`,
		`mcp_gw_call_duration_seconds_bucket{backend="ha",le="+Inf"} 4`,
		`mcp_gw_call_duration_seconds_count{backend="ha"} 4`,
		`mcp_gw_backends{state="ready"} 1`,
		`mcp_gw_backends{state="failed"} 0`,
		`mcp_gw_tools 1`,
		`mcp_gw_docker_connected 0`,
		`mcp_gw_build_info{goversion="go1.`,
		"# TYPE mcp_gw_calls_total counter",
		"# TYPE mcp_gw_call_duration_seconds histogram",
		"go_goroutines ",
		"process_resident_memory_bytes ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the exposition lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
