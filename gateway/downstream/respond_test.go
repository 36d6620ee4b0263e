package downstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/gateway/bridge"
)

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
}

func fixed(member string) tool {
	return func(context.Context, string, func(string)) string { return member }
}

// slow answers after d, unless it is cancelled.
func slow(d time.Duration) tool {
	return func(ctx context.Context, _ string, _ func(string)) string {
		select {
		case <-time.After(d):
			return `"result":{"text":"slept"}`
		case <-ctx.Done():
			return ""
		}
	}
}

// chatty says something before it answers.
func chatty(_ context.Context, id string, send func(string)) string {
	send(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`)
	send(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + id + `,"progress":2}}`)
	return `"result":{"text":"done"}`
}

func callOf(name string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__` + name + `","_meta":{"progressToken":"p"}}}`
}

// What a call is answered with depends on what the client takes and on whether
// something comes before the response.
func TestFormOfAnswers(t *testing.T) {
	h := start(t, nil)
	h.show(map[string]tool{"plain": fixed(`"result":{"text":"done"}`), "chatty": chatty})
	s := h.initialize(t)
	const both = "application/json, text/event-stream"
	for _, test := range []struct {
		accept, tool string
		stream       bool
		messages     int
	}{
		{both, "plain", false, 1}, {both, "chatty", true, 3},
		{"text/event-stream,application/json;q=0.9", "chatty", true, 3},
		{"application/json", "plain", false, 1}, {"application/json", "chatty", false, 1},
		{"*/*", "chatty", false, 1}, {"-", "chatty", false, 1},
		{"text/event-stream", "plain", true, 1}, {"text/event-stream", "chatty", true, 3},
	} {
		a := h.post(t, callOf(test.tool), append([]string{"Accept", test.accept}, s...)...)
		want := "application/json"
		got := []string{a.body}
		if test.stream {
			want, got = "text/event-stream", messages(a.body)
		}
		if a.status != 200 || a.header.Get("Content-Type") != want || len(got) != test.messages || got[len(got)-1] != `{"jsonrpc":"2.0","id":1,"result":{"text":"done"}}` {
			t.Errorf("Accept %s, %s: %d %s %q", test.accept, test.tool, a.status, a.header.Get("Content-Type"), a.body)
			continue
		}
		if test.messages == 3 && (!strings.Contains(got[0], "notifications/message") || !strings.Contains(got[1], `"progressToken":"p"`)) {
			t.Errorf("Accept %s, %s: %q", test.accept, test.tool, got)
		}
	}
}

// Nobody on the way may take a long silence for death: a call becomes a stream with
// comments. A client that takes no stream waits in silence.
func TestSilentCallIsKeptAlive(t *testing.T) {
	h := start(t, func(c *Config) { c.KeepAlive = 10 * time.Millisecond })
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	h.show(map[string]tool{"wait": func(context.Context, string, func(string)) string { <-goOn; return `"result":{"text":"done"}` }})
	s := h.initialize(t)
	l := h.open(t, "POST", callOf("wait"), s...)
	for range 3 {
		if got := l.next(t, true); got != ": keep-alive" {
			t.Errorf("got %q", got)
		}
	}
	silent := make(chan answer)
	go func() { silent <- h.post(t, callOf("wait"), append([]string{"Accept", "application/json"}, s...)...) }()
	time.Sleep(30 * time.Millisecond) // three times as long as a stream would be silent
	release()
	if got := l.next(t, false); !strings.Contains(got, "done") {
		t.Errorf("got %s", got)
	}
	if a := <-silent; a.header.Get("Content-Type") != "application/json" || !strings.Contains(a.body, "done") {
		t.Errorf("without streams: %+v", a)
	}
}

// A broken connection cancels a call of 2026-07-28 and none before: there, the
// client says so.
func TestDisconnect(t *testing.T) {
	h := start(t, nil)
	arrived, cancelled, goOn := make(chan struct{}), make(chan error, 1), make(chan struct{})
	h.show(map[string]tool{"wait": func(ctx context.Context, _ string, _ func(string)) string {
		arrived <- struct{}{}
		select {
		case <-ctx.Done():
			cancelled <- context.Cause(ctx)
		case <-goOn:
			cancelled <- nil
		}
		return `"result":{}`
	}})
	s := h.initialize(t)
	begin := func(body string, header []string) (leave func()) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if res, err := http.DefaultClient.Do(h.request(ctx, t, "POST", body, header...)); err == nil {
				res.Body.Close()
			}
		}()
		<-arrived
		return func() { cancel(); <-done }
	}
	begin(modernCall("1", "tools/call", `"name":"b__wait"`), modernHeader("tools/call", "b__wait"))()
	if err := <-cancelled; err == nil {
		t.Error("modern: not cancelled")
	}
	begin(callOf("wait"), s)()
	select {
	case err := <-cancelled:
		t.Fatalf("legacy: ended with %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	goOn <- struct{}{}
	if err := <-cancelled; err != nil {
		t.Errorf("legacy: %v", err)
	}

	// Cancelled by its id, and by no other client's equal id.
	other := h.initialize(t)
	leave := begin(callOf("wait"), s)
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	h.post(t, cancel, other...)
	h.post(t, cancel, "MCP-Protocol-Version", "2026-07-28")
	h.post(t, strings.Replace(cancel, "1}", `"1"}`, 1), s...)
	select {
	case err := <-cancelled:
		t.Fatalf("cancelled from elsewhere: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	h.post(t, cancel, s...)
	if err := <-cancelled; err != bridge.ErrCancelled {
		t.Errorf("cancelled with %v", err)
	}
	leave()
}

// Many clients with equal ids and tokens each get their own.
func TestConcurrentClients(t *testing.T) {
	h := start(t, nil)
	var meet sync.WaitGroup
	const clients = 64
	h.show(map[string]tool{"whose": func(_ context.Context, id string, send func(string)) string {
		meet.Done()
		meet.Wait() // all of them are under way
		for i := range 5 {
			send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"whose":%s}}`, id, i, id))
		}
		return `"result":{"whose":` + id + `}`
	}})
	sessions := make([][]string, clients)
	for i := range sessions {
		if i%2 == 0 {
			sessions[i] = h.initialize(t)
		}
	}
	for range 3 {
		meet.Add(clients)
		answers := make([]answer, clients)
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				if sessions[i] != nil {
					answers[i] = h.post(t, callOf("whose"), sessions[i]...)
				} else {
					body := strings.Replace(modernCall("1", "tools/call", `"name":"b__whose"`), `"_meta":{`, `"_meta":{"progressToken":"p",`, 1)
					answers[i] = h.post(t, body, modernHeader("tools/call", "b__whose")...)
				}
			})
		}
		all.Wait()
		seen := map[int]bool{}
		for i, a := range answers {
			var whose int
			for n, text := range messages(a.body) {
				var m struct {
					ID     int
					Params struct{ Progress, Whose int }
					Result struct{ Whose int }
				}
				decode(t, text, &m)
				if n == 0 {
					whose = m.Params.Whose
				}
				if n < 5 && (m.Params.Whose != whose || m.Params.Progress != n) || n == 5 && (m.Result.Whose != whose || m.ID != 1) || n > 5 {
					t.Errorf("client %d, message %d: %s", i, n, text)
				}
			}
			if whose == 0 || seen[whose] {
				t.Errorf("client %d: %d %q", i, a.status, a.body)
			}
			seen[whose] = true
		}
	}
}

// A large answer is written whole, and the next one on the same connection too.
func TestLargeAnswers(t *testing.T) {
	h := start(t, nil)
	pad := strings.Repeat("x", 1<<20)
	h.show(map[string]tool{"large": fixed(`"result":{"pad":"` + pad + `"}`), "chatty": chatty})
	s := h.initialize(t)
	for range 3 {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			if a := h.post(t, callOf("large"), append([]string{"Accept", accept}, s...)...); !strings.HasSuffix(strings.TrimSpace(a.last()), `"}}`) || len(a.last()) < len(pad) {
				t.Errorf("%s: %d bytes", accept, len(a.last()))
			}
		}
		h.post(t, callOf("chatty"), s...)
	}
}
