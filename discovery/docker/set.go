package docker

import (
	"cmp"
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
	// doubted is when it was sent another signal, which it may take for its end.
	doubted time.Time
	// stopping: it was asked to end, rather than ending by itself.
	stopping bool
	// settled: an inspect that began restartTime after it stopped found it so.
	settled bool
	gone    bool
	// sick is since when its health check has failed, by our clock; zero when it does
	// not, or did so when it was met.
	sick time.Time
	// starts are its latest, at most flapStarts; since is the latest of them. Both by
	// our clock.
	starts []time.Time
	since  time.Time
	// flapping: it started too often, and has not run for long since.
	flapping bool
	// exit is what the event of its end told of it, "" when nothing; oom: the kernel
	// took part in it.
	exit string
	oom  bool
}

// mayComeBack reports whether the container was stopped in a way that a restart
// begins with.
func (m *member) mayComeBack() bool {
	return m.stopping && m.last != nil && !m.routable && !m.gone
}

// claim is one backend's wish for its name.
type claim struct {
	*member
	part    *part
	backend discovery.Backend
	alive   bool
	expires time.Time // zero: not by itself
}

// assembly is the desired set and how it came about.
type assembly struct {
	set      []discovery.Backend  // sorted by name
	observed []discovery.Observed // sorted by container name, id
	names    tenure               // who has which name now
	next     time.Time            // when time alone changes the set; zero: never
}

// assemble makes the desired set of all containers. had is who had which name
// before: whoever has a name keeps it as long as it stands, also while it is
// held. A name that is free goes to the container that started first, and to the
// others of its team with it.
func assemble(prefix string, members []member, had tenure, now time.Time) assembly {
	a := assembly{names: tenure{holders: map[string]holder{}, exclusive: had.exclusive}}
	byName := map[string][]claim{}
	for i := range members {
		for _, c := range members[i].claims(members, now) {
			if !c.alive && !slices.Contains(had.holders[c.backend.Name].all, c.obs.id) {
				continue // whoever left does not come back as a shadow
			}
			a.next = sooner(a.next, c.expires)
			byName[c.backend.Name] = append(byName[c.backend.Name], c)
		}
	}
	seats := map[string]seat{} // by name
	for name, claims := range byName {
		if claims = had.eligible(name, claims); len(claims) == 0 {
			continue
		}
		s := assign(claims, had.holder(name))
		seats[name] = s
		a.names.holders[name] = s.holder()
		a.set = append(a.set, s.backend())
	}
	a.names.deeds = had.record(seats)
	slices.SortFunc(a.set, func(x, y discovery.Backend) int { return cmp.Compare(x.Name, y.Name) })
	for i := range members {
		m := &members[i]
		if !m.concerns {
			continue
		}
		o := m.observed(seats, had, prefix, now)
		o.Ladder = ladder(o)
		a.observed = append(a.observed, o)
	}
	slices.SortFunc(a.observed, func(x, y discovery.Observed) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	return a
}

// sooner is the earlier of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// claims are the places that the container has in the set now.
func (m *member) claims(all []member, now time.Time) []claim {
	d := &m.description
	if !m.running() {
		d = m.last
	}
	if d == nil {
		return nil
	}
	var out []claim
	for i := range d.parts {
		if !d.parts[i].routable {
			continue
		}
		if c, ok := m.claim(&d.parts[i], all, now); ok {
			out = append(out, c)
		}
	}
	return out
}

// running reports whether something of it can be registered now.
func (m *member) running() bool { return m.routable && !m.died && !m.gone }

// grace is the longest removal-grace of its backends.
func (m *member) grace() (longest time.Duration) {
	if m.last == nil {
		return 0
	}
	for i := range m.last.parts {
		longest = max(longest, m.last.parts[i].removalGrace)
	}
	return longest
}

// claim says whether one of its backends has a place in the set now, and as what.
func (m *member) claim(p *part, all []member, now time.Time) (claim, bool) {
	c := claim{member: m, part: p, backend: p.backend}
	if until := m.sickUntil(p, now); !until.IsZero() {
		c.backend.Withheld, c.expires = "", until
	}
	flaps, calm := m.flaps(now)
	if flaps {
		c.backend.Withheld, c.backend.Held = flapReason(m.obs), true
	}
	if m.running() {
		c.alive, c.backend.Doubted = true, m.doubted
		if flaps {
			c.expires = calm
			return c, true
		}
		if end := m.killed.Add(holdTime); !m.killed.IsZero() && now.Before(end) {
			c.backend.Held, c.expires = true, sooner(c.expires, end)
		}
		return c, true
	}
	c.backend.Held, c.expires = true, time.Time{}
	if m.died && !m.gone {
		// The inspect that will say more is under way. While the engine is away
		// it does not come, and then this is the last that is known.
		return c, true
	}
	if m.mayComeBack() && !m.settled {
		return c, true
	}
	hold := p.removalGrace
	if m.obs.status == "restarting" && !m.gone || successorInSight(m, p.name, all) {
		hold = max(hold, holdTime)
	}
	if flaps && m.obs.status == "restarting" {
		// Nobody sees it, so nothing is gained by its coming and going. The engine
		// waits for a minute at most.
		hold = max(hold, flapTime+holdTime)
	}
	c.expires = m.down.Add(hold)
	return c, now.Before(c.expires)
}

// successorInSight reports whether a container was created lately that will take
// m's place under name once it starts: what compose does before it removes the old
// one.
func successorInSight(m *member, name string, all []member) bool {
	if m.obs.up() && !m.died && !m.gone {
		return false // it lost its network, not its life
	}
	return slices.ContainsFunc(all, func(n member) bool {
		p := n.part(name)
		// One that is routable already needs no hold: decide gives it the name.
		return n.obs.id != m.obs.id && !n.gone && p != nil && p.wants && !p.routable &&
			(n.obs.status == "created" || n.obs.up()) && n.obs.created.After(m.ended.Add(-successorAge))
	})
}

// decide picks the claim that gets the name: the owner's, or one of its team, or the
// one that started first.
func decide(claims []claim, had holder) claim {
	ofTeam := func(c claim) bool { return had.team != "" && c.part.team == had.team }
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(
			before(a.obs.id == had.id, b.obs.id == had.id), before(ofTeam(a), ofTeam(b)),
			a.started().Compare(b.started()), cmp.Compare(a.obs.id, b.obs.id))
	})
	first := claims[0]
	if first.alive {
		return first
	}
	if i := slices.IndexFunc(claims, func(c claim) bool { return c.alive && first.part.team != "" && c.part.team == first.part.team }); i >= 0 {
		return claims[i]
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
