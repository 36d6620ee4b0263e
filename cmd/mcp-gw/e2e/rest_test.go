package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// object decodes a JSON object; the API's own answers hold nothing that decoding
// would lose.
func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("not an object (%v): %.300s", err, text)
	}
	return v
}

// wantJSON fails the test unless an API answer has this status and is JSON.
func wantJSON(t *testing.T, what string, status, want int, h http.Header, body []byte) {
	t.Helper()
	if status != want || !strings.HasPrefix(h.Get("Content-Type"), "application/json") || !json.Valid(body) {
		t.Errorf("%s: got HTTP %d %s %.300s, want %d and JSON", what, status, h.Get("Content-Type"), body, want)
	}
}

var isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// checkState holds a BackendState against the original gateway's shape.
func checkState(t *testing.T, what string, text []byte) {
	t.Helper()
	state := object(t, replace(text, "tools", "[]")) // tools are a backend's, and may hold anything
	for field, ok := range map[string]func(any) bool{
		"name":       func(v any) bool { _, ok := v.(string); return ok },
		"url":        func(v any) bool { _, ok := v.(string); return ok },
		"transport":  func(v any) bool { return v == "http" || v == "sse" },
		"enabled":    func(v any) bool { _, ok := v.(bool); return ok },
		"tools":      func(v any) bool { _, ok := v.([]any); return ok && get(text, "tools")[0] == '[' },
		"status":     func(v any) bool { return slices.Contains([]any{"connecting", "connected", "disconnected", "error"}, v) },
		"latencyMs":  func(v any) bool { _, ok := v.(float64); return ok || v == nil },
		"lastPingAt": func(v any) bool { s, ok := v.(string); return v == nil || ok && isoTime.MatchString(s) },
		"error":      func(v any) bool { _, ok := v.(string); return ok || v == nil },
	} {
		if v, there := state[field]; !there || !ok(v) {
			t.Errorf("%s: %s is %v (there: %v) in %.500s", what, field, v, there, text)
		}
	}
}

func TestRESTHealth(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("a", fixed(`"result":{"content":[]}`)).tool("b", fixed(`"result":{"content":[]}`))
	g.connect(t, "one", s.url, "http")
	g.register(t, "two", fmt.Sprintf("http://127.0.0.1:%d/mcp", freePort(t)), "http")
	status, header, body := g.api(t, "GET", "/api/health", "")
	wantJSON(t, "GET /api/health", status, 200, header, body)
	health := object(t, body)
	for field, want := range map[string]any{"status": "ok", "backendCount": 2.0, "connectedBackends": 1.0, "toolCount": 2.0} {
		if health[field] != want {
			t.Errorf("health %s: got %v, want %v", field, health[field], want)
		}
	}
	if v, ok := health["version"].(string); !ok || v == "" {
		t.Errorf("health version: got %v", health["version"])
	}
	if v, ok := health["uptimeMs"].(float64); !ok || v <= 0 || v > 600_000 {
		t.Errorf("health uptimeMs: got %v", health["uptimeMs"])
	}
}

func TestRESTBackendsListAndPost(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	status, header, body := g.api(t, "GET", "/api/backends", "")
	wantJSON(t, "GET /api/backends", status, 200, header, body)
	if string(bytes.TrimSpace(body)) != "[]" {
		t.Errorf("GET /api/backends of a fresh gateway: got %s, want []", body)
	}

	s := newStub(t, false, false).toolObject("odd", oddTool, fixed(oddResult))
	for _, name := range []string{"zeta", "alpha", "mid_1-x"} { // not sorted: registration order counts
		state := g.register(t, name, s.url, "http")
		checkState(t, "POST "+name, state)
		if str(state, "name") != name || str(state, "url") != s.url || str(state, "status") != "connected" || string(get(state, "enabled")) != "true" {
			t.Errorf("POST %s: got %.400s", name, state)
		}
		// The backend's own object; only the space between its tokens is the API's.
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(oddTool)); err != nil {
			t.Fatal(err)
		}
		sameBytes(t, "the backend's tool object in POST", elements(t, get(state, "tools"))[0], compact.Bytes())
	}
	_, _, body = g.api(t, "GET", "/api/backends", "")
	var names []string
	for _, b := range elements(t, body) {
		checkState(t, "GET", b)
		names = append(names, str(b, "name"))
		if source := str(b, "source"); source != "manual" {
			t.Errorf("source: got %q, want manual", source)
		}
	}
	if !slices.Equal(names, []string{"zeta", "alpha", "mid_1-x"}) {
		t.Errorf("order: got %v, want that of registration", names)
	}

	// The same name again replaces and reconnects.
	other := newStub(t, true, false).tool("other", fixed(`"result":{"content":[]}`))
	state := g.register(t, "alpha", other.url, "http")
	if str(state, "url") != other.url || str(elements(t, get(state, "tools"))[0], "name") != "other" {
		t.Errorf("POST of a known name: got %.400s, want the new url and its tool", state)
	}
	if _, _, body = g.api(t, "GET", "/api/backends", ""); len(elements(t, body)) != 3 {
		t.Errorf("after a replacement: got %d backends, want 3", len(elements(t, body)))
	}

	// A dead url is registered all the same, and its state says why.
	state = g.register(t, "dead", fmt.Sprintf("http://127.0.0.1:%d/mcp", freePort(t)), "http")
	checkState(t, "POST dead", state)
	if str(state, "error") == "" || str(state, "status") == "connected" {
		t.Errorf("POST of a dead url: got %.400s, want an error in it", state)
	}

	// Headers are sent to the backend and never shown.
	status, _, body = g.api(t, "POST", "/api/backends", fmt.Sprintf(`{"name":"secret","url":%q,"transport":"http","headers":{"Authorization":"Bearer hunter2-token"}}`, s.url))
	if status != 200 || str(get(body, "backend", "headers"), "Authorization") != "***" {
		t.Errorf("POST with headers: got HTTP %d %.400s, want the value masked", status, body)
	}
	s.mu.Lock()
	sent := slices.ContainsFunc(s.headers, func(h http.Header) bool { return h.Get("Authorization") == "Bearer hunter2-token" })
	s.mu.Unlock()
	if !sent {
		t.Error("the registered header never reached the backend")
	}
	for _, path := range []string{"/api/backends", "/api/logs", "/api/health", "/metrics"} {
		if _, _, body := g.api(t, "GET", path, ""); bytes.Contains(body, []byte("hunter2")) {
			t.Errorf("%s shows a header's value", path)
		}
	}
	if strings.Contains(g.output(), "hunter2") {
		t.Error("the log shows a header's value")
	}

	// Switched off: listed, but not connected.
	status, _, body = g.api(t, "POST", "/api/backends", fmt.Sprintf(`{"name":"off","url":%q,"transport":"http","enabled":false}`, s.url))
	if status != 200 || string(get(body, "backend", "enabled")) != "false" || str(get(body, "backend"), "status") != "disconnected" {
		t.Errorf("POST with enabled false: got HTTP %d %.400s", status, body)
	}
	checkState(t, "POST off", get(body, "backend"))
}

func TestRESTPostRefusals(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const required, badName, badTransport = "name, url, transport are required",
		"name must be lowercase alphanumeric/dash/underscore", "transport must be http or sse"
	for _, c := range []struct{ body, want string }{
		{`{}`, required},
		{`{"name":"a","url":"http://h/"}`, required},
		{`{"name":"a","transport":"http"}`, required},
		{`{"url":"http://h/","transport":"http"}`, required},
		{`{"name":"","url":"http://h/","transport":"http"}`, required},
		{`{"name":"BAD","url":"http://h/"}`, required},                // checked in this order
		{`{"name":"BAD","url":"http://h/","transport":"x"}`, badName}, // and this
		{`{"name":"-a","url":"http://h/","transport":"http"}`, badName},
		{`{"name":"a b","url":"http://h/","transport":"http"}`, badName},
		{`{"name":"a.b","url":"http://h/","transport":"http"}`, badName},
		{`{"name":"a","url":"http://h/","transport":"ftp"}`, badTransport},
		{`{"name":"a","url":"http://h/","transport":"stdio"}`, badTransport},
	} {
		status, header, body := g.api(t, "POST", "/api/backends", c.body)
		wantJSON(t, c.body, status, 400, header, body)
		if got := str(body, "error"); got != c.want {
			t.Errorf("%s: got error %q, want %q", c.body, got, c.want)
		}
	}
	// Our own refusals name the field and the value.
	for _, c := range []struct{ body, value string }{
		{`{"name":"a__b","url":"http://h/","transport":"http"}`, "a__b"},
		{`{"name":"a","url":"ftp://host/x","transport":"http"}`, "ftp://host/x"},
		{`{"name":"a","url":"/mcp","transport":"http"}`, "/mcp"},
		{`{"name":"a","url":"localhost:3000","transport":"http"}`, "localhost:3000"},
	} {
		status, header, body := g.api(t, "POST", "/api/backends", c.body)
		wantJSON(t, c.body, status, 400, header, body)
		if got := str(body, "error"); !strings.Contains(got, c.value) {
			t.Errorf("%s: the error %q does not name the value %q", c.body, got, c.value)
		}
	}
	for _, body := range []string{``, `{`, `[]`, `"x"`, `null`, `{"name":1,"url":"http://h/","transport":"http"}`, "\x00\xff"} {
		status, header, answer := g.api(t, "POST", "/api/backends", body)
		wantJSON(t, fmt.Sprintf("body %q", body), status, 400, header, answer)
		if str(answer, "error") == "" {
			t.Errorf("body %q: got %s, want an error", body, answer)
		}
	}
	if _, _, body := g.api(t, "GET", "/api/backends", ""); string(bytes.TrimSpace(body)) != "[]" {
		t.Errorf("after refusals only: got %s, want no backend", body)
	}
}

func TestRESTDeleteAndReconnect(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("a", fixed(`"result":{"content":[]}`))
	g.connect(t, "one", s.url, "http")

	before := len(s.received("initialize"))
	status, header, body := g.api(t, "POST", "/api/backends/one/reconnect", "")
	wantJSON(t, "reconnect", status, 200, header, body)
	if string(get(body, "ok")) != "true" {
		t.Errorf("reconnect: got %s", body)
	}
	checkState(t, "reconnect", get(body, "backend"))
	if str(get(body, "backend"), "status") != "connected" || len(s.received("initialize")) == before {
		t.Errorf("reconnect: got %.300s after %d further handshakes, want connected by a new one", body, len(s.received("initialize"))-before)
	}
	status, header, body = g.api(t, "POST", "/api/backends/nobody/reconnect", "")
	wantJSON(t, "reconnect of an unknown name", status, 404, header, body)
	if got := str(body, "error"); got != "Backend not found in config" {
		t.Errorf("reconnect of an unknown name: got error %q", got)
	}

	for range 2 { // the second time the name is unknown
		status, header, body = g.api(t, "DELETE", "/api/backends/one", "")
		wantJSON(t, "DELETE", status, 200, header, body)
		if string(get(body, "ok")) != "true" {
			t.Errorf("DELETE: got %s", body)
		}
		if g.backend(t, "one") != nil {
			t.Error("a deleted backend is still there")
		}
	}
	if got := dialModern(t, g.mcp()).tools(t); len(got) != 0 {
		t.Errorf("tools after the only backend was deleted: got %v", got)
	}
}

func TestRESTRest(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	status, header, body := g.api(t, "GET", "/", "")
	if status != 200 && status != 503 || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !bytes.Contains(body, []byte("<!doctype html>")) {
		t.Errorf("GET /: got HTTP %d %s, want the dashboard, or how to build it", status, header.Get("Content-Type"))
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, body := g.api(t, "GET", path, ""); status != 200 {
			t.Errorf("GET %s: got HTTP %d %s", path, status, body)
		}
	}
	if status, _, body := g.api(t, "GET", "/metrics", ""); status != 200 || !bytes.Contains(body, []byte("# TYPE ")) {
		t.Errorf("GET /metrics: got HTTP %d %.200s", status, body)
	}
	status, header, body = g.api(t, "GET", "/api/openapi.json", "")
	wantJSON(t, "openapi", status, 200, header, body)
	if v := str(body, "openapi"); !strings.HasPrefix(v, "3.1") {
		t.Errorf("openapi version: got %q, want 3.1.x", v)
	}
	paths := object(t, get(body, "paths"))
	for _, path := range []string{"/api/health", "/api/backends", "/api/backends/{name}", "/api/backends/{name}/reconnect", "/api/logs", "/api/logs/stream"} {
		if paths[path] == nil {
			t.Errorf("openapi does not describe %s", path)
		}
	}
	for _, c := range []struct{ method, path string }{
		{"GET", "/api/nothing"}, {"GET", "/api/"}, {"POST", "/api/backends/x/y"}, {"PUT", "/api/health"},
		{"GET", "/.well-known/oauth-protected-resource"}, {"GET", "/.well-known/oauth-protected-resource/mcp"},
		{"GET", "/.well-known/oauth-authorization-server"}, {"GET", "/.well-known/openid-configuration"},
		{"GET", "/.well-known/anything/else"}, {"POST", "/register"}, {"GET", "/register"},
	} {
		status, header, body := g.api(t, c.method, c.path, "")
		want := 404
		if c.method == "PUT" { // a known path, but not for this
			want = 405
		}
		wantJSON(t, c.method+" "+c.path, status, want, header, body)
		if str(body, "error") == "" {
			t.Errorf("%s %s: got %s, want an error that says what is wrong", c.method, c.path, body)
		}
	}
	// Limit of a body: 10 MB.
	big := `{"name":"a","url":"http://h/","transport":"http","x":"` + strings.Repeat("x", 11<<20) + `"}`
	status, header, body = g.api(t, "POST", "/api/backends", big)
	wantJSON(t, "a body of 11 MiB", status, 413, header, body)

	d := took(func() { g.register(t, "hung", silent(t), "http") })
	t.Logf("POST of a url that accepts and never answers: %v", d)
	if d > 3*5*time.Second {
		t.Errorf("POST of a url that never answers took %v, want about 5s at most", d)
	}
}
