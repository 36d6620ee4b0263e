package catalog

import (
	"bytes"

	"mcp-gw/gateway/wire"
)

// appURI is the URI of an app in a tool's _meta, which hosts read when the tool
// was called, and where in the tool's object it is.
type appURI struct {
	wire.Span
	text string
}

// appURIs calls f with each: _meta.ui.resourceUri, and _meta["ui/resourceUri"],
// as it was called earlier. A member that comes twice is answered twice, for
// readers do not agree on which counts.
func appURIs(raw []byte, f func(uri appURI)) {
	if !bytes.Contains(raw, []byte("Uri")) && !bytes.Contains(raw, []byte(`\u`)) { // nearly every tool, and soon found out
		return
	}
	meta := wire.Find(raw, "_meta")
	members(raw, meta, func(key []byte, value wire.Span) {
		switch string(key) {
		case "ui/resourceUri":
			answerURI(raw, value, f)
		case "ui":
			members(raw, value, func(key []byte, value wire.Span) {
				if string(key) == "resourceUri" {
					answerURI(raw, value, f)
				}
			})
		}
	})
}

func answerURI(raw []byte, at wire.Span, f func(uri appURI)) {
	if text, ok := wire.Unquote(at.In(raw)); ok && len(text) <= MaxID && absolute(text) {
		f(appURI{at, text})
	}
}

// members is wire.Members of an object inside raw, with the places as they are in
// raw.
func members(raw []byte, object wire.Span, f func(key []byte, value wire.Span)) {
	_ = wire.Members(object.In(raw), func(key []byte, value wire.Span) error {
		f(key, wire.Span{Start: object.Start + value.Start, End: object.Start + value.End})
		return nil
	}) // what is no object has no members
}

// appEdits appends what changes the URIs of apps in a tool's object to those that
// clients see.
func (r *Rewriter) appEdits(edits []wire.Edit, raw []byte) []wire.Edit {
	appURIs(raw, func(uri appURI) {
		if exposed, ok := r.Expose(uri.text); ok {
			edits = append(edits, wire.Edit{Span: uri.Span, New: quote(exposed)})
		}
	})
	return edits
}
