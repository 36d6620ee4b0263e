package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The page stays usable with 200 backends, 2,000 tools and a result of 1 MB: its rows
// are there soon, it draws no more of them than one can see, and a filter answers at
// once.
func TestPageStoryManyOfEverything(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t, "MCP_GW_LOG_LEVEL=warn")
	many := newStub(t, false, false)
	for i := range 2000 {
		many.toolObject(fmt.Sprintf("tool_%04d", i), fmt.Sprintf(`{"name":"tool_%04d","description":"Number %d of the many.","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}}`, i, i), fixed(`"result":{"content":[]}`))
	}
	many.toolObject("huge", `{"name":"huge","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}`, fixed(fmt.Sprintf(`"result":{"content":[{"type":"text","text":%q}]}`, strings.Repeat("0123456789", 100_000)+" the end")))
	few := newStub(t, true, false).tool("t", fixed(`"result":{"content":[]}`))
	for i := range 199 {
		g.register(t, fmt.Sprintf("service-%03d", i), few.url, "http")
	}
	g.connect(t, "many", many.url, "http") // the last: each change makes the list anew
	eventually(t, "all backends", func() bool {
		return strings.Contains(body(t, g.url+"/api/overview"), `"healthy":200`)
	})
	dialLegacy(t, g.mcp()).must(t, callTool("many__huge", `{}`))

	tb := b.open(t, g.url, "#/", look{})
	frames := `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`
	// soon: the machine has other things to do, so this is far above what it takes.
	const soon = 5 * time.Second
	within := func(what string, act func()) {
		t.Helper()
		took := took(func() { act(); tb.do(t, "run", map[string]any{"script": frames}) })
		nodes := evaluate[int](t, tb, "document.querySelectorAll('*').length")
		t.Logf("%s: %v, %d elements", what, took.Round(time.Millisecond), nodes)
		if took > soon {
			t.Errorf("%s took %v", what, took)
		}
		if nodes > 15_000 {
			t.Errorf("%s: the page has %d elements", what, nodes)
		}
	}
	within("the overview", func() { tb.goTo(t, "#/?view=table"); tb.says(t, "main", `service-198`) })
	within("its filter", func() { tb.fill(t, "main >> [data-filter]", "service-19"); tb.gone(t, "main >> text=service-001") })
	tb.see(t, "main >> text=service-198")
	within("the overview as cards", func() { tb.goTo(t, "#/?view=cards"); tb.see(t, card("service-198")) })
	within("the tools", func() { tb.goTo(t, "#/tools"); tb.says(t, "main", `many__tool_0001`) })
	within("their search", func() { tb.fill(t, "main >> [data-filter]", "tool_1999"); tb.gone(t, "main >> text=many__tool_0001") })
	tb.see(t, "main >> text=tool_1999")
	within("the palette", func() { tb.press(t, "Control+k"); tb.see(t, `role=dialog >> role=option >> nth=0`) })
	within("its search", func() { tb.fill(t, "role=dialog >> input", "tool_1234"); tb.says(t, "role=dialog", `many__tool_1234`) })
	if n := valueOf[int](t, tb.do(t, "count", map[string]any{"on": "role=dialog >> role=option"})); n > 60 {
		t.Errorf("the palette shows %d entries", n)
	}
	tb.press(t, "Enter")
	within("a tool of them", func() { tb.says(t, "role=dialog", `Number 1234 of the many`) })

	within("the traffic", func() { tb.goTo(t, "#/traffic"); tb.see(t, "main >> role=log >> text=huge") })
	// It is more than is kept, and the playground shows it whole.
	within("the drawer of a result of 1 MB", func() {
		tb.click(t, "main >> role=log >> text=huge >> nth=0")
		tb.click(t, `role=tab[name="Result"]`)
		tb.says(t, "role=dialog", `1 MB`)
	})
	for _, width := range []int{320, 1280} {
		tb.size(t, width, 800)
		tb.fits(t, fmt.Sprintf("the drawer of a result of 1 MB at %d px", width))
	}
	within("a run with a result of 1 MB", func() {
		tb.goTo(t, "#/playground/many__huge")
		tb.click(t, runButton)
		tb.says(t, "main", `0123456789`)
	})
	tb.fits(t, "a run with a result of 1 MB")
}
