package e2e

import (
	"fmt"
	"testing"
	"time"
)

// What opens over a page keeps to WCAG 2.2 AA and good practice, as the pages do, and
// fits a phone.
func TestEveryOverlay(t *testing.T) {
	b := sharedBrowser(t)
	g := openShowroom(t, 1)
	g.visit(t)
	call := string(get(elements(t, get([]byte(body(t, g.url+"/api/calls")), "calls"))[0], "id"))
	opens := []struct {
		name, hash string
		by         func(t *testing.T, tb *tab)
		shown      string // what is there then
	}{
		{"a card's menu", "#/", clicks(`main >> role=button[name=/what can be done with/i]`), `role=menu`},
		{"the backend's menu", "#/backends/github", clicks(`role=button[name=/what can be done with/i]`), `role=menu`},
		{"the menu of the traffic", "#/traffic", clicks(`role=button[name="More of the traffic"]`), `role=menu`},
		{"the palette", "#/", types("Control+k"), `role=dialog`},
		{"the list of keys", "#/", types("?"), `role=dialog`},
		{"adding a backend", "#/", clicks(`role=button[name=/add a backend/i]`), `role=dialog`},
		{"a call", "#/traffic/" + call, nil, `role=dialog`},
		{"a tool", "#/tools/github__search_issues", nil, `role=dialog`},
		{"the question before a run", "#/playground/github__merge_pull_request", clicks(runButton), `role=dialog`},
		{"the choice of tools", "#/playground", clicks(`role=combobox`), `role=listbox`},
		{"a client's menu", "#/clients", clicks(`role=button[name=/actions for/i]`), `role=menu`},
	}
	for _, theme := range []string{"dark", "light"} {
		tb := b.open(t, g.url, "", look{theme: theme, lax: true})
		for _, o := range opens {
			t.Run(fmt.Sprintf("%s %s", o.name, theme), func(t *testing.T) {
				for _, width := range []int{360, 1280} {
					where := fmt.Sprintf("%s at %d px", o.name, width)
					tb.size(t, width, 800)
					tb.goTo(t, "#/unknown")
					tb.gone(t, o.shown)
					tb.goTo(t, o.hash)
					tb.see(t, "role=heading[level=1]")
					if o.by != nil {
						o.by(t, tb)
					}
					tb.see(t, o.shown)
					time.Sleep(200 * time.Millisecond) // a drawer slides in
					tb.axe(t, where)
					tb.fits(t, where)
					if o.by != nil {
						tb.press(t, "Escape")
						tb.gone(t, o.shown)
					}
					for _, problem := range tb.problems(t) {
						t.Errorf("%s: the page complained: %s", where, problem)
					}
				}
			})
		}
	}
}

func clicks(on string) func(*testing.T, *tab) {
	return func(t *testing.T, tb *tab) { t.Helper(); tb.click(t, on) }
}

func types(keys string) func(*testing.T, *tab) {
	return func(t *testing.T, tb *tab) { t.Helper(); tb.press(t, keys) }
}
