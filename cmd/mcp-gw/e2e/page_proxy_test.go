package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// proxyTo starts a server that answers by serve, which may leave a request to the
// reverse proxy before g. That sends the gateway's own address as Host, as nginx does
// by default.
func proxyTo(t *testing.T, g *gateway, serve func(w http.ResponseWriter, r *http.Request, proxy http.Handler)) *httptest.Server {
	t.Helper()
	target, err := url.Parse(g.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, proxy) }))
	t.Cleanup(s.Close)
	return s
}

// A proxy answers 502 for a while, after which a browser never asks again by itself;
// the page does.
func TestPageStoryAProxyFails(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	var broken atomic.Bool
	front := proxyTo(t, g, func(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	tb := b.open(t, front.URL, "#/", look{})
	tb.says(t, "body", `(?i)\blive\b`)
	broken.Store(true)
	front.CloseClientConnections()
	tb.says(t, "body", `(?i)(reconnecting|not connected)`)
	broken.Store(false)
	tb.says(t, "body", `(?i)\blive\b`)
	for _, p := range tb.problems(t) {
		if !strings.Contains(p, "502") && !strings.Contains(p, "net::ERR_") {
			t.Errorf("the page complained: %s", p)
		}
	}
}

// A stylesheet does not come at first, the frame's or the page's: nothing is shown
// without it.
func TestPageStoryAStylesheetFails(t *testing.T) {
	for _, of := range []string{"/index-", "/Connect-"} {
		t.Run(strings.Trim(of, "/-"), func(t *testing.T) { aStylesheetFails(t, of) })
	}
}

func aStylesheetFails(t *testing.T, of string) {
	b := sharedBrowser(t)
	g := startGateway(t)
	var failed atomic.Int32
	front := proxyTo(t, g, func(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
		if strings.Contains(r.URL.Path, of) && strings.HasSuffix(r.URL.Path, ".css") && failed.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	tb := b.open(t, front.URL, "#/connect", look{})
	tb.heading(t, pages[6])
	if failed.Load() == 0 {
		t.Fatal("no stylesheet of the page was asked for: what does this test test?")
	}
	if missing := evaluate[[]string](t, tb, `[...document.querySelectorAll("link[rel=stylesheet]")].filter((l) => !l.sheet?.cssRules.length).map((l) => l.href)`); len(missing) > 0 {
		t.Errorf("the page is shown without %q", missing)
	}
	for _, p := range tb.problems(t) {
		if !strings.Contains(p, "502") {
			t.Errorf("the page complained: %s", p)
		}
	}
}
