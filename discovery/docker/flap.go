package docker

import (
	"fmt"
	"slices"
	"time"
)

const (
	// flapStarts within flapTime are too many.
	flapStarts = 5
	flapTime   = time.Minute
	// calmTime is how long a process has to run to be trusted again. The engine
	// forgets its own patience after the same time.
	calmTime = 10 * time.Second
	// flapSaid is the pause between two lines of the log about one container.
	flapSaid = time.Minute
)

// noteStart counts a start that a fresh observation shows, before it is taken. The
// engine's own count tells of those that came and went between two looks.
func (m *member) noteStart(o observation, known bool, now time.Time) {
	if o.startedAt.IsZero() || known && o.startedAt.Equal(m.obs.startedAt) {
		return
	}
	if known && !m.since.IsZero() && m.ranFor(o) >= calmTime {
		m.starts, m.flapping = nil, false
	}
	n := 1
	if known {
		n = min(max(n, o.restarts-m.obs.restarts), flapStarts)
	}
	for range n {
		m.starts = append(m.starts, now)
	}
	m.starts = slices.Clone(m.starts[max(0, len(m.starts)-flapStarts):])
	m.since = now
	if len(m.starts) == flapStarts && now.Sub(m.starts[0]) <= flapTime {
		m.flapping = true
	}
}

// ranFor is how long the process ran that o follows, as far as the engine tells.
func (m *member) ranFor(o observation) time.Duration {
	end := m.ended
	if end.IsZero() || end.Before(m.obs.startedAt) {
		end = o.startedAt // it was never seen dead: a quick restart
	}
	return end.Sub(m.obs.startedAt)
}

// flaps reports whether the container starts over and over. until is when it will be
// trusted again if it goes on running; zero while it does not run.
func (m *member) flaps(now time.Time) (flaps bool, until time.Time) {
	if !m.flapping || m.gone {
		return false, time.Time{}
	}
	if !m.running() {
		return true, time.Time{}
	}
	until = m.since.Add(calmTime)
	return now.Before(until), until
}

// flapReason is why the tools of a container that flaps are not shown. It says
// nothing that changes with each start.
func flapReason(o observation) string {
	return fmt.Sprintf("%q starts over and over; its tools are shown again once it has run for %s", o.name, brief(calmTime))
}
