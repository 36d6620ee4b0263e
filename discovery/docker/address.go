package docker

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mcp-gw/discovery"
)

// home is a network that containers share with the gateway.
type home struct {
	name string
	// asked is the name in the gateway's settings, which compose may have put its
	// project before; "" where it is name.
	asked string
	// id is the engine's. Empty while the network does not exist, or when the
	// engine does not tell: then endpoints are matched by name.
	id string
	// problem says what is wrong with the network itself, with the fix.
	problem string
	// ambiguous: several networks have the name, and none is chosen.
	ambiguous bool
	// host is where the host is reached: by name, else by its own address on the
	// network. Invalid when neither is known.
	host netip.Addr
}

// is reports whether e attaches a container to the network. Ids decide, because
// a network that was removed and made again keeps its name in the settings of
// stopped containers; an endpoint has no id before its container's first start.
func (h home) is(e endpoint) bool {
	if h.ambiguous {
		return false
	}
	if h.id != "" && e.networkID != "" {
		return e.networkID == h.id
	}
	return e.network == h.name
}

// find returns the endpoint on the network.
func (h home) find(endpoints []endpoint) (endpoint, bool) {
	i := slices.IndexFunc(endpoints, h.is)
	if i < 0 {
		return endpoint{}, false
	}
	return endpoints[i], true
}

// Networks reads a list of networks, the gateway's usual one first; DefaultNetwork
// where there is none.
func Networks(list string) []string {
	var out []string
	for _, name := range strings.Split(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		out = []string{DefaultNetwork}
	}
	return out
}

// likelyPorts are those that MCP servers use by habit. One of them among other
// exposed ports is taken; two are not.
var likelyPorts = []int{8080, 8000, 3000, 3001, 80, 8765, 9000}

// inferPort picks the port of a container that names none: the only exposed one,
// or the only likely one. Never the lowest: that is how people end up talking to
// a database.
func inferPort(exposed []int) (port int, ok bool) {
	if len(exposed) == 1 {
		return exposed[0], true
	}
	for _, p := range exposed {
		if !slices.Contains(likelyPorts, p) {
			continue
		}
		if ok {
			return 0, false
		}
		port, ok = p, true
	}
	return port, ok
}

// urls returns the address to try first, and those to try when it does not
// answer MCP.
func urls(s settings, addr netip.Addr, port int) (first string, alternatives []string) {
	at := func(path string) string {
		u := url.URL{Scheme: s.scheme, Host: net.JoinHostPort(addr.String(), strconv.Itoa(port))}
		return u.String() + path
	}
	switch {
	case s.path != "":
		return at(s.path), nil
	case s.transport == discovery.TransportSSE:
		return at("/sse"), nil
	case s.transport == discovery.TransportAuto:
		return at("/mcp"), []string{at("/"), at("/sse")}
	}
	return at("/mcp"), nil
}

func portList(ports []int) string {
	const most = 12
	words := make([]string, 0, most)
	for i, p := range ports {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(ports)-most))
			break
		}
		words = append(words, strconv.Itoa(p))
	}
	return strings.Join(words, ", ")
}

// chooseHome finds the wanted network among those of the engine.
func chooseHome(wanted string, all []netInfo) home {
	var exact, composed []netInfo
	for _, n := range all {
		switch {
		case n.name == wanted:
			exact = append(exact, n)
		case strings.HasSuffix(n.name, "_"+wanted):
			composed = append(composed, n)
		}
	}
	switch {
	case len(exact) == 1:
		return home{name: wanted, id: exact[0].id, host: exact[0].gateway}
	case len(exact) > 1:
		ids := make([]string, len(exact))
		for i, n := range exact {
			ids[i] = short(n.id)
		}
		slices.Sort(ids)
		return home{name: wanted, ambiguous: true, problem: fmt.Sprintf(
			"%d networks are named %q (%s). Remove all but one: docker network rm %s",
			len(exact), wanted, strings.Join(ids, ", "), ids[len(ids)-1])}
	case len(composed) == 1:
		// What compose makes of a network without a fixed name.
		return home{name: composed[0].name, asked: wanted, id: composed[0].id, host: composed[0].gateway}
	}
	return home{name: wanted, problem: fmt.Sprintf(
		"network %q does not exist. Create it: docker network create %s", wanted, wanted)}
}

// homeByName is the wanted network where the engine lists none: what containers say
// of theirs has to do. Names only: stopped ones keep the ids of networks that were
// removed.
func homeByName(wanted string, list []observation) home {
	composed := map[string]bool{}
	for _, c := range list {
		for _, e := range c.endpoints {
			if e.network == wanted {
				return home{name: wanted}
			}
			if strings.HasSuffix(e.network, "_"+wanted) {
				composed[e.network] = true
			}
		}
	}
	if len(composed) == 1 {
		for name := range composed {
			return home{name: name, asked: wanted}
		}
	}
	return home{name: wanted}
}
