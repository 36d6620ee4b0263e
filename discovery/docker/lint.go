package docker

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// Planned is a container as a file describes it that is not started yet.
type Planned struct {
	// Project and Service are compose's.
	Project, Service string
	Labels           map[string]string
	// Ports are the TCP ports that the file exposes or publishes. The image may expose
	// more, which the file does not tell.
	Ports       []int
	NetworkMode string
	// Networks are their real names.
	Networks  []string
	OpenStdin bool
	TTY       bool
}

// Lint says what a gateway on network, which may be a list, would say of c, were it
// started: the remarks on it, and
// the names of its backends, none where it asks for none. The labels in unknown have
// values that nobody knows yet: only their keys are judged.
func Lint(prefix, network string, c Planned, unknown map[string]bool) (remarks []discovery.Diagnostic, backends []string) {
	if prefix == "" {
		prefix = DefaultLabelPrefix
	}
	networks := Networks(network)
	network = networks[0]
	for _, n := range networks {
		if slices.Contains(c.Networks, n) {
			network = n
			break
		}
	}
	o := observation{
		id: strings.Repeat("0", 64), name: c.Service, status: "running",
		labels: map[string]string{labelComposeProject: c.Project, labelComposeService: c.Service, labelComposeNumber: "1"},
		// Where it stands is judged below: a file is mended by other means than a container.
		endpoints: []endpoint{{network: network, ipv4: netip.AddrFrom4([4]byte{192, 0, 2, 1})}},
		tcpPorts:  c.Ports, openStdin: c.OpenStdin, tty: c.TTY,
	}
	named := true
	for key, value := range c.Labels {
		if unknown[key] {
			rest, _ := cutPrefixFold(key, prefix+".")
			if _, key, several := cutBackend(lowerASCII(rest)); several {
				rest = key
			}
			l, _, known := lookup(rest)
			if !known {
				value = ""
			} else {
				value = l.example // which is valid
			}
			named = named && !strings.HasSuffix(strings.ToLower(key), "name")
		}
		o.labels[key] = value
	}
	w := world{prefix: prefix, home: home{name: network}}
	for _, n := range networks {
		if n != network {
			w.more = append(w.more, home{name: n})
		}
	}
	if c.NetworkMode == "host" {
		o.networkMode, o.endpoints = "host", nil
		w.home.host = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	}
	d := describe(o, w, "")
	remarks = slices.Clone(d.diagnostics)
	for i := range remarks {
		r := &remarks[i]
		r.Container, r.Generation = "", ""
		switch r.Code {
		case codeNotPermitted, codeNotGranted, codeNoSecret, codeBadSecret:
			// The gateway's settings and files decide, and they are not known here.
			r.Severity = discovery.SeverityWarning
			r.Message = strings.Replace(r.Message, "; not registered", "; not registered, unless the gateway says otherwise", 1)
		}
		if r.Code == codeNoPort && c.NetworkMode != "host" {
			r.Severity = discovery.SeverityWarning
			r.Message = fmt.Sprintf("nothing here says which port %q listens on; unless its image exposes exactly one, it is not registered", c.Service)
		}
	}
	if !hasLabel(prefix, c.Labels) || d.verdict == verdictDisabled {
		return remarks, nil
	}
	if c.NetworkMode != "host" && (c.NetworkMode != "" || !slices.Contains(c.Networks, network)) {
		remarks = append(remarks, notPlanned(c, network))
	}
	for _, p := range d.parts {
		if named && p.verdict != verdictDisabled {
			backends = append(backends, p.name)
		}
	}
	return remarks, backends
}

func hasLabel(prefix string, labels map[string]string) bool {
	for key := range labels {
		if _, ok := cutPrefixFold(key, prefix+"."); ok {
			return true
		}
	}
	return false
}

// Concerns reports whether a label key is one of the gateway's, or looks as if it
// was meant to be.
func Concerns(prefix, key string) bool {
	if prefix == "" {
		prefix = DefaultLabelPrefix
	}
	if _, ok := cutPrefixFold(key, prefix+"."); ok {
		return true
	}
	_, ok := nearMiss(prefix, key)
	return ok
}

// speaks reports whether one of the labels is the gateway's, or looks as if it was
// meant to be.
func speaks(prefix string, labels map[string]string) bool {
	for key := range labels {
		if Concerns(prefix, key) {
			return true
		}
	}
	return false
}

// notPlanned is the remark on a container that will not be on the network.
func notPlanned(c Planned, network string) discovery.Diagnostic {
	d := discovery.Diagnostic{Severity: discovery.SeverityError, Code: codeNotOnNetwork, Suggestion: fmt.Sprintf("networks: [%s]", network)}
	switch {
	case strings.HasPrefix(c.NetworkMode, "service:"), strings.HasPrefix(c.NetworkMode, "container:"):
		_, other, _ := strings.Cut(c.NetworkMode, ":")
		d.Severity = discovery.SeverityInfo
		d.Message = fmt.Sprintf("%q shares the network of %q, and is reached there as long as that one is on %q", c.Service, other, network)
		d.Suggestion = fmt.Sprintf("networks: [%s] in %s", network, other)
	case c.NetworkMode != "":
		d.Message = fmt.Sprintf("%q has network_mode %q, so it has no address of its own on %q", c.Service, c.NetworkMode, network)
		d.Suggestion = "remove network_mode, and write networks: [" + network + "]"
	default:
		d.Message = fmt.Sprintf("%q will be on [%s], not on %q, so the gateway does not reach it", c.Service, strings.Join(c.Networks, ", "), network)
	}
	return d
}
