package docker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// place is where a container is found.
type place struct {
	at       endpoint
	attached bool
	// home is the network that it is found on, or that it is to be put on.
	home home
	// host: it has no network of its own, and is found at the host's address.
	host bool
	// generation is that of the container whose network it shares, "" where it has
	// its own: it ends with that one's.
	generation string
	// problem says why it is not found, and fix what to do.
	problem, fix string
}

// suffix is what the generation of a backend there has besides its own.
func (p place) suffix() string {
	if p.generation == "" {
		return ""
	}
	return "+" + p.generation
}

// homes are all networks that containers may share with the gateway.
func (w world) homes() []home { return append([]home{w.home}, w.more...) }

// on is the world of a container that has to do with one of the networks alone, while
// the others remain what a label may name.
func (w world) on(h home) world {
	all := w.homes()
	w.home, w.more = h, nil
	for _, other := range all {
		if other != h {
			w.more = append(w.more, other)
		}
	}
	return w
}

// homeNamed returns the network that a label names.
func (w world) homeNamed(name string) (home, bool) {
	all := w.homes()
	i := slices.IndexFunc(all, func(h home) bool { return h.name == name || h.asked == name })
	if i < 0 {
		return home{}, false
	}
	return all[i], true
}

// homeNames are the networks as people read them.
func (w world) homeNames() string {
	var names []string
	for _, h := range w.homes() {
		names = append(names, strconv.Quote(h.name))
	}
	return strings.Join(names, " or ")
}

// find returns the first of the networks that one of the endpoints is on.
func (w world) find(endpoints []endpoint) (h home, at endpoint, ok bool) {
	for _, h := range w.homes() {
		if at, ok := h.find(endpoints); ok {
			return h, at, true
		}
	}
	return w.home, endpoint{}, false
}

// locate finds out where a container is: on the first of the networks that it is on.
func (w world) locate(o observation) place {
	h, at, ok := w.find(o.endpoints)
	if ok {
		return place{home: h, at: at, attached: true}
	}
	p := place{
		problem: fmt.Sprintf("%q has %s labels but is on [%s], not on %s", o.name, w.prefix, strings.Join(o.networks(), ", "), w.homeNames()),
		fix:     connectCommand(w, o.name),
	}
	switch id, shared := sharedWith(o); {
	case len(o.endpoints) == 0 && slices.ContainsFunc(w.homes(), func(x home) bool { h = x; return o.networkMode == x.name }):
		return place{home: h, attached: true} // created, never started: the engine lists no networks yet
	case o.networkMode == "host":
		p = w.onHost(o)
	case shared:
		return w.beside(o, id)
	}
	p.home = w.home
	return p
}

// sharedWith answers the id of the container whose network o uses.
func sharedWith(o observation) (id string, ok bool) {
	return strings.CutPrefix(o.networkMode, "container:")
}

// onHost is the place of a container that uses the host's network.
func (w world) onHost(o observation) place {
	if w.home.host.IsValid() {
		at := endpoint{network: w.home.name, networkID: w.home.id}
		if w.home.host.Is4() {
			at.ipv4 = w.home.host
		} else {
			at.ipv6 = w.home.host
		}
		return place{at: at, attached: true, host: true}
	}
	return place{
		host:    true,
		problem: fmt.Sprintf("%q uses the host's network, and the host's address is not known here", o.name),
		fix:     fmt.Sprintf("start it with --network %s instead, or the gateway with --add-host host.docker.internal:host-gateway", w.home.name),
	}
}

// beside is the place of a container that shares the network of another: the other's
// address, as long as that one runs the process that made the network.
func (w world) beside(o observation, id string) place {
	const shares = "%q shares the network of "
	x := w.peer
	if x == nil {
		return place{
			home:    w.home,
			problem: fmt.Sprintf(shares+"container %s, which is not on %s", o.name, short(id), w.homeNames()),
			fix:     connectCommand(w, short(id)),
		}
	}
	h, at, ok := w.find(x.endpoints)
	switch {
	case !ok:
		return place{
			home:    h,
			problem: fmt.Sprintf(shares+"%q, which is on [%s], not on %s", o.name, x.name, strings.Join(x.networks(), ", "), w.homeNames()),
			fix:     connectCommand(w, x.name),
		}
	case !o.up():
		return place{home: h, at: at, attached: true, generation: x.generation()}
	case !x.up():
		return place{
			home:    h,
			problem: fmt.Sprintf(shares+"%q, which does not run", o.name, x.name),
			fix:     fmt.Sprintf("docker start %s && docker restart %s", x.name, o.name),
		}
	case x.startedAt.After(o.startedAt):
		return place{
			home:    h,
			problem: fmt.Sprintf(shares+"%q, which was started anew since; it was left behind in a network that is no more", o.name, x.name),
			fix:     "docker restart " + o.name,
		}
	}
	return place{home: h, at: at, attached: true, generation: x.generation()}
}

func connectCommand(w world, container string) string {
	return fmt.Sprintf("docker network connect %s %s", w.home.name, container)
}
