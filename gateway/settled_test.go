package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// F50: a client that connects while the gateway starts gets the full list; it waits
// for those that are there, for one that is down only until it was tried, and for a
// source that stays away until the time is over.
func TestF50TheFirstListsWait(t *testing.T) {
	late := make(chan struct{})
	inner := newBox(t, true)
	slow := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-late:
		case <-r.Context().Done():
		}
		inner.ServeHTTP(w, r)
	}))
	const limit = time.Minute
	g, url := runWith(t, gateway.Config{StartupWait: limit, Sources: []string{discovery.SourceManual, discovery.SourceDocker}}, func(*gateway.Gateway) {})
	got := make(chan string, 2)
	for _, era := range []string{"modern", "legacy"} {
		go func() { got <- listed(t, url, era) }()
	}
	quiet := func(when string) {
		t.Helper()
		select {
		case list := <-got:
			t.Errorf("%s: answered %q", when, list)
		case <-time.After(50 * time.Millisecond):
		}
	}
	quiet("before anybody said what is wanted")
	g.Put(manual(at("down", "http://127.0.0.1:1/mcp")))
	quiet("before the containers are known")
	g.Put(docker(at("slow", slow.URL)))
	quiet("before the slow one was tried")
	if status, body := modern(t, url, "tools/call", "x__y", `"name":"x__y","arguments":{}`); !strings.Contains(body, "Unknown tool: x__y") {
		t.Errorf("a call was not answered: %d %s", status, body)
	}
	close(late)
	for range 2 {
		if list := <-got; list != "slow__echo" {
			t.Errorf("answered %q", list)
		}
	}
}

func TestASourceThatStaysAwayHoldsNobodyForLong(t *testing.T) {
	_, url := runWith(t, gateway.Config{StartupWait: 50 * time.Millisecond, Sources: []string{discovery.SourceDocker}}, func(*gateway.Gateway) {})
	if got := listed(t, url, "modern"); got != "" {
		t.Errorf("answered %q", got)
	}
}
