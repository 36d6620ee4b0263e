package docker

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// synonyms are words that people use for what a label says, with the label that
// says it. No spelling distance leads from one to the other.
var synonyms = map[string]string{
	"enabled": "enable", "enabel": "enable", "register": "enable",
	"alias": "name", "service": "name", "id": "name",
	"summary": "description", "label": "title", "display-name": "title",
	"prefix": "tools.prefix", "tool-prefix": "tools.prefix", "namespace": "tools.prefix",
	"expose": "port", "ports": "port", "listen": "port",
	"endpoint": "path", "route": "path", "uri": "path",
	"protocol-scheme": "scheme", "proto": "scheme", "version": "protocol", "revision": "protocol",
	"type": "transport", "mode": "transport",
	"header": "headers.<Name>", "headers": "headers.<Name>",
	"secret-header": "secret-headers.<Name>", "secret-headers": "secret-headers.<Name>",
	"timeout": "timeout.call", "call-timeout": "timeout.call",
	"host": "url", "address": "url", "docker.network": "network", "net": "network",
	"tag": "groups", "tags": "groups", "group": "groups",
	"include": "tools.include", "exclude": "tools.exclude", "tools": "tools.include",
	"allow": "tools.include", "deny": "tools.exclude", "tools.allow": "tools.include", "tools.deny": "tools.exclude", "tools.filter": "tools.include",
	"rename": "tools.rename.<old>", "tools.rename": "tools.rename.<old>",
	"readonly": "tools.read-only", "read-only": "tools.read-only", "tools.readonly": "tools.read-only",
	"secret": "auth.secret", "token": "auth.secret", "auth.token": "auth.secret", "auth.type": "auth",
	"concurrency": "max-concurrency", "max-connections": "max-concurrency", "limit": "max-concurrency",
	"healthcheck": "health", "interval": "health.interval", "ping": "health.interval",
	"grace": "removal-grace", "start-timeout": "startup-timeout", "start-period": "startup-timeout",
	"depends": "depends-on", "depends_on": "depends-on", "requires": "depends-on",
	"lb": "balance", "loadbalancer": "balance", "strategy": "balance", "order": "priority",
	"session": "stdio.session", "stdio": "stdio.mode",
	"tls.insecure": "tls.verify", "tls.skip-verify": "tls.verify", "insecure": "tls.verify", "verify": "tls.verify",
	"ca": "tls.ca", "tls.ca-file": "tls.ca", "tls.cafile": "tls.ca", "tls.cert": "tls.ca",
	"sni": "tls.server-name", "tls.sni": "tls.server-name", "tls.host": "tls.server-name", "server-name": "tls.server-name",
}

// families are synonyms of what stands before a dot.
var families = map[string]string{
	"header": "headers.<Name>", "http-headers": "headers.<Name>", "secret-header": "secret-headers.<Name>",
	"rename": "tools.rename.<old>", "backend": "backends.<name>.<key>", "backends": "backends.<name>.<key>",
}

// advice is for words that stand for no label at all.
var advice = map[string]string{
	"disable":     "set mcp-gw.enable=false",
	"disabled":    "set mcp-gw.enable=false",
	"env":         "set environment variables on the container itself",
	"environment": "set environment variables on the container itself",
	"command":     "set the command on the container itself",
	"image":       "set the image on the container itself",
}

// guess returns the label key that an unknown one probably meant, "" when none
// is near.
func guess(key string) string {
	if s := synonyms[key]; s != "" {
		return s
	}
	first, rest, _ := strings.Cut(key, ".")
	if family := families[first]; family != "" && rest != "" {
		return family
	}
	if s := nearest(key, labelKeys()); s != "" && !strings.HasSuffix(s, ".") {
		return s
	}
	for _, l := range labelTable {
		if l.family() && rest != "" {
			n := strings.Count(l.key, ".")
			if parts := strings.SplitN(key, ".", n+1); len(parts) > n && nearest(strings.Join(parts[:n], ".")+".", []string{l.key}) != "" {
				return l.key + l.placeholder()
			}
		}
	}
	return ""
}

// nearest returns the candidate that is at most a slip or two away from word,
// "" when none is.
func nearest(word string, candidates []string) string {
	const longest = 64 // no key is near to more than that, and distance is quadratic
	if len(word) > longest {
		return ""
	}
	limit := 2
	if len(word) > 12 {
		limit = 3
	}
	// With half of the letters wrong it is another word.
	limit = min(limit, len(word)/2)
	best, bestDistance := "", limit+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(word, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// nearMiss reports whether a label key looks as if it were meant for prefix, and
// the key it should have been. Foreign labels with a similar word are many, so
// beyond the usual misspellings the rest of the key must be one of ours.
func nearMiss(prefix, key string) (want string, ok bool) {
	lower := strings.ToLower(key)
	if strings.HasPrefix(lower, prefix+".") {
		return "", false // ours
	}
	if lower == prefix {
		return prefix + ".enable", true
	}
	for _, p := range misspellings(prefix) {
		rest, found := strings.CutPrefix(lower, p)
		if !found || rest == "" || !strings.ContainsAny(rest[:1], ".-_/:") {
			continue
		}
		return prefix + "." + orEnable(rest[1:]), true
	}
	first, rest, found := strings.Cut(lower, ".")
	if !found || nearest(first, []string{prefix}) == "" {
		return "", false
	}
	if _, _, known := lookup(rest); known {
		return prefix + "." + rest, true
	}
	return "", false
}

func orEnable(key string) string {
	if key == "" {
		return "enable"
	}
	return key
}

// misspellings are other ways to write prefix, longest first.
func misspellings(prefix string) []string {
	list := []string{prefix}
	for _, sep := range []string{"", "_", "."} {
		list = append(list, strings.ReplaceAll(prefix, "-", sep))
	}
	if prefix == DefaultLabelPrefix {
		list = append(list, "mcp-gateway", "mcp_gateway", "mcpgateway", "mcp.gateway")
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(list)
}
