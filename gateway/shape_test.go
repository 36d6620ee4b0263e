package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/wire"
)

const fourTools = `{"name":"get","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}},` +
	`{"name":"put","inputSchema":{"type":"object"}},` +
	`{"name":"delete_one","inputSchema":{"type":"object"}},` +
	`{"name":"delete_all","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":false}}`

func shaped(b discovery.Backend, s discovery.Shape) discovery.Backend {
	b.Shape = s
	return b
}

// What is not shown cannot be called either, at none of the endpoints, and what is
// renamed is called by its own name at the backend.
func TestShape(t *testing.T) {
	gh, none := "gh_", ""
	for name, tt := range map[string]struct {
		shape      discovery.Shape
		all, plain string
		refused    []string // by their plain names
	}{
		"usual":    {discovery.Shape{}, "b__get b__put b__delete_one b__delete_all", "get put delete_one delete_all", nil},
		"include":  {discovery.Shape{Include: []string{"get", "delete_o*"}}, "b__get b__delete_one", "get delete_one", []string{"put", "delete_all"}},
		"exclude":  {discovery.Shape{Exclude: []string{"delete_*"}}, "b__get b__put", "get put", []string{"delete_one", "delete_all"}},
		"both":     {discovery.Shape{Include: []string{"delete_*"}, Exclude: []string{"*_all"}}, "b__delete_one", "delete_one", []string{"get", "delete_all"}},
		"no glob":  {discovery.Shape{Exclude: []string{"[a-"}}, "", "", []string{"get", "put", "delete_one", "delete_all"}},
		"reading":  {discovery.Shape{ReadOnly: true}, "b__get", "get", []string{"put", "delete_all"}},
		"renamed":  {discovery.Shape{Rename: map[string]string{"get": "fetch"}}, "b__fetch b__put b__delete_one b__delete_all", "fetch put delete_one delete_all", []string{"get"}},
		"prefixed": {discovery.Shape{Prefix: &gh, Exclude: []string{"delete_*"}}, "gh_get gh_put", "get put", []string{"delete_one"}},
		"bare":     {discovery.Shape{Prefix: &none, Include: []string{"get"}}, "get", "get", []string{"put"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, url := run(t)
			b := newBox(t, true)
			b.set("tools", fourTools)
			want := at("b", b.url)
			want.Groups = []string{"dev"}
			g.Put(docker(shaped(want, tt.shape)))
			await(t, "connecting", func() bool {
				s, ok := g.Backend("b")
				return ok && s.Status == "connected" && listed(t, url, "modern") == tt.all
			})
			for path, want := range map[string]string{"": tt.all, "/dev": tt.all, "/b": tt.plain} {
				for _, era := range []string{"modern", "legacy"} {
					if got := listed(t, url+path, era); got != want {
						t.Errorf("%s at /mcp%s: %q, want %q", era, path, got, want)
					}
				}
				for tool := range strings.FieldsSeq(want) {
					if status, body := modern(t, url+path, "tools/call", tool, `"name":"`+tool+`","arguments":{}`); status != 200 || !strings.Contains(body, "called tools/call") {
						t.Errorf("call of %s at /mcp%s: %d %s", tool, path, status, body)
					}
				}
			}
			for _, tool := range tt.refused {
				for path, name := range map[string]string{"": "b__" + tool, "/dev": "b__" + tool, "/b": tool} {
					if _, body := modern(t, url+path, "tools/call", name, `"name":"`+name+`","arguments":{}`); strings.Contains(body, "called tools/call") {
						t.Errorf("%s was called at /mcp%s: %s", name, path, body)
					}
				}
			}
		})
	}
}

func TestNoPromptsAndNoResources(t *testing.T) {
	g, url := run(t)
	b := newBox(t, true)
	g.Put(docker(shaped(at("b", b.url), discovery.Shape{NoPrompts: true, NoResources: true})))
	await(t, "connecting", func() bool { return toolNames(g) == "b__echo" })
	for _, path := range []string{"", "/b"} {
		for method, member := range map[string]string{"prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates"} {
			if _, body := modern(t, url+path, method, "", ""); string(wire.Member(wire.Member([]byte(body), "result"), member)) != "[]" && !strings.Contains(body, "error") {
				t.Errorf("%s at /mcp%s: %s", method, path, body)
			}
		}
		for _, call := range [][3]string{{"prompts/get", "greet", `"name":"greet"`}, {"prompts/get", "b__greet", `"name":"b__greet"`},
			{"resources/read", "file:///a", `"uri":"file:///a"`}} {
			if _, body := modern(t, url+path, call[0], call[1], call[2]); !strings.Contains(body, `"error"`) {
				t.Errorf("%s %s at /mcp%s: %s", call[0], call[1], path, body)
			}
		}
	}
}

// A prefix that somebody chose takes no name that another backend has by right,
// whatever their order.
func TestAChosenPrefixShadowsNobody(t *testing.T) {
	g, url := run(t)
	honest, other := newBox(t, true), newBox(t, true)
	prefix := "github__"
	g.Put(docker(shaped(at("aaa", other.url), discovery.Shape{Prefix: &prefix, Priority: 1000}), at("github", honest.url)))
	await(t, "connecting", func() bool { return len(strings.Fields(listed(t, url, "modern"))) == 2 })
	for _, tool := range g.Tools() {
		if tool.Name == "github__echo" && tool.Backend != "github" {
			t.Errorf("github__echo is %s's", tool.Backend)
		}
	}
}

func TestPriorityOrdersTheLists(t *testing.T) {
	g, url := run(t)
	a, b := newBox(t, true), newBox(t, true)
	g.Put(docker(at("a", a.url), shaped(at("b", b.url), discovery.Shape{Priority: 5})))
	await(t, "b first", func() bool { return listed(t, url, "modern") == "b__echo a__echo" })
	g.Put(docker(shaped(at("a", a.url), discovery.Shape{Priority: 6}), shaped(at("b", b.url), discovery.Shape{Priority: 5})))
	await(t, "a first", func() bool { return listed(t, url, "modern") == "a__echo b__echo" })
}

func TestBackendsThatAreNotShown(t *testing.T) {
	g, url := run(t)
	a, b := newBox(t, true), newBox(t, true)
	withheld := at("a", a.url)
	withheld.Withheld = "its health check fails"
	needs := func(name, url string, others ...string) discovery.Backend {
		return shaped(at(name, url), discovery.Shape{DependsOn: others})
	}
	for name, tt := range map[string]struct {
		set    []discovery.Backend
		listed string
		reason map[string]string
	}{
		"withheld":      {[]discovery.Backend{withheld, at("b", b.url)}, "b__echo", map[string]string{"a": "health check fails"}},
		"follows":       {[]discovery.Backend{at("a", a.url), needs("b", b.url, "a")}, "a__echo b__echo", nil},
		"waits":         {[]discovery.Backend{withheld, needs("b", b.url, "a")}, "", map[string]string{"b": `waits for the backend "a": its health check fails`}},
		"waits forever": {[]discovery.Backend{at("a", a.url), needs("b", b.url, "nobody")}, "a__echo", map[string]string{"b": "none of that name"}},
		"a circle":      {[]discovery.Backend{needs("a", a.url, "b"), needs("b", b.url, "a")}, "", map[string]string{"a": "a → b → a", "b": "b → a → b"}},
	} {
		t.Run(name, func(t *testing.T) {
			g.Put(docker(tt.set...))
			await(t, "being "+name, func() bool {
				a, _ := g.Backend("a")
				b, _ := g.Backend("b")
				return a.Status == "connected" && b.Status == "connected" && listed(t, url, "modern") == tt.listed
			})
			for backend, reason := range tt.reason {
				s, _ := g.Backend(backend)
				if s.State != "degraded" || !strings.Contains(s.Reason, reason) {
					t.Errorf("%s is %s: %s", backend, s.State, s.Reason)
				}
				if _, body := modern(t, url, "tools/call", backend+"__echo", `"name":"`+backend+`__echo","arguments":{}`); !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), reason) {
					t.Errorf("call of %s: %s", backend, body)
				}
			}
		})
	}
}

func TestAChoiceThatFitsNothingIsTold(t *testing.T) {
	g, _ := run(t)
	b := newBox(t, true)
	b.set("tools", fourTools)
	g.Put(docker(shaped(at("b", b.url), discovery.Shape{Exclude: []string{"delete_*", "drop_*"}, Include: []string{"gett", "*"},
		Rename: map[string]string{"pot": "x", "get": "put"}})))
	await(t, "connecting", func() bool { s, _ := g.Backend("b"); return s.Status == "connected" })
	s, _ := g.Backend("b")
	var told []string
	for _, d := range s.Diagnostics {
		if d.Code != "T003" || d.Severity != discovery.SeverityWarning {
			t.Errorf("%+v", d)
		}
		told = append(told, d.Message)
	}
	text := strings.Join(told, "\n")
	for _, want := range []string{"mcp-gw.tools.exclude=drop_* fits none of the backend's 4 tools", "include=gett fits none of the backend's 4 tools; did you mean get?",
		"rename=pot fits none of the backend's 4 tools; did you mean put?", "rename.get=put: the backend has a tool put already"} {
		if !strings.Contains(text, want) {
			t.Errorf("not told: %s\nin: %s", want, text)
		}
	}
	if len(told) != 4 {
		t.Errorf("told: %s", text)
	}
}

// F43: a server that accepts and never answers holds up nobody but itself, and is
// told of within the time that its own label gives it.
func TestF43AServerThatNeverAnswersHarmsNobody(t *testing.T) {
	// Made first, closed last: the gateway would connect again and again.
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client left
		<-r.Context().Done()
	}))
	t.Cleanup(func() { mute.CloseClientConnections(); mute.Close() })
	g, url := runWith(t, gateway.Config{ConnectTimeout: time.Minute}, func(*gateway.Gateway) {})
	b := newBox(t, true)
	silent := at("silent", mute.URL)
	silent.Tuning.Init = 200 * time.Millisecond
	g.Put(docker(silent, at("b", b.url)))
	await(t, "the other one", func() bool { return listed(t, url, "modern") == "b__echo" })
	await(t, "the reason", func() bool {
		s, _ := g.Backend("silent")
		return strings.Contains(s.Reason, "did not answer within 200ms")
	})
}

// What is hidden is hidden from every way of naming it: a URI that a tool names, one
// that is written for a backend, and methods that the gateway does not know.
func TestWhatIsHiddenHasNoOtherWay(t *testing.T) {
	g, url := run(t)
	b := newBox(t, true)
	b.set("tools", `{"name":"app","inputSchema":{"type":"object"},"_meta":{"ui":{"resourceUri":"ui://app/x"}}},{"name":"other","inputSchema":{"type":"object"}}`)
	shape := discovery.Shape{NoResources: true, Exclude: []string{"other"}, Rename: map[string]string{"app": "show"}}
	g.Put(docker(shaped(at("b", b.url), shape)))
	await(t, "connecting", func() bool { return listed(t, url, "modern") == "b__show" })
	for _, path := range []string{"", "/b"} {
		for _, uri := range []string{"ui://app/x", "mcp-gw+b+file:///a", "file:///a"} {
			for _, method := range []string{"resources/read", "x/read"} {
				name := uri
				if method == "x/read" {
					name = ""
				}
				if _, body := modern(t, url+path, method, name, `"uri":"`+uri+`"`); !strings.Contains(body, `"error"`) {
					t.Errorf("%s of %s at /mcp%s: %s", method, uri, path, body)
				}
			}
		}
		if _, body := modern(t, url+path, "completion/complete", "", `"ref":{"type":"ref/resource","uri":"mcp-gw+b+file:///{+path}"},"argument":{"name":"path","value":""}`); !strings.Contains(body, `"error"`) {
			t.Errorf("completion at /mcp%s: %s", path, body)
		}
		for _, name := range []string{"other", "app", "b__other"} {
			if _, body := modern(t, url+path, "x/run", "", `"name":"`+name+`"`); !strings.Contains(body, `"error"`) {
				t.Errorf("x/run of %s at /mcp%s: %s", name, path, body)
			}
		}
	}
	for path, name := range map[string]string{"": "b__show", "/b": "show"} {
		if _, body := modern(t, url+path, "x/run", "", `"name":"`+name+`"`); strings.Contains(body, `"error"`) {
			t.Errorf("x/run of what is shown at /mcp%s: %s", path, body)
		}
	}
}

// A prefix that somebody chose takes no name from a backend that is away, and gives it
// none when that comes back.
func TestAPrefixImitatesNobody(t *testing.T) {
	g, url := run(t)
	b := newBox(t, true)
	away := at("github", "http://127.0.0.1:1/mcp")
	for _, prefix := range []string{"github__", "github", ""} {
		b.set("tools", `{"name":"`+strings.TrimPrefix("github__search", prefix)+`","inputSchema":{"type":"object"}}`)
		g.Put(docker(away, shaped(at("b", b.url), discovery.Shape{Prefix: &prefix})))
		await(t, "connecting", func() bool { s, _ := g.Backend("b"); return s.Status == "connected" && listed(t, url, "modern") != "" })
		if got := listed(t, url, "modern"); !strings.HasPrefix(got, "b__") {
			t.Errorf("prefix %q: %s", prefix, got)
		}
		if _, body := modern(t, url, "tools/call", "github__search", `"name":"github__search","arguments":{}`); strings.Contains(body, "called tools/call") {
			t.Errorf("prefix %q: the call reached another backend: %s", prefix, body)
		}
		g.Put(docker())
		await(t, "removing", func() bool { return len(g.Backends()) == 0 })
	}
}

func TestWhoHasAChosenPrefixIsMissedByIt(t *testing.T) {
	g, url := run(t)
	prefix := "gh_"
	sick := shaped(at("b", newBox(t, true).url), discovery.Shape{Prefix: &prefix})
	sick.Withheld = "its container is unhealthy"
	g.Put(docker(sick))
	await(t, "connecting", func() bool { s, _ := g.Backend("b"); return s.State == "degraded" })
	if _, body := modern(t, url, "tools/call", "gh_echo", `"name":"gh_echo","arguments":{}`); !strings.Contains(body, "its container is unhealthy") {
		t.Errorf("answered %s", body)
	}
}
