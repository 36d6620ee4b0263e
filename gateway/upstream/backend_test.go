package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// question is one request to a scripted backend.
type question struct {
	*http.Request
	method  string // of JSON-RPC; the verb where the body has none
	id      string // raw
	session string
	body    string
}

// backend is a scripted server for the faults that no real one makes on request.
// Left alone it is one of 2025 with sessions and without a stream.
type backend struct {
	*httptest.Server
	modern, stateless bool
	both              bool // modern, with sessions for older clients

	mu       sync.Mutex // guards what follows
	on       map[string]func(http.ResponseWriter, *question)
	tools    string                 // what tools/list answers: the text of an array
	can      string                 // its capabilities
	streams  map[string]chan string // the open ones, by session; see stream
	seen     []question
	sessions map[string]bool
	ran      atomic.Int64 // calls that were executed, not refused
	opened   int
}

const oneTool = `[{"name":"echo","inputSchema":{"type":"object"}}]`

func newBackend(t testing.TB) *backend {
	t.Helper()
	b := &backend{tools: oneTool, can: `{"tools":{"listChanged":true}}`, on: map[string]func(http.ResponseWriter, *question){}, sessions: map[string]bool{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.close)
	return b
}

func (b *backend) close() { shut(b.Server) }

// shut ends a server with all its connections. Close alone would wait for them, also
// for one that came in at the last moment.
func shut(s *httptest.Server) {
	_ = s.Listener.Close()
	s.CloseClientConnections()
	s.Close()
}

// handle makes f answer method, a JSON-RPC method or an HTTP verb; nil restores
// what the backend does by itself.
func (b *backend) handle(method string, f func(http.ResponseWriter, *question)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on[method] = f
}

func (b *backend) setTools(array string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tools = array
}

// forget loses all sessions, as a restart does.
func (b *backend) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.sessions)
}

func (b *backend) live() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sessions)
}

// asked answers the questions of one method so far.
func (b *backend) asked(method string) []question {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []question
	for _, q := range b.seen {
		if q.method == method {
			found = append(found, q)
		}
	}
	return found
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		Method string
		ID     json.RawMessage
	}
	_ = json.Unmarshal(body, &m)
	if m.Method == "" {
		m.Method = r.Method
	}
	q := question{r, m.Method, string(m.ID), r.Header.Get("Mcp-Session-Id"), string(body)}
	b.mu.Lock()
	b.seen = append(b.seen, q)
	hook := b.on[m.Method]
	b.mu.Unlock()
	if hook != nil {
		hook(w, &q)
		return
	}
	b.answer(w, &q)
}

func (b *backend) answer(w http.ResponseWriter, q *question) {
	b.mu.Lock()
	tools, can, known := b.tools, b.can, b.sessions[q.session]
	b.mu.Unlock()
	switch q.method {
	case "GET":
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case "server/discover":
		if !b.modern {
			http.Error(w, "Bad Request: No valid session ID provided", http.StatusBadRequest)
			return
		}
		versions := `"2026-07-28"`
		if b.both {
			versions += `,"2025-11-25","2025-06-18"`
		}
		reply(w, q, `{"resultType":"complete","supportedVersions":[`+versions+`],"capabilities":`+can+`,"ttlMs":0,"cacheScope":"public"}`)
		return
	case "initialize":
		if !b.stateless {
			b.mu.Lock()
			b.opened++
			id := fmt.Sprintf("session-%d", b.opened)
			b.sessions[id] = true
			b.mu.Unlock()
			w.Header().Set("Mcp-Session-Id", id)
		}
		reply(w, q, `{"protocolVersion":"2025-11-25","capabilities":`+can+`,"serverInfo":{"name":"scripted","version":"1"}}`)
		return
	}
	if !known && (!b.modern && !b.stateless || b.both && q.session != "") {
		http.Error(w, "Session not found", http.StatusNotFound)
		return
	}
	switch q.method {
	case "DELETE":
		b.mu.Lock()
		delete(b.sessions, q.session)
		b.mu.Unlock()
	case "tools/list":
		reply(w, q, `{"tools":`+tools+`}`)
	case "tools/call":
		b.ran.Add(1)
		reply(w, q, `{"content":[{"type":"text","text":"done"}]}`)
	case "ping":
		reply(w, q, `{}`)
	default:
		if q.id != "" && q.method != "POST" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, q.id)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

func reply(w http.ResponseWriter, q *question, result string) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, q.id, result)
}

// offerStreams makes b keep a stream open in each session; see say.
func (b *backend) offerStreams() {
	b.mu.Lock()
	b.streams = map[string]chan string{}
	b.mu.Unlock()
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		out := make(chan string, 100)
		b.mu.Lock()
		b.streams[q.session] = out
		b.mu.Unlock()
		stream(w)
		for {
			select {
			case text, ok := <-out:
				if !ok {
					return
				}
				fmt.Fprint(w, text+"\n\n")
				_ = http.NewResponseController(w).Flush()
			case <-q.Context().Done():
				b.mu.Lock()
				if b.streams[q.session] == out {
					delete(b.streams, q.session)
				}
				b.mu.Unlock()
				return
			}
		}
	})
}

// streaming reports whether there is a stream in a session.
func (b *backend) streaming(session string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.streams[session] != nil
}

// say sends an event, its lines, on the stream of a session.
func (b *backend) say(t *testing.T, session, event string) {
	t.Helper()
	await(t, "the stream of "+session, func() bool { return b.streaming(session) })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[session] <- event
}

// breakStream ends the stream of a session.
func (b *backend) breakStream(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.streams[session])
	delete(b.streams, session)
}

// stream begins an event stream.
func stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
}

func send(w http.ResponseWriter, format string, args ...any) {
	fmt.Fprintf(w, "data: "+format+"\n\n", args...)
	_ = http.NewResponseController(w).Flush()
}

// hang holds a request until its client is gone.
func hang(_ http.ResponseWriter, q *question) {
	_, _ = io.Copy(io.Discard, q.Body) // only then does the server notice that the client left
	select {
	case <-q.Context().Done():
	case <-time.After(2 * patience):
	}
}
