package downstream

import (
	"bytes"
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
func (h *Handler) legacy(w http.ResponseWriter, r *http.Request, m *wire.Message) {
	if m.Method == string(mcp.MethodInitialize) && m.Kind == wire.KindRequest {
		h.initialize(w, m)
		return
	}
	s, ok := h.session(w, r, m.ID.In(m.Raw))
	if !ok {
		return
	}
	switch m.Kind {
	case wire.KindResponse:
		w.WriteHeader(http.StatusAccepted)
	case wire.KindNotification:
		if m.Method == string(mcp.MethodNotificationCancelled) && m.RequestID.Present() {
			s.cancel(string(m.RequestID.In(m.Raw)))
		}
		w.WriteHeader(http.StatusAccepted)
	default:
		h.legacyRequest(w, r, m, s)
	}
}

func (h *Handler) legacyRequest(w http.ResponseWriter, r *http.Request, m *wire.Message, s *session) {
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodPing:
		result(w, m)
	case mcp.MethodToolsList:
		view := h.core.View()
		if !m.Cursor.Present() { // a later page may be of a later list than the first
			s.saw(view.Version)
		}
		h.listTools(w, m, view, false)
	case mcp.MethodToolsCall:
		// A connection that breaks off cancels nothing here: the client says so
		// when it wants that (basic/transports, 2025-06-18).
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
		defer cancel(nil)
		id := string(m.ID.In(m.Raw))
		defer s.began(id, cancel)()
		h.callTool(ctx, w, r, m, bridge.Client{Lane: s.id, Info: s.info, Header: r.Header})
		s.touch()
	default:
		h.methodNotFound(w, m, http.StatusOK)
	}
}

// initialize opens a session. It answers with the client's revision where that is
// one of this era, and with the newest otherwise.
func (h *Handler) initialize(w http.ResponseWriter, m *wire.Message) {
	params := m.Params.In(m.Raw)
	version, _ := wire.Unquote(wire.Member(params, "protocolVersion"))
	if version == "" {
		h.refuse(w, http.StatusOK, m.ID.In(m.Raw), mcp.INVALID_PARAMS, `initialize needs a string "protocolVersion" in its params`)
		return
	}
	if !isLegacy(version) {
		version = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	}
	info := wire.Member(params, "clientInfo")
	if len(info) == 0 || info[0] != '{' || len(info) > maxClientInfo {
		info = nil
	}
	s := h.sessions.open(version, bytes.Clone(info))
	h.cfg.Journal.System(journal.LevelInfo, fmt.Sprintf("MCP session opened: %s (%d active)", s.id, h.sessions.count()))
	w.Header()[mcp.HeaderSessionID] = []string{s.id}
	result(w, m, `"protocolVersion":"`, version, `"`, h.identity.initialize)
}

// maxClientInfo bounds what is kept of a client's introduction, icons included.
const maxClientInfo = 16 << 10

func isLegacy(version string) bool {
	return slices.Contains(mcp.ValidProtocolVersions, version) && !mcp.IsModernProtocol(version)
}

// session answers the session that r belongs to, or has refused r.
func (h *Handler) session(w http.ResponseWriter, r *http.Request, id []byte) (*session, bool) {
	name := r.Header.Get(mcp.HeaderSessionID)
	if name == "" {
		h.refuse(w, http.StatusBadRequest, id, mcp.INVALID_REQUEST, "the Mcp-Session-Id header is missing: send initialize first, and its answer's Mcp-Session-Id with every later request")
		return nil, false
	}
	s := h.sessions.get(name)
	if s == nil {
		h.refuse(w, http.StatusNotFound, id, sessionNotFound, "Session not found: initialize again")
		return nil, false
	}
	if v := r.Header.Get(mcp.HeaderProtocolVersion); v != "" && !isLegacy(v) {
		h.refuse(w, http.StatusBadRequest, id, mcp.INVALID_REQUEST,
			fmt.Sprintf("MCP-Protocol-Version %.40q is not supported in a session; supported are %s", v, strings.Join(mcp.ValidProtocolVersions[1:], ", ")))
		return nil, false
	}
	s.touch()
	return s, true
}
