package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// belowProxy puts a reverse proxy before g that serves it below path. strip says whether
// it takes the path away, as a proxy may or may not.
func belowProxy(t *testing.T, g *gateway, path string, strip bool) (base string) {
	t.Helper()
	return proxyTo(t, g, func(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
		if !strings.HasPrefix(r.URL.Path, path+"/") {
			http.NotFound(w, r)
			return
		}
		if strip {
			proxy = http.StripPrefix(path, proxy)
		}
		proxy.ServeHTTP(w, r)
	}).URL + path
}

func TestBehindAProxyUnderAPathOfItsOwn(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_BASE_URL=https://tools.example.com/team/gw")
	s := newStub(t, false, false).tool("a", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	for _, strip := range []bool{true, false} {
		t.Run(fmt.Sprintf("strip %v", strip), func(t *testing.T) {
			base := belowProxy(t, g, "/team/gw", strip)
			if text := body(t, base+"/api/backends"); !strings.Contains(text, s.url) {
				t.Errorf("the API: %s", text)
			}
			if text := body(t, base+"/healthz"); !strings.Contains(text, "ok") {
				t.Errorf("healthz: %s", text)
			}
			if tools := dialModern(t, base+"/mcp").tools(t); len(tools) != 1 {
				t.Errorf("tools: %v", tools)
			}
			if tools := dialLegacy(t, base+"/mcp/b").tools(t); len(tools) != 1 {
				t.Errorf("tools of one backend: %v", tools)
			}
			// The old transport tells its clients where to post.
			sdk := startSDKClients(t)
			sdk.must(t, "connect", fmt.Sprintf(`"as":"old","sdk":"v1","transport":"sse","url":%q`, base+"/sse"))
			if tools := sdk.must(t, "list", `"as":"old"`); !strings.Contains(string(tools), "b__a") {
				t.Errorf("tools over SSE: %s", tools)
			}
			// A page of the public address, and of another one.
			for origin, want := range map[string]int{"https://tools.example.com": 200, "https://evil.example.com": 403, "http://tools.example.com": 403} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/backends/b/reconnect", bytes.NewReader(nil))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Origin", origin)
				req.Header.Set("X-MCP-GW", "1")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("a change by a page of %s: HTTP %d, want %d", origin, resp.StatusCode, want)
				}
			}
		})
	}
	// Beside the proxy, and by the name that it passes on.
	for path, want := range map[string]int{"/api/health": 200, "/team/gw/api/health": 200, "/team/gwx/api/health": 404} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "tools.example.com"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: HTTP %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_DASHBOARD=readonly")
	status, _, text := g.api(t, "POST", "/api/backends", `{"name":"a","url":"http://127.0.0.1:1/mcp","transport":"http"}`)
	if status != 403 || !strings.Contains(str(text, "error"), "MCP_GW_DASHBOARD=readonly") || g.backend(t, "a") != nil {
		t.Errorf("a registration: HTTP %d %s", status, text)
	}
	if tools := dialModern(t, g.mcp()).tools(t); len(tools) != 0 { // clients are served as ever
		t.Errorf("tools: %v", tools)
	}
	if status, _, text := startGateway(t, "MCP_GW_DASHBOARD=off").api(t, "GET", "/", ""); status != 404 || !strings.Contains(string(text), "MCP_GW_DASHBOARD=off") {
		t.Errorf("the page that is off: HTTP %d %s", status, text)
	}
}
