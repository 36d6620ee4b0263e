package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// A request of the server may have the id of one of ours, and is no answer to it.
func TestSSEIDsMayCollide(t *testing.T) {
	b := newSSEBackend(t)
	u := startSSE(t, b, quick())
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		b.of(q).out <- `{"jsonrpc":"2.0","id":` + q.id + `,"method":"ping"}`
		await(t, "answering the ping", func() bool { return len(b.asked("POST")) == 1 })
		b.reply(w, q, `{"text":"done"}`)
	})
	mustCall(t, u, "a", "echo", "done")
	if got := b.asked("POST")[0].body; !strings.HasSuffix(got, `"result":{}}`) {
		t.Errorf("ping answered by %s", got)
	}
}

// The end of the stream ends the calls that it carried, at once; the next call opens
// another.
func TestSSEStreamLoss(t *testing.T) {
	b := newSSEBackend(t)
	cfg := quick()
	cfg.CallTimeout = time.Hour
	u := startSSE(t, b, cfg)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		w.WriteHeader(http.StatusAccepted)
		close(b.of(q).end)
	})
	_, err := call(t, u, "a", "echo")
	var lost *UnavailableError
	if !errors.As(err, &lost) || lost.NotRun {
		t.Errorf("call: %v", err)
	}
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { b.reply(w, q, `{"text":"done"}`) })
	mustCall(t, u, "a", "echo", "done")
	if n := len(b.asked("tools/call")); n != 2 {
		t.Errorf("%d calls arrived", n)
	}
}

// An answer counts although the server ends the stream behind it.
func TestSSEAnswerBeforeTheEnd(t *testing.T) {
	b := newSSEBackend(t)
	u := startSSE(t, b, quick())
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		s := b.of(q)
		select {
		case <-s.end: // the client has not noticed yet
			w.WriteHeader(http.StatusNotFound)
			return
		default:
		}
		s.out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
		close(s.end)
		w.WriteHeader(http.StatusAccepted)
	})
	for range 20 {
		mustCall(t, u, "a", "echo", "done")
	}

	ended := make(chan struct{})
	close(ended)
	for range 100 { // a select between the two would fail in half of them
		in := newInbox()
		in.put([]byte("answer"), 100)
		if raw, err := in.take(context.Background(), ended); err != nil || string(raw) != "answer" {
			t.Fatalf("take: %q, %v", raw, err)
		}
		if _, err := in.take(context.Background(), ended); err != errStreamEnded {
			t.Fatalf("take at the end: %v", err)
		}
	}
}

// A client that reads slowly loses its own call and no other.
func TestSSESlowReader(t *testing.T) {
	for name, message := range map[string]string{
		"many messages": `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`,
		"large ones":    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"message":"` + strings.Repeat("x", 300_000) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newSSEBackend(t)
			u := startSSE(t, b, quick())
			count := maxWaiting + 50
			if name == "large ones" {
				count = 10
			}
			sent, block := make(chan struct{}), make(chan struct{})
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				w.WriteHeader(http.StatusAccepted)
				for range count {
					b.of(q).out <- fmt.Sprintf(message, q.id)
				}
				close(sent)
			})
			slow := &ask{tool: "echo", onNotify: func() { <-block }}
			done := make(chan error)
			go func() { done <- u.Call(context.Background(), slow) }()
			<-sent
			b.handle("tools/call", func(w http.ResponseWriter, q *question) { b.reply(w, q, `{"text":"done"}`) })
			mustCall(t, u, "", "echo", "done") // over the same stream
			close(block)
			if err := <-done; !errors.Is(err, errOverflow) {
				t.Errorf("the slow call: %v", err)
			}
		})
	}
}

// One message of the largest size always fits.
func TestSSELargestMessage(t *testing.T) {
	b := newSSEBackend(t)
	cfg := quick()
	u := startSSE(t, b, cfg)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		b.reply(w, q, `{"text":"done","pad":"`+strings.Repeat("x", int(cfg.MaxMessage)-200)+`"}`)
	})
	mustCall(t, u, "", "echo", "done")
}

// The endpoint event cannot send the user's headers to another server.
func TestSSEEndpointElsewhereIsRefused(t *testing.T) {
	other := newBackend(t)
	for _, first := range []string{other.URL + "/message", "//" + other.Listener.Addr().String() + "/message", "https:/message", "http://[::bad"} {
		b := newSSEBackend(t)
		b.first = first
		want := at(b.URL + "/sse")
		want.Headers = map[string]string{"Authorization": "Bearer secret"}
		u := start(t, want, quick())
		s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
		if want.Transport = discovery.TransportSSE; isReady(s) {
			t.Errorf("endpoint %s was taken", first)
		}
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	if len(other.seen) > 0 {
		t.Errorf("the other server was asked: %v", other.seen)
	}
}

// A server that refuses the session of a stream which is still open gets another
// stream, and the first does not stay.
func TestSSELostSession(t *testing.T) {
	b := newSSEBackend(t)
	u := startSSE(t, b, quick())
	lost := map[string]bool{}
	var mu sync.Mutex
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		mu.Lock()
		known := lost[q.URL.Query().Get("n")]
		lost[q.URL.Query().Get("n")] = true
		mu.Unlock()
		if known { // each stream is good for one call
			http.Error(w, "Could not find session", http.StatusNotFound)
			return
		}
		b.reply(w, q, `{"text":"done"}`)
	})
	open := 0
	var count sync.Mutex
	get := b.on["GET"]
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		count.Lock()
		open++
		count.Unlock()
		get(w, q)
		count.Lock()
		open--
		count.Unlock()
	})
	for range 5 {
		mustCall(t, u, "a", "echo", "done")
	}
	await(t, "one stream being left", func() bool { // the gateway's own was open before it was counted
		count.Lock()
		defer count.Unlock()
		return open == 1
	})
}

// Progress finds its call by the token, whatever else runs on the stream.
func TestSSEMessagesFindTheirCall(t *testing.T) {
	b := newSSEBackend(t)
	u := startSSE(t, b, quick())
	var both sync.WaitGroup
	both.Add(2)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		w.WriteHeader(http.StatusAccepted)
		both.Done()
		go func() {
			both.Wait()
			s := b.of(q)
			s.out <- fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, q.id)
			s.out <- `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"whose?"}}`
			s.out <- `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"nobody's","progress":1}}`
			s.out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{}}`, q.id)
		}()
	})
	asks := []*ask{{tool: "echo"}, {tool: "echo"}}
	var calls sync.WaitGroup
	for _, a := range asks {
		calls.Go(func() {
			if err := u.Call(context.Background(), a); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, a := range asks {
		_, got := a.got()
		// The other call may have been over, and this one the only one.
		got = slices.DeleteFunc(got, func(m string) bool { return strings.Contains(m, "whose?") })
		if want := fmt.Sprintf(`"progressToken":%d,`, a.ids[0]); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("call %d got %q", a.ids[0], got)
		}
	}
}

func TestSSESilentStart(t *testing.T) {
	b := newBackend(t)
	b.handle("GET", func(w http.ResponseWriter, q *question) { stream(w); hang(w, q) })
	want := at(b.URL + "/sse")
	want.Transport = discovery.TransportSSE
	cfg := quick()
	cfg.ConnectTimeout = 100 * time.Millisecond
	s := awaitState(t, start(t, want, cfg), "failing", func(s *State) bool { return s.Reason != "" })
	if !strings.Contains(s.Reason, "no event stream within") {
		t.Errorf("reason %q", s.Reason)
	}
}
