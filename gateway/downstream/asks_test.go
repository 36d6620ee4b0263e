package downstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mcp-gw/gateway/wire"
)

// asking is a legacy backend whose tool asks the client, and answers what it got.
func asking(question string) *player {
	return &player{name: "b", tools: []string{"t"}, answer: func(ctx context.Context, r request) string {
		got := r.ask(ctx, question)
		if got == "" {
			got = `"nobody"`
		}
		return `"result":{"got":` + got + `}`
	}}
}

const elicitation = `{"jsonrpc":"2.0","id":"theirs","method":"elicitation/create","params":{"message":"who?","n":1e400,"_meta":{"progressToken":"tok"}}}`

func (h *house) pendingOf(s []string) int {
	a := &h.sessions.get(s[1]).asks
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending)
}

// A backend's request goes out on the stream of the call that it belongs to, under an
// id of the gateway's, and the answer goes back under its own.
func TestRequestsToTheClient(t *testing.T) {
	h := start(t, nil)
	h.stage(asking(elicitation))
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	other := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	get := h.open(t, "GET", "", s...)
	var streams []*lines
	ids := map[string]bool{}
	for range 3 {
		l := h.open(t, "POST", callOf("t"), s...)
		streams = append(streams, l)
		var q wire.Message
		text := l.next(t, false)
		if err := q.Scan([]byte(text)); err != nil {
			t.Fatal(err)
		}
		id := string(q.ID.In(q.Raw))
		if want := `{"jsonrpc":"2.0","id":` + id + `,"method":"elicitation/create","params":{"message":"who?","n":1e400,"_meta":{"progressToken":` + id + `}}}`; text != want || ids[id] {
			t.Errorf("asked %s\nwant  %s", text, want)
		}
		ids[id] = true
	}
	for i, id := range []string{"3", "1", "2"} {
		// Another client's answer is not taken for it, nor one to what nobody asked.
		for _, header := range [][]string{other, s} {
			bad := `{"jsonrpc":"2.0","id":` + id + `,"result":{"from":"other"}}`
			if header[1] == s[1] {
				bad = `{"jsonrpc":"2.0","id":77,"result":{}}`
			}
			if a := h.post(t, bad, header...); a.status != http.StatusAccepted {
				t.Errorf("a stray answer: %+v", a)
			}
		}
		form := id
		if i == 1 {
			form = `"` + id + `"` // clients that make strings of numbers
		}
		progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + form + `,"progress":0.50}}`
		if a := h.post(t, progress, s...); a.status != http.StatusAccepted {
			t.Errorf("progress: %+v", a)
		}
		h.post(t, progress, other...)
		if a := h.post(t, `{"jsonrpc":"2.0","id":`+form+`,"result":{"action":"accept","n":1e400}}`, s...); a.status != http.StatusAccepted {
			t.Errorf("answer: %+v", a)
		}
		l := streams[map[string]int{"1": 0, "2": 1, "3": 2}[id]]
		if got := l.next(t, false); got != `{"jsonrpc":"2.0","id":1,"result":{"got":{"jsonrpc":"2.0","id":"theirs","result":{"action":"accept","n":1e400}}}}` {
			t.Errorf("answered %s", got)
		}
		h.post(t, `{"jsonrpc":"2.0","id":`+id+`,"result":{"late":true}}`, s...) // once is enough
	}
	told := h.noted(&h.told)
	if want := "b " + h.tag(t, s) + ` {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"tok","progress":0.50}}`; len(told) != 3 || told[0] != want || told[2] != want {
		t.Errorf("progress reached the backend as %q", told)
	}
	if n := h.pendingOf(s); n != 0 {
		t.Errorf("%d questions are kept", n)
	}
	h.do(t, "DELETE", "", s...)
	if got := get.next(t, false); got != "" {
		t.Errorf("on the other stream: %s", got)
	}
}

// A client's error goes back as it is.
func TestClientRefusesARequest(t *testing.T) {
	h := start(t, nil)
	h.stage(asking(elicitation))
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	l := h.open(t, "POST", callOf("t"), s...)
	l.next(t, false)
	h.post(t, `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no \u2028","data":1e400}}`, s...)
	if got := l.next(t, false); !strings.Contains(got, `"got":{"jsonrpc":"2.0","id":"theirs","error":{"code":-1,"message":"no \u2028","data":1e400}}`) {
		t.Errorf("answered %s", got)
	}
}

// Who cannot be asked is not: without a stream, and in the other era.
func TestWhoCannotBeAsked(t *testing.T) {
	h := start(t, nil)
	h.stage(asking(elicitation))
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	if a := h.post(t, callOf("t"), append(s, "Accept", "application/json")...); !strings.Contains(a.body, `"got":"nobody"`) {
		t.Errorf("without streams: %s", a.body)
	}
	if a := h.post(t, modernCall("1", "tools/call", `"name":"b__t"`), modernHeader("tools/call", "b__t")...); !strings.Contains(a.body, `"got":"nobody"`) {
		t.Errorf("modern: %s", a.body)
	}
}

// When a call is over, so is what was asked for it.
func TestLateAnswersGoNowhere(t *testing.T) {
	h := start(t, nil)
	late := make(chan string, 1)
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(_ context.Context, r request) string {
		var m wire.Message
		_ = m.Scan([]byte(elicitation))
		r.exchange.Ask(&m, func(response []byte) { late <- string(response) })
		return `"result":{}`
	}})
	s := h.initialize(t)
	a := h.post(t, callOf("t"), s...)
	if got := messages(a.body); len(got) != 2 {
		t.Fatalf("got %q", got)
	}
	if n := h.pendingOf(s); n != 0 {
		t.Errorf("%d questions are kept", n)
	}
	h.post(t, `{"jsonrpc":"2.0","id":1,"result":{}}`, s...)
	if len(late) != 0 {
		t.Errorf("the backend got %s", <-late)
	}
}

// A backend that takes its request back.
func TestRequestTakenBack(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(_ context.Context, r request) string {
		var m wire.Message
		_ = m.Scan([]byte(elicitation))
		r.exchange.Ask(&m, func([]byte) { t.Error("an answer to what was taken back") })
		r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"other"}}`)
		r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"theirs"}}`)
		r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"theirs"}}`)
		return `"result":{}`
	}})
	s := h.initialize(t)
	got := messages(h.post(t, callOf("t"), s...).body)
	if len(got) != 3 || got[1] != `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}` {
		t.Errorf("got %q", got)
	}
	h.post(t, `{"jsonrpc":"2.0","id":1,"result":{}}`, s...)
}

// What a backend asks and tells outside of calls comes on the session's own stream.
func TestInbox(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "b", capabilities: `{"tasks":{}}`})
	s := h.initialize(t)
	lane := h.sessions.get(s[1]).lane
	scan := func(text string) *wire.Message {
		m := new(wire.Message)
		if err := m.Scan([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	back := make(chan string, 1)
	ask := func() bool {
		m := scan(`{"jsonrpc":"2.0","id":"r","method":"roots/list","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"x"}}}}`)
		defer clear(m.Raw)
		return lane.Inbox.Asked("b", m, func(response []byte) { back <- string(response) })
	}
	if ask() {
		t.Error("a client without a stream was asked")
	}
	l := h.open(t, "GET", "", s...)
	if !ask() {
		t.Fatal("the client was not asked")
	}
	if got := l.next(t, false); got != `{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"b.x"}}}}` {
		t.Errorf("asked %s", got)
	}
	h.post(t, `{"jsonrpc":"2.0","id":1,"result":{"roots":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"b.x"}}}}`, s...)
	if got := <-back; got != `{"jsonrpc":"2.0","id":"r","result":{"roots":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"x"}}}}` {
		t.Errorf("answered %s", got)
	}
	ask()
	l.next(t, false)
	for _, test := range [][2]string{
		{`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"unknown"}}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled"}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"r"}}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`},
		{`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1e400}}`, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1e400}}`},
		{`{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"x"}}`, `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"b.x"}}`},
	} {
		m := scan(test[0])
		lane.Inbox.Notified("b", m)
		clear(m.Raw) // it is valid only during the call
		if test[1] != "" {
			if got := l.next(t, false); got != test[1] {
				t.Errorf("got %s, want %s", got, test[1])
			}
		}
	}
}

// A client that answers nothing is not asked without end.
func TestQuestionsAreBounded(t *testing.T) {
	var a asks
	var m wire.Message
	if err := m.Scan([]byte(elicitation)); err != nil {
		t.Fatal(err)
	}
	for i := range maxPending + 3 {
		if _, number, ok := a.add("b", &m, func([]byte) {}); ok != (i < maxPending) || ok && number != fmt.Sprint(i+1) {
			t.Errorf("question %d: %s %v", i, number, ok)
		}
	}
	if _, ok := a.take("1"); !ok {
		t.Error("the first is not there")
	}
	if _, _, ok := a.add("b", &m, func([]byte) {}); !ok {
		t.Error("no room after one was answered")
	}
}

// setLevel is noted, and told to the backends that the client has sessions with.
func TestSetLevel(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	lane := h.sessions.get(s[1]).lane
	for i, level := range levels {
		if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"`+level+`"}}`, s...); a.body != `{"jsonrpc":"2.0","id":1,"result":{}}` || lane.Level() != level {
			t.Errorf("%s: %s, noted %q", level, a.body, lane.Level())
		}
		if told := h.noted(&h.levels); len(told) != i+1 || told[i] != h.tag(t, s) {
			t.Errorf("%s: told %q", level, told)
		}
	}
	for _, params := range []string{`{"level":"loud"}`, `{"level":7}`, `{}`, `{"level":"Info"}`, `null`} {
		if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":`+params+`}`, s...); a.status != 200 || !strings.Contains(a.body, `"code":-32602`) || !strings.Contains(a.body, "needs a level of debug") {
			t.Errorf("%s: %+v", params, a)
		}
	}
	if lane.Level() != "emergency" {
		t.Errorf("noted %q", lane.Level())
	}
}

// What a client tells goes on to the backends that know it; what is between it and
// the gateway does not.
func TestClientsNotifications(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	const roots = `{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`
	const custom = `{"jsonrpc":"2.0","method":"notifications/x","params":{"n":1e400}}`
	for _, text := range []string{roots, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9}}`, `{"jsonrpc":"2.0","method":"notifications/progress"}`, custom} {
		if a := h.post(t, text, s...); a.status != http.StatusAccepted || a.body != "" {
			t.Errorf("%s: %+v", text, a)
		}
	}
	tag := h.tag(t, s)
	if told := h.noted(&h.told); len(told) != 2 || told[0] != " "+tag+" "+roots || told[1] != " "+tag+" "+custom {
		t.Errorf("told %q", told)
	}
}

// What a modern backend asks for in a result, a legacy client is asked for by
// requests on the stream of its call.
func TestLegacyClientIsAskedByAModernBackend(t *testing.T) {
	h := start(t, nil)
	attempts := make(chan string, 4)
	h.stage(&player{name: "b", modern: true, tools: []string{"t"}, answer: func(_ context.Context, r request) string {
		attempts <- string(r.Params.In(r.Raw))
		if r.InputResponses.Present() {
			return `"result":{"resultType":"complete","content":[]}`
		}
		return `"result":{"resultType":"input_required","requestState":"s","inputRequests":{"one":{"method":"elicitation/create","params":{"message":"?"}},"two":{"method":"roots/list","params":{}}}}`
	}})
	for _, old := range []bool{false, true} {
		var l *lines
		var to []string
		if old {
			l, to = h.oldOpen(t, "")
			h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{"elicitation":{},"roots":{"listChanged":true}}}}`, to...)
			l.next(t, false)
			h.post(t, callOf("t"), to...)
		} else {
			to = h.hello(t, "2025-11-25", `{"elicitation":{},"roots":{"listChanged":true}}`)
			l = h.open(t, "POST", callOf("t"), to...)
		}
		if sent := <-attempts; !strings.Contains(sent, `"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"roots":{}}`) {
			t.Errorf("the backend was told %s", sent)
		}
		for i, want := range []string{`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"?"}}`, `{"jsonrpc":"2.0","id":2,"method":"roots/list","params":{}}`} {
			if got := l.next(t, false); got != want {
				t.Errorf("question %d: %s", i, got)
			}
		}
		h.post(t, `{"jsonrpc":"2.0","id":2,"result":{"roots":[]}}`, to...)
		h.post(t, `{"jsonrpc":"2.0","id":1,"result":{"action":"decline"}}`, to...)
		if got := l.next(t, false); got != `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}` {
			t.Errorf("answered %s", got)
		}
		sent := <-attempts
		for _, want := range []string{`"requestState":"s"`, `"one":{"action":"decline"}`, `"two":{"roots":[]}`} {
			if !strings.Contains(sent, want) {
				t.Errorf("the backend got %s, without %s", sent, want)
			}
		}
	}
	// One that cannot be asked is told what it lacks.
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	if a := h.post(t, callOf("t"), s...); !strings.Contains(a.last(), `"code":-32021`) || !strings.Contains(a.last(), `"requiredCapabilities":{"roots":{}}`) {
		t.Errorf("without roots: %s", a.body)
	}
}

// A question that was lost with its stream is there when the stream is taken up again.
func TestQuestionOnABrokenStream(t *testing.T) {
	h := start(t, nil)
	asked := make(chan struct{})
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(ctx context.Context, r request) string {
		r.send(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":0}}`)
		<-asked
		return `"result":{"got":` + r.ask(ctx, elicitation) + `}`
	}})
	s := h.hello(t, "2025-11-25", `{"elicitation":{}}`)
	l := h.open(t, "POST", callOf("t"), s...)
	id, _ := l.event(t)
	l.res.Body.Close()
	close(asked)
	again := h.open(t, "GET", "", append(s, "Last-Event-ID", id)...)
	if _, data := again.event(t); !strings.HasPrefix(data, `{"jsonrpc":"2.0","id":1,"method":"elicitation/create"`) {
		t.Errorf("got %s", data)
	}
	h.post(t, `{"jsonrpc":"2.0","id":1,"result":{}}`, s...)
	if _, data := again.event(t); data != `{"jsonrpc":"2.0","id":1,"result":{"got":{"jsonrpc":"2.0","id":"theirs","result":{}}}}` {
		t.Errorf("got %s", data)
	}
}

// A client is only asked what it said that it answers.
func TestOnlyWhatTheClientDeclared(t *testing.T) {
	for _, test := range []struct {
		method, capabilities string
		takes                bool
	}{
		{"roots/list", `{"roots":{}}`, true}, {"roots/list", `{"sampling":{}}`, false}, {"roots/list", `{}`, false},
		{"sampling/createMessage", `{"sampling":{}}`, true}, {"elicitation/create", `{"roots":{}}`, false},
		{"elicitation/create", `{"elicitation":{}}`, true}, {"tasks/get", `{"tasks":{}}`, true}, {"tasks/get", `{"roots":{}}`, false},
		{"x/y", `{"roots":{},"tasks":{}}`, false}, {"x/y", `{"experimental":{}}`, true}, {"x/y", `{"extensions":{}}`, true},
	} {
		s := &session{hello: hello{Capabilities: []byte(test.capabilities)}}
		if got := s.takes(test.method); got != test.takes {
			t.Errorf("%s of a client with %s: %v", test.method, test.capabilities, got)
		}
	}
}
