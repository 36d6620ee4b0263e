package e2e

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

// offering is what a button says that changes something.
var offering = regexp.MustCompile(`(?i)^(add|reconnect|enable|disable|remove|run|rescan|end|test|send|save|undo|delete|select|switch)\b`)

// A page that is for reading only offers nothing that changes something, and says why.
func TestPageReadOnly(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`)).tool("off", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	if status, _, text := g.api(t, "PATCH", "/api/tools/b__off", `{"enabled":false}`); status != 200 {
		t.Fatalf("switching a tool off: HTTP %d %s", status, text)
	}
	if err := g.terminate(patience); err != nil {
		t.Fatal(err)
	}
	g.env = append(g.env, "MCP_GW_DASHBOARD=readonly")
	g.start(t)
	g.awaitStatus(t, "b", "connected")
	c := dialLegacy(t, g.mcp()) // clients are served as ever
	c.must(t, callTool("b__fine", `{}`))

	tb := b.open(t, g.url, "#/", look{})
	tb.says(t, "header", `(?i)read-only`)
	offers := func(where string) {
		t.Helper()
		names := evaluate[[]string](t, tb, `[...document.querySelectorAll("button, [role=button], [role=menuitem], [role=switch], main input[type=checkbox]")]
			.filter((e) => e.checkVisibility() && !e.closest("main form")) // a form changes nothing by itself
			.map((e) => e.matches("[role=switch], input") ? "Switch of " + e.ariaLabel : (e.ariaLabel || e.textContent).trim())`)
		if len(names) == 0 {
			t.Errorf("%s has no button at all: is that the page?", where)
		}
		for _, name := range names {
			if offering.MatchString(name) {
				t.Errorf("%s offers %q", where, name)
			}
		}
	}
	for _, p := range append(slices.Clone(pages), page{"#/backends/b", "^b$"}, page{"#/playground/b__fine", "Playground"}) {
		tb.goTo(t, p.hash)
		tb.heading(t, p)
		time.Sleep(300 * time.Millisecond) // what it asks for has come
		offers(p.hash)
	}
	tb.says(t, "main", `(?is)read-only.*cannot be run`)
	tb.goTo(t, "#/tools/b__off")
	tb.says(t, "role=dialog", `(?s)Off.*read-only`)
	offers("the detail of a tool")
	tb.goTo(t, "#/")
	tb.click(t, `main >> role=button[name=/what can be done with/i]`)
	tb.see(t, "role=menu")
	offers("a card's menu")
	tb.press(t, "Escape")
	tb.press(t, "Control+k")
	tb.see(t, "role=dialog")
	for _, word := range []string{"disable", "reconnect", "add a backend"} {
		tb.fill(t, "role=dialog >> role=combobox", word)
		tb.says(t, "role=dialog", `Nothing has these words`)
	}
}
