package downstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// The transport of 2024-11-05, for clients that know no other: one stream for all
// that comes, and an address to post to. The stream is the session: with it ends
// everything.

const (
	// maxOld bounds the clients of this transport, each of which holds a connection.
	maxOld = 1000
	// maxOldCalls bounds the requests of one client that are under way.
	maxOldCalls = 64
)

// oldClients are those whose stream is open.
type oldClients struct {
	mu   sync.Mutex // guards byID
	byID map[string]*oldClient
}

type oldClient struct {
	id     string
	scope  string
	ctx    context.Context // of the stream
	ready  chan begun      // gets the session once; capacity 1
	places chan struct{}

	work sync.WaitGroup // requests under way

	mu      sync.Mutex // guards what follows
	w       http.ResponseWriter
	session *session
	closed  bool
}

// begun is a session and the lists as they were when its client was welcomed.
type begun struct {
	*session
	seen [catalog.Kinds]uint64
}

func (t *oldClients) add(c *oldClient) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byID) >= maxOld {
		return false
	}
	if t.byID == nil {
		t.byID = map[string]*oldClient{}
	}
	t.byID[c.id] = c
	return true
}

func (t *oldClients) get(id string) *oldClient {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *oldClients) remove(c *oldClient) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, c.id)
}

// oldTransport serves /sse and /messages.
func (h *Handler) oldTransport(w http.ResponseWriter, r *http.Request, door, scope string) {
	switch {
	case door == "sse" && r.Method == http.MethodGet:
		h.oldStream(w, r, scope)
	case door == "messages" && r.Method == http.MethodPost:
		h.oldPost(w, r)
	case door == "sse": // clients try a POST first, and go on when it is refused
		h.notAllowed(w, "GET")
	default:
		h.notAllowed(w, "POST")
	}
}

func (h *Handler) oldStream(w http.ResponseWriter, r *http.Request, scope string) {
	if view := h.core.View(); view.Scopes[scope] == nil {
		h.turnAway(w, r, http.StatusNotFound, nil, mcp.INVALID_REQUEST, "endpoint", view.unknown(scope))
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	c := &oldClient{id: rand.Text(), scope: scope, ctx: ctx, ready: make(chan begun, 1), places: make(chan struct{}, maxOldCalls), w: w}
	if !h.old.add(c) {
		cancel(nil)
		h.refuse(w, http.StatusServiceUnavailable, nil, mcp.INTERNAL_ERROR, fmt.Sprintf("%d clients have an SSE stream already: use %s, which needs none", maxOld, "/mcp"))
		return
	}
	defer h.endOld(c, cancel)
	opened := h.cfg.Journal.Streams(nil)
	defer func() { opened() }()
	startStream(w)
	defer endStream(w)
	if c.send([]byte("event: endpoint\ndata: "+h.cfg.BasePath+"/messages?sessionId="+c.id+"\n\n")) != nil {
		return
	}
	tick := time.NewTicker(h.cfg.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case s := <-c.ready:
			defer s.opened(cancel)()
			opened()
			opened = h.cfg.Journal.Streams(s.client.Load())
			out := newCapture(c.send)
			out.header["Content-Type"] = typeStream
			h.follow(ctx, out, s.session, 0, s.lastSeen(s.seen))
			return
		case <-tick.C:
			if c.send(comment) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-h.ending:
			return
		}
	}
}

// endOld ends what a client had that lost its stream: nothing can reach it any more.
func (h *Handler) endOld(c *oldClient, cancel context.CancelCauseFunc) {
	h.old.remove(c)
	cancel(errStreamReplaced)
	c.mu.Lock()
	c.closed = true
	s := c.session
	c.mu.Unlock()
	if s != nil {
		s.cancelAll()
	}
	c.work.Wait()
	if s != nil {
		h.sessions.end(s)
	}
}

// send writes whole events.
func (c *oldClient) send(events []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ctx.Err() != nil {
		return errStreamReplaced
	}
	return writeStream(c.w, events)
}

var errBusy = errors.New("too many requests are under way")

// start serves one message in a goroutine of the client's own.
func (c *oldClient) start(f func()) error {
	select {
	case c.places <- struct{}{}:
	default:
		return errBusy
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		<-c.places
		return errStreamReplaced
	}
	c.work.Go(func() {
		defer func() { <-c.places }()
		f()
	})
	return nil
}

func (h *Handler) oldPost(w http.ResponseWriter, r *http.Request) {
	c := h.old.get(r.URL.Query().Get("sessionId"))
	if c == nil {
		h.turnAway(w, r, http.StatusNotFound, nil, sessionNotFound, "session_unknown", "Session not found: open /sse again")
		return
	}
	var body bytes.Buffer // the message outlives the request
	if !h.read(w, r, &body) {
		return
	}
	m := new(wire.Message)
	if err := m.Scan(body.Bytes()); err != nil {
		h.turnAway(w, r, http.StatusBadRequest, nil, mcp.PARSE_ERROR, "message", err.Error())
		return
	}
	inner := r.Clone(c.ctx)
	inner.Header["Accept"] = []string{"application/json, text/event-stream"}
	err := c.start(func() {
		out := newCapture(c.send)
		h.oldMessage(out, inner, m, c)
		if answer := out.body.Bytes(); len(answer) > 0 {
			_ = c.send(wire.AppendEvent(nil, answer))
		}
	})
	if err != nil {
		h.refuse(w, http.StatusServiceUnavailable, m.ID.In(m.Raw), mcp.INTERNAL_ERROR, err.Error())
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (h *Handler) oldMessage(w http.ResponseWriter, r *http.Request, m *wire.Message, c *oldClient) {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	switch {
	case s != nil && m.Method != string(mcp.MethodInitialize):
		h.inSession(w, r, m, s)
	case s == nil && m.Method == string(mcp.MethodInitialize) && m.Kind == wire.KindRequest:
		if s = h.open(w, r, m, c.scope); s == nil {
			return
		}
		n := h.noted(w, m, s.client.Load())
		defer n.end()
		w = n
		c.mu.Lock()
		first := c.session == nil && !c.closed
		if first {
			c.session = s
		}
		c.mu.Unlock()
		if !first {
			h.sessions.end(s)
			h.refuse(w, http.StatusOK, m.ID.In(m.Raw), mcp.INVALID_REQUEST, "the session has begun already")
			return
		}
		scope := h.core.View().scope(c.scope)
		result(w, m, `"protocolVersion":"`, s.Version, `"`, scope.Identity.initialize)
		c.ready <- begun{s, scope.Versions}
	default:
		h.refuse(w, http.StatusOK, m.ID.In(m.Raw), mcp.INVALID_REQUEST, "initialize comes first, and once")
	}
}
