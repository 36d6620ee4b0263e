package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const (
	rowsMemo     = "memo://shared"          // of both backends
	rowsApp      = "ui://app/main.html"     // of both backends
	rowsTemplate = "tmpl://shared/{id}"     // of both backends
	rowsExpanded = "tmpl://shared/5%20%2Fx" // what the template makes
)

// rowsItem is a resource or template as it is listed.
func rowsItem(member, uri string) string {
	return `{"name":"n","` + member + `":"` + uri + `","title":"\u2028","mimeType":"text/plain","annotations":{"priority":1.0},"icons":[{"src":"data:,"}],"_meta":{"n":1.0},"x-more":[]}`
}

// rowsOnly is a URI that one backend has.
func rowsOnly(s *rowsStub) string { return "file:///" + s.name + "/Only.txt?x=1&y=%C3%A9#f" }

// rowsRead is what a backend answers for a resource, with the URI as the client sees it.
func rowsRead(s *rowsStub, uri string) string {
	return `"result":{"contents":[{"text":"\u2028 of ` + s.name + `","uri":` + strconv.Quote(uri) + `,"_meta":{"n":1.0}},{"uri":` + strconv.Quote(uri) + `,"blob":"AA=="}],"x-more":1.0}`
}

func prepareURIs(s *rowsStub) {
	for _, uri := range []string{rowsMemo, rowsOnly(s)} {
		s.lists("resources/list", rowsItem("uri", uri))
	}
	wide := map[bool]string{false: "wide://{+rest}", true: "wide://narrow/{x}"}[s.modern]
	for _, template := range []string{rowsTemplate, "own-" + s.name + "://{+path}", wide} {
		s.lists("resources/templates/list", rowsItem("uriTemplate", template))
	}
	s.on("resources/read", func(c *rowsCall) string {
		uri := str(c.params, "uri")
		for _, has := range []string{rowsMemo, rowsOnly(s), rowsApp, "tmpl://shared/", "own-" + s.name + "://", "hidden://" + s.name + "/", "wide://"} {
			if strings.HasPrefix(uri, has) {
				return rowsRead(s, uri)
			}
		}
		if s.modern {
			return `"error":{"code":-32602,"message":"Resource not found"}`
		}
		return `"error":{"code":-32002,"message":"Resource not found"}`
	})
}

// A URI stays as it is while one backend has it; what both have says whose it is, at
// /mcp. Whatever the client reads reaches the backend under the backend's own URI, and
// the contents come back under the one that was read.
func runURIs(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.listedAs(t, "resources/list", "uri", w.shared(rowsMemo), rowsItem("uri", rowsMemo))
		w.listedAs(t, "resources/list", "uri", rowsOnly(w.s), rowsItem("uri", rowsOnly(w.s)))
		w.listedAs(t, "resources/templates/list", "uriTemplate", w.shared(rowsTemplate), rowsItem("uriTemplate", rowsTemplate))
		free := "own-" + w.s.name + "://{+path}"
		w.listedAs(t, "resources/templates/list", "uriTemplate", free, rowsItem("uriTemplate", free))
		for _, uri := range []string{rowsMemo, rowsExpanded} {
			w.check(t, read(w.shared(uri)), rowsRead(w.s, w.shared(uri)))
			w.s.last(t, "resources/read", uri)
		}
		for _, uri := range []string{rowsOnly(w.s), "own-" + w.s.name + "://a/b?c=%20d", "hidden://" + w.s.name + "/1"} {
			w.check(t, read(uri), rowsRead(w.s, uri))
			w.s.last(t, "resources/read", uri)
		}
	})
	// Published is published: what is registered later changes no URI.
	late := newRowsStub(t, "a-late", false)
	late.lists("resources/list", rowsItem("uri", rowsMemo))
	late.on("resources/read "+rowsMemo, answers(rowsRead(late, rowsMemo)))
	late.says = `"capabilities":{"resources":{}}`
	late.on("tools/list", answers(`"error":{"code":-32601,"message":"Method not found"}`))
	st.g.connect(t, "a-late", late.url, "http")
	for _, client := range []bool{false, true} {
		for _, s := range append(st.stubs, late) {
			w := &way{st: st, s: s, c: st.clients[" "+eraName(client)], client: client}
			w.check(t, read(w.shared(rowsMemo)), rowsRead(s, w.shared(rowsMemo)))
		}
	}
	if status, _, body := st.g.api(t, "DELETE", "/api/backends/a-late", ""); status != 200 {
		t.Fatalf("DELETE a-late: got HTTP %d %s", status, body)
	}
	// What nobody lists is asked for once at all, and then where it was found.
	for i, c := range []*rawClient{st.clients[" legacy"], st.clients[" modern"]} {
		for j, s := range st.stubs {
			uri := fmt.Sprintf("hidden://%s/once-%d", s.name, i)
			for range 3 {
				if got := c.must(t, read(uri)); !strings.Contains(string(got.result()), "of "+s.name) {
					t.Errorf("%s: got %v, want that of %s", uri, got, s.name)
				}
			}
			if n, other := len(s.requests("resources/read", uri)), len(st.stubs[1-j].requests("resources/read", uri)); n != 3 || other > 1 {
				t.Errorf("%s, read three times: its backend was asked %d times, the other %d times; want 3, and 1 at most", uri, n, other)
			}
		}
		// Of two templates that match, the more specific one counts.
		for uri, of := range map[string]string{"wide://narrow/1": "modern", "wide://other/1": "legacy"} {
			if got := c.must(t, read(uri)); !strings.Contains(string(got.result()), "of "+of) {
				t.Errorf("%s: got %v, want that of %s", uri, got, of)
			}
		}
	}
}

// Texts in which URIs stand; those that clients are shown in another form are in
// capitals here.
const (
	rowsLinks = `"result":{"content":[{"type":"resource_link","size":9007199254740993,"uri":"MEMO","name":"n"},{"type":"resource","resource":{"text":"memo://shared \u2028","uri":"MEMO"},"x":1.0},` +
		`{"type":"resource","resource":{"uri":"EXPANDED","blob":"AA=="}},{"type":"resource_link","uri":"APP","name":"n"},{"type":"text","text":"memo://shared"},{"type":"resource_link","uri":"else://where","name":"n"}],` +
		`"structuredContent":{"uri":"memo://shared"},"_meta":{"uri":"memo://shared"}}`
	rowsPromptLinks = `"result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"MEMO","text":"x"}}},{"role":"user","content":[{"uri":"MEMO","type":"resource_link","name":"n"},{"type":"text","text":"memo://shared"}]}]}`
	rowsLinkedTool  = `{"_meta":{"ui":{"x":1.0,"resourceUri":"APP"},"ui/resourceUri":"APP","uri":"memo://shared"},"name":"links","inputSchema":{"type":"object","default":"memo://shared"}}`
)

// fillURIs writes the URIs into a text of these.
func fillURIs(text string, as func(string) string) string {
	return strings.NewReplacer("MEMO", as(rowsMemo), "EXPANDED", as(rowsExpanded), "APP", as(rowsApp)).Replace(text)
}

func prepareURIsElsewhere(s *rowsStub) {
	plain := func(uri string) string { return uri }
	s.lists("tools/list", fillURIs(rowsLinkedTool, plain))
	s.on("tools/call links", answers(fillURIs(rowsLinks, plain)))
	s.lists("prompts/list", `{"name":"links"}`)
	s.on("prompts/get links", answers(fillURIs(rowsPromptLinks, plain)))
}

// A URI that the lists show in another form has that form wherever it means the
// resource, and nowhere else. Updates are in the row about subscriptions.
func runURIsElsewhere(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		w.check(t, w.call("links", `{"uri":"`+rowsMemo+`"}`), fillURIs(rowsLinks, w.shared))
		w.check(t, ask{method: "prompts/get", name: w.called("links"), params: `"name":"` + w.called("links") + `"`}, fillURIs(rowsPromptLinks, w.shared))
		want := replace([]byte(fillURIs(rowsLinkedTool, w.shared)), "name", strconv.Quote(w.called("links")))
		sameBytes(t, "tool "+w.called("links"), w.list(t, "tools/list")[w.called("links")], want)
		w.check(t, ask{method: "completion/complete", params: `"ref":{"type":"ref/resource","uri":"` + w.shared(rowsTemplate) + `"},"argument":{"name":"id","value":"1"}`}, rowsValues())
		sameBytes(t, "ref at the backend", get(w.s.last(t, "completion/complete", rowsTemplate), "params", "ref"), []byte(`{"type":"ref/resource","uri":"`+rowsTemplate+`"}`))
	})
}

const (
	rowsAppTool     = `{"name":"app_tool","inputSchema":{"type":"object"},"_meta":{"ui":{"resourceUri":"APP","visibility":["app"],"x":1.0}}}`
	rowsAppResource = `{"uri":"APP","name":"app","mimeType":"text/html;profile=mcp-app","_meta":{"ui":{"csp":{"connectDomains":["https://example.com"]},"prefersBorder":true}}}`
	rowsAppContent  = `"result":{"contents":[{"uri":"APP","mimeType":"text/html;profile=mcp-app","text":"<!doctype html><script>app.callServerTool({name:\"app_tool\"}) // \u2028 &amp;</script>","_meta":{"ui":{"domain":"a.example"}}}]}`
	rowsUI          = `{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}`
)

func prepareApps(s *rowsStub) {
	plain := func(uri string) string { return uri }
	s.lists("tools/list", fillURIs(rowsAppTool, plain))
	s.on("tools/call app_tool", answers(`"result":{"content":[],"structuredContent":{"of":"`+s.name+`"}}`))
	s.lists("resources/list", fillURIs(rowsAppResource, plain))
	s.on("resources/read "+rowsApp, answers(fillURIs(rowsAppContent, plain)))
	s.lists("resources/list", `{"uri":"ui://`+s.name+`-alone/x","name":"alone"}`)
}

// The page of an app is found by what the tool says, is the right backend's, and calls
// its tools by the names that it knows at /mcp/<backend>. Whether a client shows apps
// is the backend's to know, in either era.
func runApps(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		tool := w.list(t, "tools/list")[w.called("app_tool")]
		sameBytes(t, "the app's tool", tool, replace([]byte(fillURIs(rowsAppTool, w.shared)), "name", strconv.Quote(w.called("app_tool"))))
		uri := str(tool, "_meta", "ui", "resourceUri")
		before := len(w.s.requests("resources/read", rowsApp))
		w.check(t, read(uri), fillURIs(rowsAppContent, w.shared))
		if len(w.s.requests("resources/read", rowsApp)) != before+1 {
			t.Errorf("%s was read from another backend than %s", uri, w.s.name)
		}
		w.listedAs(t, "resources/list", "uri", uri, fillURIs(rowsAppResource, w.shared))
		if alone := "ui://" + w.s.name + "-alone/x"; w.list(t, "resources/list")[alone] == nil {
			t.Errorf("%s is not listed as it is", alone)
		}
		w.check(t, w.call("app_tool", `{}`), `"result":{"content":[],"structuredContent":{"of":"`+w.s.name+`"}}`)

		const capabilities = `{"extensions":` + rowsUI + `}`
		if w.client {
			w.c.askEdited(t, w.call("app_tool", `{}`), `clientCapabilities":{}`, `clientCapabilities":`+capabilities)
		} else {
			c := newRawClient(t, st.g.mcp()+w.endpoint(), false)
			hello := c.must(t, ask{method: "initialize", params: `"protocolVersion":"` + legacyVersion + `","capabilities":` + capabilities + `,"clientInfo":{"name":"host","version":"1"}`})
			c.session = hello.header.Get("Mcp-Session-Id")
			c.notify(t, "notifications/initialized", "")
			c.must(t, w.call("app_tool", `{}`))
		}
		calls := w.s.requests("tools/call", "app_tool")
		last := calls[len(calls)-1]
		told := get(last.body, "params", "_meta", "io.modelcontextprotocol/clientCapabilities")
		if !w.s.modern {
			told = nil
			for _, r := range w.s.requests("initialize", "") {
				if string(get(r.body, "params", "capabilities", "extensions")) == rowsUI && str(r.body, "params", "clientInfo", "name") == map[bool]string{false: "host", true: "e2e"}[w.client] {
					told = get(r.body, "params", "capabilities")
				}
			}
		}
		sameBytes(t, "extensions of the client at the backend", get(told, "extensions"), []byte(rowsUI))
	})
}
