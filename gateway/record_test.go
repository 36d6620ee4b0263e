package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// Errors are told apart by whose fault they are.
func TestKindsOfErrors(t *testing.T) {
	var silent, broken atomic.Bool
	fast := fastServer(false)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && (silent.Load() || broken.Load()) {
			body := make([]byte, r.ContentLength)
			_, _ = r.Body.Read(body)
			var m wire.Message
			if m.Scan(body) == nil && m.Method == "tools/call" {
				if silent.Load() {
					<-r.Context().Done()
				}
				panic(http.ErrAbortHandler)
			}
			return
		}
		fast.ServeHTTP(w, r)
	}))
	defer srv.Close()
	g, url := runWith(t, gateway.Config{CallTimeout: 200 * time.Millisecond}, func(g *gateway.Gateway) {
		g.Put(manual(discovery.Backend{Name: "b", URL: srv.URL, Transport: discovery.TransportHTTP}))
	})
	await(t, "the tool", func() bool { return len(g.Tools()) == 1 })
	_, header, _ := post(t, url, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
	session := []string{"Mcp-Session-Id", header.Get("Mcp-Session-Id")}
	call := func() journal.CallDetail {
		post(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__echo","arguments":{"text":"x"}}}`, session...)
		all, _, _ := g.Journal().CallsBefore(1<<60, 1, false)
		d, _ := g.Journal().CallByID(all[0].ID)
		return d
	}
	if d := call(); d.State != "ok" || d.Timing.WaitMs == nil || d.Timing.FirstByteMs == nil {
		t.Errorf("%+v", d)
	}
	broken.Store(true)
	if d := call(); d.ErrorKind != journal.ErrTransport || !strings.Contains(d.Error, `backend "b"`) || d.Timing.FirstByteMs != nil {
		t.Errorf("%+v", d)
	}
	broken.Store(false)
	silent.Store(true)
	if d := call(); d.ErrorKind != journal.ErrTimeout || !strings.Contains(d.Error, "timed out") || d.Timing.TotalMs < 150 {
		t.Errorf("%+v", d)
	}
}
