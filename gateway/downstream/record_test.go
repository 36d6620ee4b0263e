package downstream

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
)

// recorded answers the calls that are kept, oldest first, each in a line. None runs any
// more.
func (h *house) recorded(t *testing.T, protocol bool) (lines []string) {
	t.Helper()
	var all []journal.Call
	await(t, "the end of all calls", func() bool {
		all, _, _ = h.cfg.Journal.CallsBefore(1<<60, 500, protocol)
		return !slices.ContainsFunc(all, func(c journal.Call) bool { return c.State == "running" })
	})
	slices.Reverse(all)
	for _, c := range all {
		line := fmt.Sprintf("%s %s %s>%s@%s", c.Era, c.Method, c.Name, c.Original, c.Backend)
		if c.ErrorKind != "" {
			line += fmt.Sprintf(" %s: %s", c.ErrorKind, c.Error)
		}
		if c.RequestBytes == 0 || c.ResponseBytes == nil && c.ErrorKind != journal.ErrCancelled {
			line += " without a size"
		}
		lines = append(lines, line)
	}
	return lines
}

func (h *house) wantRecorded(t *testing.T, protocol bool, want ...string) {
	t.Helper()
	if got := h.recorded(t, protocol); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every request that goes to a backend, in both eras, once, with what became of it.
func TestEveryKindOfCallIsRecordedOnce(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		t.Run(era, func(t *testing.T) {
			h := start(t, nil)
			one, two := pair(new(echoes), func(r request) string {
				switch {
				case strings.Contains(string(r.Raw), "fail"):
					return `"result":{"isError":true,"content":[{"type":"image"},{"type":"text","text":"no such thing"}]}`
				case strings.Contains(string(r.Raw), "refuse"):
					return `"error":{"code":-32602,"message":"x is missing"}`
				}
				return `"result":{}`
			})
			h.stage(one, two)
			ask := h.eras(t, "")[era]
			ask(t, "tools/call", `"name":"one__t"`)
			ask(t, "tools/call", `"name":"two__t","arguments":{"a":"fail"}`)
			ask(t, "tools/call", `"name":"one__t","arguments":{"a":"refuse"}`)
			ask(t, "tools/call", `"name":"one__x"`)
			ask(t, "prompts/get", `"name":"two__p"`)
			ask(t, "resources/read", `"uri":"mcp-gw+one+a:both"`)
			ask(t, "completion/complete", `"ref":{"type":"ref/prompt","name":"one__p"},"argument":{"name":"a","value":""}`)
			ask(t, "odd/method", ``)
			h.wantRecorded(t, false,
				era+" tools/call one__t>t@one",
				era+" tools/call two__t>t@two tool: no such thing",
				era+" tools/call one__t>t@one jsonrpc: -32602: x is missing",
				era+" tools/call one__x>@ gateway: Unknown tool: one__x",
				era+" prompts/get two__p>p@two",
				era+" resources/read mcp-gw+one+a:both>a:both@one",
				era+" completion/complete one__p>p@one",
				era+` odd/method >@ gateway: method "odd/method" is not supported`,
			)
		})
	}
}

func TestListsAndHandshakesAreProtocol(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, s...)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, s...)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"nonsense"}}`, s...)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}`, s...)
	h.post(t, modernCall("1", "server/discover", ""), modernHeader("server/discover", "")...)
	got := h.recorded(t, true)
	want := []string{"legacy initialize >@", "legacy ping >@", "legacy tools/list >@", `legacy tools/list >@ gateway: cursor "nonsense"`, `legacy logging/setLevel >@ gateway: logging/setLevel needs`, "modern server/discover >@"}
	if len(got) != len(want) || !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	h.wantRecorded(t, false)
	d, _ := h.cfg.Journal.CallByID(1)
	if !strings.Contains(d.Raw.Response, `"protocolVersion":"2025-11-25"`) || d.SessionID != h.tag(t, s) {
		t.Errorf("%+v", d)
	}
	clients, _ := h.cfg.Journal.Clients()
	if len(clients) != 2 || *clients[1].ToolsSeen != 1 || clients[1].Calls != 0 {
		t.Errorf("%+v", clients)
	}
}

// A stream is open for long, and is no call that takes long.
func TestStreamsAreCounted(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	streams := func() string {
		clients, _ := h.cfg.Journal.Clients()
		out := fmt.Sprint(h.cfg.Journal.Pulse().Streams, h.cfg.Journal.Pulse().Running)
		for _, c := range clients {
			out += fmt.Sprint(" ", c.Era, c.Streams)
		}
		return out
	}
	stream := h.open(t, http.MethodGet, "", append([]string{"Accept", "text/event-stream"}, s...)...)
	await(t, "the stream of the session", func() bool { return streams() == "1 0 legacy1" })
	listening := h.open(t, http.MethodPost, modernCall("1", "subscriptions/listen", `"notifications":{"toolsListChanged":true}`), modernHeader("subscriptions/listen", "")...)
	await(t, "the listener", func() bool { return strings.HasPrefix(streams(), "2 0 ") })
	stream.res.Body.Close()
	listening.res.Body.Close()
	await(t, "the end of both", func() bool { return strings.HasPrefix(streams(), "0 0 ") })
	if got := h.recorded(t, true); got[len(got)-1] != "modern subscriptions/listen >@" {
		t.Errorf("%v", got)
	}
}

func TestACallThatNobodyWaitsForIsCancelled(t *testing.T) {
	h := start(t, nil)
	begun := make(chan struct{}, 2)
	h.show(map[string]tool{"hang": func(ctx context.Context, _ string, _ func(string)) string {
		begun <- struct{}{}
		<-ctx.Done()
		return ""
	}})
	s := h.initialize(t)
	ended := make(chan struct{})
	go func() { defer close(ended); h.post(t, callOf("hang"), s...) }()
	<-begun
	if p := h.cfg.Journal.Pulse(); p.Running != 1 {
		t.Errorf("%+v", p)
	}
	all, _, _ := h.cfg.Journal.CallsBefore(1<<60, 1, false)
	if len(all) != 1 || all[0].State != "running" || all[0].Name != "b__hang" {
		t.Errorf("while it runs: %+v", all)
	}
	h.post(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, s...)
	<-ended
	ctx, leave := context.WithCancel(context.Background())
	go func() { <-begun; leave() }()
	if res, err := http.DefaultClient.Do(h.request(ctx, t, http.MethodPost, modernCall("1", "tools/call", `"name":"b__hang"`), modernHeader("tools/call", "b__hang")...)); err == nil {
		res.Body.Close()
	}
	h.wantRecorded(t, false,
		"legacy tools/call b__hang>hang@b cancelled: the client cancelled the call",
		"modern tools/call b__hang>hang@b cancelled: the client left before there was an answer")
}

// A call that asks for input is two requests of its client.
func TestParkedCallsAreRecordedByRequest(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	one.answer = func(ctx context.Context, r request) string {
		r.ask(ctx, `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?"}}`)
		return `"result":{"isError":true,"content":[{"type":"text","text":"late"}]}`
	}
	h.stage(one)
	call := func(more string) answer {
		body := strings.Replace(modernCall("1", "tools/call", `"name":"one__t"`+more), `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{}}`, 1)
		return h.post(t, body, modernHeader("tools/call", "one__t")...)
	}
	var asked struct{ Result struct{ RequestState string } }
	decode(t, call("").last(), &asked)
	call(`,"requestState":"nonsense"`)
	call(`,"requestState":"` + asked.Result.RequestState + `","inputResponses":{"ask_1":{"action":"accept"}}`)
	call(`,"requestState":"` + asked.Result.RequestState + `","inputResponses":{"ask_1":{"action":"accept"}}`)
	got := h.recorded(t, false)
	want := []string{"modern tools/call one__t>t@one", "modern tools/call one__t>t@one", "modern tools/call one__t>t@one tool: late", "modern tools/call one__t>t@one gateway: the call that asked for this input"}
	if len(got) != len(want) || !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestBatchesAndTheOldTransportAreRecorded(t *testing.T) {
	h := start(t, nil)
	s := h.hello(t, "2025-03-26", `{}`)
	h.post(t, `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__echo"}},{"jsonrpc":"2.0","id":2,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]`, s...)
	h.wantRecorded(t, false, "legacy tools/call b__echo>echo@b")
	l, to := h.oldHello(t)
	h.post(t, callOf("echo"), to...)
	l.next(t, false)
	h.wantRecorded(t, false, "legacy tools/call b__echo>echo@b", "legacy tools/call b__echo>echo@b")
	clients, _ := h.cfg.Journal.Clients()
	if len(clients) != 2 || clients[0].ProtocolVersion != "2024-11-05" || clients[0].Streams != 1 || clients[0].Calls != 1 || clients[1].Calls != 1 {
		t.Errorf("%+v", clients)
	}
	l.res.Body.Close()
	await(t, "the client's end", func() bool { c, _ := h.cfg.Journal.Client(clients[0].ID); return !c.Connected && c.Streams == 0 })
}

func TestASessionThatIsTakenUpAgainIsAClientAgain(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	tag := h.tag(t, s)
	later := start(t, nil) // with the same key
	later.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, s...)
	if c, there := later.cfg.Journal.Client(tag); !there || c.Name != "c" || !c.Connected {
		t.Errorf("%v %+v", there, c)
	}
	if !later.EndSession(tag) || later.EndSession(tag) || later.EndSession("x") {
		t.Error("a session ends once")
	}
	if a := later.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, s...); a.status != 404 {
		t.Errorf("it goes on: %+v", a)
	}
	if c, _ := later.cfg.Journal.Client(tag); c.Connected {
		t.Errorf("%+v", c)
	}
}
