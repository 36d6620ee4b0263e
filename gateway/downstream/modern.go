package downstream

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// modern serves 2026-07-28: no sessions, everything in each request.
func (h *Handler) modern(w http.ResponseWriter, r *http.Request, m *wire.Message, scope string) {
	id := m.ID.In(m.Raw)
	switch m.Kind {
	case wire.KindNotification:
		// A cancellation over HTTP is the closed stream; clients post one as well.
		w.WriteHeader(http.StatusAccepted)
		return
	case wire.KindResponse:
		h.refuse(w, http.StatusBadRequest, nil, mcp.INVALID_REQUEST, "responses are not sent to a server in this revision: repeat the request with inputResponses")
		return
	}
	if code, text, data := checkModern(r.Header, m); code != 0 {
		word := "message"
		if code == mcp.UNSUPPORTED_PROTOCOL_VERSION {
			word = "version"
		}
		h.turnedAway(r, modernStatus(code), word, text)
		h.refuseWith(w, modernStatus(code), id, code, text, data)
		return
	}
	view := h.viewFor(r.Context(), m.Method)
	if view.Scopes[scope] == nil {
		// The status of an endpoint that is not there; the body tells a modern client
		// that it need not try another era.
		h.turnAway(w, r, http.StatusNotFound, id, mcp.INVALID_REQUEST, "endpoint", view.unknown(scope))
		return
	}
	s := view.scope(scope)
	who := h.stateless(r, m)
	if housekeeping(m.Method) {
		n := h.noted(w, m, who)
		defer n.end()
		w = n
	}
	if kind, ok := listKind(m.Method); ok {
		h.list(w, m, s, kind, true)
		h.listed(who, s, kind)
		return
	}
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodServerDiscover:
		result(w, m, s.Identity.discover)
	case mcp.MethodSubscriptionsListen:
		h.listen(w, r, m, s, who)
	case mcp.MethodInitialize, mcp.MethodPing, mcp.MethodSetLogLevel, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe,
		mcp.MethodTasksList, mcp.MethodTasksResult, mcp.MethodListRoots, mcp.MethodSamplingCreateMessage, mcp.MethodElicitationCreate:
		h.methodNotFound(w, m, http.StatusNotFound) // removed, or never a client's
	default:
		client := h.lanes.client(r, m)
		h.relay(r.Context(), m, s, client, who, newResponder(w, r, nil, scope, h.cfg.KeepAlive))
	}
}

// methodTasksUpdate is of the extension io.modelcontextprotocol/tasks.
const methodTasksUpdate mcp.MCPMethod = "tasks/update"

// checkModern holds the headers against the body, which 2026-07-28 demands of
// whoever reads both (basic/transports, standard headers). A code of 0 means that
// all is well.
func checkModern(h http.Header, m *wire.Message) (code int, text string, data []byte) {
	body, ok := wire.Unquote(m.MetaVersion.In(m.Raw))
	if !ok {
		return mcp.INVALID_PARAMS, `params._meta needs "` + mcp.MetaKeyProtocolVersion + `"`, nil
	}
	header := h.Get(mcp.HeaderProtocolVersion)
	if header != body {
		return mcp.HEADER_MISMATCH, fmt.Sprintf("the MCP-Protocol-Version header is %.40q and the body says %.40q", header, body), nil
	}
	if body != mcp.ProtocolVersion20260728 {
		data, _ = json.Marshal(map[string]any{"supported": mcp.ValidProtocolVersions, "requested": body})
		return mcp.UNSUPPORTED_PROTOCOL_VERSION, fmt.Sprintf("protocol revision %.40q is not supported", body), data
	}
	if c := m.MetaCapabilities.In(m.Raw); len(c) == 0 || c[0] != '{' {
		return mcp.INVALID_PARAMS, `params._meta needs an object "` + mcp.MetaKeyClientCapabilities + `"`, nil
	}
	if method := h.Get(mcp.HeaderMethod); method != m.Method {
		return mcp.HEADER_MISMATCH, fmt.Sprintf("the Mcp-Method header is %.100q and the body says %.100q", method, m.Method), nil
	}
	var named wire.Span
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodToolsCall, mcp.MethodPromptsGet:
		named = m.Name
	case mcp.MethodResourcesRead:
		named = m.URI
	case mcp.MethodTasksGet, mcp.MethodTasksCancel, methodTasksUpdate:
		named = m.TaskID
	default:
		return 0, "", nil
	}
	want, _ := wire.Unquote(named.In(m.Raw))
	raw, there := h[mcp.HeaderName]
	if !there {
		return mcp.HEADER_MISMATCH, fmt.Sprintf("the Mcp-Name header is missing; the body says %.100q", want), nil
	}
	if got, ok := mcp.DecodeHeaderValue(raw[0]); !ok || got != want {
		return mcp.HEADER_MISMATCH, fmt.Sprintf("the Mcp-Name header is %.100q and the body says %.100q", raw[0], want), nil
	}
	return 0, "", nil
}
