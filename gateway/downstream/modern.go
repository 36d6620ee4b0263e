package downstream

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

// modernLane is the lane of all modern clients: they declare to legacy backends
// what the gateway declares for them, and have no session that could differ.
const modernLane = ""

// modern serves 2026-07-28: no sessions, everything in each request.
func (h *Handler) modern(w http.ResponseWriter, r *http.Request, m *wire.Message) {
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
		h.refuseWith(w, modernStatus(code), id, code, text, data)
		return
	}
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodServerDiscover:
		result(w, m, h.identity.discover)
	case mcp.MethodToolsList:
		h.listTools(w, m, h.core.View(), true)
	case mcp.MethodToolsCall:
		h.callTool(r.Context(), w, r, m, bridge.Client{Modern: true, Lane: modernLane, Header: r.Header})
	case mcp.MethodSubscriptionsListen:
		h.listen(w, r, m)
	default:
		h.methodNotFound(w, m, http.StatusNotFound)
	}
}

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
