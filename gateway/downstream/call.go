package downstream

import (
	"context"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

// callTool answers a tools/call. The name is looked up, never split: which part of
// it is the backend's is the catalogue's business.
func (h *Handler) callTool(ctx context.Context, w http.ResponseWriter, r *http.Request, m *wire.Message, client bridge.Client) {
	id := m.ID.In(m.Raw)
	name, ok := wire.Unquote(m.Name.In(m.Raw))
	if !ok {
		h.refuse(w, h.paramStatus(client.Modern), id, mcp.INVALID_PARAMS, `tools/call needs a string "name" in its params`)
		return
	}
	view := h.core.View()
	route := view.Routes[name]
	if route == nil {
		text, known := view.missing(name)
		if known {
			writeJSON(w, http.StatusOK, bridge.ToolError(nil, id, client.Modern, "Error: "+text))
			return
		}
		h.refuse(w, h.paramStatus(client.Modern), id, mcp.INVALID_PARAMS, text)
		return
	}
	answer := newResponder(w, r, client.Modern, h.cfg.KeepAlive)
	defer answer.finish()
	bridge.CallTool(ctx, route, client, m, answer)
}
