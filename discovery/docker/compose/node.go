package compose

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// pair is one entry of a mapping.
type pair struct{ key, value *yaml.Node }

// maxDepth bounds how deep merge keys and aliases are followed, maxMerged how many
// mappings one is merged of: aliases of aliases multiply.
const (
	maxDepth  = 16
	maxMerged = 256
)

// pairs are the entries of a mapping in order, those of its merge keys (<<) behind,
// aliases resolved. An entry of its own wins over a merged one, and an earlier merged
// one over a later.
func pairs(n *yaml.Node) []pair {
	var out []pair
	seen := map[string]bool{}
	budget := maxMerged
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		n = resolve(n)
		if budget--; n == nil || depth == maxDepth || budget < 0 {
			return
		}
		var merged []*yaml.Node
		switch n.Kind {
		case yaml.SequenceNode: // of a merge key
			merged = n.Content
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := resolve(n.Content[i])
				switch {
				case key == nil:
				case key.Tag == "!!merge":
					merged = append(merged, n.Content[i+1])
				case !seen[key.Value]:
					seen[key.Value] = true
					out = append(out, pair{key, resolve(n.Content[i+1])})
				}
			}
		}
		for _, m := range merged {
			walk(m, depth+1)
		}
	}
	if m := resolve(n); m != nil && m.Kind == yaml.MappingNode {
		walk(m, 0)
	}
	return out
}

func resolve(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// get is the value of a key, nil where there is none.
func get(n *yaml.Node, key string) *yaml.Node {
	for _, p := range pairs(n) {
		if p.key.Value == key {
			return p.value
		}
	}
	return nil
}

// text is a scalar, interpolated as far as it can be; "" where it is none.
func text(n *yaml.Node) string {
	n = resolve(n)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	value, _ := interpolate(n.Value)
	return value
}

// label is one label of a file.
type label struct {
	key, value string
	unknown    bool // its value depends on the environment
	at         *yaml.Node
}

// readLabels takes both forms: a mapping, and a list of key=value.
func readLabels(n *yaml.Node) []label {
	n = resolve(n)
	if n == nil {
		return nil
	}
	var out []label
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			item = resolve(item)
			if item == nil || item.Kind != yaml.ScalarNode {
				continue
			}
			key, value, _ := strings.Cut(item.Value, "=")
			v, unknown := interpolate(value)
			out = append(out, label{key, v, unknown, item})
		}
		return out
	}
	for _, p := range pairs(n) {
		l := label{key: p.key.Value, at: p.key}
		if p.value != nil && p.value.Kind == yaml.ScalarNode && p.value.Tag != "!!null" {
			l.value, l.unknown = interpolate(p.value.Value)
		}
		out = append(out, l)
	}
	return out
}

// variable is $$, $NAME, ${NAME} and its forms with a default.
var variable = regexp.MustCompile(`\$(?:\$|[A-Za-z_][A-Za-z0-9_]*|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^{}]*))?\})`)

// interpolate puts defaults in the place of variables. unknown says that what it
// depends on has none.
func interpolate(s string) (value string, unknown bool) {
	value = variable.ReplaceAllStringFunc(s, func(m string) string {
		if m == "$$" {
			return "$"
		}
		if g := variable.FindStringSubmatch(m); strings.HasSuffix(g[2], "-") {
			return g[3]
		}
		unknown = true
		return ""
	})
	return value, unknown
}

// ports are the TCP ports that a service exposes or publishes, as far as they are
// known.
func ports(body *yaml.Node) []int {
	var out []int
	add := func(s string) {
		s, proto, _ := strings.Cut(s, "/")
		if proto == "udp" {
			return
		}
		s = s[strings.LastIndexByte(s, ':')+1:]
		first, last, isRange := strings.Cut(s, "-")
		low, err := strconv.Atoi(first)
		high := low
		if err == nil && isRange {
			high, err = strconv.Atoi(last)
		}
		if err != nil || low < 1 || high > 65535 || high-low > 100 {
			return
		}
		for p := low; p <= high; p++ {
			out = append(out, p)
		}
	}
	for _, key := range []string{"expose", "ports"} {
		n := get(body, key)
		if n == nil {
			continue
		}
		for _, item := range n.Content {
			if target := get(item, "target"); target != nil && text(get(item, "protocol")) != "udp" {
				add(text(target))
				continue
			}
			add(text(item))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
