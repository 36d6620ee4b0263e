package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mcp-gw/discovery"
)

// maxMisses pings without an answer end the connection.
const maxMisses = 2

// guard watches a connection whose end nobody may tell: a stream that is open and
// leads nowhere, a socket that another one has replaced. It belongs to watch's
// goroutine.
type guard struct {
	s       *session
	tick    *time.Timer
	answers chan error // capacity 1: of the ping under way
	asking  bool
	misses  int
	sign    time.Time // the latest sign of life that was no event
}

func newGuard(s *session) *guard {
	return &guard{s: s, tick: time.NewTimer(s.p.pace.guard), answers: make(chan error, 1), sign: time.Now()}
}

// look is due every few seconds. Its error ends the connection.
func (g *guard) look(ctx context.Context) error {
	p := g.s.p
	g.tick.Reset(discovery.UntilBeat(time.Now(), p.pace.guard))
	if replaced(g.s.eng.socket, p.cfg.Host) {
		return streamEnd{errors.New("another socket stands where the one was that it came from")}
	}
	heard := time.Unix(0, p.lastEvent.Load())
	if g.asking || time.Since(heard) < p.pace.quiet || g.misses == 0 && time.Since(g.sign) < p.pace.quiet {
		return nil
	}
	g.asking = true
	g.s.wg.Go(func() { g.answers <- g.s.eng.ping(ctx) })
	return nil
}

// take is due when a ping has ended. Its error ends the connection.
func (g *guard) take(err error) error {
	g.asking = false
	if err == nil {
		g.misses, g.sign = 0, time.Now()
		return nil
	}
	if g.misses++; g.misses >= maxMisses {
		return fmt.Errorf("event stream: open, but silent: %w", err)
	}
	return nil
}

// routine is how much a look without a reason is of. Where events tell of what happens,
// the listing shows nearly everything that they may have failed to; thorough is how long
// ago everything was looked at.
func (s *session) routine(thorough time.Duration) depth {
	if s.polling.Load() || s.eng.podman || thorough >= s.p.pace.thorough {
		return lookAll
	}
	return lookChanged
}

// cadence is the time to the next look without a reason. changed is how long ago
// the set changed.
func (s *session) cadence(changed time.Duration) time.Duration {
	pace := s.p.pace
	heard := time.Since(time.Unix(0, s.p.lastEvent.Load()))
	switch {
	case s.polling.Load():
		return spread(pace.poll, 0.1)
	case s.eng.podman:
		return spread(pace.resyncPodman, 0.1)
	case min(changed, heard, time.Since(s.liveSince)) >= pace.calm:
		return spread(pace.resyncCalm, 0.1)
	}
	return spread(pace.resync, 0.1)
}
