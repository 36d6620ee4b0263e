package downstream

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// sessionNotFound is the code that SDKs answer an unknown session with.
const sessionNotFound = -32001

// legacy serves the revisions up to 2025-11-25.
func (h *Handler) legacy(w http.ResponseWriter, r *http.Request, m *wire.Message, scope string) {
	if m.Method == string(mcp.MethodInitialize) && m.Kind == wire.KindRequest {
		h.initialize(w, r, m, scope)
		return
	}
	s, ok := h.session(w, r, m.ID.In(m.Raw), scope)
	if !ok {
		return
	}
	h.inSession(w, r, m, s)
}

// inSession serves one message of a session.
func (h *Handler) inSession(w http.ResponseWriter, r *http.Request, m *wire.Message, s *session) {
	switch m.Kind {
	case wire.KindResponse:
		s.asks.answered(m)
		w.WriteHeader(http.StatusAccepted)
	case wire.KindNotification:
		h.legacyNotification(m, s)
		w.WriteHeader(http.StatusAccepted)
	default:
		h.legacyRequest(w, r, m, s)
	}
}

func (h *Handler) legacyNotification(m *wire.Message, s *session) {
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodNotificationInitialized:
	case mcp.MethodNotificationCancelled:
		if m.RequestID.Present() {
			s.cancel(string(m.RequestID.In(m.Raw)))
		}
	case mcp.MethodNotificationProgress:
		if backend, message, ok := s.asks.progress(m); ok {
			h.core.Tell(backend, s.tag, message)
		}
	default: // changed roots, and what only the backends know
		h.core.Tell("", s.tag, m.Raw)
	}
}

func (h *Handler) legacyRequest(w http.ResponseWriter, r *http.Request, m *wire.Message, s *session) {
	if housekeeping(m.Method) {
		n := h.noted(w, m, s.client.Load())
		defer n.end()
		w = n
	}
	scope := h.viewFor(r.Context(), m.Method).scope(s.Scope)
	if kind, ok := listKind(m.Method); ok {
		if !m.Cursor.Present() { // a later page may be of a later list than the first
			s.saw(kind, scope.Versions[kind])
		}
		h.list(w, m, scope, kind, false)
		h.listed(s.client.Load(), scope, kind)
		return
	}
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodPing:
		result(w, m)
	case mcp.MethodSetLogLevel:
		h.setLevel(w, m, s)
	case mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe:
		h.subscribe(r.Context(), w, m, s, scope)
	case mcp.MethodServerDiscover, mcp.MethodSubscriptionsListen:
		h.methodNotFound(w, m, http.StatusOK)
	default:
		// A connection that breaks off cancels nothing here: the client says so
		// when it wants that (basic/transports, 2025-06-18).
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
		defer cancel(nil)
		id := string(m.ID.In(m.Raw))
		defer s.began(id, cancel)()
		h.relay(ctx, m, scope, bridge.Client{Lane: s.lane, Principal: s.tag, Capabilities: s.modern,
			Info: s.Info, Header: r.Header}, s.client.Load(), newResponder(w, r, s, s.Scope, h.cfg.KeepAlive))
		s.touch()
	}
}

// modernCapabilities are a legacy client's capabilities as 2026-07-28 knows them:
// without tasks, which it has as an extension, and changes of roots, which it does
// not tell.
func modernCapabilities(raw []byte) []byte {
	return plainRoots(wire.WithoutMember(raw, "tasks"))
}

// plainRoots is the object raw with no more than "roots":{}.
func plainRoots(raw []byte) []byte {
	if roots := wire.Find(raw, "roots"); roots.Present() {
		return wire.Splice(nil, raw, wire.Edit{Span: roots, New: []byte("{}")})
	}
	return raw
}

// setLevel notes the level for what comes, and tells the backends that the client
// has sessions with.
func (h *Handler) setLevel(w http.ResponseWriter, m *wire.Message, s *session) {
	level, _ := wire.Unquote(m.Level.In(m.Raw))
	if !slices.Contains(levels, level) {
		h.refuse(w, http.StatusOK, m.ID.In(m.Raw), mcp.INVALID_PARAMS,
			fmt.Sprintf("logging/setLevel needs a level of %s, not %.40q", strings.Join(levels, ", "), level))
		return
	}
	s.lane.SetLevel(level)
	h.core.SyncLevel(s.tag)
	result(w, m)
}

// levels are those of logging, from the lowest.
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// initialize opens a session. It answers with the client's revision where that is
// one of this era, and with the newest otherwise.
func (h *Handler) initialize(w http.ResponseWriter, r *http.Request, m *wire.Message, scope string) {
	s := h.open(w, r, m, scope)
	if s == nil {
		return
	}
	n := h.noted(w, m, s.client.Load())
	defer n.end()
	w = n
	w.Header()[mcp.HeaderSessionID] = []string{s.id}
	result(w, m, `"protocolVersion":"`, s.Version, `"`, h.core.View().scope(scope).Identity.initialize)
}

// open begins the session that m asks for, or has refused it.
func (h *Handler) open(w http.ResponseWriter, r *http.Request, m *wire.Message, scope string) *session {
	view := h.core.View()
	if view.Scopes[scope] == nil {
		h.turnAway(w, r, http.StatusNotFound, m.ID.In(m.Raw), mcp.INVALID_REQUEST, "endpoint", view.unknown(scope))
		return nil
	}
	params := m.Params.In(m.Raw)
	version, _ := wire.Unquote(wire.Member(params, "protocolVersion"))
	if version == "" {
		h.turnAway(w, r, http.StatusOK, m.ID.In(m.Raw), mcp.INVALID_PARAMS, "message", `initialize needs a string "protocolVersion" in its params`)
		return nil
	}
	if !isLegacy(version) {
		version = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	}
	s := h.sessions.open(readHello(params, scope, version))
	h.met(r, s)
	h.cfg.Journal.System(journal.LevelInfo, fmt.Sprintf("MCP session opened: %s (%d active)", s.tag, h.sessions.count()))
	return s
}

func isLegacy(version string) bool {
	return slices.Contains(mcp.ValidProtocolVersions, version) && !mcp.IsModernProtocol(version)
}

// session answers the session that r belongs to, or has refused r.
func (h *Handler) session(w http.ResponseWriter, r *http.Request, id []byte, scope string) (*session, bool) {
	name := r.Header.Get(mcp.HeaderSessionID)
	if name == "" {
		h.turnAway(w, r, http.StatusBadRequest, id, mcp.INVALID_REQUEST, "session_missing", "the Mcp-Session-Id header is missing: send initialize first, and its answer's Mcp-Session-Id with every later request")
		return nil, false
	}
	s := h.sessions.get(name)
	if s == nil || s.Scope != scope {
		h.turnAway(w, r, http.StatusNotFound, id, sessionNotFound, "session_unknown", "Session not found: initialize again")
		return nil, false
	}
	if v := r.Header.Get(mcp.HeaderProtocolVersion); v != "" && !isLegacy(v) {
		h.turnAway(w, r, http.StatusBadRequest, id, mcp.INVALID_REQUEST, "version",
			fmt.Sprintf("MCP-Protocol-Version %.40q is not supported in a session; supported are %s", v, strings.Join(mcp.ValidProtocolVersions[1:], ", ")))
		return nil, false
	}
	s.touch()
	h.met(r, s)
	return s, true
}
