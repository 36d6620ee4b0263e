package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

// backend is a state with what only the control plane knows.
type backend struct {
	gateway.BackendState
	// Fix is what to do when it cannot be connected.
	Fix string `json:"fix,omitempty"`
}

func (s *server) show(b gateway.BackendState) backend { return s.shower()(b) }

// shower answers what shows states, several of them with one look at the containers.
func (s *server) shower() func(gateway.BackendState) backend {
	containers := sync.OnceValue(func() []discovery.Observed {
		if s.Discovery == nil {
			return nil
		}
		return s.Discovery.Report().Containers
	})
	return func(b gateway.BackendState) backend {
		shown := backend{BackendState: show(b)}
		switch {
		case b.Failure == "" || !b.Enabled:
		case b.Source == discovery.SourceManual:
			shown.Fix = remedyByHand(b.Failure, b.URL, b.Headers)
		case b.Container != nil:
			all := containers()
			if i := slices.IndexFunc(all, func(o discovery.Observed) bool { return o.ID == b.Container.ID }); i >= 0 {
				shown.Fix = remedy(about(all[i], b.Name), b)
			}
		}
		return shown
	}
}

// about is a container as far as one of its backends is concerned.
func about(o discovery.Observed, name string) discovery.Observed {
	for _, other := range o.Others {
		if other.Backend == name {
			o.Backend, o.URL, o.Settings = other.Backend, other.URL, other.Settings
		}
	}
	return o
}

// remedyByHand is what to do about a registration that cannot be connected.
func remedyByHand(failure, address string, headers map[string]string) string {
	host, port := "the host", "the port"
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		host = u.Hostname()
		if u.Port() != "" {
			port = "port " + u.Port()
		}
	}
	switch failure {
	case "refused":
		return fmt.Sprintf("start the server on %s, and see whether it listens on %s; a server on 127.0.0.1 is reached from its own machine or container alone, 0.0.0.0 lets others in", host, port)
	case "dns":
		return fmt.Sprintf("give a name in url that is known where the gateway runs, or an address: %s is not; from a container, its host is host.docker.internal where that was set up", host)
	case "timeout", "unreachable":
		return fmt.Sprintf("see whether %s can be reached from where the gateway runs: a firewall, or another network, is the usual reason", host)
	case "no_answer", "closed":
		return fmt.Sprintf("see whether %s is that of the MCP server, and what its log says", port)
	case "http_status":
		return "give the path in url at which the server answers MCP, /mcp or /sse most often; with /sse the transport is sse"
	case "auth_required":
		return credentialsByHand(headers)
	case "not_mcp":
		return fmt.Sprintf("give the url of the MCP server: something else answers at %s", strings.TrimPrefix(port, "the "))
	case "protocol":
		return "use a version of the server that speaks a revision from 2024-11-05 on"
	case "tls":
		return "give tls.ca the file of the authority that signed the server's certificate, or tls.serverName the name in it"
	case "list_failed":
		return "see what the server's log says"
	}
	return ""
}

// credentialsByHand is how a registration gets those that the server wants.
func credentialsByHand(headers map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if lower := strings.ToLower(name); lower == "authorization" || strings.Contains(lower, "key") || strings.Contains(lower, "token") {
			return fmt.Sprintf("give headers.%s another value: the server does not take the one that it has", name)
		}
	}
	return `set headers.Authorization, "Bearer <token>" most often`
}

// show masks what is secret in a state, and makes lists of what is nothing.
// The gateway masks as well; what leaves the house is looked at once more.
func show(b gateway.BackendState) gateway.BackendState {
	b.URL = discovery.ShowURL(b.URL)
	b.Reason, b.Answer = journal.RedactText(b.Reason), journal.RedactText(b.Answer)
	if b.Error != nil {
		text := journal.RedactText(*b.Error)
		b.Error = &text
	}
	if len(b.Headers) > 0 {
		masked := make(map[string]string, len(b.Headers))
		for name := range b.Headers {
			masked[name] = manual.Masked
		}
		b.Headers = masked
	}
	b.Endpoints = slices.Clone(b.Endpoints)
	for i, e := range b.Endpoints {
		b.Endpoints[i].URL, b.Endpoints[i].Reason = discovery.ShowURL(e.URL), journal.RedactText(e.Reason)
	}
	if b.Tools == nil {
		b.Tools = []json.RawMessage{}
	}
	if b.Diagnostics == nil {
		b.Diagnostics = []discovery.Diagnostic{}
	}
	return b
}
