package e2e

import (
	"fmt"
	"testing"
)

// routes are all that the page has, by what its heading says.
var routes = []struct{ hash, heading string }{
	{"#/", "Overview"},
	{"#/traffic", "Traffic"},
	{"#/tools", "Tools"},
	{"#/discovery", "Discovery"},
	{"#/playground", "Playground"},
	{"#/metrics", "Metrics"},
	{"#/connect", "Connect"},
	{"#/clients", "Clients"},
}

// Every page, in both themes: nothing that the console or the policy complains of,
// nothing that WCAG 2.2 AA forbids, nothing that is wider than a phone.
func TestEveryPage(t *testing.T) {
	b := startBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[{"type":"text","text":"ok"}]}`))
	g.connect(t, "b", s.url, "http")
	dialLegacy(t, g.mcp()).must(t, callTool("b__fine", `{}`))
	for _, theme := range []string{"dark", "light"} {
		strict, lax := b.open(t, g.url, "", look{theme: theme}), b.open(t, g.url, "", look{theme: theme, lax: true})
		for _, r := range routes {
			t.Run(fmt.Sprintf("%s %s", r.heading, theme), func(t *testing.T) {
				strict.goTo(t, r.hash)
				strict.see(t, fmt.Sprintf("role=heading[level=1][name=%q]", r.heading))
				for _, width := range []int{320, 360, 768, 1280} {
					strict.size(t, width, 800)
					strict.fits(t, fmt.Sprintf("%s at %d px", r.hash, width))
				}
				for _, p := range strict.problems(t) {
					t.Errorf("the page complained: %s", p)
				}
				lax.goTo(t, r.hash)
				lax.see(t, fmt.Sprintf("role=heading[level=1][name=%q]", r.heading))
				for _, width := range []int{360, 1280} {
					lax.size(t, width, 800)
					lax.axe(t, fmt.Sprintf("%s at %d px", r.hash, width))
				}
			})
		}
	}
}
