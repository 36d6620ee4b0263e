package docker

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mcp-gw/discovery"
)

// list returns the effective settings, each with its source.
func (p parsed) list(name, nameFrom string, port int, portFrom string) []discovery.Setting {
	source := func(key string) string {
		if p.given[key] {
			return "label"
		}
		return "default"
	}
	path := p.path
	switch {
	case path != "":
	case p.transport == discovery.TransportSSE:
		path = "/sse"
	default:
		path = "/mcp"
	}
	out := []discovery.Setting{{Key: "name", Value: name, Source: nameFrom}}
	if port != 0 {
		out = append(out, discovery.Setting{Key: "port", Value: strconv.Itoa(port), Source: portFrom})
	}
	out = append(out,
		discovery.Setting{Key: "scheme", Value: p.scheme, Source: source("scheme")},
		discovery.Setting{Key: "path", Value: path, Source: source("path")},
		discovery.Setting{Key: "transport", Value: string(p.transport), Source: source("transport")})
	for _, h := range slices.Sorted(maps.Keys(p.headers)) {
		out = append(out, discovery.Setting{Key: "headers." + h, Value: masked, Source: "label"})
	}
	if p.callTimeout > 0 {
		out = append(out, discovery.Setting{Key: "timeout.call", Value: p.callTimeout.String(), Source: "label"})
	}
	for _, given := range []struct{ key, value string }{
		{"groups", strings.Join(p.groups, ",")},
		{"tls.verify", strconv.FormatBool(!p.tls.SkipVerify)},
		{"tls.server-name", p.tls.ServerName},
		{"tls.ca", p.tls.CAFile},
	} {
		if p.given[given.key] {
			out = append(out, discovery.Setting{Key: given.key, Value: given.value, Source: "label"})
		}
	}
	return out
}
