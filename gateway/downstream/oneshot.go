package downstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// Call calls a tool for a program beside the gateway, as a client would that has no
// connection to be cut: the request takes the way of all others. It answers the
// response, one JSON-RPC message, and nothing when ctx ended first. client is what
// the caller is called; id is the call's in the journal.
func (h *Handler) Call(ctx context.Context, client, tool string, arguments []byte) (response []byte, id uint64) {
	name, _ := json.Marshal(tool)
	who, _ := json.Marshal(map[string]string{"name": client, "version": h.cfg.Version})
	if len(arguments) == 0 {
		arguments = []byte("{}")
	}
	params := fmt.Appendf(nil, `{"name":%s,"arguments":%s,"_meta":{%q:%q,%q:%s,%q:{}}}`, name, arguments,
		mcp.MetaKeyProtocolVersion, mcp.ProtocolVersion20260728, mcp.MetaKeyClientInfo, who, mcp.MetaKeyClientCapabilities)
	body := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, mcp.MethodToolsCall, params)
	header := http.Header{"Content-Type": typeJSON, "Accept": typeJSON, "User-Agent": []string{client}}
	header.Set(mcp.HeaderProtocolVersion, mcp.ProtocolVersion20260728)
	header.Set(mcp.HeaderMethod, string(mcp.MethodToolsCall))
	encoded, _ := mcp.EncodeHeaderValue(tool)
	header.Set(mcp.HeaderName, encoded)
	if r := h.core.View().scope("").Tools[tool]; r != nil {
		for k, v := range r.ParamHeaders(params) {
			header.Set(k, v)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/mcp", bytes.NewReader(body))
	if err != nil {
		return nil, 0 // the request is always one
	}
	r.Header = header
	answer := newCapture(func([]byte) error { return nil }) // the empty stream of a call that nobody waits for
	h.serve(answer, r)
	return bytes.TrimSpace(answer.body.Bytes()), answer.call
}
