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
	case string(mcp.MethodNotificationProgress), mcp.MethodNotificationResourceUpdated:
		return // of a call that is over; and updates come by the gateway's own session
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

// Asked implements upstream.Inbox.
func (s *session) Asked(backend string, m *wire.Message, reply upstream.Reply) bool {
	s.mu.Lock()
	open := s.stream != nil
	s.mu.Unlock()
	if !open {
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
