package e2e

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eraName is how the REST API calls the eras.
func eraName(modern bool) string {
	if modern {
		return "modern"
	}
	return "legacy"
}

// asListed is the backend's tool object as the gateway must list it: another
// name, and nothing else, save that tools of the 2026 era have no `execution`.
func asListed(tool []byte, exposed string, client, backend bool) []byte {
	if client && !backend {
		tool = without(tool, "execution")
	}
	return replace(tool, "name", strconv.Quote(exposed))
}

// sameResult fails the test unless got is the backend's result byte for byte. A
// modern client in front of a legacy backend also gets the `resultType` that
// its era demands, and nothing else.
func sameResult(t *testing.T, what string, got, want []byte, client, backend bool) {
	t.Helper()
	if client && !backend {
		if kind := str(got, "resultType"); kind != "complete" {
			t.Errorf("%s: got resultType %q, want complete, in %.300s", what, kind, got)
		}
		got = without(got, "resultType")
	}
	sameBytes(t, what, got, want)
}

func sameBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	from := max(0, at-60)
	t.Errorf("%s: %d bytes, want %d; the first difference is at %d:\n got …%.160q\nwant …%.160q", what, len(got), len(want), at, got[min(from, len(got)):], want[min(from, len(want)):])
}

// What no SDK would write, and a relay that decodes would not keep: numbers
// beyond float64, members twice, odd escapes and spaces, unknown members, other
// orders.
const (
	oddTool = `{"inputSchema" : {"type":"object","$schema":"http://json-schema.org/draft-07/schema#",` + "\n" +
		`  "properties":{"n":{"type":"integer","maximum":1e400,"minimum":-0,"enum":[12345678901234567890, 1.0]}},"definitions":{}, "required":[]},` +
		`"name":"odd","description":"\u2028 <b>&amp;\/ \ud83c\udf88 é","annotations":{},"icons":[],"execution":{"taskSupport":"optional"},"unknown":{"a":1,"a":2},"_meta":{"example.com/x":[null,1.10]}}`
	oddArguments = `{"n":12345678901234567890, "f":1.0,"z":-0,"e":1E+400,` + "\n\t" + `"s":"\u2028\/\u00e9é <&>","twice":1,"twice":{"b":[],"a":[[]]},"":null}`
	oddResult    = `"result":{"content":[{"type":"text","text":"\u2028 <&> \ud83c\udf88 \/ é"},{"type":"hologram","data":{"x":1e400,"y":-0,"z":1.0,"n":12345678901234567890}}],` + "\n" +
		`"structuredContent":[null,1.10,{"a":1,"a":2}], "isError":false,"_meta":{"example.com/big":18446744073709551616},"unknown":{"deep":[[[]]]}}`
)

// oddAnswers are the further answers each tool of the stubs gives.
var oddAnswers = map[string]string{
	"empty":        `"result":{}`,
	"null_content": `"result":{"content":null,"structuredContent":null}`,
	"no_content":   `"result":{"structuredContent":"just this"}`,
	"failed":       `"result":{"content":[],"isError":true}`,
	"invalid":      `"error":{"code":-32602,"message":"no \u2028 <&>","data":{"big":1e400,"a":1,"a":2}}`,
	"own_code":     `"error":{"code":4242,"message":"","data":null,"more":[1.0]}`,
	"bare_error":   `"error":{"code":-32603,"message":"bare"}`,
	"large":        `"result":{"content":[{"type":"text","text":"` + strings.Repeat(`0123456789\u2028é\n`, 1<<16) + `"}]}`,
}

type stubKind struct {
	name   string // also that of the backend
	modern bool
	start  func(*testing.T) *stub
}

// stubKinds are all the ways in which a backend may speak and answer.
var stubKinds = []stubKind{
	{"sse24", false, newOldStub},
	{"json25", false, func(t *testing.T) *stub { return newStub(t, false, false) }},
	{"stream25", false, func(t *testing.T) *stub { return newStub(t, false, true) }},
	{"json26", true, func(t *testing.T) *stub { return newStub(t, true, false) }},
	{"stream26", true, func(t *testing.T) *stub { return newStub(t, true, true) }},
}

func TestEveryByteSurvivesInAllCombinations(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, kind := range stubKinds {
		s := kind.start(t)
		s.toolObject("odd", oddTool, fixed(oddResult))
		for tool, answer := range oddAnswers {
			s.tool(tool, fixed(answer))
		}
		g.connect(t, kind.name, s.url, s.transport())
		if got := str(g.backend(t, kind.name), "era"); got != eraName(kind.modern) {
			t.Errorf("backend %s: got era %q, want %q", kind.name, got, eraName(kind.modern))
		}
		for _, client := range []bool{false, true} {
			t.Run(eraName(client)+" client, "+kind.name, func(t *testing.T) {
				compareWithStub(t, g, s, kind.name, client)
			})
		}
	}
}

func compareWithStub(t *testing.T, g *gateway, s *stub, name string, client bool) {
	var direct asker
	if s.old {
		direct = dialOldSSE(t, s.url)
	} else {
		direct = dial(t, s.url, s.modern)
	}
	through := dial(t, g.mcp(), client)
	listed := through.tools(t)
	for tool, object := range direct.tools(t) {
		exposed := name + "__" + tool
		sameBytes(t, "tool "+tool, listed[exposed], asListed(object, exposed, client, s.modern))
	}
	for tool := range oddAnswers {
		want := direct.tryCall(t, callTool(tool, oddArguments))
		got := through.tryCall(t, callTool(name+"__"+tool, oddArguments))
		if failure := get(want.final, "error"); failure != nil {
			sameBytes(t, "error of "+tool, get(got.final, "error"), failure)
			continue
		}
		sameResult(t, "result of "+tool, got.result(), want.result(), client, s.modern)
	}

	// The request, too, arrives as it was sent: arguments, unknown members, and
	// all of _meta that is not reserved for the hop.
	before := len(s.received("tools/call"))
	a := callTool(name+"__odd", oddArguments)
	a.params += `,"unknown":[1e400,{"a":1,"a":2}]`
	a.meta = `"claudecode/toolUseId":"toolu_1","example.com/x":{"f":1.0, "a":1,"a":2}`
	want := direct.tryCall(t, callTool("odd", oddArguments))
	got := through.must(t, a)
	sameResult(t, "result of odd", got.result(), want.result(), client, s.modern)
	var seen []byte
	for _, body := range s.received("tools/call")[before:] {
		if get(body, "params", "unknown") != nil {
			seen = body
		}
	}
	if name := str(seen, "params", "name"); name != "odd" {
		t.Errorf("name at the backend: got %q, want odd; the body: %s", name, seen)
	}
	sameBytes(t, "arguments at the backend", get(seen, "params", "arguments"), []byte(oddArguments))
	sameBytes(t, "unknown member of params at the backend", get(seen, "params", "unknown"), []byte(`[1e400,{"a":1,"a":2}]`))
	meta := get(seen, "params", "_meta")
	for _, key := range []string{"claudecode/toolUseId", "example.com/x"} {
		sameBytes(t, "_meta "+key+" at the backend", get(meta, key), get([]byte("{"+a.meta+"}"), key))
	}
	if list, _ := members(meta); !s.modern {
		for _, m := range list {
			if strings.HasPrefix(m.key, "io.modelcontextprotocol/") {
				t.Errorf("a 2025 backend got the member %s of the 2026 era", m.key)
			}
		}
	}
}

// realBackend is a server of somebody else's making behind the gateway.
type realBackend struct {
	name, url, transport string
	calls                []sdkCall
	both                 bool // it speaks either era
}

// sdkCall is a tool and the arguments it is called with. Its answer must be the
// same at each call.
type sdkCall struct {
	tool, arguments string
	// reports is how often the tool reports progress; 0: it is not asked to.
	reports int
}

// echoesToken says that the answer contains the progress token, which is the
// gateway's own on the way to the backend.
func (c sdkCall) echoesToken() bool { return strings.HasSuffix(c.tool, "test_tool_with_progress") }

var ourCalls = []sdkCall{
	{"echo", `{"value":9007199254740991,"x-1":[1.5,-0.25,null,"\u2028é🎈<&>"],"":{}}`, 0},
	{"progress", `{"steps":5,"tag":"a"}`, 5},
	{"odd", `{}`, 0}, {"fail", `{}`, 0}, {"refuse", `{}`, 0},
}

var conformanceCalls = []sdkCall{
	{"test_simple_text", `{}`, 0}, {"test_image_content", `{}`, 0}, {"test_audio_content", `{}`, 0},
	{"test_embedded_resource", `{}`, 0}, {"test_multiple_content_types", `{}`, 0},
	{"test_error_handling", `{}`, 0}, {"test_tool_with_progress", `{}`, 3},
}

var everythingCalls = []sdkCall{
	{"echo", `{"message":"\u2028é🎈<&>"}`, 0}, {"get-sum", `{"a":0.1,"b":0.2}`, 0},
	{"get-tiny-image", `{}`, 0}, {"get-annotated-message", `{"messageType":"error","includeImage":true}`, 0},
	{"get-structured-content", `{"location":"New York"}`, 0}, {"get-resource-links", `{"count":3}`, 0},
	{"trigger-long-running-operation", `{"duration":0.2,"steps":4}`, 4},
	{"get-sum", `{"a":"not a number"}`, 0},
}

// realBackends starts all of them.
func realBackends(t *testing.T) []realBackend {
	v1, v2 := typescriptV1(t), typescriptV2(t)
	return []realBackend{
		{"tsv1", v1.address("/mcp"), "http", ourCalls, false},
		{"tsv1sse", v1.address("/sse"), "sse", ourCalls, false},
		{"tsv2", v2.address("/mcp"), "http", ourCalls, false},
		{"go25", goSDK(t, false).address("/mcp"), "http", conformanceCalls, false},
		{"go26", goSDK(t, true).address("/mcp"), "http", conformanceCalls, false},
		{"mcpgo", mcpGo(t).address("/mcp"), "http", conformanceCalls, true},
		{"every", everything(t, "streamableHttp").address("/mcp"), "http", everythingCalls, false},
		{"everysse", everything(t, "sse").address("/sse"), "sse", everythingCalls, false},
	}
}

// asker is a client of either transport that can ask a backend directly.
type asker interface {
	tools(t *testing.T) map[string][]byte
	tryCall(t *testing.T, a ask) answer
}

func (c *rawClient) tryCall(t *testing.T, a ask) answer {
	t.Helper()
	got, err := c.try(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRealBackendsAnswerTheSameBytesThroughTheGateway(t *testing.T) {
	t.Parallel()
	for _, b := range realBackends(t) {
		g := startGateway(t) // one each: several have the same URIs, which then are not the same
		g.connect(t, b.name, b.url, b.transport)
		for _, client := range []bool{false, true} {
			modern := str(g.backend(t, b.name), "era") == "modern"
			if b.both {
				modern = client // it is spoken to as the client speaks
			}
			t.Run(eraName(client)+" client, "+b.name, func(t *testing.T) {
				var direct asker
				if b.transport == "sse" {
					direct = dialOldSSE(t, b.url)
				} else {
					direct = dial(t, b.url, modern)
				}
				through := dial(t, g.mcp(), client)
				want, listed := direct.tools(t), through.tools(t)
				for _, tool := range slices.Sorted(maps.Keys(want)) {
					exposed := b.name + "__" + tool
					sameBytes(t, "tool "+tool, listed[exposed], asListed(want[tool], exposed, client, modern))
				}
				for _, call := range b.calls {
					want := direct.tryCall(t, callTool(call.tool, call.arguments)).final
					got := through.tryCall(t, callTool(b.name+"__"+call.tool, call.arguments)).final
					if failure := get(want, "error"); failure != nil {
						sameBytes(t, "error of "+call.tool, get(got, "error"), failure)
						continue
					}
					sameResult(t, "result of "+call.tool, get(got, "result"), get(want, "result"), client, modern)
				}
			})
		}
	}
}
