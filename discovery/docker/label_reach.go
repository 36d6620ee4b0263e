package docker

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mcp-gw/discovery"
)

var reachLabels = []label{
	{key: "transport", kind: "`auto`, `http`, `sse` or `stdio`", fallback: "`auto`", example: "http", strict: true,
		doc: "`http` is streamable HTTP (`streamable-http` is understood too), `sse` the older HTTP+SSE; `auto` finds out which. `stdio` attaches to the container's own process.", wrong: "is none of auto, http, sse, stdio", set: setTransport},
	{key: "port", kind: "1–65535", fallback: "inferred, see below", example: "8080", strict: true,
		doc: "Port of the MCP server inside the container; it need not be published.", wrong: "is not a number", set: setPort},
	{key: "path", kind: "path", fallback: "`/mcp`, for `sse` `/sse`; with `auto` all of `/mcp`, `/`, `/sse` are tried", example: "/mcp", strict: true,
		doc: "Path of the MCP endpoint. Begins with `/`, without `..`; a query is allowed.", wrong: "does not begin with /", set: setPath},
	{key: "scheme", kind: "`http` or `https`", fallback: "`http`", example: "http", strict: true,
		doc: "Scheme of the MCP endpoint.", wrong: "is none of http, https", set: setScheme},
	{key: "url", kind: "URL", fallback: "made of address, port and path", example: "http://search:8080/mcp", strict: true,
		doc: "The whole address instead of `port`, `path` and `scheme`. Its host is the container's own name, alias or address on the network; any other has to be in the gateway's `MCP_GW_ALLOW_URL_HOSTS`. Loopback and link-local addresses are always refused.", wrong: "is not a URL", set: setURL},
	{key: "network", kind: "name of a network", fallback: "the gateway's", example: "mcp-gw-net", strict: true,
		doc: "The network to reach the container on, where it and the gateway share several.", wrong: "is not the name of a network", set: setNetwork},
	{key: "protocol", kind: "`auto` or an MCP revision", fallback: "`auto`", example: "2025-06-18",
		doc: "The MCP revision to speak, for servers that agree on one that they do not speak.", wrong: "is none of auto, " + strings.Join(protocols, ", "), set: setProtocol},
	{key: "headers.", member: "X-Tenant", kind: "text", fallback: "none", example: "acme", strict: true,
		doc: "Sent as header `<Name>` with every request. Never shown. Anybody who may inspect the container can read it, so no secrets: those go by `secret-headers`.", wrong: "is not the name of an HTTP header", set: setHeader},
	{key: "tls.verify", kind: "`true` or `false`", fallback: "`true`", example: "false", strict: true,
		doc: "`false` takes any certificate of an `https` server. Better is `tls.ca`.", wrong: "is neither true nor false", set: setTLSVerify},
	{key: "tls.server-name", kind: "host name", fallback: "the container's address", example: "search.internal", strict: true,
		doc: "The name in the server's certificate, and the one it is asked for (SNI). Few certificates have a container's address.", wrong: "is not a host name", set: setTLSServerName},
	{key: "tls.ca", kind: "absolute path", fallback: "the system's authorities", example: "/certs/ca.pem", strict: true,
		doc: "PEM file of the authorities that count instead of the system's. The path is the gateway's: mount it there. It is read with each connect.", wrong: "is not an absolute path", set: setTLSCA},
}

const (
	maxPath = 1024
	maxURL  = 2048
)

// protocols are the MCP revisions that can be asked for.
var protocols = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}

var networkName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

func setTransport(s *settings, _, value string) (string, error) {
	v := lowerASCII(value)
	switch v {
	case "streamable-http", "streamablehttp", "streamable_http", "streamable":
		s.transport = discovery.TransportHTTP
		return "means http", nil
	}
	v, err := oneOf(v, "auto", "http", "sse", "stdio")
	if err == nil {
		s.transport = discovery.Transport(v)
	}
	return "", err
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
	v, err := oneOf(value, "http", "https")
	if err == nil {
		s.scheme = v
	}
	return "", err
}

func setURL(s *settings, _, value string) (string, error) {
	if len(value) > maxURL {
		return "", refuse("", "is longer than %d bytes", maxURL)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", refuse("", "is not a URL such as http://search:8080/mcp")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", refuse("", "is neither http nor https")
	case u.User != nil:
		return "", refuse("", "has a user or a password in it")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", refuse("", "has a port that is not 1 to 65535")
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if strings.ContainsRune(value, '#') {
		return "", refuse("", "has a fragment (#), which is never sent")
	}
	if _, err := parsePath(u.RequestURI()); err != nil {
		return "", err
	}
	if err := checkURLHost(u.Hostname()); err != nil {
		return "", err
	}
	s.url = u.String()
	return "", nil
}

// checkURLHost refuses the hosts that no operator can allow: the gateway itself,
// and the addresses at which clouds hand out their credentials.
func checkURLHost(host string) error {
	lower := strings.TrimSuffix(lowerASCII(host), ".")
	if lower == "localhost" || strings.HasSuffix(lower, ".localhost") {
		return refuse("", "leads to the gateway itself (loopback)")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		if discovery.CheckServerName(lower) != nil {
			return refuse("", "has a host that is no host name")
		}
		return nil
	}
	switch addr = addr.Unmap(); {
	case addr.Zone() != "" || addr.IsLinkLocalUnicast() || addr.IsMulticast():
		return refuse("", "leads to a link-local or multicast address")
	case addr.IsLoopback() || addr.IsUnspecified():
		return refuse("", "leads to the gateway itself (loopback)")
	}
	return nil
}

func setNetwork(s *settings, _, value string) (string, error) {
	if !networkName.MatchString(value) {
		return "", refuse("", "is not the name of a network")
	}
	s.network = value
	return "", nil
}

func setProtocol(s *settings, _, value string) (string, error) {
	v, err := oneOf(value, append([]string{"auto"}, protocols...)...)
	if err == nil && v != "auto" {
		s.tuning.Protocol = v
	}
	return "", err
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

func setTLSVerify(s *settings, _, value string) (string, error) {
	verify, err := parseBool(value)
	s.tls.SkipVerify = err == nil && !verify
	return "", err
}

func setTLSServerName(s *settings, _, value string) (string, error) {
	if err := discovery.CheckServerName(value); err != nil {
		return "", refuse(hostIn(value), "%v", err)
	}
	s.tls.ServerName = strings.ToLower(value)
	return "", nil
}

// hostIn finds the host name in a URL or an address, "" when there is none.
func hostIn(value string) string {
	if !strings.Contains(value, "//") {
		value = "//" + value
	}
	u, err := url.Parse(value)
	if err != nil {
		return ""
	}
	if host := strings.Trim(u.Hostname(), "."); discovery.CheckServerName(host) == nil {
		return host
	}
	return ""
}

func setTLSCA(s *settings, _, value string) (string, error) {
	if err := discovery.CheckCAFile(value); err != nil {
		return "", refuse("", "%v", err)
	}
	s.tls.CAFile = value
	return "", nil
}
