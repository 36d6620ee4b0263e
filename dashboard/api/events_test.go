package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
)

// heardEvent is one event as a page gets it.
type heardEvent struct{ id, name, data string }

// audience reads events.
type audience struct {
	t *testing.T
	r *bufio.Reader
}

func (a *audience) next() (e heardEvent, err error) {
	for {
		text, err := a.r.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			described(a.t, e)
			return e, nil
		}
	}
}

// want reads on until an event of that name whose data has all of the texts.
func (a *audience) want(name string, texts ...string) heardEvent {
	a.t.Helper()
	for {
		e, err := a.next()
		if err != nil {
			a.t.Fatalf("the stream ended before %s %v: %v", name, texts, err)
		}
		fits := e.name == name
		for _, text := range texts {
			fits = fits && strings.Contains(e.data, text)
		}
		if fits {
			return e
		}
	}
}

// described holds an event's data against the API's description.
func described(t *testing.T, e heardEvent) {
	t.Helper()
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	schema := doc.Components.Schemas["Events"].Value.Properties[e.name]
	var data any
	if err := json.Unmarshal([]byte(e.data), &data); schema == nil || err != nil {
		t.Fatalf("event %q is not described, or its data no JSON: %v", e.name, err)
	}
	if err := schema.Value.VisitJSON(data, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("event %s: %v\n%s", e.name, err, e.data)
	}
}

// tell lets the pages be told, until the test ends.
func (h *house) tell(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { h.server.keepTelling(ctx) })
	t.Cleanup(func() { cancel(); work.Wait() })
}

func listen(t *testing.T, ctx context.Context, url string, header ...string) *audience {
	t.Helper()
	resp := open(t, ctx, url, header...)
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"} {
		if got := resp.Header.Get(name); resp.StatusCode != 200 || got != want {
			t.Fatalf("%d, %s: got %q, want %q", resp.StatusCode, name, got, want)
		}
	}
	return &audience{t, bufio.NewReader(resp.Body)}
}

func TestAPageIsToldOfAllThatHappens(t *testing.T) {
	docker := &fakeDiscovery{}
	h := newRealHouse(t, func(c *Config) { c.Discovery = docker })
	h.server.heartbeat = 50 * time.Millisecond
	h.tell(t)
	page := listen(t, t.Context(), h.live(t).URL+"/api/events")
	first, _ := page.next()
	if first.name != "hello" || first.id == "" || !strings.Contains(first.data, `"redaction":"redacted","readOnly":false`) || !strings.Contains(first.data, `"boot":"`+h.server.boot+`","version":"1.2.3"`) {
		t.Errorf("%+v", first)
	}
	page.want("ping")
	page.want("metrics", `"callsPerSecond":0,`)

	server := newMCPServer(t)
	docker.set(discovery.Report{Containers: []discovery.Observed{{Verdict: "no_port"}, {Verdict: "registered"}, {Verdict: "not_labelled", Fix: "label it"}, {Verdict: "self"}}})
	page.want("discovery", `{"problems":1,"containers":4}`)
	h.register(t, "b", server.url)
	page.want("backend", `"name":"b"`, `"health":"healthy"`, `"tools":[]`, `"toolCount":3`)
	page.want("tools_changed", `{"tools":3,"exposed":3,`)

	session := h.begin(t)
	page.want("client", `"name":"Claude Code"`, `"connected":true`)
	const secret = "ghp_0123456789abcdefghij"
	for range 20 {
		h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__fail","arguments":{"token":"`+secret+`"}}}`)
	}
	seen := map[uint64]journal.Call{}
	for len(seen) < 20 {
		e, err := page.next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.data, secret) {
			t.Fatalf("the stream says %s", e.data)
		}
		var all callsEvent
		switch e.name {
		case "call_started", "call_finished":
			var c journal.Call
			_ = json.Unmarshal([]byte(e.data), &c)
			all.Calls = []journal.Call{c}
		case "calls":
			_ = json.Unmarshal([]byte(e.data), &all)
		case "gap":
			t.Fatalf("a gap of %s", e.data)
		}
		for _, c := range all.Calls {
			if c.State != "running" && !c.Protocol {
				seen[c.ID] = c
			}
		}
	}
	page.want("client", `"name":"Claude Code"`, `"calls":20,"errors":20`)
	h.mcp(t, "gone", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	page.want("client_refused", `"code":"session_unknown"`, `"status":404`)
	h.call(t, "DELETE", "/api/clients/"+strings.Trim(field(t, page.wantClient(h, "Claude Code"), "id"), `"`), "")
	page.want("client", `"connected":false`)
	h.call(t, "PATCH", "/api/tools/b__get", `{"enabled":false}`)
	page.want("tools_changed", `{"tools":3,"exposed":2,`)
	h.gw.Journal().Change(journal.Change{Kind: journal.ChangeSwitch, Message: "somebody did something"})
	page.want("change", "somebody did something")
	h.call(t, "DELETE", "/api/backends/b", "")
	page.want("backend_removed", `{"name":"b"}`)
}

// wantClient is the client of that name as the API has it.
func (a *audience) wantClient(h *realHouse, name string) string {
	a.t.Helper()
	for _, c := range read[clientsAnswer](a.t, h.house, "/api/clients").Clients {
		if c.Name == name {
			text, _ := json.Marshal(c)
			return string(text)
		}
	}
	a.t.Fatalf("no client is called %s", name)
	return ""
}

func TestAPageThatComesBackGetsWhatItMissed(t *testing.T) {
	h := newHouse(t)
	h.tell(t)
	url := h.live(t).URL + "/api/events"
	ctx, leave := context.WithCancel(t.Context())
	page := listen(t, ctx, url)
	say := func(message string) {
		h.gateway.journal.Change(journal.Change{Kind: journal.ChangeSwitch, Message: message})
	}
	say("one")
	one := page.want("change", "one")
	leave()
	say("two")
	say("three")
	for _, back := range []*audience{listen(t, t.Context(), url, "Last-Event-ID", one.id), listen(t, t.Context(), url+"?since="+one.id)} {
		if e, _ := back.next(); e.name != "hello" || e.id != one.id {
			t.Errorf("%+v", e)
		}
		for _, want := range []string{"two", "three"} {
			if e, _ := back.next(); e.name != "change" || !strings.Contains(e.data, want) {
				t.Errorf("got %+v, want %s", e, want)
			}
		}
	}
	for _, other := range []string{"zzz-1", "nonsense", h.server.boot + "-99999", h.server.boot + "-x"} {
		back := listen(t, t.Context(), url+"?since="+other)
		if e, _ := back.next(); e.name != "hello" {
			t.Errorf("%s: %+v", other, e)
		}
		if e, _ := back.next(); e.name != "reset" || e.data != "{}" {
			t.Errorf("%s: %+v", other, e)
		}
	}
	// More than is kept.
	for range maxEvents {
		h.server.hub.publish("calls", 3, callsEvent{[]journal.Call{}})
	}
	back := listen(t, t.Context(), url+"?since="+one.id)
	back.want("hello")
	if e, _ := back.next(); e.name != "gap" || e.data != `{"missed":2}` {
		t.Errorf("%+v", e)
	}
	if e, _ := back.next(); e.name != "calls" {
		t.Errorf("%+v", e)
	}
}

func TestTheHubSleepsWhenNobodyListens(t *testing.T) {
	h := newHouse(t)
	h.server.linger = time.Millisecond
	h.tell(t)
	url := h.live(t).URL + "/api/events"
	ctx, leave := context.WithCancel(t.Context())
	first, _ := listen(t, ctx, url).next()
	leave()
	asleep := func() bool {
		h.server.hub.mu.Lock()
		defer h.server.hub.mu.Unlock()
		return h.server.hub.floor > 0
	}
	eventually(t, "sleep", asleep)
	h.gateway.journal.Change(journal.Change{Kind: journal.ChangeSwitch, Message: "unheard"})
	back := listen(t, t.Context(), url+"?since="+first.id)
	back.want("reset")
	h.gateway.journal.Change(journal.Change{Kind: journal.ChangeSwitch, Message: "heard"})
	if e := back.want("change"); !strings.Contains(e.data, `"heard"`) {
		t.Errorf("%+v", e)
	}
}

func TestASlowPageIsDropped(t *testing.T) {
	h := newHub("b")
	h.wake()
	slow, _ := h.join()
	lively, _ := h.join()
	for _, r := range []*reader{slow, lively} {
		r.begin("")
	}
	for i := range maxEvents + 1 {
		h.publish("call_started", 1, i)
		if text, ok := lively.next(); !ok || !strings.Contains(string(text), fmt.Sprintf("data: %d\n", i)) {
			t.Fatalf("%d: %v %s", i, ok, text)
		}
	}
	if text, ok := slow.next(); ok {
		t.Errorf("the slow one got %d bytes, and lost an event silently", len(text))
	}
	large := strings.Repeat("x", maxSend/2)
	for range 20 {
		h.publish("calls", 1, large)
	}
	if h.bytes > maxEventBytes {
		t.Errorf("%d bytes are kept", h.bytes)
	}
	if text, ok := lively.next(); !ok || len(text) > maxSend+200 {
		t.Errorf("%d bytes at once, %v", len(text), ok)
	}
	select {
	case <-lively.ready:
	default:
		t.Error("nobody says that there is more")
	}
	if slow.leave(); len(h.readers) != 1 || h.sleep() {
		t.Error("it sleeps while somebody reads")
	}
}

// 500 calls a second are few events, and none is lost.
func TestBurstsAreToldTogether(t *testing.T) {
	h := newHouse(t)
	h.tell(t)
	page := listen(t, t.Context(), h.live(t).URL+"/api/events")
	page.want("hello")
	const calls = 200
	for range calls {
		h.gateway.journal.Begin(&journal.Request{Method: "tools/call"}).End(&journal.Fate{}, nil, 0)
	}
	events, ended := 0, map[uint64]bool{}
	for len(ended) < calls {
		e, err := page.next()
		if err != nil {
			t.Fatal(err)
		}
		var all callsEvent
		var one journal.Call
		switch e.name {
		case "calls":
			_ = json.Unmarshal([]byte(e.data), &all)
		case "call_started", "call_finished":
			_ = json.Unmarshal([]byte(e.data), &one)
			all.Calls = append(all.Calls, one)
		case "gap":
			t.Fatal(e.data)
		default:
			continue
		}
		events++
		for _, c := range all.Calls {
			if c.State == "ok" {
				ended[c.ID] = true
			}
		}
	}
	if events > calls/4 {
		t.Errorf("%d events for %d calls", events, calls)
	}
	for range 3 * maxBatch {
		h.gateway.journal.Begin(&journal.Request{Method: "tools/call"}).End(&journal.Fate{}, nil, 0)
	}
	page.want("gap", `"missed":`)
}

func TestPagesAreBoundedAndEndWithTheServer(t *testing.T) {
	h := newHouse(t)
	h.tell(t)
	run, stop := context.WithCancel(context.Background())
	s := httptest.NewUnstartedServer(h.handler)
	s.Config.BaseContext = func(net.Listener) context.Context { return run }
	s.Start()
	t.Cleanup(s.Close)
	for range maxPages {
		listen(t, t.Context(), s.URL+"/api/events")
	}
	resp := open(t, t.Context(), s.URL+"/api/events")
	if body := all(t, resp.Body); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "64 pages are open already") {
		t.Errorf("one more: %d %s", resp.StatusCode, body)
	}
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server could not shut down: %v", err)
	}
	eventually(t, "the end of all pages", func() bool { return len(h.server.pages) == 0 && !h.server.hub.busy() })
}
