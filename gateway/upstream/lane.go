package upstream

import (
	"context"
	"sync"
	"time"
)

// lane is one client's session with a legacy backend. It is opened when first
// used, and again when the backend lost it; both happen once however many calls
// wait for it.
type lane struct {
	// open makes a session, within deadlines of its own: those who wait for it
	// may have left before it is there.
	open func() (session, error)

	mu      sync.Mutex // guards what follows
	current session
	opening chan struct{} // closed when the opening under way ends; nil when none is
	err     error         // of the last opening
	used    time.Time
	calls   int
	closed  bool // its client has left: the session ends with the last call
}

// acquire answers the lane's session for one call, opening it if there is none or
// if stale, which the backend does not know any more, still is the current one.
// The caller releases the lane.
func (l *lane) acquire(ctx context.Context, stale session) (session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stale != nil && l.current == stale {
		l.current = nil
		stale.abandon()
	}
	for l.current == nil {
		if l.opening == nil {
			l.opening = make(chan struct{})
			l.mu.Unlock()
			s, err := l.open()
			l.mu.Lock()
			l.current, l.err = s, err
			close(l.opening)
			l.opening = nil
			if err != nil {
				return nil, err
			}
			break
		}
		wait := l.opening
		l.mu.Unlock()
		select {
		case <-wait:
			l.mu.Lock()
		case <-ctx.Done():
			l.mu.Lock()
			return nil, context.Cause(ctx)
		}
		if l.current == nil && l.err != nil && l.opening == nil {
			return nil, l.err
		}
	}
	l.calls++
	return l.current, nil
}

// release ends what acquire began. It answers the session when that has to be
// closed now, because the lane was closed meanwhile.
func (l *lane) release(now time.Time) session {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls--
	l.used = now
	return l.overLocked()
}

// idleSince answers when the lane was last used, and false while it is in use.
func (l *lane) idleSince() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used, l.calls == 0 && l.opening == nil
}

// close gives the lane up. It answers the session when that has to be closed now;
// one in use is left to the call that releases it last.
func (l *lane) close() session {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.overLocked()
}

func (l *lane) overLocked() session {
	if !l.closed || l.calls > 0 || l.opening != nil {
		return nil
	}
	s := l.current
	l.current = nil
	return s
}
