package docker

import (
	"strconv"

	"mcp-gw/discovery"
)

// list returns the effective settings, each with its source: those that labels
// gave, and of the others those that decide where the backend is found.
func (s *spec) list(name, nameFrom string, port int, portFrom string) []discovery.Setting {
	out := []discovery.Setting{{Key: "name", Value: name, Source: nameFrom}}
	listed := map[string]bool{"name": true}
	add := func(key, value, source string) {
		if given, ok := s.given[key]; ok {
			value, source = given, "label"
		}
		if value != "" && !listed[key] {
			out = append(out, discovery.Setting{Key: key, Value: value, Source: source})
		}
		listed[key] = true
	}
	if s.transport != discovery.TransportStdio && s.url == "" {
		if port != 0 {
			add("port", strconv.Itoa(port), portFrom)
		}
		path := "/mcp"
		if s.transport == discovery.TransportSSE {
			path = "/sse"
		}
		add("scheme", s.scheme, "default")
		add("path", path, "default")
	}
	add("transport", string(s.transport), "default")
	for _, l := range labelTable {
		if l.key == "enable" {
			continue
		}
		if !l.family() {
			add(l.key, "", "")
			continue
		}
		for key, ok := s.hasAfter(l.key, ""); ok; key, ok = s.hasAfter(l.key, key) {
			add(key, "", "")
		}
	}
	return out
}

// hasAfter returns the first given key of a family behind another.
func (s *spec) hasAfter(family, after string) (string, bool) {
	best := ""
	for key := range s.given {
		if len(key) > len(family) && key[:len(family)] == family && key > after && (best == "" || key < best) {
			best = key
		}
	}
	return best, best != ""
}
