package downstream

import (
	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Notified implements upstream.Inbox: what a backend sends in the client's session
// with it, outside of any call, goes to the client's standing stream.
func (s *session) Notified(backend string, m *wire.Message) {
	switch m.Method {
	case string(mcp.MethodNotificationCancelled):
		if id := m.RequestID.In(m.Raw); id != nil {
			if message, ok := s.asks.takeBack(backend, id); ok {
				s.standing.add(message)
			}
		}
		return
	case string(mcp.MethodNotificationProgress):
		return // of a call that is over
	case mcp.MethodNotificationResourceUpdated:
		s.updated(backend, m)
		return
	}
	raw := m.Raw
	if scope := s.core.View().scope(s.Scope); !scope.Plain {
		if b := scope.backend(backend); b != nil && scope.tasks(b) != "" {
			if edits := bridge.ExposeTask(scope.tasks(b), m); len(edits) > 0 {
				raw = wire.Splice(nil, raw, edits...)
			}
		}
	}
	s.standing.add(raw)
}

// updated passes a change of a resource on that the client watches in its own session
// with the backend.
func (s *session) updated(backend string, m *wire.Message) {
	uri, _ := wire.Unquote(m.URI.In(m.Raw))
	var exposed []string
	s.mu.Lock()
	for _, n := range s.subs {
		if n.resource == (resource{backend, uri}) {
			exposed = append(exposed, n.exposed)
		}
	}
	s.mu.Unlock()
	for _, e := range exposed {
		s.standing.add(updatedMessage(m, e, m.Meta.In(m.Raw)))
	}
}

// Asked implements upstream.Inbox.
func (s *session) Asked(backend string, m *wire.Message, reply upstream.Reply) bool {
	s.mu.Lock()
	open := s.stream != nil
	s.mu.Unlock()
	if !open || !s.takes(m.Method) {
		return false
	}
	if scope := s.core.View().scope(s.Scope); !scope.Plain {
		if b := scope.backend(backend); b != nil && scope.tasks(b) != "" {
			m, reply = bridge.ExposeAsk(scope.tasks(b), m, reply)
		}
	}
	message, _, ok := s.asks.add(backend, m, reply)
	if ok {
		s.standing.add(message)
	}
	return ok
}
