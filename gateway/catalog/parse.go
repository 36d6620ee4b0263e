package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"mcp-gw/gateway/wire"
)

// Item is one thing as its backend lists it. Parse makes one that may stand in a
// list.
type Item struct {
	Name string // the backend's own: a name, a resource's uri, a template's uriTemplate
	Raw  []byte // the backend's own object, byte for byte
	Cost Cost   // of a tool
}

// MaxID is how long the name or URI of an item may be. A cursor holds one, and so
// does the header Mcp-Name, which servers bound at 8 KiB or a little more.
const MaxID = 8 << 10

// shape is what a member must look like. Clients check it, and one that finds a
// wrong one refuses the whole list, other backends' items included.
type shape struct {
	name     string
	first    string // the bytes that the value may begin with
	kind     string
	required bool
	each     []shape // of the elements, which are objects then
}

const numbers = "-0123456789"

var icons = shape{"icons", "[", "an array", false, []shape{
	{"src", `"`, "a string", true, nil},
	{"mimeType", `"`, "a string", false, nil},
	{"sizes", "[", "an array", false, nil},
	{"theme", `"`, "a string", false, nil},
}}

var shapes = [Kinds][]shape{
	Tools: {
		{"name", `"`, "a string", true, nil},
		{"inputSchema", "{", "an object", false, nil},
		{"title", `"`, "a string", false, nil},
		{"description", `"`, "a string", false, nil},
		{"outputSchema", "{", "an object", false, nil},
		{"annotations", "{", "an object", false, nil},
		{"execution", "{", "an object", false, nil},
		icons,
		{"_meta", "{", "an object", false, nil},
	},
	Prompts: {
		{"name", `"`, "a string", true, nil},
		{"title", `"`, "a string", false, nil},
		{"description", `"`, "a string", false, nil},
		{"arguments", "[", "an array", false, []shape{
			{"name", `"`, "a string", true, nil},
			{"title", `"`, "a string", false, nil},
			{"description", `"`, "a string", false, nil},
			{"required", "tf", "a boolean", false, nil},
		}},
		icons,
		{"_meta", "{", "an object", false, nil},
	},
	Resources: {
		{"uri", `"`, "a string", true, nil},
		{"name", `"`, "a string", true, nil},
		{"title", `"`, "a string", false, nil},
		{"description", `"`, "a string", false, nil},
		{"mimeType", `"`, "a string", false, nil},
		{"size", numbers, "a number", false, nil},
		{"annotations", "{", "an object", false, nil},
		icons,
		{"_meta", "{", "an object", false, nil},
	},
	Templates: {
		{"uriTemplate", `"`, "a string", true, nil},
		{"name", `"`, "a string", true, nil},
		{"title", `"`, "a string", false, nil},
		{"description", `"`, "a string", false, nil},
		{"mimeType", `"`, "a string", false, nil},
		{"annotations", "{", "an object", false, nil},
		icons,
		{"_meta", "{", "an object", false, nil},
	},
}

// maxShapes is how many members with a shape an object has at most.
const maxShapes = 9

// Parse reads one element of a backend's list of kind k. Whatever it lets pass
// harms no other item of the list that it goes into: it is JSON in UTF-8, has one
// name, and the members that clients check have the right kind. The item keeps
// raw. The error names the member and what is wrong with it.
func Parse(k Kind, raw []byte) (Item, error) {
	one := kinds[k].one
	if !json.Valid(raw) {
		return Item{}, fmt.Errorf("%s is not valid JSON", one)
	}
	if !utf8.Valid(raw) {
		return Item{}, fmt.Errorf("%s is not UTF-8", one)
	}
	raw = bytes.TrimSpace(raw)
	found, err := check(one, raw, shapes[k])
	if err != nil {
		return Item{}, err
	}
	id := kinds[k].id
	name, _ := wire.Unquote(found[0].In(raw))
	switch {
	case name == "":
		return Item{}, fmt.Errorf("%s has no %q", one, id)
	case len(name) > MaxID:
		return Item{}, fmt.Errorf("%s's %q has %d bytes, more than %d: %.80q", one, id, len(name), MaxID, name)
	case k == Resources && !absolute(name):
		return Item{}, fmt.Errorf("%s's %q is %.80q, must be an absolute URI, such as file:///notes.txt", one, id, name)
	case k == Tools:
		schema := found[1].In(raw)
		if kind, _ := wire.Unquote(wire.Member(schema, "type")); kind != "object" {
			return Item{}, fmt.Errorf(`tool %.80q: "inputSchema" must be an object with "type": "object"`, name)
		}
	}
	item := Item{Name: name, Raw: raw}
	if k == Tools {
		item.Cost = cost(raw)
	}
	return item, nil
}

// check holds an object against its shapes, and answers where the members are.
func check(what string, raw []byte, shapes []shape) (found [maxShapes]wire.Span, err error) {
	err = wire.Members(raw, func(key []byte, value wire.Span) error {
		for i := range shapes {
			s := &shapes[i]
			if string(key) != s.name {
				if s.required && bytes.EqualFold(key, []byte(s.name)) {
					return fmt.Errorf("%s has %q, which some readers take for %q", what, key, s.name)
				}
				continue
			}
			if found[i].Present() {
				return fmt.Errorf("%s has %q twice: readers would not agree on which counts", what, key)
			}
			found[i] = value
			if bytes.IndexByte([]byte(s.first), raw[value.Start]) < 0 {
				return fmt.Errorf("%s's %q is %.80s, must be %s", what, s.name, value.In(raw), s.kind)
			}
			if s.each == nil {
				return nil
			}
			return wire.Elements(value.In(raw), func(element []byte) error {
				if element[0] != '{' {
					return fmt.Errorf("%s's %q has the element %.80s, must be an object", what, s.name, element)
				}
				_, err := check("element of the "+what+"'s \""+s.name+`"`, element, s.each)
				return err
			})
		}
		return nil
	})
	if err != nil {
		return found, err
	}
	for i, s := range shapes {
		if s.required && !found[i].Present() {
			return found, fmt.Errorf("%s has no %q", what, s.name)
		}
	}
	return found, nil
}
