package downstream

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

const changed = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`

func TestStreamTellsOfChanges(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	l := h.open(t, "GET", "", s...)
	if l.res.Header.Get("X-Accel-Buffering") != "no" || l.res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("header: %v", l.res.Header)
	}
	for range 3 {
		h.show(nil, "other")
		h.Changed()
		if got := l.next(t, false); got != changed {
			t.Errorf("got %s", got)
		}
	}
	h.Changed() // without a change: nothing may come before the end
	if a := h.do(t, "DELETE", "", s...); a.status != http.StatusNoContent {
		t.Errorf("DELETE: %+v", a)
	}
	if got := l.next(t, false); got != "" {
		t.Errorf("without a change: %s", got)
	}
}

// A change between the client's list and its stream is told when the stream opens,
// also when the list is by then what it was before.
func TestChangeBeforeTheStream(t *testing.T) {
	for name, change := range map[string]func(*house){
		"one":            func(h *house) { h.show(nil, "other") },
		"there and back": func(h *house) { h.show(nil, "other"); h.show(nil, "echo") },
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, nil)
			h.show(nil, "echo")
			s := h.initialize(t)
			h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, s...)
			change(h)
			h.Changed()
			if got := h.open(t, "GET", "", s...).next(t, false); got != changed {
				t.Errorf("got %s", got)
			}
		})
	}
}

// A list that another client saw while it was different is told of again, although
// it is now what it was when the stream opened.
func TestThereAndBackIsTold(t *testing.T) {
	h := start(t, nil)
	h.show(nil, "echo")
	s := h.initialize(t)
	l := h.open(t, "GET", "", s...)
	h.show(nil, "other")
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, s...) // the client has the list between
	h.show(nil, "echo")
	h.Changed()
	if got := l.next(t, false); got != changed {
		t.Errorf("got %s", got)
	}
}

// A later page does not make an older first page current.
func TestPageAcrossAChange(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, s...)
	h.show(nil, "echo", "other")
	h.post(t, `{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"Yl9fZWNobw"}}`, s...)
	if got := h.open(t, "GET", "", s...).next(t, false); got != changed {
		t.Errorf("got %s", got)
	}
}

func TestNewestGETWins(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	first := h.open(t, "GET", "", s...)
	second := h.open(t, "GET", "", s...)
	if got := first.next(t, false); got != "" {
		t.Errorf("the first stream got %s", got)
	}
	h.show(nil, "other")
	h.Changed()
	if got := second.next(t, false); got != changed {
		t.Errorf("the second stream got %s", got)
	}
	if a := h.do(t, "GET", "", append([]string{"Accept", "application/json"}, s...)...); a.status != http.StatusNotAcceptable {
		t.Errorf("GET without Accept: %+v", a)
	}
}

func TestListen(t *testing.T) {
	for id, test := range map[string][2]string{ // what is asked for, and what is honoured: nobody has resources
		`"listen:0"`: {`{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:b"]}`, `{"toolsListChanged":true,"promptsListChanged":true}`},
		`0`:          {`{"toolsListChanged":true}`, `{"toolsListChanged":true}`},
	} {
		filter, honoured := test[0], test[1]
		h := start(t, nil)
		l := h.open(t, "POST", modernCall(id, "subscriptions/listen", `"notifications":`+filter), modernHeader("subscriptions/listen", "")...)
		subscription := `"_meta":{"io.modelcontextprotocol/subscriptionId":` + id + `}`
		want := []string{
			`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{` + subscription + `,"notifications":` + honoured + `}}`,
			`{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{` + subscription + `}}`,
			`{"jsonrpc":"2.0","id":` + id + `,"result":{"resultType":"complete",` + subscription + `}}`,
			"",
		}
		steps := []func(){func() {}, func() { h.show(nil, "other"); h.Changed() }, h.EndStreams, func() {}}
		for i, step := range steps {
			step()
			if got := l.next(t, false); got != want[i] {
				t.Errorf("message %d: %s\nwant %s", i, got, want[i])
			}
		}
		if l.res.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("header: %v", l.res.Header)
		}
	}
}

// A subscription to nothing that there is stays open and says nothing.
func TestListenToNothing(t *testing.T) {
	h := start(t, nil)
	l := h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"toolsListChanged":false}`), modernHeader("subscriptions/listen", "")...)
	if got := l.next(t, false); !strings.HasSuffix(got, `"notifications":{}}}`) {
		t.Errorf("acknowledged: %s", got)
	}
	h.show(nil, "other")
	h.Changed()
	h.EndStreams()
	if got := l.next(t, false); !strings.Contains(got, `"resultType":"complete"`) {
		t.Errorf("got %s", got)
	}
}

func TestStreamsAreKeptAlive(t *testing.T) {
	h := start(t, func(c *Config) { c.KeepAlive = 10 * time.Millisecond })
	for name, l := range map[string]*lines{
		"GET":    h.open(t, "GET", "", h.initialize(t)...),
		"listen": h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{}`), modernHeader("subscriptions/listen", "")...),
	} {
		for range 3 {
			if got := l.next(t, true); got != ": keep-alive" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// Streams that open while the gateway stops end at once, and each leaves nothing
// behind when its client goes.
func TestStreamsEnd(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	ctx, cancel := context.WithCancel(context.Background())
	res, err := http.DefaultClient.Do(h.request(ctx, t, "GET", "", s...))
	if err != nil {
		t.Fatal(err)
	}
	joined := func() int {
		h.hub.mu.Lock()
		defer h.hub.mu.Unlock()
		return len(h.hub.bells)
	}
	await(t, "joining", func() bool { return joined() == 1 })
	cancel()
	res.Body.Close()
	await(t, "leaving", func() bool { return joined() == 0 && !h.sessions.get(s[1]).busy() })
	h.EndStreams()
	h.EndStreams()
	if got := h.open(t, "GET", "", s...).next(t, false); got != "" {
		t.Errorf("got %s", got)
	}
}
