package bridge

import (
	"encoding/json"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Receive passes one message of the backend on to the client.
func (c *call) Receive(m *wire.Message, from upstream.Peer) error {
	if m.Kind == wire.KindResponse {
		return c.response(m, from)
	}
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodNotificationProgress:
		return c.progress(m)
	case mcp.MethodNotificationMessage:
		if c.client.Modern && !c.asksFor(m) {
			return nil
		}
	case mcp.MethodNotificationCancelled:
		return nil // of a request that was ours, not the client's
	default:
		if c.client.Modern != from.Modern {
			return nil // what only the other era knows
		}
	}
	return c.answer.Notify(m.Raw)
}

// asksFor reports whether the request's logLevel lets a message through: in
// 2026-07-28 there is none without it. A legacy backend was not told the level.
func (c *call) asksFor(m *wire.Message) bool {
	least, ok := wire.Unquote(c.msg.MetaLogLevel.In(c.msg.Raw))
	level, _ := wire.Unquote(wire.Member(m.Params.In(m.Raw), "level"))
	return ok && mcp.LoggingLevel(level).ShouldSendTo(mcp.LoggingLevel(least))
}

// progress passes a progress notification on under the client's own token, and
// drops one that carries another token than this call's.
func (c *call) progress(m *wire.Message) error {
	token := c.msg.MetaProgressToken.In(c.msg.Raw)
	if token == nil || string(m.ProgressToken.In(m.Raw)) != strconv.FormatInt(c.id, 10) {
		return nil
	}
	c.buf = wire.Splice(c.buf[:0], m.Raw, wire.Edit{Span: m.ProgressToken, New: token})
	return c.answer.Notify(c.buf)
}

func (c *call) response(m *wire.Message, from upstream.Peer) error {
	c.done = true
	id := c.msg.ID.In(c.msg.Raw)
	edits := append(make([]wire.Edit, 0, 2), wire.Edit{Span: m.ID, New: id})
	code := 0
	switch {
	case m.Error.Present():
		c.end.IsError = true
		code, _ = strconv.Atoi(string(m.Code.In(m.Raw)))
		c.end.Err = errorText(m, code)
	case inputRequired(m) && !c.client.Modern:
		c.end.IsError = true
		return c.answer.Reply(RPCError(nil, id, mcp.INTERNAL_ERROR,
			"backend "+c.route.Backend+" asks for input, which this session cannot give", nil), mcp.INTERNAL_ERROR)
	default:
		c.end.IsError = m.IsError
		if c.client.Modern && !from.Modern && !m.ResultType.Present() && isObject(m.Result.In(m.Raw)) {
			edits = append(edits, wire.Insert(m.Raw, m.Result, []byte(`"resultType":"complete"`)))
		}
	}
	c.buf = wire.Splice(c.buf[:0], m.Raw, edits...)
	return c.answer.Reply(c.buf, code)
}

// errorText is an error's message for the journal.
func errorText(m *wire.Message, code int) string {
	text, _ := wire.Unquote(wire.Member(m.Error.In(m.Raw), "message"))
	if text == "" {
		text = "error " + strconv.Itoa(code)
	}
	return text
}

func inputRequired(m *wire.Message) bool {
	return string(m.ResultType.In(m.Raw)) == `"input_required"`
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }

// RPCError appends a JSON-RPC error response to dst. id and data are raw JSON; an
// id of nil is that of a request that could not be read.
func RPCError(dst, id []byte, code int, message string, data []byte) []byte {
	if len(id) == 0 {
		id = []byte("null")
	}
	text, _ := json.Marshal(message)
	dst = append(append(dst, `{"jsonrpc":"2.0","id":`...), id...)
	dst = strconv.AppendInt(append(dst, `,"error":{"code":`...), int64(code), 10)
	dst = append(append(dst, `,"message":`...), text...)
	if len(data) > 0 {
		dst = append(append(dst, `,"data":`...), data...)
	}
	return append(dst, "}}"...)
}

// ToolError appends a tools/call result that says, to the model, that the call
// failed.
func ToolError(dst, id []byte, modern bool, message string) []byte {
	text, _ := json.Marshal(message)
	dst = append(append(dst, `{"jsonrpc":"2.0","id":`...), id...)
	dst = append(dst, `,"result":{`...)
	if modern {
		dst = append(dst, `"resultType":"complete",`...)
	}
	dst = append(append(dst, `"content":[{"type":"text","text":`...), text...)
	return append(dst, `}],"isError":true}}`...)
}
