package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rowsStub is a backend that has all of MCP, in one era, and answers it by hand:
// it keeps every request that it got, and holds each against the rules of its era.
type rowsStub struct {
	name   string // that of the backend
	url    string
	modern bool
	ctx    context.Context // ends with the stub
	work   sync.WaitGroup
	server *http.Server
	hang   *rowsHang // of the row about cancellation, as is clock
	clock  *rowsHang

	mu       sync.Mutex            // guards all below
	says     string                // members of the result of initialize or server/discover
	items    map[string][]string   // of the lists, by method
	cursors  []string              // behind each page of tools/list but the last, as JSON
	answers  map[string]rowsAnswer // by method and what the request names, or method
	got      []rowsRequest         // in order of arrival
	faults   []string              // requests that the era does not allow
	sessions map[string]map[string]context.CancelFunc
	ears     map[chan string]rowsEar
}

// rowsAnswer answers a request: the text of a `"result":…` or `"error":…` member.
// An empty text answers nothing more.
type rowsAnswer func(*rowsCall) string

func answers(member string) rowsAnswer { return func(*rowsCall) string { return member } }

// rowsRequest is what the stub got, and in which session.
type rowsRequest struct {
	method, session string
	body            []byte
}

// rowsEar is who hears what is read from a standing stream: a session, or a
// subscription with its filter.
type rowsEar struct {
	session      string
	subscription string // its id, as JSON
	filter       []byte
}

// rowsCall is one request on its way.
type rowsCall struct {
	ctx     context.Context // ends when the caller cancels, in the way of its era
	stub    *rowsStub
	w       http.ResponseWriter
	session string
	id      []byte
	params  []byte
	body    []byte
	// status is the HTTP status of the response, when it is not a stream.
	status   int
	streamed bool
}

// token is the call's progress token as the backend knows it.
func (c *rowsCall) token() string { return string(get(c.params, "_meta", "progressToken")) }

// send writes a message ahead of the response.
func (c *rowsCall) send(message string) {
	if !c.streamed {
		c.streamed = true
		openStream(c.w)
	}
	writeEvent(c.w, message)
}

func newRowsStub(t *testing.T, name string, modern bool) *rowsStub {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &rowsStub{name: name, url: "http://" + l.Addr().String() + "/mcp", modern: modern, ctx: ctx, says: `"capabilities":{"tools":{"listChanged":true}}`,
		items: map[string][]string{}, answers: map[string]rowsAnswer{}, sessions: map[string]map[string]context.CancelFunc{}, ears: map[chan string]rowsEar{}}
	s.server = &http.Server{Handler: s}
	s.work.Go(func() { _ = s.server.Serve(l) }) // ends with Close
	t.Cleanup(func() {
		cancel()
		s.server.Close()
		s.work.Wait()
		s.check(t)
	})
	return s
}

// check fails the test for the faults since the last check.
func (s *rowsStub) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range s.faults {
		t.Errorf("backend %s: %s", s.name, fault)
	}
	s.faults = nil
}

// lists adds an element to a list, as it stands.
func (s *rowsStub) lists(method, item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[method] = append(s.items[method], item)
}

// on says how a request is answered: what is a method, and what the request names,
// or a method alone.
func (s *rowsStub) on(what string, a rowsAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = a
}

// tool lists a tool without further ado.
func (s *rowsStub) tool(name string, a rowsAnswer) {
	s.lists("tools/list", fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"}}`, name))
	s.on("tools/call "+name, a)
}

// requests returns what was got of a method; of those that name something, which is
// that.
func (s *rowsStub) requests(method, named string) (all []rowsRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.got {
		if r.method == method && (named == "" || names(r.body) == named) {
			all = append(all, r)
		}
	}
	return all
}

// last is the newest of requests.
func (s *rowsStub) last(t *testing.T, method, named string) []byte {
	t.Helper()
	all := s.requests(method, named)
	if len(all) == 0 {
		t.Fatalf("the backend %s got no %s of %q", s.name, method, named)
	}
	return all[len(all)-1].body
}

// names is what a request is about.
func names(body []byte) string {
	params := get(body, "params")
	for _, path := range [][]string{{"name"}, {"uri"}, {"taskId"}, {"ref", "name"}, {"ref", "uri"}} {
		if text := str(params, path...); text != "" {
			return text
		}
	}
	return ""
}

// tell puts a message on the standing streams that chosen picks.
func (s *rowsStub) tell(method, members string, chosen func(rowsEar) bool) (told int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream, ear := range s.ears {
		if !chosen(ear) {
			continue
		}
		params := "{" + members + "}"
		if ear.subscription != "" {
			id := `"io.modelcontextprotocol/subscriptionId":` + ear.subscription
			if meta := get([]byte(params), "_meta"); meta != nil {
				params = string(replace([]byte(params), "_meta", "{"+id+","+string(meta[1:])))
			} else {
				params = "{" + join(members, `"_meta":{`+id+`}`) + "}"
			}
		}
		stream <- `{"jsonrpc":"2.0","method":"` + method + `","params":` + params + `}`
		told++
	}
	return told
}

// changed announces that a list is another one now.
func (s *rowsStub) changed(kind string) int {
	return s.tell("notifications/"+kind+"/list_changed", "", func(e rowsEar) bool {
		return e.subscription == "" || string(get(e.filter, kind+"ListChanged")) == "true"
	})
}

func (s *rowsStub) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

func (s *rowsStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	session := r.Header.Get("Mcp-Session-Id")
	s.mu.Lock()
	_, known := s.sessions[session]
	if r.Method == http.MethodPost {
		s.got = append(s.got, rowsRequest{str(body, "method"), session, body})
	}
	s.mu.Unlock()
	if !s.modern && !known && str(body, "method") != "initialize" {
		respond(w, 404, get(body, "id"), `"error":{"code":-32001,"message":"Session not found"}`)
		return
	}
	switch {
	case r.Method == http.MethodDelete && !s.modern:
		s.mu.Lock()
		delete(s.sessions, session)
		s.mu.Unlock()
	case r.Method == http.MethodGet && !s.modern:
		s.hear(w, r, rowsEar{session: session}, "")
	case r.Method != http.MethodPost:
		http.Error(w, "no such stream", http.StatusMethodNotAllowed)
	case s.modern:
		s.postModern(w, r, body)
	default:
		s.postLegacy(w, r, body, session)
	}
}

// answer gives what was agreed on for the request, or what every server has.
func (s *rowsStub) answer(c *rowsCall, method string) {
	s.mu.Lock()
	a := s.answers[method+" "+names(c.body)]
	if a == nil {
		a = s.answers[method]
	}
	s.mu.Unlock()
	c.status = http.StatusOK
	list, isList := listMember[method]
	var text string
	switch {
	case a != nil:
		text = a(c)
	case isList:
		text = s.page(c, method, list)
	case !s.modern && (method == "ping" || method == "logging/setLevel" || method == "resources/subscribe" || method == "resources/unsubscribe"):
		text = `"result":{}`
	default:
		text = `"error":{"code":-32601,"message":"Method not found"}`
		if s.modern {
			c.status = http.StatusNotFound
		}
	}
	switch {
	case text == "":
	case c.streamed:
		writeEvent(c.w, `{"jsonrpc":"2.0","id":`+string(c.id)+`,`+text+`}`)
	default:
		respond(c.w, c.status, c.id, text)
	}
}

var listMember = map[string]string{"tools/list": "tools", "prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates"}

// page is one page of a list. Only that of the tools can have several.
func (s *rowsStub) page(c *rowsCall, method, list string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	items, more := s.items[method], ""
	if method == "tools/list" && len(s.cursors) > 0 {
		size := (len(items) + len(s.cursors)) / (len(s.cursors) + 1)
		n := 0
		if cursor := get(c.params, "cursor"); cursor != nil {
			if n = slices.Index(s.cursors, string(cursor)) + 1; n == 0 {
				return `"error":{"code":-32602,"message":"unknown cursor"}`
			}
		}
		if items = items[n*size : min((n+1)*size, len(items))]; n < len(s.cursors) {
			more = `,"nextCursor":` + s.cursors[n]
		}
	}
	if s.modern {
		more += `,"resultType":"complete","ttlMs":0,"cacheScope":"public"`
	}
	return `"result":{"` + list + `":[` + strings.Join(items, ",") + `]` + more + `}`
}

// hear serves a standing stream until its reader or the stub ends.
func (s *rowsStub) hear(w http.ResponseWriter, r *http.Request, ear rowsEar, first string) {
	stream := make(chan string, 1024)
	s.mu.Lock()
	s.ears[stream] = ear // before whoever opened it can know that it is open
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.ears, stream)
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
		case <-s.ctx.Done():
			return
		}
	}
}

const relatedTask = "io.modelcontextprotocol/related-task"
