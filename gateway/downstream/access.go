package downstream

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Access decides from the Host and Origin headers whether a request may have been
// made by a page that has no business here: MCP demands it of servers
// (basic/transports, DNS rebinding), and the REST API needs it as much.
//
// A rebinding page can only send a Host that its owner could register. So an
// address, a name without a dot (localhost, mcp-gw, a container's or a machine's
// name) and names below .localhost, .local and .internal are always taken; any
// other name has to be allowed.
type Access struct {
	// Hosts are further names that may be in Host, without a port.
	Hosts []string
	// Origins are further web origins (scheme://host[:port]) that may call.
	Origins []string
}

// Check answers why r is refused, nil when it is not.
func (a Access) Check(r *http.Request) error {
	host := hostname(r.Host)
	if !a.knows(host) {
		return fmt.Errorf("host %.200q is not allowed: add it to MCP_GW_ALLOWED_HOSTS if the gateway is meant to be reached by this name", r.Host)
	}
	origin := r.Header["Origin"]
	if len(origin) == 0 || slices.Contains(a.Origins, origin[0]) {
		return nil
	}
	if u, err := url.Parse(origin[0]); err == nil && u.Host != "" {
		// The gateway's own pages, and pages of this very machine.
		if strings.EqualFold(u.Host, r.Host) || isLoopback(u.Hostname()) {
			return nil
		}
	}
	return fmt.Errorf("%w %.200q is not allowed: add it to MCP_GW_ALLOWED_ORIGINS if pages from there may call the gateway", errOrigin, origin[0])
}

// errOrigin tells a refused Origin from a refused Host.
var errOrigin = errors.New("origin")

func (a Access) knows(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if !strings.Contains(host, ".") || isLoopback(host) {
		return true // also an IPv6 address
	}
	if net.ParseIP(host) != nil {
		return true
	}
	lower := strings.ToLower(host)
	for _, zone := range []string{".local", ".internal"} {
		if strings.HasSuffix(lower, zone) {
			return true
		}
	}
	return slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, lower) })
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// hostname is Host without its port and an address's brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}
