package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"mcp-gw/gateway/wire"
)

// Tool is one tool as its backend lists it. ParseTool makes one that may stand in
// a list.
type Tool struct {
	Name string // the backend's own name
	Raw  []byte // the backend's own object, byte for byte
}

// Where the members stand in shapes that every tool must have.
const (
	nameAt = iota
	schemaAt
)

// shapes are the kinds that the members of a tool have, by the first byte of the
// value. Clients check them, and one that finds a wrong one refuses the whole
// list, other backends' tools included.
var shapes = [...]struct {
	name  string
	first byte
	kind  string
}{
	nameAt:   {"name", '"', "a string"},
	schemaAt: {"inputSchema", '{', "an object"},

	{"title", '"', "a string"},
	{"description", '"', "a string"},
	{"outputSchema", '{', "an object"},
	{"annotations", '{', "an object"},
	{"execution", '{', "an object"},
	{"icons", '[', "an array"},
	{"_meta", '{', "an object"},
}

// ParseTool reads one element of a backend's tools/list. Whatever it lets pass
// harms no other tool of the list that it goes into: it is JSON in UTF-8, has one
// name, and the members that clients check have the right kind. The tool keeps
// raw. The error names the member and what is wrong with it.
func ParseTool(raw []byte) (Tool, error) {
	if !json.Valid(raw) {
		return Tool{}, errors.New("tool is not valid JSON")
	}
	if !utf8.Valid(raw) {
		return Tool{}, errors.New("tool is not UTF-8")
	}
	raw = bytes.TrimSpace(raw)
	var found [len(shapes)]wire.Span
	if err := wire.Members(raw, func(key []byte, value wire.Span) error {
		if string(key) != "name" && bytes.EqualFold(key, []byte("name")) {
			return fmt.Errorf(`tool has %q, which some readers take for "name"`, key)
		}
		for i, s := range shapes {
			if string(key) != s.name {
				continue
			}
			if found[i].Present() {
				return fmt.Errorf("tool has %q twice: readers would not agree on which counts", key)
			}
			if found[i] = value; raw[value.Start] != s.first {
				return fmt.Errorf("tool's %q is %.80s, must be %s", s.name, value.In(raw), s.kind)
			}
		}
		return nil
	}); err != nil {
		return Tool{}, err
	}
	name, _ := wire.Unquote(found[nameAt].In(raw))
	if name == "" {
		return Tool{}, errors.New(`tool has no "name"`)
	}
	schema := found[schemaAt].In(raw)
	if kind, _ := wire.Unquote(wire.Member(schema, "type")); kind != "object" {
		return Tool{}, fmt.Errorf(`tool %.80q: "inputSchema" must be an object with "type": "object"`, name)
	}
	return Tool{Name: name, Raw: raw}, nil
}
