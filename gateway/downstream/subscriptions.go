package downstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// maxSubs bounds the resources that one client may watch.
const maxSubs = 1000

// resource is one resource of a backend, by the backend's own URI.
type resource struct{ backend, uri string }

// sub is one client's watch over a resource: updated takes each notification, with
// the URI as the client knows it.
type sub struct {
	resource
	exposed string
	updated func(message []byte)
	lane    *upstream.Lane // of a client with sessions; nil otherwise
	own     bool           // subscribed in its own session with the backend
}

// watches are all subscriptions of all clients.
type watches struct {
	core Core

	mu   sync.Mutex // guards subs
	subs map[resource]map[*sub]struct{}
}

// add begins s. The backend has been told when it returns.
func (t *watches) add(ctx context.Context, s *sub) error {
	own, err := t.core.Subscribe(ctx, s.backend, s.uri, s.lane)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.own = own
	if t.subs == nil {
		t.subs = map[resource]map[*sub]struct{}{}
	}
	if t.subs[s.resource] == nil {
		t.subs[s.resource] = map[*sub]struct{}{}
	}
	t.subs[s.resource][s] = struct{}{}
	return nil
}

// remove ends s, and tells the backend.
func (t *watches) remove(s *sub) {
	if there, _ := t.forget(s); there {
		t.core.Unsubscribe(s.backend, s.uri, s.lane)
	}
}

// leave ends s because its client has left. Its own sessions with backends end with it.
func (t *watches) leave(s *sub) {
	if there, own := t.forget(s); there && !own {
		t.core.Unsubscribe(s.backend, s.uri, s.lane)
	}
}

// forget reports whether s was there.
func (t *watches) forget(s *sub) (there, own bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, there = t.subs[s.resource][s]
	delete(t.subs[s.resource], s)
	if len(t.subs[s.resource]) == 0 {
		delete(t.subs, s.resource)
	}
	return there, s.own
}

// Watch is one client's wish to hear of a resource; Lane is nil of a client without
// sessions.
type Watch struct {
	URI  string
	Lane *upstream.Lane
	in   *watches
	sub  *sub
}

// Took notes how the backend was told: own says in the client's own session.
func (w Watch) Took(own bool) {
	w.in.mu.Lock()
	defer w.in.mu.Unlock()
	w.sub.own = own
}

// Watched answers what clients watch of a backend, each as often as it is watched:
// what a new connection of the backend has to be told.
func (h *Handler) Watched(backend string) (all []Watch) {
	h.watches.mu.Lock()
	defer h.watches.mu.Unlock()
	for r, subs := range h.watches.subs {
		if r.backend == backend {
			for s := range subs {
				all = append(all, Watch{r.uri, s.lane, &h.watches, s})
			}
		}
	}
	return all
}

// Updated passes a backend's notifications/resources/updated on to those who watch
// the resource, but have no session with the backend in which they hear of it.
func (h *Handler) Updated(backend string, m *wire.Message) {
	uri, ok := wire.Unquote(m.URI.In(m.Raw))
	if !ok {
		return
	}
	h.watches.mu.Lock()
	subs := make([]*sub, 0, 4)
	for s := range h.watches.subs[resource{backend, uri}] {
		if !s.own {
			subs = append(subs, s)
		}
	}
	h.watches.mu.Unlock()
	plain := wire.WithoutHop(m.Meta.In(m.Raw)) // the gateway's own subscription is nobody's business
	for _, s := range subs {
		s.updated(updatedMessage(m, s.exposed, plain))
	}
}

func updatedMessage(m *wire.Message, exposed string, meta []byte) []byte {
	edits := []wire.Edit{{Span: m.URI, New: wire.Quote(exposed)}}
	if m.Meta.Present() {
		edits = append(edits, wire.Edit{Span: m.Meta, New: meta})
	}
	return wire.Splice(nil, m.Raw, edits...)
}

// subscribe answers resources/subscribe and resources/unsubscribe of a session.
func (h *Handler) subscribe(ctx context.Context, w http.ResponseWriter, m *wire.Message, s *session, scope *Scope) {
	id := m.ID.In(m.Raw)
	uri, ok := wire.Unquote(m.URI.In(m.Raw))
	if !ok {
		no := needsString(m.Method, "uri")
		h.refuse(w, http.StatusOK, id, no.code, no.text)
		return
	}
	if m.Method == string(mcp.MethodResourcesUnsubscribe) {
		if old := s.unsub(uri); old != nil {
			h.watches.remove(old)
		}
		result(w, m)
		return
	}
	routes, no := h.resourceRoutes(m.Method, uri, scope)
	if no != nil {
		h.refuse(w, http.StatusOK, id, no.code, no.text)
		return
	}
	var err error
	for _, route := range routes { // one, but for resources that nobody lists
		n := &sub{resource: resource{route.Backend, route.Name}, exposed: uri, lane: s.lane,
			updated: func(message []byte) { s.standing.add(message) }}
		if watched, ok := s.sub(n); watched {
			result(w, m)
			return
		} else if !ok {
			h.refuse(w, http.StatusOK, id, mcp.INTERNAL_ERROR, fmt.Sprintf("a client can watch %d resources at most: unsubscribe from others first", maxSubs))
			return
		}
		if err = h.watches.add(ctx, n); err == nil {
			if s.has(n) {
				result(w, m)
			} else { // the session ended, or it was unsubscribed, meanwhile
				h.watches.remove(n)
				h.refuse(w, http.StatusOK, id, mcp.INTERNAL_ERROR, "the subscription was given up while it began")
			}
			return
		}
		s.unsub(uri)
	}
	var refused *upstream.RefusedError
	if n, noted := w.(*noted); noted {
		n.fate = journal.Fate{Kind: journal.ErrTransport, Err: err.Error()}
		if errors.As(err, &refused) {
			n.fate.Kind = journal.ErrRPC
		}
	}
	if errors.As(err, &refused) {
		writeJSON(w, http.StatusOK, []byte(`{"jsonrpc":"2.0","id":`), id, []byte(`,"error":`), refused.Object, []byte(`}`))
		return
	}
	writeJSON(w, http.StatusOK, bridge.RPCError(nil, id, mcp.INTERNAL_ERROR, err.Error(), nil))
}

// resourceNotFound is the code of the revisions up to 2025-11-25.
const resourceNotFound = -32002

// sub notes n, unless the URI is watched already, or as many as may be.
func (s *session) sub(n *sub) (watched, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.subs[n.exposed] != nil:
		return true, false
	case len(s.subs) >= maxSubs || s.over:
		return false, false
	}
	s.subs[n.exposed] = n
	return false, true
}

func (s *session) has(n *sub) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subs[n.exposed] == n
}

func (s *session) unsub(uri string) *sub {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.subs[uri]
	delete(s.subs, uri)
	return n
}

// unsubAll answers all that the session watched, and forgets it.
func (s *session) unsubAll() (all []*sub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.subs {
		all = append(all, n)
	}
	clear(s.subs)
	return all
}
