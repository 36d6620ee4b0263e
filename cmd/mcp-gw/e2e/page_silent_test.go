package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// The page's stream goes silent and does not end, as a socket does that a laptop has
// slept over: the page finds out, says so while the proxy between them has no answer,
// comes back, and has a row for what it has missed.
func TestPageStoryTheStreamGoesSilent(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t, "MCP_GW_LOG_LEVEL=warn")
	fine := fixed(`"result":{"content":[{"type":"text","text":"ok"}]}`)
	g.connect(t, "b", newStub(t, false, false).tool("first", fine).tool("fine", fine).url, "http")
	asleep := make(chan struct{})
	var away atomic.Bool
	front := proxyTo(t, g, func(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
		switch {
		case r.URL.Path != "/api/events":
			proxy.ServeHTTP(w, r)
		case away.Load():
			w.WriteHeader(http.StatusBadGateway)
		default:
			sleepyStream(w, r, g.url, asleep)
		}
	})
	tb := b.open(t, front.URL, "#/traffic?q=tool:b__first", look{slips: true})
	tb.heading(t, pages[1])
	c := dialModern(t, g.mcp())
	c.must(t, callTool("b__first", `{}`))
	tb.see(t, `main >> role=log >> text=first`)
	tb.says(t, "body", `(?i)\blive\b`)

	close(asleep)
	away.Store(true)
	for range 640 { // more than one answer of the API has
		c.must(t, callTool("b__fine", `{}`))
	}
	evaluate[any](t, tb, "window.ahead = 60_000") // it need not be waited for
	tb.says(t, "body", `(?i)(reconnecting|not connected)`)
	away.Store(false)
	tb.gone(t, `header >> text=/reconnecting|not connected/i`)
	tb.says(t, "body", `(?i)\blive\b`)
	tb.says(t, "main", `(?s)1\d\d calls were not received while disconnected.*first`)
	for _, p := range tb.problems(t) {
		if !strings.Contains(p, "502") && !strings.Contains(p, "net::ERR_") {
			t.Errorf("the page complained: %s", p)
		}
	}
	tb.close(t)
	front.CloseClientConnections()
}

// sleepyStream passes a stream on until it is asleep. From then on it keeps the page's
// side of it open, and says nothing.
func sleepyStream(w http.ResponseWriter, r *http.Request, gateway string, asleep <-chan struct{}) {
	address := gateway + r.URL.RequestURI()
	select {
	case <-asleep: // it slept for longer than the gateway remembers what the page had
		asleep, address = nil, gateway+r.URL.Path
	default:
	}
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	read := make(chan []byte)
	go func() {
		defer close(read)
		for {
			buf := make([]byte, 32<<10)
			n, err := resp.Body.Read(buf)
			select {
			case read <- buf[:n]:
			case <-r.Context().Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case text, more := <-read:
			if !more {
				return
			}
			if _, err := w.Write(text); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush() // a page that is gone is noticed with the next write
		case <-asleep:
			resp.Body.Close() // nobody listens there any more
			<-r.Context().Done()
			return
		}
	}
}
