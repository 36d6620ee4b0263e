package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
	polling atomic.Bool   // the engine lets nobody hear events
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
	s.wg.Go(func() { cancel(s.listen(ctx, sync.OnceFunc(func() { close(subscribed) }))) })
	select {
	case <-subscribed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return s.watch(ctx)
}

// listen hears events until the stream ends. Where they are refused, containers are
// looked at over and over instead, and the stream is asked for now and then: who
// permits it need not start anything anew.
func (s *session) listen(ctx context.Context, subscribed func()) error {
	hear := func(e event) { s.hear(ctx, e) }
	for {
		err := s.eng.events(ctx, subscribed, hear)
		if !s.eng.limits.meet(err) {
			return err
		}
		s.polling.Store(true)
		subscribed()
		ring(s.resync)
		for s.eng.limits.has(pathEvents) {
			if !sleep(ctx, s.p.pace.reask) {
				return context.Cause(ctx)
			}
			try, stop := context.WithTimeout(ctx, s.p.pace.hearing)
			if err := s.eng.events(try, func() {}, hear); !errors.As(err, new(refusal)) {
				s.eng.limits.lift(pathEvents)
			}
			stop()
		}
		s.polling.Store(false)
		ring(s.resync)
	}
}

// sleep returns false when ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
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

// watch keeps the set current until ctx ends.
func (s *session) watch(ctx context.Context) error {
	p := s.p
	var (
		synced    = make(chan error, 1) // the running sync's result
		syncing   bool
		much      depth          // of the running sync
		thorough  time.Time      // when the last one that looks at everything began
		asked     []chan<- error // rescans that the running sync began after
		again     bool           // another sync is wanted as soon as this one ended
		failures  int
		lastPut   time.Time
		willSave  bool
		relist    = stopped() // second look after a sync of a new connection
		resync    = stopped() // a look without a reason
		hold      = stopped() // the set changes by time alone
		gap       = stopped() // the pause between two sets is over
		saving    = stopped() // who has which name is written down
		listening = stopped() // events that a listing overtook have arrived by now
		guard     = newGuard(s)
	)
	for _, t := range []*time.Timer{relist, resync, hold, gap, saving, listening, guard.tick} {
		defer t.Stop()
	}
	start := func(d depth) {
		if syncing {
			again = true
			return
		}
		if len(p.eager) > 0 {
			d = lookAll
		}
		if syncing, much = true, d; d == lookAll {
			thorough = time.Now()
		}
		asked, p.eager = append(asked, p.eager...), nil
		s.wg.Go(func() { synced <- s.sync(ctx, d) })
	}
	publish := func() {
		next, put := p.publish(s.sink)
		if put {
			lastPut = time.Now()
			if !willSave {
				willSave = true
				saving.Reset(p.pace.saving)
			}
		}
		if next.IsZero() {
			hold.Stop()
		} else {
			hold.Reset(time.Until(next))
		}
	}
	// Whatever way this ends, nobody who asked for a rescan is left waiting.
	defer func() { p.eager = append(p.eager, asked...) }()
	defer p.saveNames()
	start(lookAll)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)

		case err := <-synced:
			syncing = false
			if err != nil {
				if much == lookAll {
					thorough = time.Time{} // it is still to be done
				}
				if failures++; s.liveSince.IsZero() || failures >= maxListFailures || ctx.Err() != nil {
					return err
				}
				code, text := outage{host: p.cfg.Host, err: err}.diagnose()
				p.setEngine(func(e *discovery.Engine) { e.Connected, e.Code, e.Error = false, code, text })
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
				if first || much != lookNew {
					resync.Reset(s.cadence(time.Since(lastPut)))
				}
				if first || much == lookNew || s.polling.Load() {
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
				start(lookAll)
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

		case <-saving.C:
			willSave = false
			p.saveNames()

		case <-s.resync:
			start(lookAll)
		case <-p.outdated:
			start(lookAll)
		case r := <-p.rescans:
			p.eager = append(p.eager, r)
			start(lookAll)
		case <-relist.C:
			start(lookNew)
		case <-resync.C:
			start(s.routine(time.Since(thorough)))
		case <-guard.tick.C:
			if err := guard.look(ctx); err != nil {
				return err
			}
		case err := <-guard.answers:
			if err := guard.take(err); err != nil {
				return err
			}
		case <-listening.C:
			if ids := p.table.silent(); len(ids) > 0 {
				return fmt.Errorf("event stream: open, but silent: container %s changed and no event told", short(ids[0]))
			}
		}
	}
}

// live notes that the connection works, and what it does not give.
func (s *session) live(now time.Time) {
	var names []string
	for _, h := range s.p.table.homes() {
		names = append(names, h.name)
	}
	code, text := s.eng.limits.text()
	s.p.voice.limits(code, text)
	s.p.setEngine(func(e *discovery.Engine) {
		s.p.limitCode, s.p.limitText = code, text
		e.Connected, e.Code, e.Error = true, code, text
		e.Version, e.APIVersion = s.eng.version, s.eng.apiVersion
		e.LastSyncAt, e.Network = now.UTC(), strings.Join(names, ", ")
	})
}

// stopped is a timer that does not run yet.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
