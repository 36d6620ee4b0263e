package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	// markup would run where it is taken for markup.
	markup = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><svg onload="window.pwned=1"><a href="javascript:window.pwned=1">`
	rtl    = "\u202eأداة البحث في الملاحظات\u202c"
)

// Everything on the page comes from strangers: long, odd and many.
func TestPageStoryStrangers(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t, "MCP_GW_LOG_LEVEL=warn")
	long := strings.Repeat(markup+" Lorem ipsum. ", 100_000/len(markup))
	many := newStub(t, false, false)
	for i := range 2000 {
		description := fmt.Sprintf("Tool %d. %s", i, markup)
		if i%200 == 0 {
			description = long
		}
		many.toolObject(fmt.Sprintf("tool_%04d", i), fmt.Sprintf(`{"name":"tool_%04d","title":%q,"description":%q,"inputSchema":{"type":"object","properties":{"a":{"type":"string","title":%q,"description":%q}}}}`,
			i, rtl+markup, description, markup, markup), fixed(`"result":{"content":[]}`))
	}
	big := strings.Repeat("x", 1<<20)
	many.toolObject("huge", fmt.Sprintf(`{"name":"huge","title":%q,"description":%q,"inputSchema":{"type":"object"}}`, markup, rtl), fixed(fmt.Sprintf(`"result":{"content":[{"type":"text","text":%q},{"type":"text","text":%q}]}`, markup, big)))
	long200 := strings.Repeat("n", 200)
	many.toolObject(long200, fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"}}`, long200), fixed(`"result":{"isError":true,"content":[{"type":"text","text":`+fmt.Sprintf("%q", markup)+`}]}`))
	few := newStub(t, true, false).toolObject("t", fmt.Sprintf(`{"name":"t","description":%q,"inputSchema":{"type":"object"}}`, markup), fixed(`"error":{"code":-32000,"message":`+fmt.Sprintf("%q", markup)+`}`))
	for i := range 200 {
		g.register(t, fmt.Sprintf("b%03d", i), few.url, "http")
	}
	g.connect(t, "many", many.url, "http") // the last: each change makes the list anew
	c := dialLegacy(t, g.mcp())
	c.must(t, callTool("many__huge", fmt.Sprintf(`{%q:%q,"rtl":%q}`, markup, markup, rtl)))
	for _, name := range []string{"b001__t", "many__tool_0000"} {
		if _, err := c.try(t.Context(), callTool(name, fmt.Sprintf(`{"x":%q}`, markup))); err != nil {
			t.Fatal(err)
		}
	}

	unharmed := func(t *testing.T, tb *tab, where string) {
		t.Helper()
		if evaluate[bool](t, tb, `window.pwned !== undefined || !!document.querySelector("main img[src=x], img[onerror], svg[onload], a[href^='javascript:']")`) {
			t.Errorf("%s: what a stranger wrote became markup", where)
		}
		for _, p := range tb.problems(t) {
			t.Errorf("%s complained: %s", where, p)
		}
	}
	tb := b.open(t, g.url, "#/", look{})
	for _, p := range pages {
		began := time.Now()
		tb.goTo(t, p.hash)
		tb.heading(t, p)
		tb.do(t, "run", map[string]any{"script": "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"})
		t.Logf("%s was there after %v", p.heading, time.Since(began).Round(time.Millisecond))
		for _, width := range []int{320, 1280} {
			tb.size(t, width, 800)
			tb.fits(t, fmt.Sprintf("%s at %d px", p.heading, width))
		}
		unharmed(t, tb, p.heading)
	}
	// Where one of them is looked at closely.
	for _, hash := range []string{"#/tools/many__tool_0000", "#/tools/many__huge", "#/backends/many", "#/backends/b001", "#/playground/many__tool_0000", "#/playground/many__huge"} {
		tb.goTo(t, hash)
		tb.see(t, "main, [role=dialog]")
		time.Sleep(300 * time.Millisecond)
		for _, width := range []int{320, 1280} {
			tb.size(t, width, 800)
			tb.fits(t, fmt.Sprintf("%s at %d px", hash, width))
		}
		unharmed(t, tb, hash)
	}
	tb.goTo(t, "#/tools/many__tool_0000")
	tb.says(t, "role=dialog", regexp.QuoteMeta(markup)) // word for word
	tb.goTo(t, "#/tools")
	tb.gone(t, "role=dialog")
	for _, call := range elements(t, get([]byte(body(t, g.url+"/api/calls")), "calls")) {
		tb.goTo(t, "#/traffic/"+string(get(call, "id")))
		for _, name := range []string{"Arguments", "Result", "Raw"} {
			tb.click(t, fmt.Sprintf(`role=tab[name=%q]`, name))
			time.Sleep(100 * time.Millisecond)
			for _, width := range []int{320, 1280} {
				tb.size(t, width, 800)
				tb.fits(t, fmt.Sprintf("the drawer's %s at %d px", name, width))
			}
		}
		unharmed(t, tb, "the drawer of "+str(call, "name"))
	}
}
