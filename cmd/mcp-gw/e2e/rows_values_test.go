package e2e

import (
	"fmt"
	"testing"
)

// What float64 cannot hold, or writes another way.
const (
	rowsNumbers       = `{"big":9007199254740993,"huge":123456789012345678901234567890,"one":1.0,"beyond":1e400,"nought":-0,"tiny":-1E-400,"ten":1.10}`
	rowsNumbersTool   = `{"name":"numbers","inputSchema":{"type":"object","properties":{"n":{"type":"integer","maximum":18446744073709551616,"minimum":-0,"enum":[1.0,1e400]}}},"_meta":` + rowsNumbers + `}`
	rowsNumbersResult = `"result":{"content":[{"type":"text","text":"x","annotations":{"priority":1.0},"_meta":` + rowsNumbers + `}],"structuredContent":` + rowsNumbers + `,"_meta":` + rowsNumbers + `}`
	rowsNumbersPrompt = `"result":{"messages":[],"_meta":` + rowsNumbers + `}`
)

func rowsNumbersRead(s *rowsStub) string {
	return `"result":{"contents":[{"uri":"numbers://` + s.name + `","text":"","_meta":` + rowsNumbers + `}]}`
}

func prepareNumbers(s *rowsStub) {
	s.lists("tools/list", rowsNumbersTool)
	s.on("tools/call numbers", answers(rowsNumbersResult))
	s.lists("prompts/list", `{"name":"numbers","_meta":`+rowsNumbers+`}`)
	s.on("prompts/get numbers", answers(rowsNumbersPrompt))
	s.lists("resources/list", `{"uri":"numbers://`+s.name+`","name":"n","size":12345678901234567890,"_meta":`+rowsNumbers+`}`)
	s.on("resources/read numbers://"+s.name, answers(rowsNumbersRead(s)))
}

func runNumbers(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "tools/list", "name", w.called("numbers"), rowsNumbersTool)
		w.listedAs(t, "prompts/list", "name", w.called("numbers"), `{"name":"numbers","_meta":`+rowsNumbers+`}`)
		uri := "numbers://" + w.s.name
		w.listedAs(t, "resources/list", "uri", uri, `{"uri":"`+uri+`","name":"n","size":12345678901234567890,"_meta":`+rowsNumbers+`}`)
		a := w.call("numbers", rowsNumbers)
		a.meta = `"example.com/n":` + rowsNumbers
		w.check(t, a, rowsNumbersResult)
		seen := w.s.last(t, "tools/call", "numbers")
		sameBytes(t, "arguments at the backend", get(seen, "params", "arguments"), []byte(rowsNumbers))
		sameBytes(t, "_meta at the backend", get(seen, "params", "_meta", "example.com/n"), []byte(rowsNumbers))
		w.check(t, ask{method: "prompts/get", name: w.called("numbers"), params: `"name":"` + w.called("numbers") + `"`}, rowsNumbersPrompt)
		w.check(t, read(uri), rowsNumbersRead(w.s))
	})
}

// Members that no revision knows, at every level, and _meta as Claude Code reads and
// writes it.
const (
	rowsUnknownTool = `{"x-first":[{"a":1.0}],"name":"unknown","title":"U","inputSchema":{"type":"object","x-schema":{"$comment":1.0}},"annotations":{"readOnlyHint":true,"x":[]},` +
		`"_meta":{"anthropic/maxResultSizeChars":500000,"anthropic/searchHint":"find","anthropic/alwaysLoad":true,"anthropic/requiresUserInteraction":false,"example.com/x":{"y":null}},"x-last":null}`
	rowsUnknownResult = `"result":{"x-result":{"deep":[[{}]]},"content":[{"type":"text","text":"a","x-block":1.0,"_meta":{"b":[]},"annotations":{"audience":["user"],"x":1.0}}],"_meta":{"example.com/r":{"a":1.0}}},"x-response":{"b":1.0}`
	rowsUnknownMeta   = `"claudecode/toolUseId":"toolu_1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=b","baggage":"c=d","example.com/x":{"f":1.0}`
)

func prepareUnknown(s *rowsStub) {
	s.lists("tools/list", rowsUnknownTool)
	s.on("tools/call unknown", answers(rowsUnknownResult))
}

func runUnknown(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "tools/list", "name", w.called("unknown"), rowsUnknownTool)
		a := w.call("unknown", `{"x":{"y":1.0}}`)
		a.params += `,"x-params":[1.0]`
		a.meta = rowsUnknownMeta
		got := w.c.askEdited(t, a, `{"jsonrpc":"2.0",`, `{"x-request":{"a":1.0},"jsonrpc":"2.0",`)
		w.same(t, a, got, rowsUnknownResult)
		sameBytes(t, "unknown member of the response", get(got.final, "x-response"), []byte(`{"b":1.0}`))
		seen := w.s.last(t, "tools/call", "unknown")
		sameBytes(t, "unknown member of the request at the backend", get(seen, "x-request"), []byte(`{"a":1.0}`))
		sameBytes(t, "unknown member of params at the backend", get(seen, "params", "x-params"), []byte(`[1.0]`))
		// The hop's own members apart, _meta is the client's.
		const hop = "io.modelcontextprotocol/"
		meta := without(get(seen, "params", "_meta"), hop+"protocolVersion", hop+"clientCapabilities", hop+"clientInfo")
		sameBytes(t, "_meta at the backend", meta, []byte(`{`+rowsUnknownMeta+`}`))
		// What the client said of itself reaches the backend in the way of its era.
		about := get(seen, "params", "_meta", hop+"clientInfo")
		if !w.s.modern {
			about = nil
			all := w.s.requests("tools/call", "unknown")
			for _, r := range w.s.requests("initialize", "") {
				if string(get(r.body, "params", "clientInfo")) == `{"name":"e2e","version":"1"}` {
					about = get(r.body, "params", "clientInfo")
				}
			}
			if session := all[len(all)-1].session; session == "" {
				t.Error("the call came in no session")
			}
		}
		sameBytes(t, "clientInfo at the backend", about, []byte(`{"name":"e2e","version":"1"}`))
	})
}

var rowsStructured = []string{`null`, `true`, `0`, `-0.0`, `1e400`, `"text \u2028 <&>"`, `""`, `[]`, `[null,1.0,{"a":1,"a":2}]`, `{}`, `{"b":1,"a":[{}]}`}

// The client holds the result against outputSchema, so that it must be the server's.
const rowsOutputSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","$defs":{"n":{"type":["integer","null"],"maximum":1e400}},"definitions":{"old":{}},` +
	`"oneOf":[{"$ref":"#/$defs/n"},{"type":"object","patternProperties":{"^\\p{L}+$":false}}],"title":"T","description":"\u2028","unevaluatedProperties":false,"minProperties":0,"type":"object"}`

func structuredTool(i int) (name, object, member string) {
	name = fmt.Sprintf("structured_%d", i)
	return name, `{"name":"` + name + `","outputSchema":` + rowsOutputSchema + `,"inputSchema":{"type":"object","allOf":[],"$schema":"x:y"}}`,
		`"result":{"content":[],"structuredContent":` + rowsStructured[i] + `}`
}

func prepareStructured(s *rowsStub) {
	for i := range rowsStructured {
		name, object, member := structuredTool(i)
		s.lists("tools/list", object)
		s.on("tools/call "+name, answers(member))
	}
}

func runStructured(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for i := range rowsStructured {
			name, object, member := structuredTool(i)
			if i == 0 {
				w.listedAs(t, "tools/list", "name", w.called(name), object)
			}
			w.check(t, w.call(name, `{}`), member)
		}
	})
}

const rowsContent = `"result":{"content":[` +
	`{"type":"text","text":"t","annotations":{"audience":["assistant","user"],"priority":0.50,"lastModified":"2026-01-01T00:00:00Z"}},` +
	`{"type":"image","data":"iVBORw0KGgo=","mimeType":"image/png","_meta":{"a":1.0}},` +
	`{"data":"UklGRg==","type":"audio","mimeType":"audio/wav","annotations":{}},` +
	`{"type":"resource","resource":{"uri":"inside://x/blob","mimeType":"application/octet-stream","blob":"AAEC/w==","_meta":{}}},` +
	`{"type":"resource","resource":{"uri":"inside://x/text","text":"","mimeType":""},"annotations":{"priority":1.0}},` +
	`{"type":"resource_link","uri":"inside://x/link","name":"l","title":"","description":"","mimeType":"text/plain","size":9007199254740993,"icons":[{"src":"data:image/png;base64,AA==","sizes":["48x48","any"],"theme":"dark"}]},` +
	`{"type":"hologram","volume":[1.0,{"voxels":null}]},{"type":"tool_use","id":"1","name":"n","input":{}},{"type":""},{},{"text":"no type"}]}`

func prepareContent(s *rowsStub) { s.tool("content", answers(rowsContent)) }

func runContent(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) { w.check(t, w.call("content", `{}`), rowsContent) })
}

var rowsEmpty = []string{
	`"result":{"content":[],"isError":true}`, `"result":{"content":[],"isError":false}`, `"result":{"content":[]}`,
	`"result":{"content":null}`, `"result":{"content":null,"isError":true}`, `"result":{}`, `"result":{"isError":true}`, `"result":{"isError":null}`,
	`"result":{"structuredContent":{"only":1.0}}`, `"result":{"isError":true,"content":[{"type":"text","text":"it failed"}]}`,
}

func prepareEmpty(s *rowsStub) {
	for i, member := range rowsEmpty {
		s.tool(fmt.Sprintf("empty_%d", i), answers(member))
	}
}

func runEmpty(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		for i, member := range rowsEmpty {
			w.check(t, w.call(fmt.Sprintf("empty_%d", i), `{}`), member)
		}
	})
}

// Text as people and libraries write it: escapes that need not be, characters that
// could be escaped, members twice, spaces and line ends of either kind.
const (
	rowsTextArguments = `{"z":"\u2028\u2029\/\u0041","a":"` + "\u2028\u2029" + `é工具🎈<&>'","\u006b":1,"k":2,"dup":{"x":1,"x":[2]},` + "\n\t \r\n" + `"":{"b":1 , "a":2},"lone":"\ud83c","nul":"\u0000"}`
	rowsTextSchema    = `{"type":"object","properties":{"z":{"description":"<b>&amp;\/ ` + "\u2028" + ` \u00e9","const":"\ud83c\udf88"},"a":{},"a":{"x":1}}}`
	rowsTextTool      = `{"inputSchema" : ` + rowsTextSchema + `,` + "\r\n" + ` "description":"\u2028` + "\u2029" + ` <i>&lt;\/ \ud83c\udf88 🎈","name":"text" }`
	rowsTextResult    = `"result":{"structuredContent":` + rowsTextArguments + `,"content":[{"text":"` + "\u2028" + `\u2028 <&> \ud83c\udf88🎈\/ é","type":"text"}],` + "\n\n \t" + `"_meta":{"dup":1,"dup":1.0}}`
	rowsTextCR        = `"result":{"content":[{"type":"text",` + "\r\n\t" + `"text":"a\r\nb"}]}`
)

func prepareText(s *rowsStub) {
	s.lists("tools/list", rowsTextTool)
	s.on("tools/call text", answers(rowsTextResult))
	s.tool("text_cr", answers(rowsTextCR))
	s.tool("text_streamed", func(c *rowsCall) string {
		c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + c.token() + `,"progress":1}}`)
		return `"result":{"_meta":{"dup":1,` + "\n" + `"dup":1.0},"content":[{"text":"` + "\u2028" + `\u2028 <&>","type":"text"}]}`
	})
	s.lists("prompts/list", `{"description":"\u2028 <&> \/`+"\u2028"+`","name":"text","_meta":{"dup":1,"dup":2}}`)
	s.on("prompts/get text", answers(`"result":{"messages":[{"content":{"text":"\u2028 <&>\/","type":"text"},"role":"user"}],"description":"<&>"}`))
}

func runText(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "tools/list", "name", w.called("text"), rowsTextTool)
		w.listedAs(t, "prompts/list", "name", w.called("text"), `{"description":"\u2028 <&> \/`+"\u2028"+`","name":"text","_meta":{"dup":1,"dup":2}}`)
		w.check(t, w.call("text", rowsTextArguments), rowsTextResult)
		sameBytes(t, "arguments at the backend", get(w.s.last(t, "tools/call", "text"), "params", "arguments"), []byte(rowsTextArguments))
		w.check(t, w.call("text_cr", `{}`), rowsTextCR)
		a := w.call("text_streamed", `{}`)
		a.meta = `"progressToken":1`
		if got := w.check(t, a, `"result":{"_meta":{"dup":1,`+"\n"+`"dup":1.0},"content":[{"text":"`+"\u2028"+`\u2028 <&>","type":"text"}]}`); len(got.before) != 1 {
			t.Errorf("the answer came without its stream: %v", got)
		}
		a = ask{method: "prompts/get", name: w.called("text"), params: `"name":"` + w.called("text") + `","arguments":{"z":"\u2028<&>","a":"\/"}`}
		w.check(t, a, `"result":{"messages":[{"content":{"text":"\u2028 <&>\/","type":"text"},"role":"user"}],"description":"<&>"}`)
		sameBytes(t, "arguments of the prompt at the backend", get(w.s.last(t, "prompts/get", "text"), "params", "arguments"), []byte(`{"z":"\u2028<&>","a":"\/"}`))
	})
}
