package upstream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// slot holds one session: the gateway's own, or one of a lane. The session is opened
// when first used, and again when the backend lost it; both happen once however many
// calls wait for it.
type slot struct {
	link *link
	lane *Lane // nil for the gateway's own
	// open makes a session, within deadlines of its own: those who wait for it
	// may have left before it is there.
	open func(*slot) (session, serverInfo, error)
	// taken tells that a request has the slot of an exclusive lane; link.mu guards it.
	taken bool

	mu      sync.Mutex // guards what follows
	current session
	opening chan struct{} // closed when the opening under way ends; nil when none is
	err     error         // of the last opening
	used    time.Time
	calls   int
	closed  bool // its client has left: the session ends with the last call
	// Of the current session of a lane:
	hangUp   func()        // ends its stream; nil when it has none
	asks     *atomic.Int32 // requests of the backend that the client has not answered
	running  []*attempt
	logs     bool // the backend takes logging/setLevel
	told     string
	leveling chan struct{} // closed when the setLevel under way ends
	since    time.Time     // when it was opened
	losses   int           // sessions in a row that did not last
	outbox   []letter      // what the client tells, in its order
	sending  bool          // somebody empties the outbox

	syncing atomic.Bool // SyncLevel is at work
}

// acquire answers the slot's session for one call, opening it if there is none or
// if stale, which the backend does not know any more, still is the current one.
// The caller releases the slot.
func (sl *slot) acquire(ctx context.Context, stale session) (session, error) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	for {
		if stale != nil && sl.current == stale {
			sl.current = nil
			sl.hangUpLocked()
			stale.abandon()
		}
		if sl.current != nil {
			sl.calls++
			return sl.current, nil
		}
		if sl.opening == nil {
			if err := sl.openLocked(); err != nil {
				return nil, err
			}
			continue
		}
		wait := sl.opening
		sl.mu.Unlock()
		select {
		case <-wait:
			sl.mu.Lock()
		case <-ctx.Done():
			sl.mu.Lock()
			return nil, context.Cause(ctx)
		}
		if sl.current == nil && sl.err != nil && sl.opening == nil {
			return nil, sl.err
		}
	}
}

// openLocked opens the session, without the lock meanwhile.
func (sl *slot) openLocked() error {
	sl.opening = make(chan struct{})
	sl.asks, sl.told = new(atomic.Int32), ""
	sl.mu.Unlock()
	s, info, err := sl.open(sl)
	var hangUp func()
	if err == nil {
		hangUp = sl.opened(s)
	}
	sl.mu.Lock()
	sl.err = err
	close(sl.opening)
	sl.opening = nil
	if err == nil {
		sl.current, sl.hangUp, sl.logs, sl.since = s, hangUp, info.has("logging"), time.Now()
	}
	return err
}

// opened begins what goes with a new session, and answers what ends its stream.
func (sl *slot) opened(s session) (hangUp func()) {
	switch {
	case sl.lane != nil:
		hangUp = sl.startStream(s)
		if sl.lane.watched.any(sl.link.name) { // a call need not wait for it
			sl.link.work.start(func() { sl.resubscribe(s) })
		}
		return hangUp
	case sl.link != nil:
		sl.link.renewed()
	}
	return nil
}

// release ends what acquire began. It answers the session when that has to be
// closed now, because the slot was closed meanwhile.
func (sl *slot) release(now time.Time) session {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.calls--
	sl.used = now
	return sl.overLocked()
}

// idleSince answers when the slot was last used, and false while it is in use.
func (sl *slot) idleSince() (time.Time, bool) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	return sl.used, sl.calls == 0 && sl.opening == nil
}

// close gives the slot up. It answers the session when that has to be closed now;
// one in use is left to the call that releases it last.
func (sl *slot) close() session {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.closed = true
	return sl.overLocked()
}

func (sl *slot) overLocked() session {
	if !sl.closed || sl.calls > 0 || sl.opening != nil {
		return nil
	}
	s := sl.current
	sl.current = nil
	sl.hangUpLocked()
	return s
}

func (sl *slot) hangUpLocked() {
	if sl.hangUp != nil {
		sl.hangUp()
		sl.hangUp = nil
	}
}

// session answers the current session, nil when none is open.
func (sl *slot) session() session {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	return sl.current
}

// begin notes that an attempt is under way in the slot's session.
func (sl *slot) begin(a *attempt) {
	if sl.lane == nil {
		return // nobody asks for them
	}
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.running = append(sl.running, a)
}

func (sl *slot) end(a *attempt) {
	if sl.lane == nil {
		return
	}
	sl.mu.Lock()
	defer sl.mu.Unlock()
	for i, other := range sl.running {
		if other == a { // in their order: the last one is the newest
			sl.running = append(sl.running[:i], sl.running[i+1:]...)
			return
		}
	}
}

// only answers the one attempt under way, nil when there are none or more; newest
// the one that began last.
func (sl *slot) only() (only, newest *attempt) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if n := len(sl.running); n > 0 {
		newest = sl.running[n-1]
		if n == 1 {
			only = newest
		}
	}
	return only, newest
}

// attempt answers the attempt under way with the id, nil when there is none.
func (sl *slot) attempt(id int64) *attempt {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	for _, a := range sl.running {
		if a.id == id {
			return a
		}
	}
	return nil
}

// asking reports whether a client thinks about a request of the backend that came
// outside of its calls.
func (sl *slot) asking() bool {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	return sl.asks != nil && sl.asks.Load() > 0
}
