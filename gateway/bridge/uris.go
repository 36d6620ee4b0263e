package bridge

import (
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// exposeURIs answers the edits that show a client the backend's URIs as the lists
// do, wherever a result has one: contents, embedded resources, links, and those in
// a prompt's messages.
func (c *call) exposeURIs(m *wire.Message) []wire.Edit {
	w := rewriting{raw: m.Raw, to: c.route.URIs}
	w.each(at(m.Raw, m.Result, "contents"), w.uri)
	w.each(at(m.Raw, m.Result, "content"), w.block)
	w.each(at(m.Raw, m.Result, "messages"), func(message wire.Span) {
		content := at(m.Raw, message, "content")
		w.block(content)
		w.each(content, w.block)
	})
	return w.edits
}

// ExposeURI answers the edit that shows the URI of a notification as the lists do.
func ExposeURI(to *catalog.Rewriter, m *wire.Message) []wire.Edit {
	w := rewriting{raw: m.Raw, to: to}
	w.value(m.URI)
	return w.edits
}

// maxURIs bounds how many URIs of one message are looked up: a hostile backend can
// make each cost a fraction of a millisecond. The rest stays as it is.
const maxURIs = 4096

type rewriting struct {
	raw   []byte
	to    *catalog.Rewriter
	edits []wire.Edit
	seen  int
}

// each calls f with every element of the array at list.
func (w *rewriting) each(list wire.Span, f func(wire.Span)) {
	if !list.Present() || w.raw[list.Start] != '[' {
		return
	}
	_ = wire.ElementSpans(list.In(w.raw), func(e wire.Span) error {
		f(wire.Span{Start: list.Start + e.Start, End: list.Start + e.End})
		return nil
	})
}

// block is one content block: a resource_link has a URI, a resource has one inside.
func (w *rewriting) block(s wire.Span) {
	if s.Present() && w.raw[s.Start] == '{' {
		w.uri(s)
		w.uri(at(w.raw, s, "resource"))
	}
}

func (w *rewriting) uri(s wire.Span) { w.value(at(w.raw, s, "uri")) }

func (w *rewriting) value(s wire.Span) {
	own, ok := wire.Unquote(s.In(w.raw))
	if w.seen++; !ok || w.seen > maxURIs {
		return
	}
	if exposed, changed := w.to.Expose(own); changed {
		quoted := wire.Quote(exposed)
		w.edits = append(w.edits, wire.Edit{Span: s, New: quoted})
	}
}
