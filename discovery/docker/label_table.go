package docker

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// settings are what the labels of one container say, defaults filled in where
// they do not depend on the container.
type settings struct {
	enabled     bool
	name        string // "" = from the service or container
	port        int    // 0 = inferred
	path        string // "" = by transport
	scheme      string
	transport   discovery.Transport
	headers     map[string]string
	callTimeout time.Duration // 0 = the gateway's
	groups      []string      // sorted
	tls         discovery.TLS
}

func defaults() settings {
	return settings{enabled: true, scheme: "http", transport: discovery.TransportAuto}
}

// label is one row of the label contract. labels.md is generated from the rows.
type label struct {
	key string // without the prefix; a family ends in "."
	// kind, fallback, example and doc are for people.
	kind, fallback, example, doc string
	// strict labels decide where requests go and who may be reached: a wrong
	// value keeps the container out. Others fall back to their default.
	strict bool
	// set stores value. rest is the key after a family's dot. A remark is
	// something to tell although the value was taken.
	set func(s *settings, rest, value string) (remark string, err error)
}

func (l label) family() bool { return strings.HasSuffix(l.key, ".") }

// valueError says why a value was refused, and what would be accepted.
type valueError struct{ problem, fix string }

func (e valueError) Error() string { return e.problem }

func refuse(fix, format string, args ...any) error {
	return valueError{problem: fmt.Sprintf(format, args...), fix: fix}
}

const (
	minCallTimeout = 100 * time.Millisecond
	maxCallTimeout = time.Hour
	maxPath        = 1024
)

// labelTable is the label contract of this version, in the order people need it.
var labelTable = []label{
	{key: "enable", kind: "`true` or `false`", fallback: "`true`, once any label is set", example: "true", strict: true,
		doc: "`false` keeps the container out.", set: setEnable},
	{key: "name", kind: "name", fallback: "compose service, else swarm service, else container name", example: "github", strict: true,
		doc: "Prefix of the backend's tools (`github__search`). 1–32 characters of `a-z`, `0-9` and `-`, no `-` at either end.", set: setName},
	{key: "port", kind: "1–65535", fallback: "inferred, see below", example: "8080", strict: true,
		doc: "Port of the MCP server inside the container; it need not be published.", set: setPort},
	{key: "path", kind: "path", fallback: "`/mcp`, for `sse` `/sse`; with `auto` all of `/mcp`, `/`, `/sse` are tried", example: "/mcp", strict: true,
		doc: "Path of the MCP endpoint. Begins with `/`, without `..`; a query is allowed.", set: setPath},
	{key: "scheme", kind: "`http` or `https`", fallback: "`http`", example: "http", strict: true,
		doc: "Scheme of the MCP endpoint.", set: setScheme},
	{key: "transport", kind: "`auto`, `http` or `sse`", fallback: "`auto`", example: "http", strict: true,
		doc: "`http` is streamable HTTP (`streamable-http` is understood too), `sse` the older HTTP+SSE; `auto` finds out.", set: setTransport},
	{key: "headers.", kind: "text", fallback: "none", example: "acme", strict: true,
		doc: "Sent as header `<Name>` with every request. Never shown. Anybody who may inspect the container can read it, so no secrets.", set: setHeader},
	{key: "timeout.call", kind: "duration", fallback: "the gateway's", example: "5m",
		doc: "How long a call may stay silent, 100ms to 1h. Progress counts as a sign of life.", set: setCallTimeout},
	{key: "groups", kind: "names, with commas between", fallback: "none", example: "dev,ops", strict: true,
		doc: "Groups that the backend belongs to, at most 16; names like those of `mcp-gw.name`. Each is an endpoint `/mcp/<group>` with its backends alone. `/mcp` has all of them anyway.", set: setGroups},
	{key: "tls.verify", kind: "`true` or `false`", fallback: "`true`", example: "false", strict: true,
		doc: "`false` takes any certificate of an `https` server. Better is `tls.ca`.", set: setTLSVerify},
	{key: "tls.server-name", kind: "host name", fallback: "the container's address", example: "search.internal", strict: true,
		doc: "The name in the server's certificate, and the one it is asked for (SNI). Few certificates have a container's address.", set: setTLSServerName},
	{key: "tls.ca", kind: "absolute path", fallback: "the system's authorities", example: "/certs/ca.pem", strict: true,
		doc: "PEM file of the authorities that count instead of the system's. The path is the gateway's: mount it there. It is read with each connect.", set: setTLSCA},
}

func setEnable(s *settings, _, value string) (string, error) {
	v, err := parseBool(value)
	s.enabled = v
	return "", err
}

func parseBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	case "yes", "on", "y", "enabled":
		return false, refuse("true", "is neither true nor false")
	case "no", "off", "n", "disabled":
		return false, refuse("false", "is neither true nor false")
	}
	return false, refuse("", "is neither true nor false")
}

func setName(s *settings, _, value string) (string, error) {
	if err := checkName(value); err != nil {
		return "", err
	}
	s.name = value
	return "", nil
}

func setPort(s *settings, _, value string) (string, error) {
	fix := ""
	if digits, proto, ok := strings.Cut(value, "/"); ok && proto == "tcp" {
		fix = digits
	} else if i := strings.LastIndexByte(value, ':'); i >= 0 { // compose's "3001:8080"
		fix = value[i+1:]
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return "", refuse(fix, "is not a number")
	}
	if n < 1 || n > 65535 {
		return "", refuse("", "is not a port, 1 to 65535")
	}
	s.port = n
	return "", nil
}

func setPath(s *settings, _, value string) (string, error) {
	if strings.Contains(value, "://") {
		fix := ""
		if u, err := url.Parse(value); err == nil {
			fix = u.RequestURI()
		}
		return "", refuse(fix, "is a URL; the path alone is wanted, because the address is the container's own")
	}
	if !strings.HasPrefix(value, "/") {
		return "", refuse("/"+value, "does not begin with /")
	}
	u, err := parsePath(value)
	if err != nil {
		return "", err
	}
	s.path = u.RequestURI()
	return "", nil
}

// parsePath reads a path with an optional query.
func parsePath(value string) (*url.URL, error) {
	switch {
	case len(value) > maxPath:
		return nil, refuse("", "is longer than %d bytes", maxPath)
	case strings.HasPrefix(value, "//"):
		return nil, refuse("", "begins with //, which is a host, not a path")
	case strings.Contains(value, "#"):
		return nil, refuse("", "has a fragment (#), which is never sent")
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return nil, refuse("", "has a space, a backslash or a control character")
	}
	u, err := url.ParseRequestURI(value)
	if err != nil {
		return nil, refuse("", "is not a path")
	}
	if slices.Contains(strings.Split(u.Path, "/"), "..") {
		return nil, refuse("", "contains ..")
	}
	return u, nil
}

func setScheme(s *settings, _, value string) (string, error) {
	switch v := strings.ToLower(value); v {
	case "http", "https":
		s.scheme = v
		return "", nil
	default:
		return "", refuse(nearest(v, []string{"http", "https"}), "is neither http nor https")
	}
}

func setTransport(s *settings, _, value string) (string, error) {
	v := strings.ToLower(value)
	switch v {
	case "auto", "http", "sse":
		s.transport = discovery.Transport(v)
		return "", nil
	case "streamable-http", "streamablehttp", "streamable_http":
		s.transport = discovery.TransportHTTP
		return "means http", nil
	case "stdio":
		return "", refuse("", "is not supported by this version; put the server behind HTTP")
	}
	return "", refuse(nearest(v, []string{"auto", "http", "sse"}), "is none of auto, http, sse")
}

func setHeader(s *settings, rest, value string) (string, error) {
	name, err := checkHeader(rest, value)
	if err != nil {
		return "", err
	}
	if s.headers == nil {
		s.headers = map[string]string{}
	}
	s.headers[name] = value
	return "", nil
}

func setCallTimeout(s *settings, _, value string) (string, error) {
	d, err := time.ParseDuration(value)
	if err != nil {
		if _, numErr := strconv.Atoi(value); numErr == nil {
			return "", refuse(value+"s", "has no unit")
		}
		return "", refuse("", "is not a duration such as 30s or 5m")
	}
	if d < minCallTimeout || d > maxCallTimeout {
		return "", refuse("", "is not between 100ms and 1h")
	}
	s.callTimeout = d
	return "", nil
}

// reservedLabels are the keys that later versions define. A container written
// for one of those is told so, instead of being told that it cannot spell. True
// marks the ones whose absence would show or reach more than its author meant:
// such a container is kept out.
var reservedLabels = map[string]bool{
	"instance": true, "url": true, "network": true,
	"tools.include": true, "tools.exclude": true, "tools.read-only": true,
	"title": false, "description": false, "protocol": false,
	"auth": false, "auth.secret": false, "secret-headers.": false,
	"tools.rename.": false, "tools.prefix": false, "prompts": false, "resources": false,
	"priority": false, "weight": false, "balance": false, "max-concurrency": false,
	"timeout.connect": false, "timeout.init": false, "timeout.idle": false,
	"health": false, "health.interval": false, "startup-timeout": false,
	"removal-grace": false, "depends-on": false,
	"stdio.mode": false, "stdio.command": false, "stdio.session": false,
}

// lookup finds the row for a lower-cased key.
func lookup(key string) (l label, rest string, ok bool) {
	for _, l := range labelTable {
		if l.family() && strings.HasPrefix(key, l.key) && len(key) > len(l.key) {
			return l, key[len(l.key):], true
		}
		if key == l.key {
			return l, "", !l.family()
		}
	}
	return label{}, "", false
}

// reserved reports whether a later version defines key, and whether it is one of
// those that must not be ignored.
func reserved(key string) (strict, ok bool) {
	if strict, ok = reservedLabels[key]; ok {
		return strict, ok
	}
	for k, strict := range reservedLabels {
		if strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
			return strict, true
		}
	}
	return false, false
}

func labelKeys() []string {
	keys := make([]string, len(labelTable))
	for i, l := range labelTable {
		keys[i] = l.key
	}
	return keys
}

func reservedKeys() []string { return slices.Sorted(maps.Keys(reservedLabels)) }
