package gateway_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/wire"
)

// grouped is a backend that belongs to groups.
func grouped(name, url string, groups ...string) discovery.Backend {
	b := at(name, url)
	b.Groups = groups
	return b
}

// listed are the names of one endpoint's tools, to a client of either era.
func listed(t *testing.T, url string, era string) string {
	t.Helper()
	var status int
	var body string
	if era == "modern" {
		status, body = modern(t, url, "tools/list", "", "")
	} else {
		status, body = legacy(t, url)("tools/list", "{}")
	}
	if status != 200 {
		t.Fatalf("%s: %d %s", url, status, body)
	}
	var all []string
	tools := wire.Member(wire.Member([]byte(body), "result"), "tools")
	if err := wire.Elements(tools, func(raw []byte) error {
		name, _ := wire.Unquote(wire.Member(raw, "name"))
		all = append(all, name)
		return nil
	}); err != nil {
		t.Fatalf("%s: %v in %s", url, err, body)
	}
	return strings.Join(all, " ")
}

// Each backend is an endpoint of its own with its own names, and each group one with
// the names of /mcp; a call goes the same way as it is listed.
func TestEveryBackendAndGroupIsAnEndpoint(t *testing.T) {
	g, url := run(t)
	a, b, c := newBox(t, false), newBox(t, true), newBox(t, true)
	g.Put(docker(grouped("a", a.url, "dev"), grouped("b", b.url, "dev", "ops"), at("c", c.url)))
	await(t, "connecting", func() bool { return toolNames(g) == "a__echo b__echo c__echo" })
	for path, want := range map[string]string{"": "a__echo b__echo c__echo", "/a": "echo", "/b": "echo", "/c": "echo",
		"/dev": "a__echo b__echo", "/ops": "b__echo"} {
		for _, era := range []string{"legacy", "modern"} {
			if got := listed(t, url+path, era); got != want {
				t.Errorf("%s client at /mcp%s: %q, want %q", era, path, got, want)
			}
		}
		name, _, _ := strings.Cut(want, " ")
		if status, body := modern(t, url+path, "tools/call", name, `"name":"`+name+`","arguments":{}`); status != 200 || !strings.Contains(body, "called tools/call") {
			t.Errorf("call of %s at /mcp%s: %d %s", name, path, status, body)
		}
	}
	// A name of one endpoint is none at another.
	for path, name := range map[string]string{"/a": "a__nothing", "/ops": "a__echo", "/dev": "echo"} {
		_, body := modern(t, url+path, "tools/call", name, `"name":"`+name+`","arguments":{}`)
		if path != "/a" && !strings.Contains(body, "nknown tool") && !strings.Contains(body, "nvalid tool name") {
			t.Errorf("call of %s at /mcp%s: %s", name, path, body)
		}
	}
	status, body := modern(t, url+"/nobody", "tools/list", "", "")
	if status != 404 || !strings.Contains(body, "known are a, b, c, dev, ops") {
		t.Errorf("an endpoint that is not there: %d %s", status, body)
	}
	// Groups move without a new connection, and go with their last member.
	opened := a.opened
	g.Put(docker(grouped("a", a.url, "ops"), at("b", b.url), at("c", c.url)))
	await(t, "moving", func() bool {
		status, _ := modern(t, url+"/dev", "tools/list", "", "")
		return status == 404 && listed(t, url+"/ops", "modern") == "a__echo"
	})
	if a.opened != opened {
		t.Errorf("a group made %d connections", a.opened-opened)
	}
}

func diagnostics(g *gateway.Gateway, backend string) (codes string, all []discovery.Diagnostic) {
	b, _ := g.Backend(backend)
	var list []string
	for _, d := range b.Diagnostics {
		list = append(list, d.Code)
	}
	return strings.Join(list, " "), b.Diagnostics
}

// Where a group is called like a backend, the endpoint is the backend's, and the
// group's members say so.
func TestBackendWinsOverAGroupOfItsName(t *testing.T) {
	g, url := run(t)
	x, y := newBox(t, false), newBox(t, true)
	y.set("tools", `{"name":"other","inputSchema":{"type":"object"}}`)
	g.Put(docker(grouped("y", y.url, "x", "z")))
	await(t, "the group", func() bool { return toolNames(g) == "y__other" && listed(t, url+"/x", "modern") == "y__other" })
	if codes, _ := diagnostics(g, "y"); codes != "" {
		t.Errorf("diagnostics without a clash: %s", codes)
	}
	g.Put(manual(at("x", x.url)))
	await(t, "the backend", func() bool { return toolNames(g) == "x__echo y__other" })
	for _, era := range []string{"legacy", "modern"} {
		if got := listed(t, url+"/x", era); got != "echo" {
			t.Errorf("%s client at /mcp/x: %s", era, got)
		}
	}
	if got := listed(t, url+"/z", "modern"); got != "y__other" {
		t.Errorf("/mcp/z: %s", got)
	}
	codes, all := diagnostics(g, "y")
	if codes != "L022" || all[0].Severity != discovery.SeverityWarning || all[0].Value != "x" || all[0].Suggestion == "" ||
		!strings.Contains(all[0].Message, `"x"`) {
		t.Errorf("diagnostics of the member: %+v", all)
	}
	if codes, _ := diagnostics(g, "x"); codes != "" {
		t.Errorf("diagnostics of the backend: %s", codes)
	}
	g.Put(manual())
	await(t, "the group again", func() bool {
		codes, _ := diagnostics(g, "y")
		return codes == "" && listed(t, url+"/x", "modern") == "y__other"
	})
}

// An endpoint that was a group's is the backend's at once, also while neither has
// anything to show.
func TestAnEmptyGroupBecomesABackend(t *testing.T) {
	g, url := run(t)
	dead := serve(t, http.NotFoundHandler()).URL
	g.Put(docker(grouped("y", dead, "x")))
	g.WaitAttempt(t.Context(), "y")
	g.Put(manual(at("x", dead)))
	g.WaitAttempt(t.Context(), "x")
	await(t, "being told of the backend", func() bool {
		_, body := modern(t, url+"/x", "tools/call", "echo", `"name":"echo","arguments":{}`)
		return strings.Contains(body, `Backend \"x\" is not connected`)
	})
}

// ear is a client with an open stream at one endpoint.
type ear struct {
	url, session string
	mu           sync.Mutex // guards heard
	heard        []string
}

// listenAt opens a client's stream of either era. What comes on it is kept as short
// words: the method without what all have in common, and the URI.
func listenAt(t *testing.T, url string, modern bool, uris string) *ear {
	t.Helper()
	e := &ear{url: url}
	ctx, cancel := context.WithCancel(context.Background())
	var r *http.Request
	if modern {
		r, _ = http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":"ear","method":"subscriptions/listen","params":{`+
			`"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":[`+uris+`]},`+meta+`}}`))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"subscriptions/listen"}}
	} else {
		_, h, _ := post(t, url, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
		e.session = h.Get("Mcp-Session-Id")
		if uris != "" {
			status, _, body := post(t, url, `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":`+uris+`}}`, "Mcp-Session-Id", e.session)
			if status != 200 || !strings.Contains(body, `"result"`) {
				t.Fatalf("subscribe at %s: %d %s", url, status, body)
			}
		}
		r, _ = http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		r.Header.Set("Mcp-Session-Id", e.session)
	}
	r.Header.Set("Accept", "text/event-stream, application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			data, is := strings.CutPrefix(lines.Text(), "data: ")
			if is {
				e.take([]byte(data))
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done; res.Body.Close() })
	if modern {
		await(t, "the acknowledgement", func() bool { return e.all() == "subscriptions/acknowledged" })
		e.clear()
	}
	return e
}

func (e *ear) take(message []byte) {
	var m wire.Message
	if m.Scan(message) != nil {
		return
	}
	word := strings.TrimPrefix(m.Method, "notifications/")
	if uri, ok := wire.Unquote(m.URI.In(m.Raw)); ok {
		word += "=" + uri
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, word)
}

func (e *ear) all() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.heard, " ")
}

func (e *ear) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = nil
}

// A change is told where it can be seen, by its kind, and nowhere else. Who is at one
// backend's endpoint also hears what the backend says without a change.
func TestListChangesAreToldByEndpointAndKind(t *testing.T) {
	for _, modern := range []bool{false, true} {
		g, url := run(t)
		a, b := newBox(t, false), newBox(t, true)
		g.Put(docker(grouped("a", a.url, "dev", "all"), grouped("b", b.url, "ops", "all")))
		await(t, "connecting", func() bool { return toolNames(g) == "a__echo b__echo" && a.listening(1) && b.listening(1) })
		ears := map[string]*ear{}
		for _, path := range []string{"", "/a", "/b", "/dev", "/ops", "/all"} {
			ears[path] = listenAt(t, url+path, modern, "")
		}
		change := func(what *box, kind, elements, method string, at ...string) {
			t.Helper()
			if elements != "" {
				what.set(kind, elements)
			}
			what.tell("notifications/"+method, "")
			for _, path := range at {
				await(t, "telling "+method+" at /mcp"+path, func() bool { return slices.Contains(strings.Fields(ears[path].all()), method) })
			}
		}
		check := func(step string, want map[string]string) {
			t.Helper()
			for path, e := range ears {
				if got := e.all(); got != want[path] {
					t.Errorf("modern=%v, %s: /mcp%s heard %q, want %q", modern, step, path, got, want[path])
				}
				e.clear()
			}
		}
		change(a, "prompts", `{"name":"greet"},{"name":"part"}`, "prompts/list_changed", "", "/a", "/dev", "/all")
		// The next change is told to those who heard nothing of the last one.
		change(b, "", "", "resources/list_changed", "/b")
		change(b, "tools", `{"name":"new","inputSchema":{"type":"object"}}`, "tools/list_changed", "", "/b", "/ops", "/all")
		check("after a change of each", map[string]string{
			"": "prompts/list_changed tools/list_changed", "/all": "prompts/list_changed tools/list_changed",
			"/a": "prompts/list_changed", "/dev": "prompts/list_changed",
			"/b": "resources/list_changed tools/list_changed", "/ops": "tools/list_changed"})
		// No difference: only who is with the backend alone hears it.
		change(a, "", "", "tools/list_changed", "/a")
		change(a, "resources", `{"uri":"file:///b","name":"b"}`, "resources/list_changed", "", "/a", "/dev", "/all")
		check("after nothing and a resource", map[string]string{"": "resources/list_changed", "/all": "resources/list_changed",
			"/dev": "resources/list_changed", "/a": "tools/list_changed resources/list_changed"})
		change(b, "resourceTemplates", `{"uriTemplate":"other:///{x}","name":"t"}`, "resources/list_changed", "", "/b", "/ops", "/all")
		check("after a template", map[string]string{"": "resources/list_changed", "/all": "resources/list_changed",
			"/ops": "resources/list_changed", "/b": "resources/list_changed"})
		// A backend that leaves takes all its lists with it.
		g.Put(docker(grouped("a", a.url, "dev", "all")))
		all := "tools/list_changed prompts/list_changed resources/list_changed"
		for _, path := range []string{"", "/all"} {
			await(t, "telling of the leave", func() bool { return ears[path].all() == all })
		}
		check("after the leave", map[string]string{"": all, "/all": all, "/b": ears["/b"].all(), "/ops": ears["/ops"].all()})
	}
}

// A backend that was removed and comes anew under its name is told what clients still
// watch, and its updates reach them.
func TestSubscriptionsOutliveARegistration(t *testing.T) {
	for _, before := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			g, url := run(t)
			first := newBox(t, before)
			g.Put(manual(at("x", first.url)))
			await(t, "connecting", func() bool { return toolNames(g) == "x__echo" })
			ears := []*ear{listenAt(t, url, false, `"file:///a"`), listenAt(t, url, true, `"file:///a"`),
				listenAt(t, url+"/x", false, `"file:///a"`), listenAt(t, url+"/x", true, `"file:///a"`)}
			updated := func(b *box) {
				t.Helper()
				await(t, "the subscription", func() bool { return strings.Contains(b.asked(), "file:///a") })
				// The stream that the backend tells of updates on may not be there yet.
				for _, e := range ears {
					await(t, "an update", func() bool {
						if strings.Contains(e.all(), "resources/updated=file:///a") {
							return true
						}
						b.tell("notifications/resources/updated", `"uri":"file:///a"`)
						return false
					})
				}
				for _, e := range ears {
					e.clear()
				}
			}
			updated(first)
			g.Put(manual())
			await(t, "leaving", func() bool { return names(g) == "" })
			second := newBox(t, after)
			g.Put(manual(at("x", second.url)))
			updated(second)
		}
	}
}

// Prompts, resources and templates that no client could take are left out one by one,
// and said so.
func TestHostileElementsAreLeftOutAlone(t *testing.T) {
	for _, newer := range []bool{false, true} {
		g, url := run(t)
		b := newBox(t, newer)
		deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
		b.set("tools", `{"name":"good","inputSchema":{"type":"object"}},{"name":"numbered","inputSchema":7},{"inputSchema":{"type":"object"}}`)
		b.set("prompts", `{"name":"good"},{"name":17},{"name":"bad","arguments":{"not":"a list"}},null,[]`)
		b.set("resources", `{"uri":"file:///good","name":"good"},{"name":"no uri"},{"uri":{"an":"object"},"name":"x"},"text"`)
		b.set("resourceTemplates", `{"uriTemplate":"file:///{good}","name":"good"},{"uriTemplate":false,"name":"x"}`)
		g.Put(manual(at("x", b.url), at("other", newBox(t, !newer).url)))
		await(t, "connecting", func() bool { return toolNames(g) == "other__echo x__good" })
		call := legacy(t, url+"/x")
		for method, want := range map[string]string{"tools/list": `"name":"good"`, "prompts/list": `"name":"good"`,
			"resources/list": `"uri":"file:///good"`, "resources/templates/list": `"uriTemplate":"file:///{good}"`} {
			status, body := call(method, "{}")
			elements := wire.Member(wire.Member([]byte(body), "result"), map[string]string{"resources/templates/list": "resourceTemplates"}[method])
			if elements == nil {
				elements = wire.Member(wire.Member([]byte(body), "result"), strings.TrimSuffix(method, "/list"))
			}
			n := 0
			_ = wire.Elements(elements, func([]byte) error { n++; return nil })
			if status != 200 || n != 1 || !strings.Contains(body, want) {
				t.Errorf("modern=%v, %s: %d elements, %s", newer, method, n, body)
			}
		}
		_, all := diagnostics(g, "x")
		counts := map[string]int{}
		for _, d := range all {
			if d.Code != "T001" || d.Severity != discovery.SeverityWarning || d.Suggestion == "" {
				t.Errorf("a diagnostic: %+v", d)
			}
			what, _, _ := strings.Cut(d.Message, " is left out")
			counts[strings.Fields(what)[0]]++
		}
		// "resource template" begins with the same word as "resource".
		if counts["tool"] != 2 || counts["prompt"] != 4 || counts["resource"] != 4 {
			t.Errorf("modern=%v, diagnostics by kind: %v: %+v", newer, counts, all)
		}
		// Nesting that would break a parser costs the element, or the list, and nothing else.
		b.set("prompts", `{"name":"good"},{"name":"deep","_meta":`+deep+`}`)
		g.Reconnect(t.Context(), "x")
		await(t, "listing again", func() bool {
			_, body := modern(t, url+"/x", "prompts/list", "", "")
			return strings.Contains(body, "result") && toolNames(g) == "other__echo x__good"
		})
		if codes, _ := diagnostics(g, "other"); codes != "" {
			t.Errorf("the other backend has diagnostics: %s", codes)
		}
	}
}
