package e2e

import (
	"fmt"
	"testing"
)

// page is one of the dashboard's pages, by its route and its heading.
type page struct{ hash, heading string }

var pages = []page{
	{"#/", "Overview"},
	{"#/traffic", "Traffic"},
	{"#/tools", "Tools"},
	{"#/discovery", "Discovery"},
	{"#/playground", "Playground"},
	{"#/metrics", "Metrics"},
	{"#/connect", "Connect"},
	{"#/clients", "Clients"},
}

// heading waits until a page is there.
func (tb *tab) heading(t *testing.T, p page) {
	t.Helper()
	tb.see(t, fmt.Sprintf("role=heading[level=1][name=/%s/]", p.heading))
}

// Every page, in both themes: nothing that the console or the policy complains of,
// nothing that WCAG 2.2 AA forbids, nothing that is wider than a phone.
func TestEveryPage(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[{"type":"text","text":"ok"}]}`))
	g.connect(t, "b", s.url, "http")
	dialLegacy(t, g.mcp()).must(t, callTool("b__fine", `{}`))
	for _, theme := range []string{"dark", "light"} {
		strict, lax := b.open(t, g.url, "", look{theme: theme}), b.open(t, g.url, "", look{theme: theme, lax: true})
		for _, p := range pages {
			t.Run(fmt.Sprintf("%s %s", p.heading, theme), func(t *testing.T) {
				strict.goTo(t, p.hash)
				strict.heading(t, p)
				for _, width := range []int{320, 360, 768, 1280} {
					strict.size(t, width, 800)
					strict.fits(t, fmt.Sprintf("%s at %d px", p.hash, width))
				}
				for _, problem := range strict.problems(t) {
					t.Errorf("the page complained: %s", problem)
				}
				lax.goTo(t, p.hash)
				lax.heading(t, p)
				for _, width := range []int{360, 1280} {
					lax.size(t, width, 800)
					lax.axe(t, fmt.Sprintf("%s at %d px", p.hash, width))
				}
			})
		}
	}
}
