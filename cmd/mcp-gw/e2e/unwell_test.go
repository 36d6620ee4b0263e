package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// prompt is what discover, initialize and tools/list may take whatever the
// backends do. tolerance is the multiple of it that a busy machine is allowed.
const (
	prompt    = 50 * time.Millisecond
	tolerance = 6
)

// Not parallel: it takes the time.
func TestAnswersArePromptWhateverTheBackendsDo(t *testing.T) {
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "healthy", s.url, "http")
	dead := fmt.Sprintf("http://127.0.0.1:%d/mcp", freePort(t))

	// Registering them must not take longer than its promise of 5 s, and what is
	// measured includes the time in which they are being connected.
	registered := make(chan time.Duration, 2)
	for name, url := range map[string]string{"hung": silent(t), "dead": dead} {
		go func() {
			body := fmt.Sprintf(`{"name":%q,"url":%q,"transport":"http"}`, name, url)
			registered <- took(func() { g.api(t, http.MethodPost, "/api/backends", body) })
		}()
	}
	measure(t, g, "while they are being connected", 20)
	for range 2 {
		if d := receive(t, "the answer to POST /api/backends", registered); d > 3*5*time.Second {
			t.Errorf("POST /api/backends took %v, want about 5s at most", d)
		}
	}
	for _, name := range []string{"hung", "dead"} {
		var b []byte
		eventually(t, "the problem of "+name+" to be named in /api/backends", func() bool {
			b = g.backend(t, name)
			return str(b, "error") != "" && str(b, "status") != "connected"
		})
		t.Logf("%s: status %s, state %s, error %q, reason %q", name, str(b, "status"), str(b, "state"), str(b, "error"), str(b, "reason"))
	}
	measure(t, g, "afterwards", 20)
}

func measure(t *testing.T, g *gateway, when string, rounds int) {
	t.Helper()
	modern, legacy := newRawClient(t, g.mcp(), true), dialLegacy(t, g.mcp())
	figures := map[string][]time.Duration{}
	one := func(what string, c *rawClient, a ask) {
		figures[what] = append(figures[what], took(func() { c.must(t, a) }))
	}
	for range rounds {
		one("server/discover", modern, ask{method: "server/discover"})
		one("initialize", newRawClient(t, g.mcp(), false), ask{method: "initialize",
			params: `"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}`})
		one("tools/list, modern", modern, ask{method: "tools/list"})
		one("tools/list, legacy", legacy, ask{method: "tools/list"})
		one("a healthy call, modern", modern, callTool("healthy__fine", `{}`))
		one("a healthy call, legacy", legacy, callTool("healthy__fine", `{}`))
	}
	for what, list := range figures {
		slices.Sort(list)
		median, worst := list[len(list)/2], list[len(list)-1]
		t.Logf("%s, %s: median %v, worst %v", what, when, median, worst)
		if worst > tolerance*prompt {
			t.Errorf("%s, %s: worst of %d took %v, want at most %v (%d times that on a busy machine)", what, when, rounds, worst, prompt, tolerance)
		}
	}
	if got := legacy.tools(t); got["healthy__fine"] == nil {
		t.Errorf("tools/list %s: the healthy backend's tool is not listed: %v", when, got)
	}
}
