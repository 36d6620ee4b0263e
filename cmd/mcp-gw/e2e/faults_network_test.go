package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The network between the gateway and a backend breaks, and then only stands still.
func TestRestartsOfTheNetworkBehind(t *testing.T) {
	t.Parallel()
	for _, kind := range choirKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const silence = 3 * time.Second
			g := startGateway(t, fmt.Sprintf("MCP_GW_CALL_TIMEOUT=%v", silence), "MCP_GW_CONNECT_TIMEOUT=2s", "MCP_GW_PING_INTERVAL=1s")
			c := newChoir(t, kind)
			between := newStrait(t, c.address)
			g.connect(t, kind, between.url(strings.TrimPrefix(c.url(), "http://"+c.address)), c.transport())
			healthy := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
			g.connect(t, "healthy", healthy.url, "http")
			loop := startLoop(t, g, "healthy__fine")
			for _, how := range []string{"cut", "frozen"} {
				scenes := []*scene{setScene(t, g.mcp(), c, "legacy"+how, false), setScene(t, g.mcp(), c, "modern"+how, true)}
				for _, s := range scenes {
					s.hears(t, "before it is "+how)
				}
				if how == "cut" {
					between.cut()
				} else {
					// While a person thinks about a question that may be of any call of the
					// session, none of them is given up.
					if kind == "sse" {
						scenes[0].answer(t)
						receive(t, "the answered call to end", scenes[0].asking).succeeded(t, "the answered call")
					}
					between.freeze()
				}
				for _, s := range scenes {
					o := receive(t, s.name+"'s reporting call to end", s.reporting)
					o.failed(t, s.name+" client, the reporting call, "+how)
					if how == "frozen" && (o.after > silence+5*time.Second) {
						t.Errorf("%s: the reporting call failed after %v only, want about %v", s.name, o.after, silence)
					}
				}
				if how == "frozen" {
					for _, s := range scenes { // calls begun now end too
						v := s.verse("begun", part{})
						start := time.Now()
						m, err := s.sing(within(t, 2*patience), v)
						ending{m, err, time.Since(start)}.failed(t, s.name+" client, a call begun while it is frozen")
					}
				}
				between.thaw()
				for _, s := range scenes {
					eventually(t, s.name+"'s calls to work again", func() bool {
						m, err := s.sing(within(t, patience), s.verse("again", part{}))
						return err == nil && m.text() == ""
					})
					s.hears(t, "after it was "+how)
					s.complaints(t)
					s.leave()
				}
			}
			once(t, c)
			loop.stop(t)
		})
	}
}

// The network between a client and the gateway breaks: a legacy client takes its
// call's stream up where it was, a modern one calls again with what it was asked.
func TestRestartsOfTheNetworkBefore(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	address := strings.TrimPrefix(g.url, "http://")
	for _, kind := range choirKinds {
		c := newChoir(t, kind)
		g.connect(t, kind, c.url(), c.transport())
		between := newStrait(t, address)

		// A modern client's lost connection is its way to cancel; what it was asked
		// before it can still answer.
		m := setScene(t, between.url("/mcp"), c, "m"+kind, true)
		nonce := ""
		c.mu.Lock()
		for n := range c.ran {
			if strings.Contains(n, "-reports ") {
				nonce = n
			}
		}
		c.mu.Unlock()
		between.cut()
		if o := receive(t, "the reporting call to end", m.reporting); o.err == nil {
			t.Errorf("%s: a call over a cut connection was answered %.300s", kind, o.m.raw)
		}
		eventually(t, kind+": the call whose client is gone to be cancelled", func() bool { return c.how(nonce) == "cancelled" })
		m.finish(t).succeeded(t, kind+": the input after the cut")
		m.leave()
		m.watch(t)
		m.hears(t, "after the cut")

		// A legacy client's call goes on; its stream can be taken up again.
		l := newSinger(t, between.url("/mcp"), "l"+kind, false)
		if err := l.hello(t.Context()); err != nil {
			t.Fatal(err)
		}
		v := verse{tool: kind + "__sing", part: part{Mark: l.name + "-silent", Nonce: "resumed " + kind, Progress: 10, Asks: true}}
		id, question := l.lose(t, between, v)
		messages := l.resume(t, id)
		if err := l.say(t.Context(), `{"jsonrpc":"2.0","id":`+string(question.ID)+`,"result":`+accept(question.Params.Message)+`}`); err != nil {
			t.Fatal(err)
		}
		reports := 0
		for done := false; !done; {
			got := receive(t, kind+": the rest of the resumed stream", messages)
			switch {
			case got.Method == "notifications/progress":
				reports++
			case got.Method == "":
				done = true
				if got.text() != "" || len(got.Result.Content) != 2 || got.Result.Content[1]["text"] != "accept "+l.name+"-silent!" {
					t.Errorf("%s: the answer on the resumed stream: %.300s", kind, got.raw)
				}
			}
		}
		if reports != 5 {
			t.Errorf("%s: %d reports on the resumed stream, want the last 5", kind, reports)
		}

		// One whose network stands still holds up nobody, and misses nothing.
		slow := newSinger(t, between.url("/mcp"), "slow"+kind, false)
		if err := slow.hello(t.Context()); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		steps := 0
		first := make(chan struct{})
		go func() {
			_, err := slow.sing(within(t, 2*patience), verse{tool: kind + "__sing", on: func(*message) {
				if steps++; steps == 1 {
					close(first)
				}
			}, part: part{Mark: slow.name + "-1", Nonce: "slow " + kind, Progress: 200, Pad: 20_000}})
			ended <- err
		}()
		receiveClosed(t, "the first report", first)
		between.freeze()
		quick := joinSinger(t, g.mcp(), "quick"+kind, false)
		for i := range 20 {
			mark := fmt.Sprintf("%s-%d", quick.name, i)
			if got, err := quick.sing(within(t, patience), verse{tool: kind + "__sing", part: part{Mark: mark, Nonce: mark, Progress: 2}}); err != nil || got.text() != "" {
				t.Errorf("%s: a call beside a frozen client's: %v %.300s", kind, err, raw(got))
			}
		}
		between.thaw()
		if err := receive(t, "the frozen client's call", ended); err != nil || steps != 200 {
			t.Errorf("%s: the frozen client's call: %d reports of 200, %v", kind, steps, err)
		}
		once(t, c)
	}
}

// lose makes a call whose stream is cut when it was asked something, and answers the
// last event's id with the question.
func (s *singer) lose(t *testing.T, between *strait, v verse) (last string, question *message) {
	t.Helper()
	resp, err := s.post(within(t, patience), `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"`+v.tool+`","arguments":`+v.arguments()+`,`+s.meta(`"`+v.part.Mark+`"`)+`}}`, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := newSSEReader(resp.Body).lines
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended before the question: %v", err)
		}
		if id, ok := strings.CutPrefix(line, "id:"); ok {
			last = strings.TrimSpace(id)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && strings.Contains(data, "elicitation/create") {
			question, err = s.take(t.Context(), []byte(strings.TrimSpace(data)), v.part.Mark, `"`+v.part.Mark+`"`)
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
	between.cut()
	return last, question
}

// resume takes up the stream that ended after an event.
func (s *singer) resume(t *testing.T, last string) <-chan *message {
	t.Helper()
	if last == "" {
		t.Fatal("the stream's events had no ids")
	}
	var resp *http.Response
	ctx, cancel := context.WithCancel(t.Context())
	eventually(t, "a connection after the cut", func() bool {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Mcp-Session-Id", s.session)
		req.Header.Set("Last-Event-Id", last)
		var err error
		resp, err = s.http.Do(req)
		return err == nil && resp.StatusCode == http.StatusOK
	})
	out := make(chan *message, 1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for stream := newSSEReader(resp.Body); ; {
			_, data, err := stream.next()
			if err != nil {
				return
			}
			m, err := s.take(ctx, data, "", `"`+s.name+`-silent"`)
			if err != nil && !errors.Is(err, context.Canceled) {
				s.complain(err.Error())
			}
			if m != nil {
				out <- m
			}
		}
	}()
	t.Cleanup(func() { cancel(); resp.Body.Close(); <-done })
	return out
}
