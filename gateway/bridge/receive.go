package bridge

import (
	"bytes"
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Receive passes one message of the backend on to the client.
func (c *call) Receive(m *wire.Message, from upstream.Peer) error {
	if c.fate.First.IsZero() {
		c.fate.First = time.Now()
	}
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
		if id := m.RequestID.In(m.Raw); id != nil {
			c.answer.Unask(c.route.Backend, id)
		}
		return nil // or of a request that was ours, not the client's
	case mcp.MethodNotificationResourceUpdated:
		if c.client.Modern {
			return nil // there it comes on the stream of the subscription
		}
		if edits := ExposeURI(c.route.URIs, m); len(edits) > 0 {
			return c.answer.Notify(wire.Splice(nil, m.Raw, edits...))
		}
	default:
		if c.client.Modern != from.Modern {
			return nil // what only the other era knows
		}
	}
	if c.route.Tasks != "" {
		if edits := c.exposeTask(m); len(edits) > 0 {
			return c.answer.Notify(wire.Splice(nil, m.Raw, edits...))
		}
	}
	return c.answer.Notify(m.Raw)
}

// asksFor reports whether the request's logLevel lets a message through: in
// 2026-07-28 there is none without it.
func (c *call) asksFor(m *wire.Message) bool {
	least, ok := wire.Unquote(c.msg.MetaLogLevel.In(c.msg.Raw))
	level, _ := wire.Unquote(m.Level.In(m.Raw))
	return ok && mcp.LoggingLevel(level).ShouldSendTo(mcp.LoggingLevel(least))
}

// progress passes a progress notification on under the client's own token, and
// drops one that carries another token than this call's.
func (c *call) progress(m *wire.Message) error {
	token := c.msg.MetaProgressToken.In(c.msg.Raw)
	if token == nil || string(m.ProgressToken.In(m.Raw)) != strconv.FormatInt(c.id, 10) {
		return nil
	}
	edits := append(make([]wire.Edit, 0, 2), wire.Edit{Span: m.ProgressToken, New: token})
	if c.route.Tasks != "" {
		edits = append(edits, c.exposeTask(m)...)
	}
	c.buf = wire.Splice(c.buf[:0], m.Raw, edits...)
	return c.answer.Notify(c.buf)
}

func (c *call) response(m *wire.Message, from upstream.Peer) error {
	if m.Error.Present() {
		return c.errorResponse(m, from)
	}
	if inputRequired(m) && !c.client.Modern {
		c.need = bytes.Clone(m.Result.In(m.Raw))
		return nil
	}
	c.done, c.need = true, nil
	if c.end.IsError = m.IsError; m.IsError {
		c.fate.Kind, c.fate.Err = journal.ErrTool, toolText(m)
	}
	edits := append(make([]wire.Edit, 0, 4), wire.Edit{Span: m.ID, New: c.msg.ID.In(c.msg.Raw)})
	result := m.Result.In(m.Raw)
	var members []byte // to be added to the result
	if c.client.Modern && !from.Modern && isObject(result) {
		members = c.required(m, result)
	}
	if c.route.Next != nil && isObject(result) {
		at := at(m.Raw, m.Result, "nextCursor")
		switch next := c.route.Next(at.In(m.Raw)); {
		case next == nil:
		case at.Present():
			edits = append(edits, wire.Edit{Span: at, New: next})
		default:
			if len(members) > 0 {
				members = append(members, ',')
			}
			members = append(append(members, `"nextCursor":`...), next...)
		}
	}
	if len(members) > 0 {
		edits = append(edits, wire.Insert(m.Raw, m.Result, members))
	}
	if c.route.Tasks != "" {
		edits = append(edits, c.exposeTasks(m)...)
	}
	if c.route.URIs != nil {
		edits = append(edits, c.exposeURIs(m)...)
	}
	c.buf = wire.Splice(c.buf[:0], m.Raw, edits...)
	c.answer.Note(&c.fate)
	return c.answer.Reply(c.buf, 0)
}

// required are the members that 2026-07-28 requires of a result and that a legacy
// backend does not know. What a server of before says of a resource is for its
// caller alone, and not to be kept.
func (c *call) required(m *wire.Message, result []byte) []byte {
	var members []byte
	switch {
	case inputRequired(m):
		return nil
	case m.ResultType.Present():
	case m.InputRequests.Present() || m.ResultState.Present():
		// Servers of both eras say so in sessions too, and forget the type.
		members = append(members, `"resultType":"input_required"`...)
		return members
	default:
		members = append(members, `"resultType":"complete"`...)
	}
	if c.method != mcp.MethodResourcesRead {
		return members
	}
	for _, hint := range [...]struct{ name, value string }{{"ttlMs", "0"}, {"cacheScope", `"private"`}} {
		if wire.Member(result, hint.name) != nil {
			continue
		}
		if len(members) > 0 {
			members = append(members, ',')
		}
		members = append(append(append(append(members, '"'), hint.name...), `":`...), hint.value...)
	}
	return members
}

// Codes that mean the same in the two eras, or only mean something in one.
const (
	resourceNotFound = -32002 // until 2025-11-25; mcp.INVALID_PARAMS since
	elicitURLs       = -32042 // 2025-11-25: the URLs to visit first are in its data
)

func (c *call) errorResponse(m *wire.Message, from upstream.Peer) error {
	c.done, c.need = true, nil
	code, _ := strconv.Atoi(string(m.Code.In(m.Raw)))
	c.end.IsError, c.end.Err = true, errorText(m, code)
	c.fate.Kind, c.fate.Err = journal.ErrRPC, strconv.Itoa(code)+": "+c.end.Err
	id := c.msg.ID.In(c.msg.Raw)
	edits := append(make([]wire.Edit, 0, 2), wire.Edit{Span: m.ID, New: id})
	mapped := code
	switch {
	case c.client.Modern == from.Modern:
	case c.client.Modern && code == elicitURLs:
		if asked, ok := visitFirst(id, m); ok && wire.Member(c.client.Capabilities, "elicitation") != nil {
			c.fate.Kind, c.fate.Err = "", "" // it is asked for, and no error any more
			c.answer.Note(&c.fate)
			return c.answer.Reply(asked, 0)
		} else if ok { // nobody may ask what the client did not declare
			data := []byte(`{"requiredCapabilities":{"elicitation":{"url":{}}}}`)
			c.answer.Note(&c.fate)
			return c.answer.Reply(RPCError(nil, id, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, c.end.Err, data), mcp.MISSING_REQUIRED_CLIENT_CAPABILITY)
		}
	case c.method != mcp.MethodResourcesRead:
	case c.client.Modern && code == resourceNotFound:
		mapped = mcp.INVALID_PARAMS
	case !c.client.Modern && code == mcp.INVALID_PARAMS:
		mapped = resourceNotFound
	}
	if mapped != code {
		edits = append(edits, wire.Edit{Span: m.Code, New: strconv.AppendInt(nil, int64(mapped), 10)})
	}
	if c.client.Modern && handled(m, mapped, from) {
		mapped = Handled
	}
	c.buf = wire.Splice(c.buf[:0], m.Raw, edits...)
	c.answer.Note(&c.fate)
	return c.answer.Reply(c.buf, mapped)
}

// handled reports whether an error goes on with a successful HTTP status. Between
// equals that is how it came. Legacy servers know no other: the codes for which
// 2026-07-28 requires one get it, and what is wrong with a request's content, which
// servers of 2026-07-28 answer in either way, does not.
func handled(m *wire.Message, code int, from upstream.Peer) bool {
	if from.Modern {
		return m.Status == 0
	}
	switch code {
	case mcp.INVALID_PARAMS, mcp.INVALID_REQUEST, mcp.PARSE_ERROR:
		return true
	}
	return false
}

// visitKey begins the keys of what visitFirst asks for.
const visitKey = "mcpgw_visit_"

// withoutVisits is a request without the answers to what visitFirst asked for, which a
// server of 2025-11-25 does not expect: it knows who has been where.
func withoutVisits(m *wire.Message) []byte {
	ours := m.InputResponses.Present() && !m.RequestState.Present()
	n := 0
	if err := wire.Members(m.InputResponses.In(m.Raw), func(key []byte, _ wire.Span) error {
		n++
		ours = ours && bytes.HasPrefix(key, []byte(visitKey))
		return nil
	}); err != nil || !ours || n == 0 {
		return m.Raw
	}
	return wire.Splice(nil, m.Raw, wire.Edit{Span: m.Params, New: wire.WithoutMember(m.Params.In(m.Raw), "inputResponses")})
}

// visitFirst makes of the error with which 2025-11-25 asks for URLs to be visited
// before a request is repeated what 2026-07-28 asks the same with.
func visitFirst(id []byte, m *wire.Message) ([]byte, bool) {
	var requests []byte
	n := 0
	err := wire.Elements(wire.Member(wire.Member(m.Error.In(m.Raw), "data"), "elicitations"), func(raw []byte) error {
		if !isObject(raw) {
			return nil
		}
		if n++; n > 1 {
			requests = append(requests, ',')
		}
		requests = strconv.AppendInt(append(requests, `"`+visitKey...), int64(n), 10)
		requests = append(requests, `":{"method":"elicitation/create","params":`...)
		requests = append(append(requests, raw...), '}')
		return nil
	})
	if err != nil || n == 0 {
		return nil, false
	}
	return inputRequest(id, requests, nil), true
}

// inputRequest is a response that asks for input. requests are the members of
// inputRequests, state is JSON or nil.
func inputRequest(id, requests, state []byte) []byte {
	out := make([]byte, 0, 128+len(id)+len(requests)+len(state))
	out = append(append(append(out, `{"jsonrpc":"2.0","id":`...), id...), `,"result":{"resultType":"input_required","inputRequests":{`...)
	out = append(append(out, requests...), '}')
	if len(state) > 0 {
		out = append(append(out, `,"requestState":`...), state...)
	}
	return append(out, "}}"...)
}

// errorText is an error's message for the journal.
func errorText(m *wire.Message, code int) string {
	text, _ := wire.Unquote(wire.Member(m.Error.In(m.Raw), "message"))
	if text == "" {
		text = "error " + strconv.Itoa(code)
	}
	return text
}

// maxToolText bounds the result in which the text of a tool's error is looked for.
const maxToolText = 64 << 10

// toolText is what a result that is an error says first.
func toolText(m *wire.Message) (text string) {
	if result := m.Result.In(m.Raw); len(result) <= maxToolText {
		_ = wire.Elements(wire.Member(result, "content"), func(block []byte) error {
			if text == "" {
				text, _ = wire.Unquote(wire.Member(block, "text"))
			}
			return nil
		})
	}
	if text == "" {
		text = "the result says that it is an error"
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
	text := wire.Quote(message)
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
	text := wire.Quote(message)
	dst = append(append(dst, `{"jsonrpc":"2.0","id":`...), id...)
	dst = append(dst, `,"result":{`...)
	if modern {
		dst = append(dst, `"resultType":"complete",`...)
	}
	dst = append(append(dst, `"content":[{"type":"text","text":`...), text...)
	return append(dst, `}],"isError":true}}`...)
}
