package gateway_test

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// messages are the changes so far, oldest first, without what they are about to skip.
func messages(g *gateway.Gateway) []string {
	var out []string
	later, _ := g.Journal().ChangesAfter(0)
	for _, c := range later {
		out = append(out, c.Kind+" "+c.From+">"+c.To+" "+c.Message)
	}
	return out
}

// What happens to a backend is told once, in sentences.
func TestChangesAreTold(t *testing.T) {
	g, _ := run(t)
	b := newBox(t, true)
	b.set("tools", fourTools)
	told := func(want ...string) {
		t.Helper()
		await(t, strings.Join(want, "; "), func() bool {
			got := strings.Join(messages(g), "\n")
			for _, w := range want {
				if strings.Count(got, w) != 1 {
					return false
				}
			}
			return true
		})
	}
	want := at("b", b.url)
	want.Generation = "1"
	g.Put(docker(want))
	told("backend >healthy b is connected: 4 tools")

	b.set("tools", `{"name":"get","inputSchema":{"type":"object"}},{"name":"put","inputSchema":{"type":"object"}},{"name":"new","inputSchema":{"type":"object"}},{"name":"newer","inputSchema":{"type":"object"}}`)
	b.tell("notifications/tools/list_changed", "")
	told("tools > b: tools changed, +2 −2 (added new, newer; removed delete_one, delete_all; described otherwise: get)")

	g.Switch(off("b", "new", "put"))
	told("switch > b: switched off: new, put")
	g.Switch(off("b", "new"))
	told("switch > b: switched on: put")
	s := off("b", "new")
	s.Backends = map[string]bool{"b": true}
	g.Switch(s)
	told("switch >off b was switched off")
	g.WaitAttempt(t.Context(), "b")
	g.Switch(off("b", "new"))
	told("switch >on b was switched on")
	await(t, "being connected again", func() bool {
		return strings.Count(strings.Join(messages(g), "\n"), "backend >healthy b is connected: 4 tools") == 2
	})
	want.Withheld = "its container is unhealthy"
	g.Put(docker(want))
	told("backend healthy>degraded b: healthy → degraded: its container is unhealthy")
	want.Withheld, want.URL = "", "http://127.0.0.1:1/"
	g.Put(docker(want))
	told("→ connecting")
	g.Put(docker())
	told("backend connecting> b was removed")
	for _, m := range messages(g) {
		if strings.Contains(m, "disabled") {
			t.Errorf("told twice: %s", m)
		}
	}
}

// What was so when the gateway started is no change.
func TestSwitchesOfTheStartAreNoNews(t *testing.T) {
	b := newBox(t, true)
	g, url := runWith(t, gateway.Config{}, func(g *gateway.Gateway) {
		s := off("b", "put")
		s.Backends = map[string]bool{"c": true}
		g.Switch(s)
	})
	b.set("tools", fourTools)
	g.Put(docker(at("b", b.url), at("c", b.url)))
	await(t, "connecting", func() bool { return listed(t, url, "modern") == "b__get b__delete_one b__delete_all" })
	g.Put(docker(at("b", b.url), at("c", b.url), discovery.Backend{Name: "d", URL: b.url, Source: discovery.SourceDocker}))
	await(t, "another one", func() bool { return len(messages(g)) >= 2 })
	for _, m := range messages(g) {
		if !strings.HasSuffix(m, "is connected: 4 tools") {
			t.Errorf("told: %s", m)
		}
	}
}
