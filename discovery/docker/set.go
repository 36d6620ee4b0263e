package docker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mcp-gw/discovery"
)

const (
	// holdTime is how long the tools of a container that ended stay listed while
	// its successor is in sight.
	holdTime = 10 * time.Second
	// restartTime is how long they stay at least when it was asked to stop:
	// `docker restart` looks like `docker stop` until the next start.
	restartTime = 250 * time.Millisecond
	// successorAge is how long before the end a container may have been created
	// to count as its successor. Older ones lie around for other reasons.
	successorAge = time.Minute
)

// member is one container as the set sees it.
type member struct {
	description
	// seen is when an inspect last told of it, by our clock.
	seen time.Time
	// last is the latest routable description, nil when there was none.
	last *description
	// down is when the container stopped being routable, by our clock; zero
	// while it is.
	down time.Time
	// ended is when its process ended, by the engine's clock.
	ended time.Time
	// died: an event told that the process ended, and no inspect has said what
	// came of it. Until then the container is unusable, but not gone.
	died bool
	// killed is when SIGKILL was sent, by our clock. The process has a moment
	// left, in which no call should be given to it.
	killed time.Time
	// stopping: it was asked to end, rather than ending by itself.
	stopping bool
	// settled: an inspect that began restartTime after it stopped found it so.
	settled bool
	gone    bool
}

// mayComeBack reports whether the container was stopped in a way that a restart
// begins with.
func (m *member) mayComeBack() bool {
	return m.stopping && m.last != nil && !m.routable && !m.gone
}

// claim is one container's wish for a name.
type claim struct {
	*member
	backend discovery.Backend
	alive   bool
	expires time.Time // zero: not by itself
}

// assembly is the desired set and how it came about.
type assembly struct {
	set      []discovery.Backend  // sorted by name
	observed []discovery.Observed // sorted by container name, id
	owners   map[string]string    // name → id of the container that has it
	next     time.Time            // when time alone changes the set; zero: never
}

// assemble makes the desired set of all containers. owners are those of the set
// before: whoever has a name keeps it as long as it stands, also while it is
// held. A name that is free goes to the container that started first.
func assemble(prefix string, members []member, owners map[string]string, now time.Time) assembly {
	a := assembly{owners: map[string]string{}}
	byName := map[string][]claim{}
	for i := range members {
		m := &members[i]
		c, ok := m.claim(members, now)
		if !ok {
			continue
		}
		if !c.expires.IsZero() && (a.next.IsZero() || c.expires.Before(a.next)) {
			a.next = c.expires
		}
		byName[c.backend.Name] = append(byName[c.backend.Name], c)
	}
	winners := map[string]claim{} // by container id
	lost := map[string]claim{}    // id of the loser → the winner
	for name, claims := range byName {
		w := decide(claims, owners[name])
		winners[w.obs.id] = w
		a.owners[name] = w.obs.id
		a.set = append(a.set, w.backend)
		for _, c := range claims {
			if c.obs.id != w.obs.id {
				lost[c.obs.id] = w
			}
		}
	}
	slices.SortFunc(a.set, func(x, y discovery.Backend) int { return cmp.Compare(x.Name, y.Name) })
	for i := range members {
		m := &members[i]
		if !m.concerns {
			continue
		}
		o := m.observed()
		if w, ok := winners[m.obs.id]; ok {
			if w.backend.Held && !w.alive {
				o.Reason += "; its tools stay listed for a moment, calls do not get through"
			}
		} else if w, ok := lost[m.obs.id]; ok && m.routable && !m.gone && !m.died {
			conflict(&o, w, prefix)
		}
		o.Ladder = ladder(o)
		a.observed = append(a.observed, o)
	}
	slices.SortFunc(a.observed, func(x, y discovery.Observed) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	return a
}

// claim says whether the container has a place in the set now, and as what.
func (m *member) claim(all []member, now time.Time) (claim, bool) {
	if m.routable && !m.died && !m.gone {
		c := claim{member: m, backend: m.description.backend, alive: true}
		if end := m.killed.Add(holdTime); !m.killed.IsZero() && now.Before(end) {
			c.backend.Held, c.expires = true, end
		}
		return c, true
	}
	if m.last == nil {
		return claim{}, false
	}
	c := claim{member: m, backend: m.last.backend}
	c.backend.Held = true
	if m.died && !m.gone {
		// The inspect that will say more is under way. While the engine is away
		// it does not come, and then this is the last that is known.
		return c, true
	}
	if m.mayComeBack() && !m.settled {
		return c, true
	}
	if m.obs.status == "restarting" && !m.gone || successorInSight(m, all) {
		c.expires = m.down.Add(holdTime)
		return c, now.Before(c.expires)
	}
	return claim{}, false
}

// successorInSight reports whether a container was created lately that will take
// m's place once it starts: what compose does before it removes the old one.
func successorInSight(m *member, all []member) bool {
	if m.obs.up() && !m.died && !m.gone {
		return false // it lost its network, not its life
	}
	return slices.ContainsFunc(all, func(n member) bool {
		// One that is routable already needs no hold: decide gives it the name.
		return n.obs.id != m.obs.id && !n.gone && n.wants && n.name == m.last.name && !n.routable &&
			(n.obs.status == "created" || n.obs.up()) && n.obs.created.After(m.ended.Add(-successorAge))
	})
}

// decide picks the claim that gets the name.
func decide(claims []claim, owner string) claim {
	slices.SortFunc(claims, func(a, b claim) int {
		if (a.obs.id == owner) != (b.obs.id == owner) {
			if a.obs.id == owner {
				return -1
			}
			return 1
		}
		return cmp.Or(a.started().Compare(b.started()), cmp.Compare(a.obs.id, b.obs.id))
	})
	first := claims[0]
	if first.alive {
		return first
	}
	// Who started after the owner ended is its successor. Who waited for the
	// name while the owner ran is not: the owner may come back.
	for _, c := range claims[1:] {
		if c.alive && !first.ended.IsZero() && c.started().After(first.ended) {
			return c
		}
	}
	return first
}

func (c claim) started() time.Time { return c.backend.Container.StartedAt }

func (m *member) observed() discovery.Observed {
	o := discovery.Observed{
		Container: *containerOf(m.obs), State: m.obs.status,
		Verdict: m.verdict, Reason: m.reason, Fix: m.fix,
		Backend: m.name, URL: m.url, Labels: m.labels, Settings: m.settings,
		Diagnostics: append([]discovery.Diagnostic{}, m.diagnostics...), SeenAt: m.seen.UTC(),
	}
	switch {
	case m.gone:
		o.State, o.Verdict, o.Reason, o.Fix = "removed", verdictGone, fmt.Sprintf("removed; it had exited with code %d", m.obs.exitCode), ""
	case m.died && m.routable:
		o.Verdict, o.Reason, o.Fix = verdictNotRunning, "its process ended", ""
	}
	return o
}

// conflict rewrites the judgement of a container whose name another one has.
func conflict(o *discovery.Observed, winner claim, prefix string) {
	other := winner.obs.name
	fix := fmt.Sprintf("give %s or %s another name, with the label %s.name", o.Name, other, prefix)
	message := fmt.Sprintf("the name %q belongs to %s (%s), which had it first; %s waits for it",
		o.Backend, other, short(winner.obs.id), o.Name)
	o.Verdict, o.Reason, o.Fix = verdictConflict, message, fix
	o.Diagnostics = append(o.Diagnostics, discovery.Diagnostic{
		Severity: discovery.SeverityError, Code: codeConflict, Container: o.Name,
		Message: message, Suggestion: fix, Generation: o.ID + "@" + o.StartedAt.UTC().Format(time.RFC3339Nano),
	})
}
