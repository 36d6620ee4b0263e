package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// stub is a backend under the test's full control: it answers texts that no SDK
// would write, keeps every body it got, and says when it was cancelled.
type stub struct {
	url    string
	modern bool
	// stream makes it answer calls with an event stream instead of one body.
	stream bool
	// old makes it speak the HTTP+SSE transport of 2024; see stub_old_test.go.
	old bool
	// paged is the size of tools/list's pages: 0 for one page, -1 for pages
	// without end.
	paged int
	// lost and lostMember are the answer to an unknown session: 404 by default.
	lost       int
	lostMember string
	// raw answers calls of these tools over HTTP by hand.
	raw    map[string]func(w http.ResponseWriter, id []byte)
	server *http.Server
	// ctx ends with the stub; work counts what runs on behalf of old's posts.
	ctx  context.Context
	work sync.WaitGroup

	mu       sync.Mutex             // guards all below
	tools    string                 // text of the array that tools/list answers
	handlers map[string]stubHandler // by tool
	bodies   [][]byte               // of every POST, in order of arrival
	headers  []http.Header          // the same requests' headers
	ran      int                    // calls that reached a handler
	sessions map[string]bool        // legacy: known Mcp-Session-Ids
	pending  map[string]func()      // legacy: cancels the call of session+id
	streams  map[chan string]string // open GET and listen streams, with the subscription's id
	inboxes  map[string]chan string // old: the stream of a session
}

// stubHandler answers one call: the text of a `"result":…` or `"error":…` member.
type stubHandler func(*stubCall) string

// fixed is a handler that always answers the same.
func fixed(member string) stubHandler { return func(*stubCall) string { return member } }

type stubCall struct {
	// ctx ends when the caller cancelled in the way of its era: by closing the
	// stream (modern), by notifications/cancelled (legacy).
	ctx           context.Context
	id            []byte
	params        []byte
	arguments     []byte
	progressToken []byte
	// send writes a message ahead of the response; only streams can.
	send func(message string)
}

func newStub(t *testing.T, modern, stream bool) *stub {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newStubOn(t, l, modern, stream)
}

func newStubOn(t *testing.T, l net.Listener, modern, stream bool) *stub {
	s := &stub{
		url: "http://" + l.Addr().String() + "/mcp", modern: modern, stream: stream, tools: "[]",
		handlers: map[string]stubHandler{}, sessions: map[string]bool{},
		lost: 404, lostMember: `"error":{"code":-32001,"message":"Session not found"}`,
		pending: map[string]func(){}, streams: map[chan string]string{},
		inboxes: map[string]chan string{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.ctx = ctx
	s.server = &http.Server{Handler: s}
	s.work.Go(func() { _ = s.server.Serve(l) }) // ends with Close
	t.Cleanup(func() {
		cancel()
		s.server.Close()
		s.work.Wait()
	})
	return s
}

// tool adds a tool with a plain description and its handler.
func (s *stub) tool(name string, h stubHandler) *stub {
	return s.toolObject(name, fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"}}`, name), h)
}

// toolObject adds a tool whose listed object is exactly this text.
func (s *stub) toolObject(name, object string, h stubHandler) *stub {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tools != "[]" {
		object = strings.TrimSuffix(s.tools, "]") + "," + object + "]"
	} else {
		object = "[" + object + "]"
	}
	s.tools = object
	s.handlers[name] = h
	return s
}

// changed announces a new tool list on every open stream.
func (s *stub) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream, id := range s.streams {
		params := ""
		if id != "" {
			params = `,"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":` + id + `}}`
		}
		stream <- `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"` + params + `}`
	}
}

// received returns the bodies whose method is method.
func (s *stub) received(method string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list [][]byte
	for _, b := range s.bodies {
		if str(b, "method") == method {
			list = append(list, b)
		}
	}
	return list
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if s.old {
		s.serveOld(w, r, body)
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.mu.Lock()
		s.bodies = append(s.bodies, body)
		s.headers = append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		if s.modern {
			s.postModern(w, r, body)
		} else {
			s.postLegacy(w, r, body)
		}
	case http.MethodGet:
		if s.modern || !s.known(r) {
			http.Error(w, "no such stream", map[bool]int{true: 405, false: 404}[s.modern])
			return
		}
		s.keepStream(w, r, "", "")
	case http.MethodDelete: // ends the session's calls, too
		session := r.Header.Get("Mcp-Session-Id")
		s.mu.Lock()
		delete(s.sessions, session)
		for key, cancel := range s.pending {
			if strings.HasPrefix(key, session) {
				cancel()
			}
		}
		s.mu.Unlock()
	}
}

func (s *stub) known(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[r.Header.Get("Mcp-Session-Id")]
}

// list is the answer to tools/list; more are further members of the result.
func (s *stub) list(body []byte, more string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.tools
	if s.paged < 0 {
		more += `,"nextCursor":"` + rand.Text() + `"`
	}
	if s.paged > 0 {
		var all []json.RawMessage
		_ = json.Unmarshal([]byte(s.tools), &all)
		from, _ := strconv.Atoi(str(body, "params", "cursor"))
		to := min(from+s.paged, len(all))
		text, _ := json.Marshal(all[from:to])
		page = string(text)
		if to < len(all) {
			more += fmt.Sprintf(`,"nextCursor":"%d"`, to)
		}
	}
	return `"result":{"tools":` + page + more + `}`
}

func (s *stub) call(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) {
	params := get(body, "params")
	s.mu.Lock()
	handler := s.handlers[str(params, "name")]
	s.ran++
	s.mu.Unlock()
	if raw := s.raw[str(params, "name")]; raw != nil {
		raw(w, get(body, "id"))
		return
	}
	if handler == nil {
		respond(w, 200, get(body, "id"), `"error":{"code":-32602,"message":"Unknown tool"}`)
		return
	}
	call := &stubCall{ctx: ctx, id: get(body, "id"), params: params,
		arguments: get(params, "arguments"), progressToken: get(params, "_meta", "progressToken")}
	if s.stream {
		openStream(w)
		call.send = func(m string) { writeEvent(w, m) }
	} else {
		call.send = func(m string) { s.deliver(r.Header.Get("Mcp-Session-Id"), m) }
	}
	member := handler(call)
	if member == "" { // the handler gave up: no response at all
		return
	}
	if s.stream {
		writeEvent(w, `{"jsonrpc":"2.0","id":`+string(call.id)+`,`+member+`}`)
		return
	}
	respond(w, 200, call.id, member)
}

// keepStream serves a GET or listen stream until its reader or the stub ends.
func (s *stub) keepStream(w http.ResponseWriter, r *http.Request, subscription, first string) {
	stream := make(chan string, 64)
	s.mu.Lock()
	s.streams[stream] = subscription
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.streams, stream)
		s.mu.Unlock()
	}()
	openStream(w)
	if first != "" {
		writeEvent(w, first)
	}
	for {
		select {
		case m := <-stream:
			writeEvent(w, m)
		case <-r.Context().Done():
			return
		}
	}
}

func openStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(200)
	_ = http.NewResponseController(w).Flush()
}

// writeEvent sends one message; line breaks in it become several data lines, as
// the format wants.
func writeEvent(w http.ResponseWriter, message string) {
	for line := range strings.SplitSeq(message, "\n") {
		fmt.Fprintf(w, "data: %s\n", line)
	}
	fmt.Fprint(w, "\n")
	_ = http.NewResponseController(w).Flush()
}

func respond(w http.ResponseWriter, status int, id []byte, member string) {
	if id == nil {
		id = []byte("null")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, id, member)
}

// silent accepts connections and never answers one: the worst kind of backend.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for c := range slices.Values(held) {
			c.Close()
		}
	})
	return "http://" + l.Addr().String() + "/mcp"
}

// waitFor blocks until one of the contexts ends or patience does; it tells
// whether first did.
func waitFor(first, second context.Context) bool {
	select {
	case <-first.Done():
		return true
	case <-second.Done():
	case <-time.After(patience):
	}
	return false
}
