package docker

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// reaction is what an event asks for.
type reaction struct {
	attend  string // inspect this container
	changed bool   // the set may have changed already
	resync  bool   // look at everything again
}

// note takes one event. The worse half of an event applies at once: a process
// that ended is not to be called while the inspect is under way, nor while the
// engine is shutting down and refuses inspects but still tells of deaths.
func (t *table) note(e event, now time.Time) reaction {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.kind {
	case "daemon":
		return reaction{resync: true}
	case "network":
		return t.noteNetwork(e)
	case "container":
	default:
		return reaction{}
	}
	r := t.records[e.id]
	if r == nil {
		// Whatever else happens to a container that does not concern the gateway
		// does not make it concern the gateway.
		if e.action != "create" && e.action != "start" {
			return reaction{}
		}
		out := t.mark(e.id, true)
		t.records[e.id].told.note(e, now)
		return out
	}
	out := reaction{attend: e.id}
	r.told.note(e, now)
	// An event that is older than the process now running speaks of an earlier one.
	current := r.known && !e.at.Before(r.obs.startedAt)
	switch e.action {
	case "health_status":
		// Podman tells of every check. One that found what is known changes nothing.
		if e.health != "" && e.health == r.obs.health && r.known && !r.busy {
			return reaction{}
		}
	case "oom":
		r.oom = r.oom || current
	case "die", "destroy":
		if current && e.exitCode != "" {
			r.exit = e.exitCode
		}
		if current && r.routable && !r.died {
			r.died, r.ended, out.changed = true, e.at, true
			r.fall(now)
		}
		if current && !r.lifeless {
			r.lifeless = true
			out.changed = t.judgeBeside(e.id, now) || out.changed
		}
	case "kill":
		switch {
		case !current:
		case e.signal == "9" || e.signal == "SIGKILL":
			out.changed = r.killed.IsZero()
			r.killed = now
		default:
			r.stopping, r.doubted = true, now
			out.changed = true
		}
	case "stop":
		r.stopping = r.stopping || current
	}
	marked := t.mark(e.id, true)
	out.attend = marked.attend
	return out
}

func (t *table) noteNetwork(e event) reaction {
	ours := slices.ContainsFunc(t.world.homes(), func(h home) bool { return e.name == h.name || e.name == h.asked || h.id != "" && e.id == h.id })
	switch e.action {
	case "create", "destroy":
		// One that is not there yet may come as compose names it.
		composed := func(h home) bool { return strings.HasSuffix(e.name, "_"+cmp.Or(h.asked, h.name)) }
		return reaction{resync: ours || slices.ContainsFunc(t.world.homes(), composed)}
	case "connect", "disconnect":
		if e.container != "" && (ours || t.records[e.container] != nil) {
			return t.mark(e.container, true)
		}
	}
	return reaction{}
}

// fall notes that the container is not routable any more.
func (r *record) fall(now time.Time) {
	if r.down.IsZero() && r.last != nil {
		r.down = now
	}
}
