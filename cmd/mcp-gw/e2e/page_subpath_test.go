package e2e

import (
	"fmt"
	"testing"
)

// Behind a reverse proxy, under a path that it takes away or leaves.
func TestPageBelowAPath(t *testing.T) {
	b := sharedBrowser(t)
	g := openShowroom(t, 1, "MCP_GW_BASE_URL=https://tools.example.com/team/gw")
	for _, strip := range []bool{true, false} {
		t.Run(fmt.Sprintf("strip %v", strip), func(t *testing.T) {
			tb := b.open(t, belowProxy(t, g.gateway, "/team/gw", strip), "#/tools", look{})
			tb.says(t, "main", "search_issues")
			tb.says(t, "body", `(?i)\blive\b`)
			tb.goTo(t, "#/connect")
			tb.says(t, "main", "https://tools.example.com/team/gw/mcp")
			for _, p := range pages {
				tb.goTo(t, p.hash)
				tb.heading(t, p)
			}
			// A change, and a call by the page itself, get through as well.
			tb.goTo(t, "#/playground/github__list_commits")
			tb.click(t, runButton)
			tb.says(t, "main", "number, title")
		})
	}
}
