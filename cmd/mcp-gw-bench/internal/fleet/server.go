// Package fleet is a fast MCP server for measuring what stands in front of it:
// streamable HTTP, sessions (2025-06-18, 2025-11-25) and the stateless
// 2026-07-28 form on the same endpoint, any number of tools.
//
// Every path is an MCP endpoint, save /stats, which answers counters, so one
// process can stand for many backends. Paths below /legacy/ know sessions only.
// The query ?tools=N on an endpoint serves a catalogue of N tools instead of the
// usual one.
package fleet

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

const modern = "2026-07-28"

// Options of a fleet.
type Options struct {
	Tools  int  // in the catalogue, echo and sleep included
	Page   int  // tools on a page of tools/list; 0: all on one
	SSE    bool // answer as text/event-stream instead of application/json
	Legacy bool // refuse the stateless 2026-07-28 form
}

// New returns a handler that is as many MCP servers as there are paths to it.
func New(o Options) http.Handler {
	s := &server{tools: o.Tools, page: o.Page, sse: o.SSE, legacy: o.Legacy, catalogs: map[int]*catalog{}}
	s.catalog(o.Tools)
	return s
}

type server struct {
	tools, page int
	sse, legacy bool

	sessions sync.Map // id -> chan struct{}, closed at its end
	mu       sync.Mutex
	catalogs map[int]*catalog

	inits, lists, calls, streams, open atomic.Int64
}

var (
	bufs     = sync.Pool{New: func() any { return new(buffers) }}
	typeJSON = []string{"application/json"}
	typeSSE  = []string{"text/event-stream"}
)

type buffers struct{ in, out bytes.Buffer }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/stats":
		fmt.Fprintf(w, `{"initialize":%d,"tools_list":%d,"tools_call":%d,"streams_open":%d,"sessions_open":%d}`+"\n",
			s.inits.Load(), s.lists.Load(), s.calls.Load(), s.streams.Load(), s.open.Load())
	case r.Method == http.MethodPost:
		s.post(w, r)
	case r.Header.Get("Mcp-Protocol-Version") >= modern:
		w.Header().Set("Allow", "POST")
		http.Error(w, "no sessions in "+modern, http.StatusMethodNotAllowed)
	case r.Method == http.MethodGet:
		s.stream(w, r)
	case r.Method == http.MethodDelete:
		if done, ok := s.sessions.LoadAndDelete(r.Header.Get("Mcp-Session-Id")); ok {
			s.open.Add(-1)
			close(done.(chan struct{}))
			return
		}
		http.Error(w, "unknown session", http.StatusNotFound)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// stream holds a session's GET stream open; this server has nothing to say on it.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	done, ok := s.sessions.Load(r.Header.Get("Mcp-Session-Id"))
	if !ok {
		http.Error(w, "unknown session", http.StatusNotFound)
		return
	}
	s.hold(w, r, "", done.(chan struct{}))
}

// listen is the same for the stateless form.
func (s *server) listen(w http.ResponseWriter, r *http.Request, id []byte) {
	s.hold(w, r, `data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":`+
		string(id)+`},"notifications":{"toolsListChanged":true}}}`+"\n\n", nil)
}

func (s *server) hold(w http.ResponseWriter, r *http.Request, first string, done <-chan struct{}) {
	s.streams.Add(1)
	defer s.streams.Add(-1)
	w.Header()["Content-Type"] = typeSSE
	w.WriteHeader(http.StatusOK)
	if _, err := io.WriteString(w, first); err != nil {
		return
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	select {
	case <-done:
	case <-r.Context().Done():
	}
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	b := bufs.Get().(*buffers)
	defer func() {
		if b.in.Cap()+b.out.Cap() < 1<<20 {
			bufs.Put(b)
		}
	}()
	b.in.Reset()
	b.out.Reset()
	if r.ContentLength > 0 {
		b.in.Grow(int(min(r.ContentLength, 64<<20)) + bytes.MinRead)
	}
	if _, err := b.in.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var id, method, params []byte
	rawjson.Fields(b.in.Bytes(), func(k, v []byte) bool {
		switch string(k) {
		case "id":
			id = v
		case "method":
			method = v
		case "params":
			params = v
		}
		return true
	})
	if len(method) < 2 {
		http.Error(w, "not a JSON-RPC request", http.StatusBadRequest)
		return
	}
	name := string(method[1 : len(method)-1])
	stateless := r.Header.Get("Mcp-Protocol-Version") >= modern
	legacy := s.legacy || strings.HasPrefix(r.URL.Path, "/legacy/")
	if stateless && legacy {
		http.Error(w, "Unsupported protocol version", http.StatusBadRequest)
		return
	}
	if !stateless && name != "initialize" && name != "server/discover" {
		if _, ok := s.sessions.Load(r.Header.Get("Mcp-Session-Id")); !ok {
			http.Error(w, "unknown session", http.StatusNotFound)
			return
		}
	}
	if id == nil { // a notification
		w.WriteHeader(http.StatusAccepted)
		return
	}

	if stateless && name == "subscriptions/listen" {
		s.listen(w, r, id)
		return
	}

	out := &b.out
	if s.sse {
		out.WriteString("event: message\ndata: ")
	}
	out.WriteString(`{"jsonrpc":"2.0","id":`)
	out.Write(id)
	list := s.answer(w, r, name, params, stateless, legacy, out)
	end := "}"
	h := w.Header()
	h["Content-Type"] = typeJSON
	if list != nil {
		end = "}}"
	}
	if s.sse {
		end += "\n\n"
		h["Content-Type"] = typeSSE
	}
	if list == nil {
		out.WriteString(end)
		h["Content-Length"] = []string{strconv.Itoa(out.Len())}
		w.Write(out.Bytes())
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(out.Len() + len(list) + len(end))}
	w.Write(out.Bytes())
	w.Write(list)
	io.WriteString(w, end)
}
