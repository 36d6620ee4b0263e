package downstream

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// serverName is what the gateway has always called itself.
const serverName = "mcp-gateway"

// identity is what the gateway says of itself, rendered once.
type identity struct {
	initialize string // the members of an initialize result behind protocolVersion
	discover   string // the members of a server/discover result
	listTail   string // the members of a modern list result behind its items
}

func newIdentity(version string) identity {
	info, _ := json.Marshal(mcp.Implementation{Name: serverName, Version: version})
	const capabilities = `"capabilities":{"tools":{"listChanged":true}}`
	versions, _ := json.Marshal(mcp.ValidProtocolVersions)
	// The lifetime is 0 because list_changed tells of each change at once; the
	// catalogue is the same for everybody who may ask at all.
	meta := `"resultType":"complete","ttlMs":0,"cacheScope":"public","_meta":{"` + mcp.MetaKeyServerInfo + `":` + string(info) + `}`
	return identity{
		initialize: `,` + capabilities + `,"serverInfo":` + string(info),
		discover:   `"supportedVersions":` + string(versions) + `,` + capabilities + `,` + meta,
		listTail:   `,` + meta,
	}
}

// listTools answers from the rendered snapshot, without copying it.
func (h *Handler) listTools(w http.ResponseWriter, m *wire.Message, view *View, modern bool) {
	cursor := ""
	if m.Cursor.Present() && string(m.Cursor.In(m.Raw)) != "null" {
		var ok bool
		if cursor, ok = wire.Unquote(m.Cursor.In(m.Raw)); !ok {
			h.refuse(w, h.paramStatus(modern), m.ID.In(m.Raw), mcp.INVALID_PARAMS, `"cursor" must be a string`)
			return
		}
	}
	tools, next, err := view.Page(cursor, modern)
	if err != nil {
		h.refuse(w, h.paramStatus(modern), m.ID.In(m.Raw), mcp.INVALID_PARAMS, err.Error())
		return
	}
	var head, tail []byte
	head = append(append(append(head, `{"jsonrpc":"2.0","id":`...), m.ID.In(m.Raw)...), `,"result":{"tools":[`...)
	tail = append(tail, ']')
	if next != "" {
		tail = append(append(append(tail, `,"nextCursor":"`...), next...), '"')
	}
	if modern {
		tail = append(tail, h.identity.listTail...)
	}
	tail = append(tail, "}}"...)
	writeJSON(w, http.StatusOK, head, tools, tail)
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

// missing says what is wrong with a tool that the catalogue does not have. known
// is false when no backend of that name exists.
func (v *View) missing(name string) (text string, known bool) {
	for i := 0; ; {
		n := strings.Index(name[i:], "__")
		if n < 0 {
			break
		}
		i += n
		if reason, absent := v.Absent[name[:i]]; absent {
			if reason != "" {
				reason = ": " + reason
			}
			return `Backend "` + name[:i] + `" is not connected` + reason, true
		}
		i++
	}
	if !strings.Contains(name, "__") {
		return `Invalid tool name (missing "__" prefix): ` + name, true
	}
	return "Unknown tool: " + name, false
}
