package downstream

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

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

const listChanged = `{"jsonrpc":"2.0","method":"` + mcp.MethodNotificationToolsListChanged + `"}`

// stream serves the standalone stream of a legacy session.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, s *session) {
	if _, events := accepts(r.Header["Accept"]); !events {
		h.refuse(w, http.StatusNotAcceptable, nil, mcp.INVALID_REQUEST, "a stream needs Accept: text/event-stream")
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer s.opened(cancel)()
	seen, listed := s.lastSeen()
	if !listed {
		seen = h.core.View().Version
	}
	startStream(w)
	defer endStream(w)
	h.follow(ctx, w, seen, []byte(listChanged), s.touch)
}

// listen serves subscriptions/listen: acknowledges what it honours, then sends it
// until the client leaves, every message under the id of the request.
func (h *Handler) listen(w http.ResponseWriter, r *http.Request, m *wire.Message) {
	id := m.ID.In(m.Raw)
	filter := m.Notifications.In(m.Raw)
	if len(filter) == 0 || filter[0] != '{' {
		h.refuse(w, http.StatusBadRequest, id, mcp.INVALID_PARAMS, `subscriptions/listen needs an object "notifications" in its params`)
		return
	}
	meta := `"_meta":{"` + mcp.MetaKeySubscriptionID + `":` + string(id) + `}`
	honoured := ""
	var message []byte
	if string(wire.Member(filter, "toolsListChanged")) == "true" {
		honoured = `"toolsListChanged":true`
		message = []byte(listChanged[:len(listChanged)-1] + `,"params":{` + meta + `}}`)
	}
	seen := h.core.View().Version
	startStream(w)
	defer endStream(w)
	event(w, []byte(`{"jsonrpc":"2.0","method":"`+mcp.MethodNotificationSubscriptionsAcknowledged+`","params":{`+meta+`,"notifications":{`+honoured+`}}}`))
	if ended := h.follow(r.Context(), w, seen, message, func() {}); ended {
		event(w, []byte(`{"jsonrpc":"2.0","id":`+string(id)+`,"result":{"resultType":"complete",`+meta+`}}`))
	}
}

// follow writes message whenever the list has changed since it was seen last, and
// comments while nothing happens. It reports whether the gateway ended the stream.
func (h *Handler) follow(ctx context.Context, w http.ResponseWriter, seen uint64, message []byte, alive func()) bool {
	bell, leave := h.hub.join()
	defer leave()
	tick := time.NewTicker(h.cfg.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-bell:
			now := h.core.View().Version
			if message == nil || now == seen {
				continue
			}
			seen = now
			if event(w, message) != nil {
				return false
			}
		case <-tick.C:
			alive()
			if writeStream(w, comment) != nil {
				return false
			}
		case <-ctx.Done():
			return false
		case <-h.ending:
			return true
		}
	}
}

func event(w http.ResponseWriter, message []byte) error {
	return writeStream(w, wire.AppendEvent(nil, message))
}
