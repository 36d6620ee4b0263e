package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Whatever backends call their tools, clients get names that all of them accept,
// no two alike, and each name calls the tool that it stands for.
func TestEveryListedNameCallsItsOwnTool(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	tools := []string{"plain", "a.b", "a_b", "a-b", "a b", "a/b", "x__y", "__z", "é", "工具", "UPPER", "upper", "1", "_",
		strings.Repeat("long", 30), strings.Repeat("long", 30) + "2", strings.Repeat("long", 30) + "3"}
	want := map[string]string{} // what a call answers: backend and tool
	for _, backend := range []string{"a", "a_", "b", "b-b"} {
		s := newStub(t, backend == "b", false)
		for _, tool := range tools {
			id := backend + "/" + tool
			text, _ := json.Marshal(tool)
			s.toolObject(tool, `{"name":`+string(text)+`,"description":`+strconv.Quote(id)+`,"inputSchema":{"type":"object"}}`,
				fixed(`"result":{"content":[],"id":`+strconv.Quote(id)+`,"resultType":"complete"}`))
			want[id] = ""
		}
		g.connect(t, backend, s.url, "http")
	}
	accepted := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	for _, client := range []bool{false, true} {
		c := dial(t, g.mcp(), client)
		listed := c.tools(t)
		if len(listed) != len(want) {
			t.Errorf("%s client: %d different names are listed, want %d", eraName(client), len(listed), len(want))
		}
		for name, tool := range listed {
			if !accepted.MatchString(name) {
				t.Errorf("the name %q is not one that all clients accept", name)
			}
			if got := str(c.must(t, callTool(name, `{}`)).result(), "id"); got != str(tool, "description") {
				t.Errorf("%s client: %s stands for %q, but called %q", eraName(client), name, str(tool, "description"), got)
			}
		}
		if listed["a__plain"] == nil || listed["b-b__a_b"] == nil && listed["b-b__a-b"] == nil {
			t.Errorf("the ordinary names are missing in %d names", len(listed))
		}
	}
	first := string(dialModern(t, g.mcp()).must(t, ask{method: "tools/list"}).result())
	if again := string(dialModern(t, g.mcp()).must(t, ask{method: "tools/list"}).result()); again != first {
		t.Error("the same list was listed twice in different ways; an unchanged order keeps prompts cached")
	}
}

// 5,000 tools in pages of 100, as a large backend lists them.
func TestAllPagesOfALargeListArrive(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, modern)
		s.paged = 100
		const n = 5000
		var list strings.Builder
		for i := range n {
			fmt.Fprintf(&list, `,{"name":"t%d","inputSchema":{"type":"object"}}`, i)
		}
		s.tools = "[" + list.String()[1:] + "]"
		s.handlers[fmt.Sprintf("t%d", n-1)] = fixed(`"result":{"content":[],"resultType":"complete"}`)
		g.connect(t, eraName(modern), s.url, "http")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			found := 0
			for name := range c.tools(t) {
				if strings.HasPrefix(name, eraName(modern)+"__") {
					found++
				}
			}
			if found != n {
				t.Errorf("%s client, %s backend: got %d tools, want %d", eraName(client), eraName(modern), found, n)
			}
			c.must(t, callTool(fmt.Sprintf("%s__t%d", eraName(modern), n-1), `{}`))
		}
	}
	for sdk, c := range map[string]sdkConnection{"Go 2025": dialGoSDK(t, legacyVersion, g.mcp(), "http"), "Go 2026": dialGoSDK(t, modernVersion, g.mcp(), "http")} {
		if got := len(c.list(t)); got != 10_000 {
			t.Errorf("%s client: got %d tools, want 10000", sdk, got)
		}
	}
}

// A backend whose cursor never ends must not keep the gateway busy for ever.
func TestEndlessPagesEnd(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	s.paged = -1
	healthy := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.register(t, "endless", s.url, "http")
	g.connect(t, "healthy", healthy.url, "http")
	dialLegacy(t, g.mcp()).must(t, callTool("healthy__fine", `{}`))
	eventually(t, "the gateway to stop asking for pages", func() bool {
		before := len(s.received("tools/list"))
		b := g.backend(t, "endless")
		return str(b, "status") != "connecting" && (str(b, "error") != "" || str(b, "status") == "connected") && len(s.received("tools/list")) == before
	})
	if got := len(s.received("tools/list")); got > 10_000 {
		t.Errorf("%d pages were asked for", got)
	}
}
