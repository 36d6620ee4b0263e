package downstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// oldOpen opens the stream of 2024-11-05 and answers it with the address to post to.
func (h *house) oldOpen(t *testing.T, scope string) (l *lines, to []string) {
	t.Helper()
	l = h.open(t, "GET", "", "Path", "/sse"+scope, "Content-Type", "-")
	line, err := l.ReadString('\n')
	if err != nil || line != "event: endpoint\n" {
		t.Fatalf("begins with %q, %v", line, err)
	}
	path, query, _ := strings.Cut(l.next(t, false), "?")
	if path != "/messages" || len(query) < 20 {
		t.Fatalf("endpoint %s?%s", path, query)
	}
	return l, []string{"Path", path, "Query", query, "Accept", "-"}
}

// oldHello opens a session by hand.
func (h *house) oldHello(t *testing.T) (l *lines, to []string) {
	t.Helper()
	l, to = h.oldOpen(t, "")
	if a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":`+able+`}}`, to...); a.status != http.StatusAccepted || a.body != "" {
		t.Fatalf("initialize: %+v", a)
	}
	if got := l.next(t, false); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2024-11-05",`) {
		t.Fatalf("initialize: %s", got)
	}
	return l, to
}

func (h *house) oldCount() int {
	h.old.mu.Lock()
	defer h.old.mu.Unlock()
	return len(h.old.byID)
}

// All of a session by hand: everything is posted, and everything comes on the stream.
func TestOldTransport(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "b", tools: []string{"chatty", "ask"}, answer: func(ctx context.Context, r request) string {
		if strings.Contains(string(r.Raw), `"ask"`) {
			return `"result":{"got":` + r.ask(ctx, elicitation) + `}`
		}
		return chatty(ctx, r.id(), r.send)
	}})
	l, to := h.oldHello(t)
	steps := []struct {
		body string
		want []string
	}{
		{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil},
		{`{"jsonrpc":"2.0","id":"p","method":"ping"}`, []string{`{"jsonrpc":"2.0","id":"p","result":{}}`}},
		{callOf("chatty"), []string{`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`,
			`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":2}}`, `{"jsonrpc":"2.0","id":1,"result":{"text":"done"}}`}},
		{callOf("ask"), []string{`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"who?","n":1e400,"_meta":{"progressToken":1}}}`}},
		{`{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}`, []string{`{"jsonrpc":"2.0","id":1,"result":{"got":{"jsonrpc":"2.0","id":"theirs","result":{"action":"accept"}}}}`}},
		{`{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}`, []string{`{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"initialize comes first, and once"}}`}},
		{`{"jsonrpc":"2.0","id":3,"method":"tools/list"}`, []string{`{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"b__chatty","inputSchema":{"type":"object"}},{"name":"b__ask","inputSchema":{"type":"object"}}]}}`}},
	}
	for _, step := range steps {
		if a := h.post(t, step.body, to...); a.status != http.StatusAccepted || a.body != "" {
			t.Errorf("%s: %+v", step.body, a)
		}
		for _, want := range step.want {
			if got := l.next(t, false); got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", step.body, got, want)
			}
		}
	}
	h.show(nil, "other")
	h.Changed()
	if got := l.next(t, false); got != changed {
		t.Errorf("got %s", got)
	}
	// The session ends with its stream.
	l.res.Body.Close()
	await(t, "the end of the session", func() bool { return h.sessions.count() == 0 && h.oldCount() == 0 })
	if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, to...); a.status != 404 || !strings.Contains(a.body, "open /sse again") {
		t.Errorf("afterwards: %+v", a)
	}
	if left := h.left(); len(left) != 1 {
		t.Errorf("told of %q", left)
	}
}

func TestOldTransportRefuses(t *testing.T) {
	h := start(t, func(c *Config) { c.MaxBody = 1000 })
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	l, to := h.oldOpen(t, "")
	for name, test := range map[string]struct {
		verb, body string
		header     []string
		status     int
	}{
		"POST to /sse": {"POST", ping, []string{"Path", "/sse"}, 405}, "DELETE of /sse": {"DELETE", "", []string{"Path", "/sse"}, 405},
		"GET of /messages": {"GET", "", []string{"Path", "/messages"}, 405}, "unknown session": {"POST", ping, []string{"Path", "/messages", "Query", "sessionId=x"}, 404},
		"no session": {"POST", ping, []string{"Path", "/messages"}, 404}, "unknown scope": {"GET", "", []string{"Path", "/sse/none"}, 404},
		"no JSON": {"POST", `{`, to, 400}, "batch": {"POST", `[` + ping + `]`, to, 400}, "too large": {"POST", ping + strings.Repeat(" ", 1000), to, 413},
		"text": {"POST", ping, append([]string{"Content-Type", "text/plain"}, to...), 415}, "evil origin": {"POST", ping, append([]string{"Origin", "https://evil.com"}, to...), 403},
		"evil host": {"GET", "", []string{"Path", "/sse", "Host", "evil.com"}, 403},
	} {
		a := h.do(t, test.verb, test.body, test.header...)
		if a.status != test.status || !strings.Contains(a.body, `"error":{"code":`) || test.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	// Before initialize there is nothing else.
	h.post(t, ping, to...)
	if got := l.next(t, false); !strings.Contains(got, `"id":1,"error":{"code":-32600,"message":"initialize comes first, and once"}`) {
		t.Errorf("got %s", got)
	}
	h.post(t, `{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}`, to...)
	if got := l.next(t, false); !strings.Contains(got, `"id":2,"error":{"code":-32602`) {
		t.Errorf("got %s", got)
	}
	if n := h.sessions.count(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// Of two that initialize at once, one opens the session.
func TestOldTransportBeginsOnce(t *testing.T) {
	h := start(t, nil)
	l, to := h.oldOpen(t, "")
	var posts sync.WaitGroup
	defer posts.Wait()
	for i := range 8 {
		posts.Go(func() {
			h.post(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, i), to...)
		})
	}
	good := 0
	for range 8 {
		if strings.Contains(l.next(t, false), `"result"`) {
			good++
		}
	}
	if n := h.sessions.count(); good != 1 || n != 1 {
		t.Errorf("%d handshakes, %d sessions", good, n)
	}
}

// A stream that is lost cancels the client's calls, two under one id and those that
// are about to begin included, and leaves nothing.
func TestOldStreamIsLost(t *testing.T) {
	h := start(t, nil)
	arrived, ended := make(chan struct{}, 8), make(chan error, 8)
	h.stage(&player{name: "b", tools: []string{"t"}, capabilities: `{"resources":{}}`, resources: []string{"a:1"}, answer: func(ctx context.Context, _ request) string {
		arrived <- struct{}{}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ""
	}})
	l, to := h.oldHello(t)
	for range 3 {
		h.post(t, callOf("t"), to...)
		<-arrived
	}
	h.post(t, subscription("subscribe", "a:1"), to...)
	l.next(t, false)
	l.res.Body.Close()
	for range 3 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("ended without a cause")
			}
		case <-time.After(patience):
			t.Fatal("a call goes on that nobody waits for")
		}
	}
	await(t, "the end of the session", func() bool { return h.sessions.count() == 0 && h.oldCount() == 0 })
	if left := h.watching("b"); left != nil {
		t.Errorf("watched %q", left)
	}

	s := h.sessions.open(hello{Version: "2024-11-05"})
	s.cancelAll()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer s.began("1", cancel)()
	if ctx.Err() == nil {
		t.Error("a call began that nobody waits for")
	}
}

// What one client may have under way, and how many may come, is bounded.
func TestOldTransportIsBounded(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(ctx context.Context, _ request) string { <-ctx.Done(); return "" }})
	l, to := h.oldHello(t)
	c := h.old.get(strings.TrimPrefix(to[3], "sessionId="))
	await(t, "the end of the handshake", func() bool { return len(c.places) == 0 })
	for i := range maxOldCalls {
		if a := h.post(t, strings.Replace(callOf("t"), `"id":1`, fmt.Sprintf(`"id":%d`, i), 1), to...); a.status != http.StatusAccepted {
			t.Fatalf("call %d: %+v", i, a)
		}
	}
	if a := h.post(t, callOf("t"), to...); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "too many requests are under way") {
		t.Errorf("one too many: %+v", a)
	}
	l.res.Body.Close()
	await(t, "the end of the session", func() bool { return h.oldCount() == 0 })
	for i := range maxOld {
		if !h.old.add(&oldClient{id: fmt.Sprint(i)}) {
			t.Fatalf("client %d was refused", i)
		}
	}
	if a := h.do(t, "GET", "", "Path", "/sse"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "use /mcp, which needs none") {
		t.Errorf("one too many: %+v", a)
	}
}

// The stream is kept alive, by nothing that a client of that time would choke on.
func TestOldStreamIsKeptAlive(t *testing.T) {
	h := start(t, func(c *Config) { c.KeepAlive = 10 * time.Millisecond })
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	h.stage(&player{name: "b", tools: []string{"t"}, answer: func(context.Context, request) string { <-goOn; return `"result":{}` }})
	l, to := h.oldOpen(t, "/b")
	l.next(t, true)
	h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":`+able+`}}`, to...)
	l.next(t, false)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}`, to...)
	// Both the stream and the call say that they live, the call by comments alone.
	timer := time.AfterFunc(patience, func() { l.res.Body.Close() })
	defer timer.Stop()
	for comments := 0; comments < 20; {
		line, err := l.ReadString('\n')
		if err != nil || line != ": keep-alive\n" && line != "\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if line != "\n" {
			comments++
		}
	}
	release()
	if got := l.next(t, false); got != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Errorf("got %q", got)
	}
}

// It ends with the gateway.
func TestOldStreamEndsWithTheGateway(t *testing.T) {
	h := start(t, nil)
	before, _ := h.oldOpen(t, "")
	l, _ := h.oldHello(t)
	h.EndStreams()
	for _, stream := range []*lines{before, l} {
		if got := stream.next(t, false); got != "" {
			t.Errorf("got %s", got)
		}
	}
	await(t, "the end of the session", func() bool { return h.sessions.count() == 0 && h.oldCount() == 0 })
}

// A client of the Go SDK, over its own transport of that time.
func TestOldTransportWithAClient(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "b", tools: []string{"ask", "progress"}, prompts: []string{"p"}, answer: func(ctx context.Context, r request) string {
		switch {
		case r.Method == "prompts/get":
			return `"result":{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}]}`
		case strings.Contains(string(r.Raw), `"ask"`):
			got := r.ask(ctx, `{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}}`)
			if !strings.Contains(got, `"id":7`) || !strings.Contains(got, `"accept"`) {
				t.Errorf("the client answered %s", got)
			}
		default:
			token := string(r.MetaProgressToken.In(r.Raw))
			for i := range 3 {
				r.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d}}`, token, i+1))
			}
		}
		return `"result":{"content":[{"type":"text","text":"done"}]}`
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	progress, changes := make(chan float64, 3), make(chan struct{}, 8)
	c := sdk.NewClient(&sdk.Implementation{Name: "c", Version: "1"}, &sdk.ClientOptions{
		ElicitationHandler: func(context.Context, *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			return &sdk.ElicitResult{Action: "accept"}, nil
		},
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { progress <- r.Params.Progress },
		ToolListChangedHandler:      func(context.Context, *sdk.ToolListChangedRequest) { changes <- struct{}{} },
	})
	session, err := c.Connect(ctx, &sdk.SSEClientTransport{Endpoint: strings.TrimSuffix(h.url, "/mcp") + "/sse"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := session.ListTools(ctx, nil)
	if err != nil || len(tools.Tools) != 2 {
		t.Fatalf("%v, %v", tools, err)
	}
	for _, name := range []string{"b__ask", "b__progress"} {
		params := &sdk.CallToolParams{Name: name}
		params.SetProgressToken("p")
		res, err := session.CallTool(ctx, params)
		if err != nil || len(res.Content) != 1 || res.IsError {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
	for i := range 3 {
		if got := <-progress; got != float64(i+1) {
			t.Errorf("progress %v, want %d", got, i+1)
		}
	}
	if res, err := session.GetPrompt(ctx, &sdk.GetPromptParams{Name: "b__p"}); err != nil || len(res.Messages) != 1 {
		t.Errorf("%+v, %v", res, err)
	}
	h.show(nil, "other")
	h.Changed()
	select {
	case <-changes:
	case <-ctx.Done():
		t.Error("the client did not hear of the change")
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	await(t, "the end of the session", func() bool { return h.sessions.count() == 0 && h.oldCount() == 0 })
}
