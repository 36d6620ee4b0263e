package downstream

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// maxPending bounds the questions that one client has not answered yet.
const maxPending = 256

// asks are the requests of backends that a legacy client has not answered yet. Each
// goes out under a number of the gateway's own, for backends choose their ids
// without knowing of each other.
type asks struct {
	mu      sync.Mutex // guards what follows
	next    int64
	pending map[string]pending // by our number, as JSON
}

type pending struct {
	backend string
	id      []byte // the backend's own
	token   []byte // its progress token; nil without
	reply   upstream.Reply
}

// takes reports whether the client said that it answers requests of this method. Those
// of extensions are for clients that have some.
func (s *session) takes(method string) bool {
	has := func(name string) bool { return wire.Member(s.Capabilities, name) != nil }
	if need := bridge.Needs(method); need != "" {
		return has(need)
	}
	return has("experimental") || has("extensions") || has("tasks") && strings.HasPrefix(method, "tasks/")
}

// add answers m as the client gets it, and its number; false when the client owes
// too many answers already.
func (a *asks) add(backend string, m *wire.Message, reply upstream.Reply) (message []byte, number string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) >= maxPending {
		return nil, "", false
	}
	a.next++
	number = strconv.FormatInt(a.next, 10)
	p := pending{backend: backend, id: bytes.Clone(m.ID.In(m.Raw)), reply: reply}
	edits := []wire.Edit{{Span: m.ID, New: []byte(number)}}
	if m.MetaProgressToken.Present() {
		p.token = bytes.Clone(m.MetaProgressToken.In(m.Raw))
		edits = append(edits, wire.Edit{Span: m.MetaProgressToken, New: []byte(number)})
	}
	if a.pending == nil {
		a.pending = map[string]pending{}
	}
	a.pending[number] = p
	return wire.Splice(nil, m.Raw, edits...), number, true
}

// answered passes the client's response on, if its question still stands.
func (a *asks) answered(m *wire.Message) {
	if p, ok := a.take(string(bytes.Trim(m.ID.In(m.Raw), `"`))); ok {
		p.reply(wire.Splice(nil, m.Raw, wire.Edit{Span: m.ID, New: p.id}))
	}
}

func (a *asks) take(number string) (pending, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.pending[number]
	delete(a.pending, number)
	return p, ok
}

// progress answers the client's progress on a question as its backend knows it.
func (a *asks) progress(m *wire.Message) (backend string, message []byte, ok bool) {
	a.mu.Lock()
	p, ok := a.pending[string(bytes.Trim(m.ProgressToken.In(m.Raw), `"`))]
	a.mu.Unlock()
	if !ok || p.token == nil {
		return "", nil, false
	}
	return p.backend, wire.Splice(nil, m.Raw, wire.Edit{Span: m.ProgressToken, New: p.token}), true
}

// takeBack forgets a question and answers the cancellation that tells the client so.
func (a *asks) takeBack(backend string, id []byte) (message []byte, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number, p := range a.pending {
		if p.backend == backend && bytes.Equal(p.id, id) {
			delete(a.pending, number)
			return []byte(`{"jsonrpc":"2.0","method":"` + string(mcp.MethodNotificationCancelled) + `","params":{"requestId":` + number + `}}`), true
		}
	}
	return nil, false
}
