package downstream

import (
	"context"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// listKind answers which list a method is for.
func listKind(method string) (catalog.Kind, bool) {
	switch mcp.MCPMethod(method) {
	case mcp.MethodToolsList:
		return catalog.Tools, true
	case mcp.MethodPromptsList:
		return catalog.Prompts, true
	case mcp.MethodResourcesList:
		return catalog.Resources, true
	case mcp.MethodResourcesTemplatesList:
		return catalog.Templates, true
	}
	return 0, false
}

// viewFor answers what the client of a request sees. Many clients read the lists once,
// when they connect, and keep them: those wait until the backends that are there
// anyway have been tried, all else goes on.
func (h *Handler) viewFor(ctx context.Context, method string) *View {
	if _, lists := listKind(method); lists && h.cfg.Settled != nil {
		select {
		case <-h.cfg.Settled:
		case <-ctx.Done():
		}
	}
	return h.core.View()
}

// list answers from the rendered snapshot, without copying it.
func (h *Handler) list(w http.ResponseWriter, m *wire.Message, s *Scope, kind catalog.Kind, modern bool) {
	cursor := ""
	if m.Cursor.Present() && string(m.Cursor.In(m.Raw)) != "null" {
		var ok bool
		if cursor, ok = wire.Unquote(m.Cursor.In(m.Raw)); !ok {
			h.refuse(w, h.paramStatus(modern), m.ID.In(m.Raw), mcp.INVALID_PARAMS, `"cursor" must be a string`)
			return
		}
	}
	items, next, err := s.Page(kind, cursor, modern)
	if err != nil {
		h.refuse(w, h.paramStatus(modern), m.ID.In(m.Raw), mcp.INVALID_PARAMS, err.Error())
		return
	}
	head := append(append([]byte(`{"jsonrpc":"2.0","id":`), m.ID.In(m.Raw)...), `,"result":`...)
	var tail []byte
	frame, same, framed := s.Frame(kind, modern)
	if framed && same && cursor == "" && next == "" {
		writeJSON(w, http.StatusOK, append(head, frame.Head...), items, append([]byte(frame.Tail), '}'))
		return
	}
	head = append(append(append(head, `{"`...), kind.String()...), `":[`...)
	tail = append(tail, ']')
	if next != "" {
		tail = append(append(append(tail, `,"nextCursor":"`...), next...), '"')
	}
	var rest, meta string
	if framed {
		rest, meta = frame.Rest()
	}
	tail = append(tail, rest...)
	switch {
	case modern:
		hint := s.Hint(kind)
		tail = append(tail, s.listTail(hint.TTL, hint.Private, meta)...)
	case meta != "":
		tail = append(append(append(tail, `,"_meta":{`...), meta[1:]...), '}')
	}
	tail = append(tail, "}}"...)
	writeJSON(w, http.StatusOK, head, items, tail)
}

func (h *Handler) paramStatus(modern bool) int {
	if modern {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// result answers with the members of a result.
func result(w http.ResponseWriter, m *wire.Message, members ...string) {
	body := append(append([]byte(`{"jsonrpc":"2.0","id":`), m.ID.In(m.Raw)...), `,"result":{`...)
	for _, part := range members {
		body = append(body, part...)
	}
	writeJSON(w, http.StatusOK, append(body, "}}"...))
}
