package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mcp-gw/discovery"
)

// maxInspects is how many inspects run at once. Each may block for half a second
// while its container starts or stops; the others must not wait for it.
const maxInspects = 32

// maxListFailures in a row end the connection: the next one starts with a new
// client, and with a new look at the socket.
const maxListFailures = 2

// session is one connection to the engine, from the first ping to the end of its
// event stream. Nothing of it outlives run.
type session struct {
	p         *Provider
	sink      discovery.Sink
	eng       *engine
	liveSince time.Time // zero until the first sync has ended

	wg      sync.WaitGroup
	slots   chan struct{} // capacity maxInspects
	changed chan struct{} // capacity 1, a doorbell: the table may give another set
	resync  chan struct{} // capacity 1, a doorbell: look at everything
}

// run connects, syncs and watches until the connection ends or ctx does. Its
// error says how the connection ended.
func (s *session) run(ctx context.Context) error {
	var err error
	if s.eng, err = dial(ctx, s.p.cfg); err != nil {
		return err
	}
	defer s.eng.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer s.wg.Wait()
	defer cancel(nil)
	s.slots = make(chan struct{}, maxInspects)
	s.changed = make(chan struct{}, 1)
	s.resync = make(chan struct{}, 1)

	// Subscribe before listing, so that no container starts between the two. The
	// engine sends the head of the stream a moment before it subscribes; the
	// second listing closes that gap.
	subscribed := make(chan struct{})
	s.wg.Go(func() {
		cancel(s.eng.events(ctx, func() { close(subscribed) }, func(e event) { s.hear(ctx, e) }))
	})
	select {
	case <-subscribed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return s.watch(ctx)
}

// hear takes one event of the stream. It marks and returns: an engine drops the
// events of a reader that is slow.
func (s *session) hear(ctx context.Context, e event) {
	now := time.Now()
	s.p.lastEvent.Store(now.UnixNano())
	r := s.p.table.note(e, now)
	if r.attend != "" {
		s.wg.Go(func() { s.attend(ctx, r.attend) })
	}
	if r.changed {
		ring(s.changed)
	}
	if r.resync {
		ring(s.resync)
	}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// attend inspects one container until it has no marks left. An error of the
// engine is no news of the container: the next attempt comes after a pause, or
// with the next mark.
func (s *session) attend(ctx context.Context, id string) {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			s.p.table.release(visit{id: id})
			return
		}
		v := s.p.table.begin(id, time.Now())
		o, err := s.eng.inspect(ctx, id)
		<-s.slots
		if ctx.Err() != nil {
			s.p.table.release(v)
			return
		}
		if err != nil && !errors.Is(err, errGone) {
			s.p.log.Debug("inspect failed", "container", short(id), "err", err)
		}
		if err == nil && len(o.labels) > 0 {
			s.p.readSecrets(o.labels)
		}
		again, pause := s.p.table.end(v, o, err, time.Now())
		ring(s.changed)
		if !again {
			return
		}
		if pause > 0 && !s.p.table.rest(ctx, id, pause) {
			s.p.table.release(visit{id: id})
			return
		}
	}
}

// sync lists, and inspects what the listing calls for. It returns when the table
// knows the result; containers whose inspect is late join when it comes.
func (s *session) sync(ctx context.Context, newOnly bool) error {
	list, err := s.eng.containers(ctx)
	if err != nil {
		return err
	}
	h := s.p.table.home()
	if all, err := s.eng.networks(ctx, s.p.cfg.Network); err == nil {
		h = chooseHome(s.p.cfg.Network, all)
	} else {
		// A proxy may refuse it. What was known stands, and in the beginning the
		// name will do, as long as it is unique.
		s.p.log.Debug("cannot list networks", "err", err)
	}
	s.p.table.move(h, findSelf(s.p.traces(), list), time.Now())
	s.p.readSecrets(nil)
	attend, done := s.p.table.markAll(list, newOnly)
	for _, id := range attend {
		s.wg.Go(func() { s.attend(ctx, id) })
	}
	late := time.NewTimer(s.p.pace.straggler)
	defer late.Stop()
	for _, d := range done {
		select {
		case <-d:
		case <-late.C:
			// A container that the engine is slow about must not keep the others
			// out. An engine that lets none be inspected has told nothing.
			if _, err, blind := s.p.table.inspectErrors(); blind {
				return err
			}
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return context.Cause(ctx) // the end of the connection answers all marks, too
}

// watch keeps the set current until ctx ends.
func (s *session) watch(ctx context.Context) error {
	p := s.p
	var (
		synced    = make(chan error, 1) // the running sync's result
		syncing   bool
		newOnly   bool           // the running sync is a second look
		asked     []chan<- error // rescans that the running sync began after
		again     bool           // another sync is wanted as soon as this one ended
		failures  int
		lastPut   time.Time
		relist    = stopped() // second look after a sync of a new connection
		resync    = stopped() // a look without a reason
		hold      = stopped() // the set changes by time alone
		gap       = stopped() // the pause between two sets is over
		listening = stopped() // events that a listing overtook have arrived by now
	)
	for _, t := range []*time.Timer{relist, resync, hold, gap, listening} {
		defer t.Stop()
	}
	start := func(second bool) {
		if syncing {
			again = true
			return
		}
		second = second && len(p.eager) == 0
		syncing, newOnly = true, second
		asked, p.eager = append(asked, p.eager...), nil
		s.wg.Go(func() { synced <- s.sync(ctx, second) })
	}
	publish := func() {
		next, put := p.publish(s.sink)
		if put {
			lastPut = time.Now()
		}
		if next.IsZero() {
			hold.Stop()
		} else {
			hold.Reset(time.Until(next))
		}
	}
	// Whatever way this ends, nobody who asked for a rescan is left waiting.
	defer func() { p.eager = append(p.eager, asked...) }()
	start(false)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)

		case err := <-synced:
			syncing = false
			if err != nil {
				if failures++; s.liveSince.IsZero() || failures >= maxListFailures || ctx.Err() != nil {
					return err
				}
				p.setEngine(func(e *discovery.Engine) { e.Connected, e.Error = false, err.Error() })
				p.log.Warn("listing failed, the last backends stand", "err", err)
				resync.Reset(p.pace.retry)
			} else {
				failures = 0
				first := s.liveSince.IsZero()
				if first {
					s.liveSince = time.Now()
					relist.Reset(p.pace.relist)
					p.voice.engineBack(s.eng, p.cfg.Host)
				}
				if first || !newOnly {
					resync.Reset(about(p.pace.resync))
				}
				if first || newOnly {
					p.table.silent() // a new connection finds what it has not heard of
				} else {
					listening.Reset(p.pace.hearing)
				}
				s.live(time.Now())
				publish()
			}
			for _, r := range asked {
				r <- err
			}
			asked = nil
			if again || len(p.eager) > 0 {
				again = false
				start(false)
			}

		case <-s.changed:
			if s.liveSince.IsZero() {
				break // the set is not complete yet
			}
			if wait := p.pace.putGap - time.Since(lastPut); wait > 0 {
				gap.Reset(wait)
			} else {
				publish()
			}
		case <-gap.C:
			publish()
		case <-hold.C:
			publish()

		case <-s.resync:
			start(false)
		case r := <-p.rescans:
			p.eager = append(p.eager, r)
			start(false)
		case <-relist.C:
			start(true)
		case <-resync.C:
			start(false)
		case <-listening.C:
			if ids := p.table.silent(); len(ids) > 0 {
				return fmt.Errorf("event stream: open, but silent: container %s changed and no event told", short(ids[0]))
			}
		}
	}
}

// live notes that the connection works.
func (s *session) live(now time.Time) {
	network := s.p.table.home().name
	s.p.setEngine(func(e *discovery.Engine) {
		e.Connected, e.Error = true, ""
		e.Version, e.APIVersion = s.eng.version, s.eng.apiVersion
		e.LastSyncAt, e.Network = now.UTC(), network
	})
}

// stopped is a timer that does not run yet.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
