package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
)

// Upstream is one backend's life. Its goroutine, Run, is the only one that
// connects and publishes; everybody else reads states and rings bells.
type Upstream struct {
	name    string
	cfg     Config
	self    self
	log     *slog.Logger
	changed func() // told after each publication

	desired atomic.Pointer[desire]
	state   atomic.Pointer[State]

	wish      bell          // desired has changed
	reconnect bell          // a person wants a new connection
	suspect   bell          // a call found the backend gone
	relist    bell          // stale or announced has grown
	stale     atomic.Uint32 // kinds whose lists may have changed
	announced atomic.Uint32 // kinds whose lists the backend says have changed
	met       atomic.Bool   // it was connected once
	subs      *subscriptions
	listeners listeners

	ctx    context.Context // of Run; set by New so that links can end with it
	cancel context.CancelCauseFunc
	work   group

	// Of Run's goroutine only.
	lostAt   time.Time // when the backend was lost; zero while connected
	attempts int
	// triedSince is when the first of the attempts failed.
	triedSince time.Time
	lastFail   string
	remarks    [catalog.Kinds][]discovery.Diagnostic
	unlisted   kinds                   // those whose list failed
	checks     atomic.Pointer[[]Check] // written by Run's goroutine only
}

// desire is what is wanted, and which of the different things that were wanted it is:
// the number changes when the connection to what was wanted before will not do.
type desire struct {
	discovery.Backend
	number uint64
}

// New prepares the life of b. changed is called, from Run's goroutine, after each
// new State; it must not block.
func New(b discovery.Backend, cfg Config, changed func()) *Upstream {
	u := &Upstream{name: b.Name, cfg: cfg, self: newSelf(cfg.Version), log: cfg.Log.With("backend", b.Name),
		changed: changed, wish: newBell(), reconnect: newBell(), suspect: newBell(), relist: newBell(), subs: newSubscriptions()}
	u.ctx, u.cancel = context.WithCancelCause(context.Background())
	u.desired.Store(&desire{Backend: b})
	s := &State{Backend: b, Phase: PhaseProbing, next: make(chan struct{})}
	if b.Disabled {
		s.Phase = PhaseDisabled
	}
	u.state.Store(s)
	return u
}

// State answers the latest state.
func (u *Upstream) State() *State { return u.state.Load() }

// Set replaces what is wanted. A running connection is kept when it would be made
// the same way again; any other takes no call once Set has returned. Only one
// goroutine at a time may call it.
func (u *Upstream) Set(b discovery.Backend) {
	old := u.desired.Load()
	next := &desire{b, old.number}
	if !b.Same(old.Backend) {
		next.number++
	}
	u.desired.Store(next)
	u.wish.ring()
}

// Reconnect gives up the connection, if any, and makes a new one at once.
func (u *Upstream) Reconnect() { u.reconnect.ring() }

// Remove ends Run because nobody wants the backend any more, Stop because the
// gateway ends. Calls under way fail. Neither waits.
func (u *Upstream) Remove() { u.cancel(errRemoved) }

// Stop ends Run; see Remove.
func (u *Upstream) Stop() { u.cancel(errStopped) }

// AwaitAttempt waits until more than after connects have ended, or ctx has.
func (u *Upstream) AwaitAttempt(ctx context.Context, after int) *State {
	for {
		s := u.State()
		if s.Attempts > after || s.Phase == PhaseDisabled {
			return s
		}
		select {
		case <-s.next:
		case <-ctx.Done():
			return s
		case <-u.ctx.Done():
			return s
		}
	}
}

// AwaitTried waits until b, which Set or New was given, has been tried or ctx has
// ended.
func (u *Upstream) AwaitTried(ctx context.Context, b discovery.Backend) {
	for {
		s := u.State()
		if s.Backend.Same(b) && (s.Phase == PhaseReady || s.Phase == PhaseDisabled || s.Reason != "") {
			return
		}
		select {
		case <-s.next:
		case <-ctx.Done():
			return
		case <-u.ctx.Done():
			return
		}
	}
}

// Run lives the backend's life until Stop.
func (u *Upstream) Run() {
	defer u.work.close()
	for u.ctx.Err() == nil {
		want := u.desired.Load()
		b := &want.Backend
		switch {
		case b.Disabled:
			u.lostAt = time.Time{}
			u.publish(func(s *State) { *s = State{Backend: *b, Phase: PhaseDisabled, Attempts: s.Attempts} })
			u.idle(0)
		case b.Held:
			u.lose(b, "its container stopped and is expected back")
			if u.State().Phase == PhaseHolding {
				u.idle(u.holdLeft())
				u.expireHold()
			} else {
				u.idle(0)
			}
		default:
			u.live(want)
		}
	}
	u.publish(func(s *State) {
		*s = State{Backend: s.Backend, Phase: PhaseFailed, Reason: "removed", Attempts: s.Attempts}
	})
}

// live connects once and stays until the connection is lost or not wanted.
func (u *Upstream) live(want *desire) {
	b := &want.Backend
	l := u.begin(want)
	if l == nil {
		return
	}
	why := u.watch(b, l)
	u.listeners.take(l, u.cfg.MaxLanes)
	u.lose(b, why.Error())
	u.end(b, l, why)
}

// begin connects and reads the first lists, or waits until the next attempt is due. What
// it needs on the way is not kept on the stack for as long as the connection lasts.
func (u *Upstream) begin(want *desire) *link {
	b := &want.Backend
	u.note("info", "Connecting → "+addressOf(b), false)
	ctx, cancel := context.WithCancel(u.ctx)
	defer cancel()
	// A wish for something else ends an attempt that hangs, and so does the end of
	// the time for which the tools stay without a connection.
	heard := u.interrupt(b, cancel)
	if u.State().Phase == PhaseHolding {
		defer time.AfterFunc(u.holdLeft(), cancel).Stop()
	}
	start := time.Now()
	l, err := u.connect(ctx, b)
	var got *listing
	if err == nil {
		if got, err = u.firstListing(ctx, l); err != nil {
			err = &listError{err}
		}
	}
	if wished, _ := heard(); wished {
		u.wish.ring() // for watch; an attempt that failed because of it ends here
	}
	if err != nil {
		if l != nil {
			if ctx.Err() != nil {
				l.kill(errReplaced)
			}
			u.work.start(l.retire)
		}
		if ctx.Err() != nil {
			u.attempts = 0 // what comes next is new
			u.expireHold()
			return nil
		}
		u.attempts++
		u.checked(start, CheckConnect, err)
		u.failed(b, err)
		return nil
	}
	u.checked(start, CheckConnect, nil)
	l.wanted.Store(want.number)
	u.lostAt, u.attempts, u.lastFail = time.Time{}, 0, ""
	offer := u.State().Offer
	u.adopt(&offer, got)
	remarks := u.allRemarks(l)
	u.met.Store(true)
	u.publish(func(s *State) {
		*s = State{Backend: *b, Phase: PhaseReady, Attempts: s.Attempts + 1, Offer: offer, Announced: s.Announced, Peer: l.info.peer,
			Server: l.info.server, Capabilities: l.info.capabilities, Instructions: l.info.instructions,
			URL: l.endpoint.given.String(), SSE: l.sse, Remarks: remarks, checked: newChecked(got.took), link: l}
	})
	u.note("info", fmt.Sprintf("Connected — %d tools", len(offer.Tools)), true)
	u.log.Info("backend connected", "url", discovery.ShowURL(l.endpoint.given.String()), "protocol", l.info.peer.Version, "tools", len(offer.Tools),
		"prompts", len(offer.Prompts), "resources", len(offer.Resources), "templates", len(offer.Templates))
	l.work.start(func() { u.relisten(l) })
	return l
}

// end gives up link l to b. A connection that was lost lets its calls end by
// themselves. One that is not wanted any more ends them: at once where the process
// behind it is gone, whose address may be another's by now, and with a good-bye
// where it is alive.
func (u *Upstream) end(b *discovery.Backend, l *link, why error) {
	unwanted := errors.Is(why, errReplaced) || errors.Is(why, errRemoved)
	switch {
	case unwanted && b.Generation != "":
		l.kill(why)
	case unwanted, errors.Is(why, errStopped):
		l.endCalls(why)
	}
	u.work.start(l.retire)
}

// interrupt cancels what is being done for b when something else is wanted
// meanwhile, or a new connection. The function that it answers ends the watching,
// and reports which of the bells rang.
func (u *Upstream) interrupt(b *discovery.Backend, cancel func()) func() (wished, again bool) {
	done, ended := make(chan struct{}), make(chan [2]bool, 1)
	go func() {
		var rang [2]bool
		for {
			select {
			case <-u.wish:
				rang[0] = true
				if !u.desired.Load().Same(*b) {
					cancel()
				}
			case <-u.reconnect:
				rang[1] = true
				cancel()
			case <-done:
				ended <- rang
				return
			}
		}
	}()
	return func() (bool, bool) { close(done); rang := <-ended; return rang[0], rang[1] }
}

// publish stands up a new state made from the last one.
func (u *Upstream) publish(change func(*State)) {
	old := u.state.Load()
	s := *old
	change(&s)
	s.next, s.checks = make(chan struct{}), &u.checks
	u.state.Store(&s)
	close(old.next)
	u.changed()
}

func (u *Upstream) note(level journal.Level, message string, always bool) {
	if always || u.attempts == 0 {
		u.cfg.Record.Backend(level, u.name, message)
	}
}
