package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/server"
)

// Every way in which real servers say that they do not know a session.
func TestLostSessionIsReopenedOnce(t *testing.T) {
	for name, refuse := range map[string]http.HandlerFunc{
		"404": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", 404) },
		"404 and a JSON-RPC error with our id": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":%ID%,"error":{"code":-32001,"message":"Session not found"}}`)
		},
		"400 and a JSON-RPC error without an id": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			fmt.Fprint(w, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}`)
		},
		"401": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Unauthorized: Session not found", http.StatusUnauthorized)
		},
		"404 as an event stream": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(404)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			mustCall(t, u, "client", "echo", "done")
			before := len(b.asked("initialize"))
			var ran atomic.Int32
			b.handle("tools/call", func(w http.ResponseWriter, q *question) {
				b.mu.Lock()
				known := b.sessions[q.session]
				b.mu.Unlock()
				if !known {
					refuse(replacing{w, q.id}, q.Request)
					return
				}
				ran.Add(1)
				b.answer(w, q)
			})
			b.forget()
			mustCall(t, u, "client", "echo", "done")
			if ran.Load() != 1 {
				t.Errorf("the call ran %d times", ran.Load())
			}
			// One for the client's lane; the gateway's own session may be mended too.
			if n := len(b.asked("initialize")) - before; n < 1 || n > 2 {
				t.Errorf("initialized %d times, want once for the client", n)
			}
		})
	}
}

// replacing writes the question's id for %ID%.
type replacing struct {
	http.ResponseWriter
	id string
}

func (r replacing) Write(p []byte) (int, error) {
	_, err := r.ResponseWriter.Write([]byte(strings.ReplaceAll(string(p), "%ID%", r.id)))
	return len(p), err
}

// A backend that forgets every session at once must not be asked without end.
func TestSessionLostTwiceIsGivenUp(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	b.handle("tools/call", func(w http.ResponseWriter, _ *question) { http.NotFound(w, nil) })
	if _, err := call(t, u, "client", "echo"); err == nil || !strings.Contains(err.Error(), "session") {
		t.Errorf("call: %v", err)
	}
	if n := len(b.asked("tools/call")); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

// Many calls find the session lost; one of them opens the next.
func TestLostSessionIsReopenedByOneOfMany(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustCall(t, u, "client", "echo", "done")
	b.forget()
	before := len(b.asked("initialize"))
	errs := make(chan error)
	for range 20 {
		go func() {
			_, err := call(t, u, "client", "echo")
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(b.asked("initialize")) - before; n > 2 {
		t.Errorf("initialized %d times", n)
	}
}

// A request of the backend in the middle of a call is answered, and what becomes of
// that answer does not touch the call: taken for a lost session, it would run twice.
func TestRequestOfTheBackendInsideACall(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	answered := make(chan string, 10)
	b.handle("POST", func(w http.ResponseWriter, q *question) { // a response has no method
		answered <- q.body
		http.NotFound(w, q.Request)
	})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		send(w, `{"jsonrpc":"2.0","id":%s,"method":"ping"}`, q.id) // an id of its own, which is also ours
		send(w, `{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}}`)
		got := map[bool]string{}
		for range 2 {
			body := <-answered
			got[strings.Contains(body, `"s"`)] = body
		}
		if !strings.Contains(got[false], `"id":`+q.id+`,"result":{}`) || !strings.Contains(got[true], `"code":-32601`) {
			t.Errorf("answers: %v", got)
		}
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[],"n":%d}}`, q.id, len(b.asked("tools/call")))
	})
	mustCall(t, u, "client", "echo", `"n":1`)
}

// A backend may ask as much as it likes; it does not make the gateway work without
// bounds.
func TestFloodOfRequestsIsBounded(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	var now, most atomic.Int32
	b.handle("POST", func(w http.ResponseWriter, q *question) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		hang(w, q)
	})
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		for i := range 500 {
			fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}\n\n", i)
		}
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[],"text":"done"}}`, q.id)
	})
	mustCall(t, u, "", "echo", "done")
	if most.Load() > maxReplies {
		t.Errorf("%d replies at once, want at most %d", most.Load(), maxReplies)
	}
}

// The real server, restarted behind the same address: all sessions are gone, and so
// is its stream.
func TestRestartOfARealServer(t *testing.T) {
	legacy := server.WithStreamableHTTPProtocolVersions("2025-11-25")
	var h atomic.Value
	h.Store(server.NewStreamableHTTPServer(echoServer(), server.WithStateful(true), legacy))
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Load().(*server.StreamableHTTPServer).ServeHTTP(w, r)
	}))
	u := start(t, at(srv.URL), quick())
	awaitReady(t, u)
	mustCall(t, u, "one", "echo", "done")
	mustCall(t, u, "two", "echo", "done")
	h.Store(server.NewStreamableHTTPServer(echoServer(), server.WithStateful(true), legacy))
	srv.CloseClientConnections()
	for _, lane := range []string{"one", "two", ""} {
		if err := callUnbroken(t, u, lane); err != nil {
			t.Error(err)
		}
	}
}
