package e2e

import (
	"fmt"
	"testing"
)

// formSchema has what forms get wrong: a union, nested objects, arrays of scalars and
// of choices, numbers, booleans and null.
const formSchema = `{"type":"object","required":["target","size"],"properties":{
	"target":{"anyOf":[
		{"type":"object","title":"By name","properties":{"name":{"type":"string"}},"required":["name"]},
		{"type":"object","title":"By number","properties":{"number":{"type":"integer"}},"required":["number"]}]},
	"size":{"type":"object","properties":{"width":{"type":"number"},"unit":{"enum":["mm","cm"]}},"required":["width"]},
	"tags":{"type":"array","items":{"type":"string"}},
	"days":{"type":"array","uniqueItems":true,"items":{"enum":["mon","tue","wed"]}},
	"count":{"type":"integer"},
	"exact":{"type":"boolean"},
	"level":{"oneOf":[{"const":1,"title":"low"},{"const":2,"title":"high"}]},
	"parent":{"type":["string","null"]},
	"points":{"type":"array","items":{"type":"object","properties":{"x":{"type":"number"},"seen":{"type":"boolean"}}}},
	"note":{"type":"string"}}}`

// A form with a union, nested objects, arrays and enums sends exactly the right types,
// and nothing that was not touched.
func TestPageStoryAFormSendsTheRightTypes(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	s := newStub(t, false, false).toolObject("order", `{"name":"order","annotations":{"readOnlyHint":true},"inputSchema":`+formSchema+`}`,
		fixed(`"result":{"content":[{"type":"text","text":"ordered"}]}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/playground/b__order", look{})
	tb.heading(t, pages[4])
	tb.do(t, "choose", map[string]any{"on": `role=combobox[name="Variant of target"]`, "text": "By number"})
	tb.fill(t, `role=textbox[name="number"]`, "42")
	tb.fill(t, `role=textbox[name="width"]`, "2.5")
	tb.do(t, "choose", map[string]any{"on": `role=combobox[name="unit"]`, "text": "cm"})
	for i, tag := range []string{"007", "true"} { // texts, whatever they look like
		tb.click(t, `fieldset:has(> legend .name:text-is("tags")) >> button.add`)
		tb.fill(t, fmt.Sprintf(`role=textbox[name="tags %d"]`, i+1), tag)
	}
	tb.click(t, `role=checkbox[name="tue"]`)
	tb.fill(t, `role=textbox[name="count"]`, "3")
	tb.click(t, `fieldset:has(> legend .name:text-is("exact")) >> role=radio[name="true"]`)
	tb.do(t, "choose", map[string]any{"on": `role=combobox[name="level"]`, "text": "high"})
	tb.click(t, `role=button[name="null: parent"]`)
	tb.click(t, `fieldset:has(> legend .name:text-is("points")) >> button.add`)
	tb.fill(t, `role=textbox[name="x"]`, "-1.5e-3")
	tb.click(t, runButton)
	tb.says(t, "main", "ordered")
	sameJSON(t, "what the form sent", get(s.received("tools/call")[0], "params", "arguments"),
		`{"target":{"number":42},"size":{"width":2.5,"unit":"cm"},"tags":["007","true"],"days":["tue"],"count":3,"exact":true,"level":2,"parent":null,"points":[{"x":-0.0015}]}`)

	// What cannot be a number is not sent at all, and said at its field.
	tb.fill(t, `role=textbox[name="count"]`, "9007199254740993")
	tb.click(t, runButton)
	tb.says(t, "main", `(?i)cannot be sent`)
	if n := len(s.received("tools/call")); n != 1 {
		t.Errorf("a number that JavaScript would round was sent: %d calls", n)
	}
}
