package downstream

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// hub wakes the streams when the view has changed. Each looks for itself what is
// new: a stream that was busy meanwhile has missed nothing.
type hub struct {
	mu    sync.Mutex // guards bells
	bells map[chan struct{}]struct{}
}

func (b *hub) join() (bell chan struct{}, leave func()) {
	bell = make(chan struct{}, 1)
	bell <- struct{}{} // look once: the view may have changed before the bell hung
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bells == nil {
		b.bells = map[chan struct{}]struct{}{}
	}
	b.bells[bell] = struct{}{}
	return bell, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.bells, bell)
	}
}

func (b *hub) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for bell := range b.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

// listChanged are the methods that tell of a changed list. Templates are resources
// to whoever listens.
var listChanged = [catalog.Kinds]string{
	catalog.Tools:     mcp.MethodNotificationToolsListChanged,
	catalog.Prompts:   mcp.MethodNotificationPromptsListChanged,
	catalog.Resources: mcp.MethodNotificationResourcesListChanged,
	catalog.Templates: mcp.MethodNotificationResourcesListChanged,
}

// changes answers the methods that tell what changed between two versions.
func changes(seen, now [catalog.Kinds]uint64) (methods []string) {
	for k := range now {
		if seen[k] != now[k] && (len(methods) == 0 || methods[len(methods)-1] != listChanged[k]) {
			methods = append(methods, listChanged[k])
		}
	}
	return methods
}

// stream serves the standalone stream of a legacy session, or takes up another one
// that broke off.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, s *session) {
	if _, events := accepts(r.Header["Accept"]); !events {
		h.refuse(w, http.StatusNotAcceptable, nil, mcp.INVALID_REQUEST, "a stream needs Accept: text/event-stream")
		return
	}
	defer h.cfg.Journal.Streams(s.client.Load())()
	after := uint64(0)
	resumes := false
	if last := r.Header.Get("Last-Event-Id"); last != "" {
		of, number := s.reel(last)
		if of != nil && of != s.standing {
			h.replay(r.Context(), w, s, of, number)
			return
		}
		after, resumes = number, of != nil
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer s.opened(cancel)()
	seen := s.lastSeen(h.core.View().scope(s.Scope).Versions) // before the client believes that it would hear of more
	startStream(w)
	defer endStream(w)
	h.follow(ctx, w, s, s.resumeFrom(after, resumes), seen)
}

// resumeFrom answers the last event of the standing stream that the client has: what
// it says, or what was sent last.
func (s *session) resumeFrom(number uint64, said bool) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if said && number <= s.told {
		return number
	}
	return s.told
}

// replay sends what came after event number of a call's stream, and then what comes.
func (h *Handler) replay(ctx context.Context, w http.ResponseWriter, s *session, of *reel, number uint64) {
	startStream(w)
	defer endStream(w)
	tick := time.NewTicker(h.cfg.KeepAlive)
	defer tick.Stop()
	var scratch []byte
	for {
		events, over, more := of.after(number)
		for _, e := range events {
			scratch = of.appendEvent(scratch[:0], e.number, e.message)
			if writeStream(w, scratch) != nil {
				return
			}
			number = e.number
		}
		if over {
			return
		}
		select {
		case <-more:
		case <-tick.C:
			s.touch()
			if writeStream(w, comment) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-h.ending:
			return
		}
	}
}

// follow writes what concerns a session and no call of it: changed lists, and what
// backends send outside of calls, after event told of the standing stream. seen are
// the lists that the client knows of.
func (h *Handler) follow(ctx context.Context, w http.ResponseWriter, s *session, told uint64, seen [catalog.Kinds]uint64) {
	bell, leave := h.hub.join()
	defer leave()
	tick := time.NewTicker(h.cfg.KeepAlive)
	defer tick.Stop()
	var scratch []byte
	for {
		events, _, more := s.standing.after(told)
		for _, e := range events {
			scratch = s.standing.appendEvent(scratch[:0], e.number, e.message)
			if ctx.Err() != nil || writeStream(w, scratch) != nil {
				return
			}
			told = e.number
			s.hasTold(told)
		}
		select {
		case <-more:
		case <-bell:
			now := h.core.View().scope(s.Scope).Versions
			for _, method := range changes(seen, now) {
				if event(w, []byte(`{"jsonrpc":"2.0","method":"`+method+`"}`)) != nil {
					return
				}
			}
			seen = now
		case <-tick.C:
			s.touch()
			if writeStream(w, comment) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-h.ending:
			return
		}
	}
}

func (s *session) hasTold(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = max(s.told, number)
}

func event(w http.ResponseWriter, message []byte) error {
	return writeStream(w, wire.AppendEvent(nil, message))
}
