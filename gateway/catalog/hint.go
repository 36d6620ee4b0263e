package catalog

import (
	"encoding/json"

	"mcp-gw/gateway/wire"
)

// Hint is what a modern backend says of how long, and for whom, its list may be
// kept.
type Hint struct {
	TTL     int64 // milliseconds
	Private bool  // for the one who asked, and nobody else
	Known   bool  // false of a legacy backend, which says nothing
	Frame
}

// Frame is the rest of a list result around its items, when the list came in one
// piece: raw JSON, to the opening bracket and from the closing one on. Where clients
// see one backend alone, they see its members as well.
type Frame struct{ Head, Tail string }

// Frame answers the backend's own frame where only that backend is seen; same is
// false when it is of the other era than the clients', who get its Rest instead. A
// result that is made of several backends' has none, and ok is false.
func (s *Snapshot) Frame(k Kind, modern bool) (f Frame, same, ok bool) {
	l := &s.lists[k]
	return l.hint.Frame, l.framedModern == modern, l.hint.Head != ""
}

// Rest answers what of the frame has a meaning in either era: members with a comma in
// front of each, and those of _meta likewise.
func (f Frame) Rest() (members, meta string) {
	raw := []byte(f.Head + f.Tail)
	list := func(raw []byte, leave func(name string) bool) string {
		var out []byte
		_ = wire.Members(raw, func(name []byte, at wire.Span) error {
			if !leave(string(name)) {
				quoted, _ := json.Marshal(string(name))
				out = append(append(append(append(out, ','), quoted...), ':'), at.In(raw)...)
			}
			return nil
		})
		return string(out)
	}
	members = list(raw, func(name string) bool {
		for _, kind := range kinds {
			if name == kind.list {
				return true
			}
		}
		return name == "resultType" || name == "ttlMs" || name == "cacheScope" || name == "nextCursor" || name == "_meta"
	})
	meta = list(wire.WithoutHop(wire.Member(raw, "_meta")), func(name string) bool { return name == metaServerInfo })
	return members, meta
}

const metaServerInfo = "io.modelcontextprotocol/serverInfo"

// join answers the hint of a list that is made of the sources' lists: it is good
// as long as each of them is, and nobody's unless all are everybody's. One that
// nothing is known of may change at once.
func join(sources []Source, k Kind) (h Hint) {
	for i, src := range sources {
		own := src.Hints[k]
		own.Known = own.Known && !src.Legacy
		if !own.Known || own.TTL < 0 {
			own.TTL = 0
		}
		if i == 0 {
			h = own
			continue
		}
		h = Hint{TTL: min(h.TTL, own.TTL), Private: h.Private || own.Private, Known: h.Known && own.Known}
	}
	return h
}
