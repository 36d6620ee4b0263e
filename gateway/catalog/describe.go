package catalog

import (
	"encoding/json"

	"mcp-gw/gateway/wire"
)

// PrefixDescription answers the tool with "[backend] " in front of its
// description, as early gateways did it; a tool without one gets none. The
// description itself stays byte for byte.
func PrefixDescription(backend string, raw []byte) []byte {
	old := wire.Find(raw, "description")
	if !old.Present() || raw[old.Start] != '"' {
		return raw
	}
	prefix, err := json.Marshal("[" + backend + "] ")
	if err != nil {
		return raw
	}
	prefix = prefix[1 : len(prefix)-1] // it goes inside the literal
	text := wire.Span{Start: old.Start + 1, End: old.Start + 1}
	return wire.Splice(make([]byte, 0, len(raw)+len(prefix)), raw, wire.Edit{Span: text, New: prefix})
}
