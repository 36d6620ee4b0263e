package downstream

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// What no reader that decodes would keep.
const odd = `{"n":12345678901234567890, "f":1.0,"z":-0,"e":1e400,` + `"s":"\u2028\/\u00e9 <&> é","twice":1,"twice":{"name":"x","_meta":{}},"":null}`

// A client cannot tell the gateway from the backend: in each combination of eras,
// what is between the two arrives byte for byte.
func TestFidelity(t *testing.T) {
	rows := map[string][]string{ // what backends answer
		"numbers beyond 2^53, 1.0, 1e400 and -0":       {`"result":{"content":[],"structuredContent":` + odd + `}`},
		"unknown fields and _meta":                     {`"result":{"x":` + odd + `,"content":[{"type":"text","text":"","new":{},"_meta":{"a":1.0}}],"_meta":{"anthropic/maxResultSizeChars":1e3}}`},
		"structuredContent of every kind":              {`"result":{"structuredContent":null}`, `"result":{"structuredContent":7.0}`, `"result":{"structuredContent":[1e400]}`, `"result":{"structuredContent":"x"}`, `"result":{"structuredContent":true}`},
		"content of unknown kinds, blobs and links":    {`"result":{"content":[{"type":"hologram","x":1e400},{"type":"resource","resource":{"uri":"z:1","blob":"AA=="}},{"type":"resource_link","uri":"z:2","name":"n","size":1e400,"icons":[]},{"type":"audio","data":"","annotations":{"priority":0.50}}]}`},
		"isError, and content empty, null or absent":   {`"result":{"isError":true,"content":[]}`, `"result":{"isError":false,"content":null}`, `"result":{"isError":true}`, `"result":{ }`},
		"error code, message and data":                 {`"error":{"code":4242,"message":"\u2028 <&>","data":` + odd + `,"more":1.0}`, `"error":{"data":null,"message":"","code":-32000}`, `"error":{"code":-32603,"message":"x"}`},
		"unicode, escapes, order and duplicate keys":   {"\"result\":{\"b\":\"\u2028<&>\\u003c\",\"a\":\"\\ud83c\\udf88 🎈\",\"a\":1}"},
		"results that are no objects":                  {`"result":[]`, `"result":null`, `"result":"x"`, `"result":1.0`},
		"large results":                                {`"result":{"x":"` + strings.Repeat("é", 300<<10) + `"}`},
		"results that look like an envelope":           {`"result":{"jsonrpc":"2.0","id":7,"result":{"id":101},"method":"x","params":{}}`},
		"line ends between values, which a stream has": {"\"result\":{\"a\":\n1}"},
	}
	h := start(t, nil)
	var member, seen string
	answer := func(_ context.Context, r request) string { seen = string(r.Arguments.In(r.Raw)); return member }
	old, young := &player{name: "old", tools: []string{"t"}, answer: answer}, &player{name: "young", modern: true, tools: []string{"t"}, answer: answer}
	h.stage(old, young)
	for era, ask := range h.eras(t, "") {
		for _, backend := range []string{"old", "young"} {
			for row, members := range rows {
				t.Run(fmt.Sprintf("%s, %s client, %s backend", row, era, backend), func(t *testing.T) {
					for _, member = range members {
						for _, accept := range []string{"application/json", "application/json, text/event-stream"} {
							a := ask(t, "tools/call", `"name":"`+backend+`__t","arguments":`+odd, "Accept", accept)
							want := `{"jsonrpc":"2.0","id":1,` + member + `}`
							if era == "modern" && backend == "old" && strings.HasPrefix(member, `"result":{`) {
								with := `"result":{"resultType":"complete",`
								if strings.HasPrefix(member, `"result":{ }`) {
									with = `"result":{"resultType":"complete"`
								}
								want = strings.Replace(want, `"result":{`, with, 1)
							}
							if a.status != 200 || a.body != want {
								t.Errorf("got  %d %.600s\nwant %.600s", a.status, a.body, want)
							}
							if seen != odd {
								t.Errorf("the backend saw %s", seen)
							}
						}
					}
				})
			}
		}
	}
}

// Notifications of a call keep their order and their bytes, but for the token.
func TestFidelityOfNotifications(t *testing.T) {
	h := start(t, nil)
	var sent []string
	talk := func(_ context.Context, r request) string {
		sent = nil
		for i := range 20 {
			progress := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":%d.0,"progressToken":TOKEN,"message":"\u2028","x":%s}}`, i, odd)
			r.send(strings.Replace(progress, "TOKEN", r.id(), 1))
			message := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":%s,"n":%d}}`, odd, i)
			r.send(message)
			sent = append(sent, progress, message)
		}
		return `"result":{}`
	}
	h.stage(&player{name: "old", tools: []string{"t"}, answer: talk}, &player{name: "young", modern: true, tools: []string{"t"}, answer: talk})
	for era, ask := range h.eras(t, "") {
		for _, backend := range []string{"old", "young"} {
			for _, token := range []string{`0`, `1`, `"t"`, `12345678901234567890`} { // clients take the request's id for it
				more := `"_meta":{"progressToken":` + token + `}`
				params := `"name":"` + backend + `__t",` + more
				var a answer
				if era == "modern" {
					body := strings.Replace(modernCall("1", "tools/call", `"name":"`+backend+`__t"`), `"_meta":{`, `"_meta":{"io.modelcontextprotocol/logLevel":"debug","progressToken":`+token+`,`, 1)
					a = h.post(t, body, modernHeader("tools/call", backend+"__t")...)
				} else {
					a = ask(t, "tools/call", params)
				}
				got := messages(a.body)
				if len(got) != len(sent)+1 {
					t.Fatalf("%s client, %s backend: %d messages: %.500s", era, backend, len(got), a.body)
				}
				for i, want := range sent {
					if want = strings.Replace(want, "TOKEN", token, 1); got[i] != want {
						t.Errorf("%s client, %s backend, message %d:\ngot  %s\nwant %s", era, backend, i, got[i], want)
					}
				}
			}
		}
	}
}

// Which part of a name is the backend's is looked up, never guessed.
func TestNamesWithTwoUnderscores(t *testing.T) {
	h := start(t, nil)
	var e echoes
	var players []*player
	for _, name := range []string{"a", "a-b", "b"} {
		players = append(players, &player{name: name, tools: []string{"b__c", "c", "b__", "__c", "a__c"}, prompts: []string{"b__c", "__"}, answer: e.answer(name, nil)})
	}
	h.stage(players...)
	for era, ask := range h.eras(t, "") {
		for _, p := range players {
			for _, tool := range p.tools {
				a := ask(t, "tools/call", `"name":"`+p.name+"__"+tool+`"`)
				if seen := e.take(); !strings.Contains(a.last(), `"from":"`+p.name+`"`) || !strings.Contains(seen, `"name":"`+tool+`"`) {
					t.Errorf("%s: %s of %s: %s; the backend saw %s", era, tool, p.name, a.body, seen)
				}
			}
			for _, prompt := range p.prompts {
				a := ask(t, "prompts/get", `"name":"`+p.name+"__"+prompt+`"`)
				if seen := e.take(); !strings.Contains(a.last(), `"from":"`+p.name+`"`) || !strings.Contains(seen, `"name":"`+prompt+`"`) {
					t.Errorf("%s: prompt %s of %s: %s; the backend saw %s", era, prompt, p.name, a.body, seen)
				}
			}
		}
	}
}

// URIs that two backends have are told apart in results as in the lists, and those in
// what only one has stay as they are.
func TestURIsInResultsAreThoseOfTheLists(t *testing.T) {
	h := start(t, nil)
	one, two := pair(new(echoes), func(request) string {
		return `"result":{"content":[{"type":"resource_link","uri":"a:both"},{"type":"resource_link","uri":"a:1"}],"contents":[{"uri":"a:both"}],"messages":[{"content":{"type":"resource","resource":{"uri":"a:both"}}}]}`
	})
	h.stage(one, two)
	for _, scope := range []string{"", "one"} {
		for era, ask := range h.eras(t, scope) {
			name, both := "t", "a:both"
			if scope == "" {
				name, both = "one__t", "mcp-gw+one+a:both"
			}
			for method, params := range map[string]string{"tools/call": `"name":"` + name + `"`, "prompts/get": `"name":"` + strings.Replace(name, "t", "p", 1) + `"`, "resources/read": `"uri":"` + both + `"`} {
				a := ask(t, method, params)
				want := `"content":[{"type":"resource_link","uri":"` + both + `"},{"type":"resource_link","uri":"a:1"}],"contents":[{"uri":"` + both + `"}],"messages":[{"content":{"type":"resource","resource":{"uri":"` + both + `"}}}]}`
				if !strings.Contains(a.last(), want) {
					t.Errorf("%s, %s at %q: %s", era, method, scope, a.last())
				}
				if read := era == "modern" && method == "resources/read"; read != strings.Contains(a.last(), `"ttlMs":0,"cacheScope":"private"`) {
					t.Errorf("%s, %s: %s", era, method, a.last())
				}
			}
		}
	}
}

// The ids of tasks have their backend's name in front at /mcp, and stay at its own
// endpoint.
func TestTasksByEndpoint(t *testing.T) {
	h := start(t, nil)
	one, two := pair(new(echoes), func(request) string {
		return `"result":{"task":{"taskId":"x"},"tasks":[{"taskId":"y"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"z"}}}`
	})
	h.stage(one, two)
	for scope, prefix := range map[string]string{"": "one.", "one": ""} {
		for era, ask := range h.eras(t, scope) {
			for _, method := range []string{"tasks/get", "tasks/result", "tasks/cancel", "tasks/update", "tasks/list"} {
				params := `"taskId":"` + prefix + `x"`
				if method == "tasks/list" {
					params = ""
				}
				a := ask(t, method, params)
				if era == "modern" && (method == "tasks/list" || method == "tasks/result") {
					if a.status != 404 {
						t.Errorf("%s, which that era does not have: %d %s", method, a.status, a.body)
					}
					continue
				}
				if want := `"task":{"taskId":"` + prefix + `x"},"tasks":[{"taskId":"` + prefix + `y"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"` + prefix + `z"}}}`; !strings.Contains(a.last(), want) {
					t.Errorf("%s, %s at %q: %s", era, method, scope, a.last())
				}
			}
		}
	}
}

// A result that the backend itself says is private, or good for long, is so for the
// client.
func TestCacheHints(t *testing.T) {
	h := start(t, nil)
	young := &player{name: "young", modern: true, resources: []string{"a:1"}, capabilities: `{"resources":{}}`, answer: fixedAnswer(`"result":{"resultType":"complete","contents":[],"ttlMs":7000,"cacheScope":"public"}`)}
	young.hints[2].TTL, young.hints[2].Private, young.hints[2].Known = 9000, true, true
	h.stage(young)
	ask := h.eras(t, "")["modern"]
	if a := ask(t, "resources/read", `"uri":"a:1"`); !strings.Contains(a.body, `"ttlMs":7000,"cacheScope":"public"`) || strings.Count(a.body, "ttlMs") != 1 {
		t.Errorf("read: %s", a.body)
	}
	if a := ask(t, "resources/list", ""); !strings.Contains(a.body, `"ttlMs":9000,"cacheScope":"private"`) {
		t.Errorf("list: %s", a.body)
	}
	if a := ask(t, "tools/list", ""); !strings.Contains(a.body, `"ttlMs":0,"cacheScope":"public"`) {
		t.Errorf("another list: %s", a.body)
	}
}

func fixedAnswer(member string) func(context.Context, request) string {
	return func(context.Context, request) string { return member }
}
