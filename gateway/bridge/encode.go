package bridge

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Encode writes the request as the backend wants it.
func (c *call) Encode(dst []byte, id int64, to upstream.Peer) []byte {
	c.id = id
	c.fate.Sent, c.fate.First = time.Now(), time.Time{}
	m := c.msg
	number := strconv.AppendInt(make([]byte, 0, 20), id, 10)
	edits := make([]wire.Edit, 0, 6)
	put := func(at wire.Span, with []byte) { edits = append(edits, wire.Edit{Span: at, New: with}) }
	put(m.ID, number)
	if at := c.route.Place.in(m); at.Present() {
		put(at, c.route.quoted)
	}
	var members []byte // to be added to params
	switch {
	case c.client.Modern == to.Modern:
		if m.MetaProgressToken.Present() {
			put(m.MetaProgressToken, number)
		}
	case to.Modern:
		reserved := c.reserved()
		if m.Meta.Present() {
			meta := plainMeta(m, number)
			in := wire.Insert(meta, wire.Span{Start: 0, End: len(meta)}, reserved)
			put(m.Meta, wire.Splice(nil, meta, in))
		} else {
			members = append(append(append(members, `"_meta":{`...), reserved...), '}')
		}
	case m.Meta.Present():
		put(m.Meta, plainMeta(m, number))
	}
	if len(c.given) > 0 {
		if len(members) > 0 {
			members = append(members, ',')
		}
		members = append(members, c.given...)
	}
	if len(members) > 0 {
		edits = append(edits, intoParams(m, members))
	}
	if c.route.Tasks != "" {
		edits = c.plainTask(m, edits)
	}
	return wire.Splice(dst, m.Raw, edits...)
}

// intoParams answers the edit that adds members to params, which a request need
// not have.
func intoParams(m *wire.Message, members []byte) wire.Edit {
	if m.Params.Present() {
		return wire.Insert(m.Raw, m.Params, members)
	}
	params := append(append([]byte(`,"params":{`), members...), '}')
	return wire.Edit{Span: wire.Span{Start: m.ID.End, End: m.ID.End}, New: params}
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

// reserved are the members of _meta that a modern backend requires, for a legacy
// client: what that said of itself, and the logging level that it set.
func (c *call) reserved() []byte {
	info, capabilities := c.client.Info, c.client.Capabilities
	if len(info) == 0 {
		info = []byte(`{"name":"unknown","version":"0"}`)
	}
	if len(capabilities) == 0 {
		capabilities = []byte(`{}`)
	}
	out := make([]byte, 0, 256+len(info)+len(capabilities))
	out = append(out, `"`+mcp.MetaKeyProtocolVersion+`":"`+mcp.ProtocolVersion20260728+`","`+mcp.MetaKeyClientInfo+`":`...)
	out = append(append(out, info...), `,"`+mcp.MetaKeyClientCapabilities+`":`...)
	out = append(out, capabilities...)
	if l := c.client.Lane; l != nil && l.Level() != "" {
		out = append(append(append(out, `,"`+mcp.MetaKeyLogLevel+`":"`...), l.Level()...), '"')
	}
	return out
}

// callMethod is the value of Mcp-Method on nearly all that goes this way.
var callMethod = []string{string(mcp.MethodToolsCall)}

const paramPrefix = "Mcp-Param-"

// Header adds what 2026-07-28 repeats in the HTTP header.
func (c *call) Header(h http.Header, to upstream.Peer) {
	if !to.Modern {
		return
	}
	h[mcp.HeaderMethod] = callMethod
	if c.method != mcp.MethodToolsCall {
		h[mcp.HeaderMethod] = []string{c.msg.Method}
	}
	switch c.route.Place {
	case AtName, AtURI, AtTask:
		h[mcp.HeaderName] = c.route.header
	case Nowhere, AtRefName, AtRefURI:
	}
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

// ParamHeaders are the headers in which a client of 2026-07-28 repeats arguments.
func (r *Route) ParamHeaders(params []byte) map[string]string {
	if r.mirror == nil {
		return nil
	}
	return mcp.GenerateParamHeaders(r.mirror, params)
}

// CheckParams holds the headers that repeat arguments against the arguments, which
// whoever serves 2026-07-28 and reads the body must do (basic/transports): the
// server itself, unless it is of an era that does not know of it.
func (r *Route) CheckParams(h http.Header, params []byte) error {
	if r.mirror == nil || !r.Legacy {
		return nil
	}
	return mcp.ValidateParamHeadersLookup(func(name string) (string, bool) {
		values, there := h[http.CanonicalHeaderKey(name)]
		if !there || len(values) == 0 {
			return "", false
		}
		return values[0], true
	}, r.mirror, params)
}
