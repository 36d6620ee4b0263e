package downstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// echoes keeps what reached the backends, in the order of calls.
type echoes struct {
	mu   sync.Mutex // guards seen
	seen []string
}

func (e *echoes) answer(name string, result func(r request) string) func(context.Context, request) string {
	return func(_ context.Context, r request) string {
		e.mu.Lock()
		e.seen = append(e.seen, name+" "+r.Method+" "+string(r.Params.In(r.Raw)))
		e.mu.Unlock()
		if result != nil {
			return result(r)
		}
		return `"result":{"from":"` + name + `"}`
	}
}

func (e *echoes) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.seen = nil }()
	return strings.Join(e.seen, "; ")
}

// pair is a legacy and a modern backend that have everything, one URI in common.
func pair(e *echoes, result func(r request) string) (one, two *player) {
	one = &player{name: "one", capabilities: `{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"tasks":{"list":{}}}`,
		tools: []string{"t"}, prompts: []string{"p"}, resources: []string{"a:1", "a:both"}, templates: []string{"note://{id}"}}
	two = &player{name: "two", modern: true, capabilities: `{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{}}`,
		tools: []string{"t"}, prompts: []string{"p"}, resources: []string{"a:2", "a:both"}, templates: []string{"log://{+path}"}}
	one.hints = [catalog.Kinds]catalog.Hint{}
	for k := range two.hints {
		two.hints[k] = catalog.Hint{TTL: 5000, Known: true}
	}
	one.answer, two.answer = e.answer("one", result), e.answer("two", result)
	return one, two
}

// client is a way to ask: it answers the last message.
type client func(t *testing.T, method, params string, header ...string) answer

// eras are a client of each era.
func (h *house) eras(t *testing.T, scope string) map[string]client {
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	if scope != "" {
		a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, "Path", "/mcp/"+scope)
		s = []string{"Mcp-Session-Id", a.header.Get("Mcp-Session-Id")}
	}
	path := strings.TrimSuffix("/mcp/"+scope, "/")
	return map[string]client{
		"legacy": func(t *testing.T, method, params string, header ...string) answer {
			return h.post(t, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+`}}`, append(append([]string{"Path", path}, s...), header...)...)
		},
		"modern": func(t *testing.T, method, params string, header ...string) answer {
			m := new(wire.Message)
			body := modernCall("1", method, params)
			if err := m.Scan([]byte(body)); err != nil {
				t.Fatal(err)
			}
			name := ""
			for _, span := range []wire.Span{m.TaskID, m.URI, m.Name} {
				if text, ok := wire.Unquote(span.In(m.Raw)); ok {
					name, _ = mcp.EncodeHeaderValue(text)
				}
			}
			return h.post(t, body, append(append([]string{"Path", path}, modernHeader(method, name)...), header...)...)
		},
	}
}

// Every list, in both eras, of all backends and of each alone.
func TestListsOfEveryKind(t *testing.T) {
	h := start(t, nil)
	var e echoes
	one, two := pair(&e, nil)
	h.stage(one, two)
	all := map[string]string{
		"tools/list":               `"tools":[{"name":"one__t","inputSchema":{"type":"object"}},{"name":"two__t","inputSchema":{"type":"object"}}]`,
		"prompts/list":             `"prompts":[{"name":"one__p"},{"name":"two__p"}]`,
		"resources/list":           `"resources":[{"uri":"a:1","name":"r"},{"uri":"mcp-gw+one+a:both","name":"r"},{"uri":"a:2","name":"r"},{"uri":"mcp-gw+two+a:both","name":"r"}]`,
		"resources/templates/list": `"resourceTemplates":[{"uriTemplate":"note://{id}","name":"t"},{"uriTemplate":"log://{+path}","name":"t"}]`,
	}
	alone := map[string]string{
		"tools/list":               `"tools":[{"name":"t","inputSchema":{"type":"object"}}]`,
		"prompts/list":             `"prompts":[{"name":"p"}]`,
		"resources/list":           `"resources":[{"uri":"a:2","name":"r"},{"uri":"a:both","name":"r"}]`,
		"resources/templates/list": `"resourceTemplates":[{"uriTemplate":"log://{+path}","name":"t"}]`,
	}
	for scope, want := range map[string]map[string]string{"": all, "two": alone} {
		for era, ask := range h.eras(t, scope) {
			for method, items := range want {
				a := ask(t, method, "")
				body := `{"jsonrpc":"2.0","id":1,"result":{` + items
				if era == "modern" {
					ttl := "0" // one of two backends says nothing
					if scope != "" {
						ttl = "5000"
					}
					body += `,"resultType":"complete","ttlMs":` + ttl + `,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"mcp-gateway","version":"9.9.9"}}`
				}
				if body += "}}"; a.status != 200 || a.body != body {
					t.Errorf("%s of %q, %s: %d\n%s\nwant\n%s", method, scope, era, a.status, a.body, body)
				}
				if a := ask(t, method, `"cursor":"x"`); !strings.Contains(a.body, "-32602") {
					t.Errorf("%s, wrong cursor: %s", method, a.body)
				}
			}
		}
	}
	if seen := e.take(); seen != "" {
		t.Errorf("lists reached the backends: %s", seen)
	}
}

// Where each request goes, under which name, from clients of either era.
func TestRoutes(t *testing.T) {
	h := start(t, nil)
	var e echoes
	one, two := pair(&e, nil)
	h.stage(one, two)
	for era, ask := range h.eras(t, "") {
		for _, test := range []struct{ method, params, backend, want string }{
			{"tools/call", `"name":"one__t","arguments":{"name":"one__t"}`, "one", `"name":"t","arguments":{"name":"one__t"}`},
			{"tools/call", `"name":"two__t"`, "two", `"name":"t"`},
			{"prompts/get", `"name":"one__p","arguments":{"a":"b"}`, "one", `"name":"p","arguments":{"a":"b"}`},
			{"prompts/get", `"name":"two__p"`, "two", `"name":"p"`},
			{"resources/read", `"uri":"a:1"`, "one", `"uri":"a:1"`},
			{"resources/read", `"uri":"a:2"`, "two", `"uri":"a:2"`},
			{"resources/read", `"uri":"mcp-gw+one+a:both"`, "one", `"uri":"a:both"`},
			{"resources/read", `"uri":"mcp-gw+two+a:both"`, "two", `"uri":"a:both"`},
			{"resources/read", `"uri":"note://7"`, "one", `"uri":"note://7"`},
			{"resources/read", `"uri":"log://a/b"`, "two", `"uri":"log://a/b"`},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":"two__p"},"argument":{"name":"two__p","value":""},"context":{"arguments":{"x":"two__p"}}`, "two",
				`"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"two__p","value":""},"context":{"arguments":{"x":"two__p"}}`},
			{"completion/complete", `"ref":{"type":"ref/resource","uri":"note://{id}"},"argument":{"name":"id","value":"1"}`, "one", `"ref":{"type":"ref/resource","uri":"note://{id}"},"argument":{"name":"id","value":"1"}`},
			{"completion/complete", `"ref":{"type":"ref/resource","uri":"log://{+path}"},"argument":{}`, "two", `"ref":{"type":"ref/resource","uri":"log://{+path}"},"argument":{}`},
			{"completion/complete", `"ref":{"type":"ref/resource","uri":"mcp-gw+two+a:both"},"argument":{}`, "two", `"ref":{"type":"ref/resource","uri":"a:both"},"argument":{}`},
			{"tasks/get", `"taskId":"one.x.y"`, "one", `"taskId":"x.y"`},
			{"tasks/cancel", `"taskId":"one.one.x"`, "one", `"taskId":"one.x"`},
			{"extension/do", `"name":"two__t"`, "two", `"name":"t"`},
			{"extension/do", `"name":"one__p"`, "one", `"name":"p"`},
			{"extension/do", `"uri":"mcp-gw+two+a:both"`, "two", `"uri":"a:both"`},
		} {
			a := ask(t, test.method, test.params)
			seen := e.take()
			if a.status != 200 || !strings.Contains(a.last(), `"from":"`+test.backend+`"`) || !strings.HasPrefix(seen, test.backend+" "+test.method+" ") || !strings.Contains(seen, test.want) {
				t.Errorf("%s: %s %s: %d %s; the backend saw %s", era, test.method, test.params, a.status, a.body, seen)
			}
		}
		// What goes nowhere.
		for _, test := range []struct {
			method, params string
			code           int
			text           string
		}{
			{"prompts/get", `"name":"p"`, -32602, "Unknown prompt: p"},
			{"prompts/get", `"name":"one__none"`, -32602, "Unknown prompt: one__none"},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":"p"}`, -32602, "Unknown ref/prompt: p"},
			{"completion/complete", `"ref":{"type":"ref/resource","uri":"z:z"}`, -32602, "Unknown ref/resource: z:z"},
			{"completion/complete", `"ref":{"type":"ref/other"}`, -32602, `not \"ref/other\"`},
			{"completion/complete", `"ref":{"type":"ref/prompt"}`, -32602, `needs a string \"ref.name\"`},
			{"completion/complete", `"ref":{"type":"ref/prompt","name":7}`, -32602, `needs a string \"ref.name\"`},
			{"completion/complete", `"ref":7`, -32602, "ref/prompt or ref/resource"},
			{"completion/complete", ``, -32602, "ref/prompt or ref/resource"},
			{"extension/do", ``, -32601, `method \"extension/do\" is not supported`},
			{"extension/do", `"name":"three__t"`, -32601, "is not supported"},
			{"tasks/get", `"taskId":"two.x"`, -32602, "Unknown task: two.x"},
			{"tasks/get", `"taskId":"x"`, -32602, "Unknown task: x"},
		} {
			a := ask(t, test.method, test.params)
			status := 200
			if era == "modern" {
				status = modernStatus(test.code)
			}
			if seen := e.take(); seen != "" || a.status != status || !strings.Contains(a.body, fmt.Sprintf(`"error":{"code":%d,`, test.code)) || !strings.Contains(a.body, test.text) {
				t.Errorf("%s: %s %s: %d %s; the backends saw %s", era, test.method, test.params, a.status, a.body, seen)
			}
		}
	}
}

// At /mcp/<backend> the backend's own answer is the best one, whatever is asked.
func TestRoutesOfOneBackend(t *testing.T) {
	h := start(t, nil)
	var e echoes
	one, two := pair(&e, nil)
	h.stage(one, two)
	for _, b := range []string{"one", "two"} {
		for era, ask := range h.eras(t, b) {
			for _, test := range [][2]string{
				{"tools/call", `"name":"t"`}, {"tools/call", `"name":"hidden"`}, {"tools/call", `"name":"one__t"`}, {"prompts/get", `"name":"p"`}, {"prompts/get", `"name":"hidden"`},
				{"resources/read", `"uri":"a:both"`}, {"resources/read", `"uri":"z:z"`}, {"resources/read", `"uri":"mcp-gw+one+a:both"`},
				{"completion/complete", `"ref":{"type":"ref/prompt","name":"hidden"}`}, {"completion/complete", `"ref":{"type":"ref/resource","uri":"z:{z}"}`},
				{"tasks/get", `"taskId":"one.x"`}, {"extension/do", `"x":1e400`}, {"extension/do", `"name":"n"`}, {"extension/do", `"uri":"u:u"`}, {"extension/do", `"name":7`},
			} {
				a := ask(t, test[0], test[1])
				if seen := e.take(); a.status != 200 || !strings.Contains(a.body, `"from":"`+b+`"`) || !strings.Contains(seen, test[1]) {
					t.Errorf("%s at %s: %s %s: %d %s; the backend saw %s", era, b, test[0], test[1], a.status, a.body, seen)
				}
			}
		}
	}
}

// Names that clients make up are not kept.
func TestMadeUpNamesAreNotCounted(t *testing.T) {
	h := start(t, nil)
	var e echoes
	one, _ := pair(&e, nil)
	h.stage(one)
	ask := h.eras(t, "one")["legacy"]
	for i := range 20 {
		ask(t, fmt.Sprintf("made/up%d", i), "")
		ask(t, "tools/call", fmt.Sprintf(`"name":"up%d"`, i))
		ask(t, "prompts/get", fmt.Sprintf(`"name":"up%d"`, i))
		ask(t, "resources/read", fmt.Sprintf(`"uri":"up:%d"`, i))
		ask(t, "tasks/get", fmt.Sprintf(`"taskId":"up:%d"`, i))
	}
	var kept []string
	h.cfg.Journal.Retain(func(backend, tool string) bool {
		if backend == "one" {
			kept = append(kept, tool)
		}
		return true
	})
	slices.Sort(kept)
	if want := []string{"other methods", "prompts/get", "prompts/get p", "resources/read", "t", "tasks/get", "tools/call"}; !slices.Equal(kept, want) {
		t.Errorf("counted: %q", kept)
	}
}

// An endpoint that is not there is 404, with a sentence that says which there are.
func TestUnknownEndpoint(t *testing.T) {
	h := start(t, nil)
	var e echoes
	one, two := pair(&e, nil)
	h.stage(one, two)
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`
	for _, path := range []string{"/mcp/three", "/mcp/One", "/mcp/one__t"} {
		for what, a := range map[string]answer{
			"initialize": h.post(t, initialize, "Path", path),
			"discover":   h.post(t, modernCall("1", "server/discover", ""), append(modernHeader("server/discover", ""), "Path", path)...),
			"call":       h.post(t, modernCall("1", "tools/call", `"name":"t"`), append(modernHeader("tools/call", "t"), "Path", path)...),
		} {
			if a.status != 404 || !strings.Contains(a.body, "there is no backend and no group called") || !strings.Contains(a.body, "known are one, two; all together are at /mcp") || !strings.HasPrefix(a.body, `{"jsonrpc":"2.0","id":1,`) {
				t.Errorf("%s at %s: %d %s", what, path, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/mcp/one/two", "/other", "/", "/mcp/one//", "/messages/x", "/mcpx"} {
		for _, verb := range []string{"POST", "GET", "DELETE"} {
			if a := h.do(t, verb, initialize, "Path", path); a.status != 404 || !strings.Contains(a.body, "there is no such endpoint as") || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s: %d %s", verb, path, a.status, a.body)
			}
		}
	}
	if a := h.post(t, initialize, "Path", "/mcp/one/"); a.status != 200 {
		t.Errorf("with a slash: %d %s", a.status, a.body)
	}
	if text := (&View{}).unknown(strings.Repeat("x", 1000)); len(text) > 300 || !strings.Contains(text, "there are none") {
		t.Errorf("got %s", text)
	}
	many := &View{Scopes: map[string]*Scope{"": nothing}}
	for i := range 100 {
		many.Scopes[fmt.Sprintf("b%03d", i)] = nothing
	}
	if text := many.unknown("x"); !strings.Contains(text, "b000, ") || !strings.Contains(text, "and 80 more") {
		t.Errorf("got %s", text)
	}
	// A session is of the endpoint that it began at.
	s := h.initialize(t)
	if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, append(s, "Path", "/mcp/one")...); a.status != 404 || !strings.Contains(a.body, "-32001") {
		t.Errorf("elsewhere: %d %s", a.status, a.body)
	}
	if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, s...); a.status != 200 {
		t.Errorf("at its own: %d %s", a.status, a.body)
	}
}

// A resource that no backend lists is asked for at one after the other, and whose it
// was is remembered.
func TestUnlistedResourceIsFound(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		h := start(t, nil)
		var e echoes
		has := func(name string) func(request) string {
			return func(r request) string {
				if uri, _ := wire.Unquote(r.URI.In(r.Raw)); strings.HasPrefix(uri, name+":") {
					return `"result":{"contents":[{"uri":"` + uri + `"}],"from":"` + name + `"}`
				}
				code := -32002
				if r.peer.Modern {
					code = -32602
				}
				return fmt.Sprintf(`"error":{"code":%d,"message":"not at %s"}`, code, name)
			}
		}
		one, two := pair(&e, nil)
		one.answer, two.answer = e.answer("one", has("one")), e.answer("two", has("two"))
		none := &player{name: "none", capabilities: `{"tools":{}}`, answer: e.answer("none", nil)}
		h.stage(none, one, two)
		ask := h.eras(t, "")[era]
		if a := ask(t, "resources/read", `"uri":"two:x"`); !strings.Contains(a.last(), `"from":"two"`) {
			t.Errorf("%s: %s", era, a.body)
		}
		if seen := e.take(); strings.Count(seen, "one resources/read") != 1 || strings.Count(seen, "two resources/read") != 1 || strings.Contains(seen, "none ") {
			t.Errorf("%s: asked %s", era, seen)
		}
		ask(t, "resources/read", `"uri":"two:x"`)
		if seen := e.take(); strings.Contains(seen, "one ") || !strings.Contains(seen, "two ") {
			t.Errorf("%s, again: asked %s", era, seen)
		}
		want := map[string]string{"legacy": `"error":{"code":-32002,"message":"not at two"}`, "modern": `"error":{"code":-32602,"message":"not at two"}`}[era]
		if a := ask(t, "resources/read", `"uri":"z:z"`); !strings.Contains(a.last(), want) {
			t.Errorf("%s, nowhere: %d %s", era, a.status, a.body)
		}
		if _, ok := h.found.get("", "z:z"); ok {
			t.Errorf("%s: what nobody has was remembered", era)
		}
		// When its backend goes, the others are asked again.
		h.stage(none, one)
		if a := ask(t, "resources/read", `"uri":"two:x"`); !strings.Contains(a.last(), "not at one") {
			t.Errorf("%s, after it went: %s", era, a.body)
		}
		h.stage(none)
		want = map[string]string{"legacy": `"code":-32002,"message":"Resource not found: two:x"`, "modern": `"code":-32602,"message":"Resource not found: two:x"`}[era]
		if a := ask(t, "resources/read", `"uri":"two:x"`); !strings.Contains(a.last(), want) {
			t.Errorf("%s, nobody has resources: %s", era, a.body)
		}
	}
}

// A client that gave up while its resource was looked for leaves nothing to remember.
func TestCancelledSearchRemembersNothing(t *testing.T) {
	h := start(t, nil)
	arrived := make(chan struct{})
	wait := func(ctx context.Context, _ request) string {
		arrived <- struct{}{}
		<-ctx.Done()
		return ""
	}
	one, two := pair(new(echoes), nil)
	one.answer, two.answer = wait, wait
	h.stage(one, two)
	s := h.initialize(t)
	done := make(chan answer)
	go func() {
		done <- h.post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"z:z"}}`, s...)
	}()
	<-arrived
	h.post(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, s...)
	<-done
	if b, ok := h.found.get("", "z:z"); ok {
		t.Errorf("%s is remembered", b)
	}
}

func TestFoundIsBounded(t *testing.T) {
	var f found
	for i := range 3 * maxFound {
		f.put("", fmt.Sprint(i), "b")
		if len(f.owner) > maxFound {
			t.Fatalf("%d are remembered", len(f.owner))
		}
	}
	if b, ok := f.get("", fmt.Sprint(3*maxFound-1)); !ok || b != "b" {
		t.Error("the last one is forgotten")
	}
	if _, ok := f.get("other", fmt.Sprint(3*maxFound-1)); ok {
		t.Error("it is known elsewhere")
	}
}

// Arguments that are repeated in headers are held against them, where the backend is
// of an era that cannot.
func TestParamHeadersInFrontOfALegacyBackend(t *testing.T) {
	const schema = `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"}}}`
	h := start(t, nil)
	var e echoes
	one, two := pair(&e, nil)
	for _, p := range []*player{one, two} {
		p.schemas = map[string]string{"t": schema}
		p.mirrors = map[string]*mcp.Tool{"t": {Name: "t", RawInputSchema: json.RawMessage(schema)}}
	}
	h.stage(one, two)
	ask := h.eras(t, "")
	const args = `"name":"one__t","arguments":{"region":"eu","n":7}`
	for name, test := range map[string]struct {
		header []string
		ok     bool
	}{
		"equal": {[]string{"Mcp-Param-Region", "eu", "Mcp-Param-N", "7"}, true}, "numerically equal": {[]string{"Mcp-Param-Region", "eu", "Mcp-Param-N", "7.0"}, true},
		"base64": {[]string{"Mcp-Param-Region", "=?base64?ZXU=?=", "Mcp-Param-N", "7"}, true}, "unknown one more": {[]string{"Mcp-Param-Region", "eu", "Mcp-Param-N", "7", "Mcp-Param-X", "x"}, true},
		"none": {nil, false}, "one missing": {[]string{"Mcp-Param-Region", "eu"}, false}, "other": {[]string{"Mcp-Param-Region", "us", "Mcp-Param-N", "7"}, false}, "malformed": {[]string{"Mcp-Param-Region", "=?base64?!?=", "Mcp-Param-N", "7"}, false},
	} {
		a := ask["modern"](t, "tools/call", args, test.header...)
		if seen := e.take(); test.ok && (a.status != 200 || seen == "") || !test.ok && (a.status != http.StatusBadRequest || !strings.Contains(a.body, "-32020") || seen != "") {
			t.Errorf("%s: %d %s; the backend saw %q", name, a.status, a.body, seen)
		}
	}
	if a := ask["modern"](t, "tools/call", strings.Replace(args, "one__", "two__", 1)); a.status != 200 {
		t.Errorf("a modern backend says it itself: %d %s", a.status, a.body)
	}
	if a := ask["legacy"](t, "tools/call", args); a.status != 200 || !strings.Contains(a.last(), `"from"`) {
		t.Errorf("a legacy client has no such headers: %d %s", a.status, a.body)
	}
}

// A modern client that a legacy backend asks something gets it as a result.
func TestModernClientIsAskedByALegacyBackend(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	one.answer = func(ctx context.Context, r request) string {
		got := r.ask(ctx, `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?"}}`)
		if got == "" {
			got = `"nobody"`
		}
		return `"result":{"got":` + got + `}`
	}
	h.stage(one)
	call := func(capabilities, more string, header ...string) answer {
		body := strings.Replace(modernCall("1", "tools/call", `"name":"one__t"`+more), `clientCapabilities":{}`, `clientCapabilities":`+capabilities, 1)
		return h.post(t, body, append(modernHeader("tools/call", "one__t"), header...)...)
	}
	a := call(`{"elicitation":{}}`, "")
	var asked struct {
		Result struct {
			ResultType, RequestState string
			InputRequests            map[string]struct{ Method string }
		}
	}
	decode(t, a.last(), &asked)
	if a.status != 200 || asked.Result.ResultType != "input_required" || asked.Result.InputRequests["ask_1"].Method != "elicitation/create" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	retry := `,"requestState":"` + asked.Result.RequestState + `","inputResponses":{"ask_1":{"action":"accept"}}`
	if a := call(`{"elicitation":{}}`, retry, "Authorization", "Bearer other"); a.status != 400 || !strings.Contains(a.body, "-32602") {
		t.Errorf("another principal: %d %s", a.status, a.body)
	}
	if a := call(`{"elicitation":{}}`, retry); !strings.Contains(a.last(), `"got":{"jsonrpc":"2.0","id":"q","result":{"action":"accept"}}`) {
		t.Errorf("answered: %d %s", a.status, a.body)
	}
	if a := call(`{}`, ""); !strings.Contains(a.last(), `"got":"nobody"`) {
		t.Errorf("a client that cannot be asked: %d %s", a.status, a.body)
	}
	// A call that waits for input does not outlive the gateway.
	call(`{"elicitation":{}}`, "")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	h.Run(ctx)
}

// An Answer that keeps an error to itself as long as there are others to ask.
func TestTrial(t *testing.T) {
	for _, last := range []bool{false, true} {
		for code, want := range map[int]int{0: 1, -32002: 0, 4242: 0} {
			if last {
				want = 1
			}
			got := new(tally)
			a := &trial{Answer: got, last: last}
			_ = a.Notify([]byte("{}"))
			_ = a.Reply([]byte("{}"), code)
			if got.replies != want || got.notes != 1 || a.had != (code == 0) {
				t.Errorf("last %v, code %d: %d replies, had %v", last, code, got.replies, a.had)
			}
		}
	}
}

type tally struct {
	bridge.Answer
	notes, replies int
}

func (c *tally) Notify([]byte) error     { c.notes++; return nil }
func (c *tally) Reply([]byte, int) error { c.replies++; return nil }

// Where one backend is seen alone, its lists have its own members beside the items;
// among others, none has.
func TestListsKeepTheBackendsFrame(t *testing.T) {
	h := start(t, nil)
	old := &player{name: "old", tools: []string{"t"}}
	old.hints[catalog.Tools].Frame = catalog.Frame{Head: `{ "x":1e400,"tools":[`, Tail: `],"_meta":{"a":1.0} }`}
	young := &player{name: "young", modern: true, tools: []string{"t"}}
	young.hints[catalog.Tools] = catalog.Hint{TTL: 5, Known: true, Frame: catalog.Frame{Head: `{"resultType":"complete","tools":[`, Tail: `],"ttlMs":5,"cacheScope":"public","y":2,"_meta":{"b":1}}`}}
	h.stage(old, young)
	const item = `{"name":"t","inputSchema":{"type":"object"}}`
	const server = `"io.modelcontextprotocol/serverInfo":{"name":"mcp-gateway","version":"9.9.9"}`
	for scope, want := range map[string]map[string]string{
		"old":   {"legacy": `{ "x":1e400,"tools":[` + item + `],"_meta":{"a":1.0} }`, "modern": `{"tools":[` + item + `],"x":1e400,"resultType":"complete","ttlMs":0,"cacheScope":"public","_meta":{` + server + `,"a":1.0}}`},
		"young": {"modern": `{"resultType":"complete","tools":[` + item + `],"ttlMs":5,"cacheScope":"public","y":2,"_meta":{"b":1}}`, "legacy": `{"tools":[` + item + `],"y":2,"_meta":{"b":1}}`},
	} {
		for era, ask := range h.eras(t, scope) {
			if a := ask(t, "tools/list", ""); a.body != `{"jsonrpc":"2.0","id":1,"result":`+want[era]+`}` {
				t.Errorf("%s, %s client:\ngot  %s\nwant %s", scope, era, a.body, want[era])
			}
		}
	}
	for era, ask := range h.eras(t, "") {
		if a := ask(t, "tools/list", ""); strings.Contains(a.body, "1e400") || strings.Contains(a.body, `"y"`) || strings.Contains(a.body, `"b":1`) {
			t.Errorf("%s: %s", era, a.body)
		}
	}
}
