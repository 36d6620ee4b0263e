package downstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

func updated(t *testing.T, uri, more string) *wire.Message {
	t.Helper()
	m := new(wire.Message)
	if err := m.Scan([]byte(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"` + uri + `"` + more + `}}`)); err != nil {
		t.Fatal(err)
	}
	return m
}

func subscription(verb, uri string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"resources/` + verb + `","params":{"uri":"` + uri + `"}}`
}

// A session watches resources: the backend is told, updates come on its stream, and
// all ends with it.
func TestSubscribe(t *testing.T) {
	h := start(t, nil)
	one, two := pair(new(echoes), nil)
	h.stage(one, two)
	s, other := h.initialize(t), h.initialize(t)
	l, silent := h.open(t, "GET", "", s...), h.open(t, "GET", "", other...)
	for _, uri := range []string{"a:1", "mcp-gw+two+a:both", "note://7", "a:1"} { // the last one again
		if a := h.post(t, subscription("subscribe", uri), s...); a.body != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("%s: %s", uri, a.body)
		}
	}
	h.post(t, subscription("subscribe", "a:1"), other...)
	if got := h.noted(&h.watched); !slices.Equal(got, []string{"+one a:1", "+two a:both", "+one note://7", "+one a:1"}) {
		t.Errorf("backends were told %q", got)
	}
	watched := h.watching("one")
	if !slices.Equal(watched, []string{"a:1", "a:1", "note://7"}) {
		t.Errorf("watched %q", watched)
	}
	// The gateway's own subscription shows in _meta, and to nobody.
	m := updated(t, "a:1", `,"title":1e400,"_meta":{"io.modelcontextprotocol/subscriptionId":5,"x":1}`)
	h.Updated("one", m)
	clear(m.Raw) // it is valid only during the call
	want := `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1","title":1e400,"_meta":{"x":1}}}`
	for _, stream := range []*lines{l, silent} {
		if got := stream.next(t, false); got != want {
			t.Errorf("got %s", got)
		}
	}
	h.Updated("two", updated(t, "a:both", ""))
	if got := l.next(t, false); !strings.Contains(got, `"uri":"mcp-gw+two+a:both"`) {
		t.Errorf("got %s", got)
	}
	for _, m := range []*wire.Message{updated(t, "a:other", ""), updated(t, "a:both", "")} { // of another backend, that is
		h.Updated("one", m)
	}
	none := new(wire.Message)
	_ = none.Scan([]byte(`{"jsonrpc":"2.0","method":"notifications/resources/updated"}`))
	h.Updated("one", none)
	// Unsubscribed, it is silent, and a second time harms nothing.
	for range 2 {
		if a := h.post(t, subscription("unsubscribe", "a:1"), s...); a.body != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("unsubscribe: %s", a.body)
		}
	}
	h.Updated("one", updated(t, "a:1", ""))
	h.Updated("one", updated(t, "note://7", ""))
	if got := l.next(t, false); !strings.Contains(got, `"uri":"note://7"`) {
		t.Errorf("got %s", got)
	}
	// With the session its watches end.
	h.do(t, "DELETE", "", s...)
	got := h.noted(&h.watched)[4:]
	slices.Sort(got[1:])
	if !slices.Equal(got, []string{"-one a:1", "-one note://7", "-two a:both"}) {
		t.Errorf("backends were told %q", got)
	}
	if left := h.watching("one"); !slices.Equal(left, []string{"a:1"}) || h.watching("two") != nil {
		t.Errorf("watched %q", left)
	}
	h.do(t, "DELETE", "", other...)
	if n := len(h.watches.subs); n != 0 {
		t.Errorf("%d resources are watched by nobody", n)
	}
}

func TestSubscribeRefused(t *testing.T) {
	h := start(t, nil)
	one, two := pair(new(echoes), nil)
	h.stage(one, two)
	s := h.initialize(t)
	h.mu.Lock()
	h.subscribe = func(_ context.Context, backend, uri string) error {
		switch {
		case strings.HasPrefix(uri, "a:"):
			return &upstream.RefusedError{Object: []byte(`{"code":-32002,"message":"no \u2028","data":1e400}`), Code: -32002}
		case backend == "one" && uri == "z:two":
			return errors.New("not mine")
		case uri == "z:two":
			return nil
		}
		return errors.New("it is down")
	}
	h.mu.Unlock()
	for uri, want := range map[string]string{
		"a:1":   `{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"no \u2028","data":1e400}}`,
		"z:z":   `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"it is down"}}`,
		"z:two": `{"jsonrpc":"2.0","id":1,"result":{}}`, // the second that was asked has it
	} {
		if a := h.post(t, subscription("subscribe", uri), s...); a.status != 200 || a.body != want {
			t.Errorf("%s: %d %s", uri, a.status, a.body)
		}
	}
	if got := h.noted(&h.watched); !slices.Equal(got, []string{"+two z:two"}) || len(h.sessions.get(s[1]).subs) != 1 {
		t.Errorf("backends were told %q", got)
	}
	for _, params := range []string{`{}`, `{"uri":7}`, `null`} {
		for _, verb := range []string{"subscribe", "unsubscribe"} {
			a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/`+verb+`","params":`+params+`}`, s...)
			if a.status != 200 || !strings.Contains(a.body, `"code":-32602`) {
				t.Errorf("%s %s: %+v", verb, params, a)
			}
		}
	}
	h.stage()
	if a := h.post(t, subscription("subscribe", "a:1"), s...); !strings.Contains(a.body, `"code":-32002`) {
		t.Errorf("nobody has resources: %s", a.body)
	}
}

// A client may watch so much and no more, and is told.
func TestSubscriptionsAreBounded(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	h.stage(one)
	s := h.initialize(t)
	in := h.sessions.get(s[1])
	for i := range maxSubs {
		if _, ok := in.sub(&sub{resource: resource{"one", "x"}, exposed: fmt.Sprint(i)}); !ok {
			t.Fatalf("subscription %d was refused", i)
		}
	}
	if a := h.post(t, subscription("subscribe", "a:1"), s...); !strings.Contains(a.body, `"error":{"code":-32603,"message":"a client can watch 1000 resources at most`) {
		t.Errorf("one too many: %s", a.body)
	}
	if a := h.post(t, subscription("subscribe", "7"), s...); !strings.Contains(a.body, `"result":{}`) {
		t.Errorf("one that is watched already: %s", a.body)
	}
	if got := h.noted(&h.watched); len(got) != 0 {
		t.Errorf("backends were told %q", got)
	}
}

// A session that ends while a subscription begins does not leave it behind.
func TestSessionEndsWhileSubscribing(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	h.stage(one)
	s := h.initialize(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	h.mu.Lock()
	h.subscribe = func(context.Context, string, string) error { close(arrived); <-goOn; return nil }
	h.mu.Unlock()
	got := make(chan answer)
	go func() { got <- h.post(t, subscription("subscribe", "a:1"), s...) }()
	<-arrived
	h.do(t, "DELETE", "", s...)
	close(goOn)
	if a := <-got; !strings.Contains(a.body, "the subscription was given up while it began") {
		t.Errorf("answered %s", a.body)
	}
	if got := h.noted(&h.watched); !slices.Equal(got, []string{"+one a:1", "-one a:1"}) {
		t.Errorf("backends were told %q", got)
	}
}

// subscriptions/listen watches resources too, and every message has the id of the
// request, with its type.
func TestListenToResources(t *testing.T) {
	for _, id := range []string{`"listen:0"`, `0`, `-7`, `""`, `"x\u0041\/"`, `12345678901234567890123`, `1.0`, `1e2`} {
		h := start(t, nil)
		one, two := pair(new(echoes), nil)
		h.stage(one, two)
		h.mu.Lock()
		h.subscribe = func(_ context.Context, _, uri string) error {
			if uri == "a:2" {
				return errors.New("no")
			}
			return nil
		}
		h.mu.Unlock()
		filter := `{"resourcesListChanged":true,"resourceSubscriptions":["a:1","mcp-gw+two+a:both",7,"a:1","a:2","n\u006fte://7",null],"unknown":true}`
		l := h.open(t, "POST", modernCall(id, "subscriptions/listen", `"notifications":`+filter), modernHeader("subscriptions/listen", "")...)
		own := `"io.modelcontextprotocol/subscriptionId":` + id
		if got, want := l.next(t, false), `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{`+own+`},"notifications":{"resourcesListChanged":true,"resourceSubscriptions":["a:1","mcp-gw+two+a:both","n\u006fte://7"]}}}`; got != want {
			t.Errorf("acknowledged %s\nwant         %s", got, want)
		}
		for _, test := range []struct{ backend, uri, more, want string }{
			{"one", "a:1", "", `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{` + own + `},"uri":"a:1"}}`},
			{"two", "a:both", `,"_meta":{}`, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"mcp-gw+two+a:both","_meta":{` + own + `}}}`},
			{"two", "a:2", "", ""}, {"one", "a:both", "", ""},
			{"one", "note://7", `,"_meta":{"io.modelcontextprotocol/subscriptionId":"theirs","x":1}`, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"note://7","_meta":{` + own + `,"x":1}}}`},
			{"one", "a:1", `,"_meta":null`, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1","_meta":{` + own + `}}}`},
		} {
			h.Updated(test.backend, updated(t, test.uri, test.more))
			if test.want != "" {
				if got := l.next(t, false); got != test.want {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
			}
		}
		h.EndStreams()
		if got := l.next(t, false); got != `{"jsonrpc":"2.0","id":`+id+`,"result":{"resultType":"complete","_meta":{`+own+`}}}` {
			t.Errorf("ended with %s", got)
		}
		await(t, "unsubscribing", func() bool { return len(h.noted(&h.watched)) == 6 })
		if left := h.watching("one"); left != nil {
			t.Errorf("watched %q", left)
		}
	}
}

// A client that leaves takes its watches with it, and a slow one does not hold up the
// rest.
func TestListenerLeaves(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	h.stage(one)
	ctx, cancel := context.WithCancel(context.Background())
	res, err := http.DefaultClient.Do(h.request(ctx, t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"resourceSubscriptions":["a:1"]}`), modernHeader("subscriptions/listen", "")...))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	await(t, "subscribing", func() bool { return len(h.watching("one")) == 1 })
	cancel()
	await(t, "unsubscribing", func() bool { return len(h.watching("one")) == 0 })

	l := &listening{meta: `"_meta":{"s":1}`, updates: make(chan []byte, maxWaitingUpdates)}
	for range 2 * maxWaitingUpdates {
		l.update([]byte(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}`))
	}
	l.update([]byte(`rubbish`))
	if len(l.updates) != maxWaitingUpdates {
		t.Errorf("%d updates wait", len(l.updates))
	}
}

// Listening to more resources than may be watched honours as many as may.
func TestListenIsBounded(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	h.stage(one)
	var uris []string
	for i := range maxSubs + 10 {
		uris = append(uris, fmt.Sprintf(`"note://%d"`, i))
	}
	l := h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"resourceSubscriptions":[`+strings.Join(uris, ",")+`]}`), modernHeader("subscriptions/listen", "")...)
	if got := l.next(t, false); strings.Count(got, "note://") != maxSubs {
		t.Errorf("%d are honoured", strings.Count(got, "note://"))
	}
	for _, filter := range []string{`"x"`, `7`, `null`, `[]`} {
		if a := h.post(t, modernCall("1", "subscriptions/listen", `"notifications":`+filter), modernHeader("subscriptions/listen", "")...); a.status != 400 || !strings.Contains(a.body, "-32602") {
			t.Errorf("%s: %+v", filter, a)
		}
	}
}

// Each kind of list is told of under its name, in both eras.
func TestChangesOfEveryKind(t *testing.T) {
	h := start(t, nil)
	one, _ := pair(new(echoes), nil)
	h.stage(one)
	s := h.initialize(t)
	l := h.open(t, "GET", "", s...)
	listen := h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}`), modernHeader("subscriptions/listen", "")...)
	listen.next(t, false)
	deaf := h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"promptsListChanged":true}`), modernHeader("subscriptions/listen", "")...)
	deaf.next(t, false)
	for k, name := range map[int]string{0: "tools", 1: "prompts", 2: "resources", 3: "resources"} {
		old := h.View()
		changed := *old.Scopes[""]
		changed.Versions[k]++
		h.view.Store(&View{Scopes: map[string]*Scope{"": &changed}})
		h.Changed()
		method := `"method":"notifications/` + name + `/list_changed"`
		if got := l.next(t, false); !strings.Contains(got, method) {
			t.Errorf("kind %d: %s", k, got)
		}
		if got := listen.next(t, false); !strings.Contains(got, method) || !strings.Contains(got, `subscriptionId":1`) {
			t.Errorf("kind %d: %s", k, got)
		}
		if name == "prompts" {
			if got := deaf.next(t, false); !strings.Contains(got, method) {
				t.Errorf("prompts: %s", got)
			}
		}
	}
	h.EndStreams()
	if got := deaf.next(t, false); !strings.Contains(got, `"resultType":"complete"`) {
		t.Errorf("what nobody listens to: %s", got)
	}
}

// A client that subscribed in its own session with a backend hears of a resource by
// that session alone, so that nothing reaches it twice, and others by the gateway's.
func TestSubscribedInItsOwnSession(t *testing.T) {
	h := start(t, nil)
	one, two := pair(new(echoes), nil)
	h.stage(one, two)
	h.mu.Lock()
	h.own = true
	h.mu.Unlock()
	s := h.initialize(t)
	lane := h.sessions.get(s[1]).lane
	l := h.open(t, "GET", "", s...)
	modern := h.open(t, "POST", modernCall("1", "subscriptions/listen", `"notifications":{"resourceSubscriptions":["mcp-gw+one+a:both"]}`), modernHeader("subscriptions/listen", "")...)
	modern.next(t, false)
	h.post(t, subscription("subscribe", "mcp-gw+one+a:both"), s...)
	h.Updated("one", updated(t, "a:both", `,"by":"the gateway's"`))
	if got := modern.next(t, false); !strings.Contains(got, "mcp-gw+one+a:both") {
		t.Errorf("got %s", got)
	}
	lane.Inbox.Notified("two", updated(t, "a:both", `,"by":"another backend"`))
	lane.Inbox.Notified("one", updated(t, "a:1", `,"by":"what is not watched"`))
	own := updated(t, "a:both", `,"by":"its own"`)
	lane.Inbox.Notified("one", own)
	clear(own.Raw) // it is valid only during the call
	if got := l.next(t, false); got != `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"mcp-gw+one+a:both","by":"its own"}}` {
		t.Errorf("got %s", got)
	}
	h.EndStreams()
	if got := modern.next(t, false); !strings.Contains(got, `"resultType":"complete"`) {
		t.Errorf("got %s", got)
	}
}
