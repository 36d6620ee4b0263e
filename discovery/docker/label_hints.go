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
	"alias": "name", "service": "name", "id": "name", "prefix": "name",
	"expose": "port", "ports": "port", "listen": "port",
	"endpoint": "path", "route": "path", "uri": "path",
	"protocol-scheme": "scheme", "proto": "scheme",
	"type": "transport", "mode": "transport",
	"header": "headers.<Name>", "headers": "headers.<Name>",
	"timeout": "timeout.call", "call-timeout": "timeout.call",
	"host": "url", "address": "url",
	"tag": "groups", "tags": "groups", "group": "groups",
	"include": "tools.include", "exclude": "tools.exclude", "tools": "tools.include",
	"secret": "auth.secret", "token": "auth.secret",
	"tls.insecure": "tls.verify", "tls.skip-verify": "tls.verify", "insecure": "tls.verify", "verify": "tls.verify",
	"ca": "tls.ca", "tls.ca-file": "tls.ca", "tls.cafile": "tls.ca", "tls.cert": "tls.ca",
	"sni": "tls.server-name", "tls.sni": "tls.server-name", "tls.host": "tls.server-name", "server-name": "tls.server-name",
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
	if first == "header" && rest != "" {
		return "headers.<Name>"
	}
	// What works today is the better guess than what a later version knows.
	if s := nearest(key, labelKeys()); s != "" && !strings.HasSuffix(s, ".") {
		return s
	}
	if s := nearest(first+".", []string{"headers."}); s != "" && rest != "" {
		return "headers.<Name>"
	}
	if s := nearest(key, reservedKeys()); !strings.HasSuffix(s, ".") {
		return s
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
