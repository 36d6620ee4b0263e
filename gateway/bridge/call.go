package bridge

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Client is who calls, as far as a backend may know it.
type Client struct {
	// Modern is 2026-07-28 and later, with everything in the request itself.
	Modern bool
	// Lane keys the sessions with legacy backends: a legacy client's own, or one
	// for all modern clients with nothing to tell them apart.
	Lane string
	// Info is the raw JSON of a legacy client's Implementation.
	Info []byte
	// Header is the HTTP header of the request.
	Header http.Header
}

// Answer takes what comes back, in the client's own terms.
type Answer interface {
	// Notify sends a notification that belongs to the call.
	Notify(message []byte) error
	// Reply sends the response and ends the call. code is that of the error in
	// it, 0 when it is a result.
	Reply(message []byte, code int) error
}

// ErrCancelled is the cause with which a client's cancellation ends the context.
var ErrCancelled = errors.New("the client cancelled the call")

// call is one tools/call on its way: an upstream.Exchange.
type call struct {
	route  *Route
	client Client
	msg    *wire.Message // the client's request
	answer Answer
	id     int64 // under which the backend knows it
	buf    []byte
	end    journal.Outcome
	done   bool
}

// CallTool carries msg, a tools/call, along route and answers it. It returns when
// the answer is complete, or when ctx has ended, which leaves the call unanswered:
// whoever ended it wants none.
func CallTool(ctx context.Context, route *Route, client Client, msg *wire.Message, answer Answer) {
	c := calls.Get().(*call)
	*c = call{route: route, client: client, msg: msg, answer: answer, buf: c.buf[:0]}
	defer c.recycle()
	record := route.Meter.Start(msg.Arguments.In(msg.Raw))
	err := route.Target.Call(ctx, c)
	if err != nil && !c.done {
		c.end.Err = err.Error()
		if ctx.Err() == nil {
			c.fail(err)
		}
	}
	record.End(c.end)
}

// calls keeps the buffers of past calls; maxKept bounds each.
var calls = sync.Pool{New: func() any { return new(call) }}

const maxKept = 1 << 20

func (c *call) recycle() {
	buf := c.buf
	if cap(buf) > maxKept {
		buf = nil
	}
	*c = call{buf: buf}
	calls.Put(c)
}

// fail answers for a backend that did not. On tools/call that is a result with
// isError, which the model sees and can react to.
func (c *call) fail(err error) {
	_ = c.answer.Reply(ToolError(nil, c.msg.ID.In(c.msg.Raw), c.client.Modern, "Error: "+err.Error()), 0)
}

func (c *call) Lane() string { return c.client.Lane }

// Encode writes the request as the backend wants it.
func (c *call) Encode(dst []byte, id int64, to upstream.Peer) []byte {
	c.id = id
	m := c.msg
	number := strconv.AppendInt(make([]byte, 0, 20), id, 10)
	edits := make([]wire.Edit, 0, 4)
	put := func(at wire.Span, with []byte) { edits = append(edits, wire.Edit{Span: at, New: with}) }
	put(m.ID, number)
	put(m.Name, c.route.quoted)
	switch {
	case c.client.Modern == to.Modern:
		if m.MetaProgressToken.Present() {
			put(m.MetaProgressToken, number)
		}
	case to.Modern:
		e := c.modernMeta(number)
		put(e.Span, e.New)
	case m.Meta.Present():
		put(m.Meta, plainMeta(m, number))
	}
	return wire.Splice(dst, m.Raw, edits...)
}

// plainMeta is the client's _meta without what 2026-07-28 reserves for one hop:
// servers of both eras refuse a session's request that has it.
func plainMeta(m *wire.Message, token []byte) []byte {
	meta := wire.WithoutHop(m.Meta.In(m.Raw))
	if at := wire.Find(meta, "progressToken"); at.Present() {
		meta = wire.Splice(nil, meta, wire.Edit{Span: at, New: token})
	}
	return meta
}

// modernMeta adds to a legacy client's _meta what a modern backend requires. The
// client has none of the capabilities that the gateway could not relay.
func (c *call) modernMeta(token []byte) wire.Edit {
	info := c.client.Info
	if len(info) == 0 {
		info = []byte(`{"name":"unknown","version":"0"}`)
	}
	reserved := make([]byte, 0, 256+len(info))
	reserved = append(reserved, `"`+mcp.MetaKeyProtocolVersion+`":"`+mcp.ProtocolVersion20260728+`","`+mcp.MetaKeyClientInfo+`":`...)
	reserved = append(append(reserved, info...), `,"`+mcp.MetaKeyClientCapabilities+`":{}`...)
	m := c.msg
	if !m.Meta.Present() {
		return wire.Insert(m.Raw, m.Params, append(append([]byte(`"_meta":{`), reserved...), '}'))
	}
	meta := plainMeta(m, token)
	in := wire.Insert(meta, wire.Span{Start: 0, End: len(meta)}, reserved)
	return wire.Edit{Span: m.Meta, New: wire.Splice(nil, meta, in)}
}

// callMethod is the value of Mcp-Method on all that goes this way.
var callMethod = []string{string(mcp.MethodToolsCall)}

const paramPrefix = "Mcp-Param-"

func (c *call) Header(h http.Header, to upstream.Peer) {
	if !to.Modern {
		return
	}
	h[mcp.HeaderMethod] = callMethod
	h[mcp.HeaderName] = c.route.header
	if c.client.Modern {
		// An intermediary forwards these also when it does not know them.
		for k, v := range c.client.Header {
			if strings.HasPrefix(k, paramPrefix) {
				h[k] = v
			}
		}
		return
	}
	if c.route.mirror != nil {
		for k, v := range mcp.GenerateParamHeaders(c.route.mirror, c.msg.Params.In(c.msg.Raw)) {
			h.Set(k, v)
		}
	}
}
