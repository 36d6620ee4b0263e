package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"mcp-gw/dashboard/web"
)

func aPage(t *testing.T) *web.Page {
	t.Helper()
	page, err := web.New(fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html>the application")},
		"assets/app-1a2b3c.js": {Data: []byte("run()")},
		"favicon.svg":          {Data: []byte("<svg/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestThePageAndItsFilesAreServed(t *testing.T) {
	page := aPage(t)
	for _, base := range []string{"", "https://tools.example.com", "https://tools.example.com/gw", "https://tools.example.com/a/b"} {
		h := newHouse(t, func(c *Config) { c.Page, c.BaseURL = page, base })
		path := h.server.basePath()
		for _, below := range []string{"", path} {
			for _, method := range []string{"GET", "HEAD"} {
				for file, want := range map[string]int{"/": 200, "/assets/app-1a2b3c.js": 200, "/favicon.svg": 200, "/index.html": 404,
					"/assets/": 404, "/assets/gone.js": 404, "/assets/../index.html": 404, "/api/health": 200} {
					if method == "HEAD" && file == "/api/health" {
						continue
					}
					w := httptest.NewRecorder()
					h.handler.ServeHTTP(w, httptest.NewRequest(method, below+file, nil))
					if w.Code != want {
						t.Errorf("base %q: %s %s answers %d, want %d", base, method, below+file, w.Code, want)
					}
					if want == 404 && method == "GET" && !json.Valid(w.Body.Bytes()) {
						t.Errorf("%s is not there, and that is said as %s", file, w.Body)
					}
				}
			}
		}
		if path == "" {
			continue
		}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?x=1", nil))
		if got := w.Header().Get("Location"); w.Code != http.StatusPermanentRedirect || got != path+"/" {
			t.Errorf("GET %s answers %d to %q", path, w.Code, got)
		}
		w = httptest.NewRecorder()
		h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"er/", nil))
		if w.Code != 404 {
			t.Errorf("a path that only begins alike answers %d", w.Code)
		}
	}
}

func TestTheDescriptionNamesTheSubPath(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.BaseURL = "https://tools.example.com/gw" })
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/gw/api/openapi.json", nil))
	var doc struct{ Servers []struct{ URL string } }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Servers) != 1 || doc.Servers[0].URL != "/gw/" {
		t.Errorf("%v, servers %+v", err, doc.Servers)
	}
}

func TestTheDashboardCanBeOff(t *testing.T) {
	h := newHouse(t)
	h.want(t, "GET", "/", "", 404, `{"error":"the dashboard is switched off (MCP_GW_DASHBOARD=off); /api/openapi.json describes the API"}`)
	if status, _ := h.call(t, "GET", "/api/health", ""); status != 200 {
		t.Errorf("the API answers %d", status)
	}
}

// changing are all routes that are not for reading.
func changing(h *house) (requests []string) {
	for _, r := range h.server.routes().Routes() {
		first, _, _ := strings.Cut(r.Path[1:], "/")
		if r.Method != http.MethodGet && r.Method != http.MethodHead && first == "api" && r.Method != "echo_route_not_found" {
			requests = append(requests, r.Method+" "+strings.NewReplacer(":name", "x", ":id", "x").Replace(r.Path))
		}
	}
	return requests
}

func TestReadOnlyRefusesEveryChange(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.ReadOnly = true })
	requests := slices.DeleteFunc(changing(h), func(request string) bool {
		return strings.HasSuffix(request, " /api/session") // signing in changes nothing of the gateway
	})
	if len(requests) < 4 {
		t.Fatalf("only %v change anything", requests)
	}
	for _, request := range requests {
		method, path, _ := strings.Cut(request, " ")
		h.want(t, method, path, ha, 403, `{"error":"this gateway is read-only (MCP_GW_DASHBOARD=readonly): nothing can be changed or called through its API"}`)
	}
	if status, _ := h.call(t, "GET", "/api/backends", ""); status != 200 {
		t.Errorf("reading answers %d", status)
	}
	if len(h.gateway.Backends()) != 0 || len(h.gateway.reconnects) != 0 {
		t.Error("something was changed all the same")
	}
}

// What a form or a script of another page can send without the browser asking first
// is refused on each route; what scripts always sent is not.
func TestForeignPagesCannotChangeAnything(t *testing.T) {
	h := newHouse(t)
	for _, request := range changing(h) {
		method, path, _ := strings.Cut(request, " ")
		for _, c := range []struct {
			header  []string
			refused bool
		}{
			{[]string{"Origin", "http://localhost:5000", "Content-Type", "text/plain"}, true},
			{[]string{"Origin", "http://localhost:5000", "Content-Type", "application/x-www-form-urlencoded"}, true},
			{[]string{"Origin", "http://localhost:5000", "Content-Type", "multipart/form-data; boundary=application/json"}, true},
			{[]string{"Origin", "http://localhost:5000"}, true},
			{[]string{"Sec-Fetch-Site", "cross-site"}, true},
			{[]string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/jsonp"}, true},
			{[]string{"Origin", "http://localhost:3000", "Content-Type", "application/json; charset=utf-8"}, false},
			{[]string{"Origin", "http://localhost:3000", "X-MCP-GW", "1"}, false},
			{[]string{"Sec-Fetch-Site", "same-origin", "X-MCP-GW", "1"}, false},
			{nil, false}, // curl -X POST
			{[]string{"Content-Type", "application/x-www-form-urlencoded"}, false}, // curl -d
		} {
			r := httptest.NewRequest(method, path, strings.NewReader(`{}`))
			for i := 0; i < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, r)
			if refused := w.Code == 403 && strings.Contains(w.Body.String(), "Content-Type: application/json, or X-MCP-GW: 1"); refused != c.refused {
				t.Errorf("%s with %q: %d %s", request, c.header, w.Code, w.Body)
			}
		}
	}
}
