package downstream

import (
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// begin records a request that goes to a backend, or that none takes.
func (h *Handler) begin(m *wire.Message, header http.Header, who *journal.Client, routes []*bridge.Route, answer *responder) {
	r := journal.Request{Client: who, Method: m.Method, Name: called(m), Message: m.Raw}
	if trace := header["Traceparent"]; len(trace) > 0 {
		r.Trace = trace[0]
	}
	if len(routes) > 0 {
		r.Backend, r.Original, r.Meter = routes[0].Backend, routes[0].Name, routes[0].Meter
	}
	answer.record = h.cfg.Journal.Begin(&r)
	if c, ok := answer.w.(*capture); ok {
		c.call = answer.record.ID()
	}
}

// called is what a request is about, as its client calls it.
func called(m *wire.Message) string {
	span := m.Name
	switch {
	case m.Name.Present():
	case m.URI.Present():
		span = m.URI
	case m.TaskID.Present():
		span = m.TaskID
	case m.Ref.Present():
		for _, member := range [...]string{"name", "uri"} {
			if name, ok := wire.Unquote(wire.Member(m.Ref.In(m.Raw), member)); ok {
				return name
			}
		}
	}
	name, _ := wire.Unquote(span.In(m.Raw))
	return name
}

// housekeeping reports whether a method is answered by the gateway itself: lists,
// handshakes and the like.
func housekeeping(method string) bool {
	if _, list := listKind(method); list {
		return true
	}
	switch mcp.MCPMethod(method) {
	case mcp.MethodInitialize, mcp.MethodPing, mcp.MethodSetLogLevel, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe,
		mcp.MethodServerDiscover, mcp.MethodSubscriptionsListen:
		return true
	}
	return false
}

// noted is the ResponseWriter of a request that the gateway answers itself. It counts
// what is written, and keeps an answer that is short.
type noted struct {
	http.ResponseWriter
	record journal.Recording
	fate   journal.Fate
	length int
	body   []byte
}

// maxNoted bounds the answers that are kept.
const maxNoted = 16 << 10

func (h *Handler) noted(w http.ResponseWriter, m *wire.Message, who *journal.Client) *noted {
	return &noted{ResponseWriter: w, record: h.cfg.Journal.Begin(&journal.Request{Client: who, Method: m.Method,
		Name: called(m), Protocol: true, Message: m.Raw})}
}

// Write implements http.ResponseWriter.
func (n *noted) Write(b []byte) (int, error) {
	if n.length == len(n.body) && n.length+len(b) <= maxNoted {
		n.body = append(n.body, b...)
	}
	n.length += len(b)
	return n.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

func (n *noted) end() { n.record.End(&n.fate, n.body, n.length) }

// listed notes how much of the catalogue a client was told.
func (h *Handler) listed(who *journal.Client, s *Scope, kind catalog.Kind) {
	if kind == catalog.Tools {
		h.cfg.Journal.Listed(who, len(s.Entries(kind)))
	}
}

// met notes the client of a session when its first request is here.
func (h *Handler) met(r *http.Request, s *session) {
	s.meet.Do(func() {
		s.client.Store(h.cfg.Journal.Met(journal.Facts{Session: s.tag, Info: s.Info, Capabilities: s.Capabilities,
			UserAgent: r.UserAgent(), Version: s.Version, Address: r.RemoteAddr}, nil))
	})
}

// stateless answers the client of a request without a session: all requests from one
// place that say the same of their sender.
func (h *Handler) stateless(r *http.Request, m *wire.Message) *journal.Client {
	info := m.MetaClientInfo.In(m.Raw)
	if len(info) > maxClientInfo {
		info = nil
	}
	agent := r.UserAgent()
	host := hostname(r.RemoteAddr)
	var scratch [512]byte
	key := append(append(scratch[:0], host...), 0)
	key = append(append(key, agent[:min(len(agent), maxAgent)]...), 0)
	if auth := r.Header["Authorization"]; len(auth) > 0 {
		key = append(append(key, digest(auth[0])...), 0)
	}
	if len(info) > maxKeyInfo { // the key is kept
		key = append(key, digest(string(info))...)
	} else {
		key = append(key, info...)
	}
	if c := h.cfg.Journal.Known(key); c != nil {
		return c
	}
	capabilities := m.MetaCapabilities.In(m.Raw)
	if len(capabilities) > maxCapabilities {
		capabilities = nil
	}
	version, _ := wire.Unquote(m.MetaVersion.In(m.Raw))
	return h.cfg.Journal.Met(journal.Facts{Info: info, Capabilities: capabilities, UserAgent: agent, Version: version, Address: r.RemoteAddr}, key)
}

// maxAgent bounds the User-Agent by which clients are told apart, and maxKeyInfo what
// they say of themselves.
const maxAgent, maxKeyInfo = 256, 1024

// EndSession ends a client's session because a person wants that, and reports whether
// there was one of that tag.
func (h *Handler) EndSession(tag string) bool {
	s := h.sessions.tagged(tag)
	if s != nil {
		h.sessions.end(s)
	}
	return s != nil
}

// turnAway refuses a request that is none of a client, and notes it.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, status int, id []byte, code int, word, message string) {
	h.turnedAway(r, status, word, message)
	h.refuse(w, status, id, code, message)
}

func (h *Handler) turnedAway(r *http.Request, status int, word, message string) {
	h.cfg.Journal.Refused(journal.Refusal{Address: r.RemoteAddr, UserAgent: r.UserAgent(), Status: status, Reason: message, Code: word})
}
