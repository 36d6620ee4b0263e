package docker

import (
	"fmt"
	"strings"
)

// place is where a container is found.
type place struct {
	at       endpoint
	attached bool
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

// locate finds out where a container is.
func (w world) locate(o observation) place {
	if at, ok := w.home.find(o.endpoints); ok {
		return place{at: at, attached: true}
	}
	switch id, shared := sharedWith(o); {
	case o.networkMode == w.home.name && len(o.endpoints) == 0:
		return place{attached: true} // created, never started: the engine lists no networks yet
	case o.networkMode == "host":
		return w.onHost(o)
	case shared:
		return w.beside(o, id)
	}
	return place{
		problem: fmt.Sprintf("%q has %s labels but is on [%s], not on %q", o.name, w.prefix, strings.Join(o.networks(), ", "), w.home.name),
		fix:     connectCommand(w, o.name),
	}
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
			problem: fmt.Sprintf(shares+"container %s, which is not on %q", o.name, short(id), w.home.name),
			fix:     connectCommand(w, short(id)),
		}
	}
	at, ok := w.home.find(x.endpoints)
	switch {
	case !ok:
		return place{
			problem: fmt.Sprintf(shares+"%q, which is on [%s], not on %q", o.name, x.name, strings.Join(x.networks(), ", "), w.home.name),
			fix:     connectCommand(w, x.name),
		}
	case !o.up():
		return place{at: at, attached: true, generation: x.generation()}
	case !x.up():
		return place{
			problem: fmt.Sprintf(shares+"%q, which does not run", o.name, x.name),
			fix:     fmt.Sprintf("docker start %s && docker restart %s", x.name, o.name),
		}
	case x.startedAt.After(o.startedAt):
		return place{
			problem: fmt.Sprintf(shares+"%q, which was started anew since; it was left behind in a network that is no more", o.name, x.name),
			fix:     "docker restart " + o.name,
		}
	}
	return place{at: at, attached: true, generation: x.generation()}
}

func connectCommand(w world, container string) string {
	return fmt.Sprintf("docker network connect %s %s", w.home.name, container)
}
