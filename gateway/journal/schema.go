package journal

import (
	"bytes"
	"encoding/json"
	"strings"
)

// secretNames are members that a schema says are not to be shown.
type secretNames struct {
	names map[string]bool
	all   bool
}

func (s secretNames) has(name string) bool { return s.all || s.names[name] }

// maxSchema bounds the schemas that are read, in bytes, and how deep they refer to each
// other.
const (
	maxSchema      = 1 << 20
	maxSchemaDepth = 64
)

// secretsOf reads a tool's schemas: the members that have the format password, or that
// can only be written. Their names count wherever they stand, which is more than the
// schema says, and never less.
func secretsOf(tool json.RawMessage) secretNames {
	out := secretNames{names: map[string]bool{}}
	if !mayMark(tool) {
		return out
	}
	if len(tool) > maxSchema {
		out.all = true // nobody writes such; better too little is shown
		return out
	}
	var t struct {
		InputSchema, OutputSchema any
	}
	if json.Unmarshal(tool, &t) != nil {
		return out
	}
	for _, root := range []any{t.InputSchema, t.OutputSchema} {
		s := schemaReader{root: root, names: out.names}
		s.collect(root, 0)
		out.all = out.all || s.deep || s.marked(root, 0)
	}
	return out
}

// mayMark is a quick look: most schemas have no secrets.
func mayMark(tool []byte) bool {
	for _, word := range [...]string{"writeOnly", "assword", "ASSWORD", `\u`} {
		if bytes.Contains(tool, []byte(word)) {
			return true
		}
	}
	return false
}

type schemaReader struct {
	root  any
	names map[string]bool
	steps int
	deep  bool // there is more than was looked at
}

// maxSchemaSteps bounds the work on schemas whose parts refer to each other.
const maxSchemaSteps = 100_000

// collect notes the properties below node whose schema is marked.
func (s *schemaReader) collect(node any, depth int) {
	if depth > maxSchemaDepth {
		s.deep = true
		return
	}
	switch n := node.(type) {
	case map[string]any:
		if properties, ok := n["properties"].(map[string]any); ok {
			for name, schema := range properties {
				if s.marked(schema, 0) {
					s.names[name] = true
				}
			}
		}
		for _, child := range n {
			s.collect(child, depth+1)
		}
	case []any:
		for _, child := range n {
			s.collect(child, depth+1)
		}
	}
}

// marked reports whether a value of this schema is a secret, or has one for a member
// without a name of its own.
func (s *schemaReader) marked(schema any, depth int) bool {
	if s.steps++; depth > maxSchemaDepth || s.steps > maxSchemaSteps {
		return true // nobody writes such; better too little is shown
	}
	n, ok := schema.(map[string]any)
	if !ok {
		return false
	}
	if n["writeOnly"] == true {
		return true
	}
	if format, _ := n["format"].(string); strings.EqualFold(format, "password") {
		return true
	}
	if ref, ok := n["$ref"].(string); ok {
		if target, found := s.resolve(ref); found && s.marked(target, depth+1) {
			return true
		}
	}
	for _, key := range [...]string{"items", "additionalProperties", "contains", "not", "if", "then", "else", "unevaluatedProperties"} {
		if s.marked(n[key], depth+1) {
			return true
		}
	}
	for _, key := range [...]string{"anyOf", "oneOf", "allOf", "prefixItems", "items"} {
		list, _ := n[key].([]any)
		for _, child := range list {
			if s.marked(child, depth+1) {
				return true
			}
		}
	}
	patterns, _ := n["patternProperties"].(map[string]any)
	for _, child := range patterns {
		if s.marked(child, depth+1) {
			return true
		}
	}
	return false
}

// resolve follows a reference within the schema.
func (s *schemaReader) resolve(ref string) (any, bool) {
	path, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil, false
	}
	node := s.root
	for _, part := range strings.Split(path, "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		m, ok := node.(map[string]any)
		if !ok {
			return nil, false
		}
		node = m[part]
	}
	return node, node != nil
}
