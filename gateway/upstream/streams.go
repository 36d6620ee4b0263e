package upstream

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Streams that break are opened again, after a pause that grows while they do not
// last.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 10 * time.Second
	lasting       = 10 * time.Second
)

// streamPatience is how long the first request of a session waits for the stream:
// what a server asks on one that is not open yet, it asks in vain. A server that
// does not say that the stream is open costs this once.
const streamPatience = 500 * time.Millisecond

// listens reports whether there is anything that a backend could send the client
// outside of its calls.
func (l *Lane) listens() bool {
	return l.Inbox != nil || len(bytes.Trim(l.Capabilities, "{} \t\r\n")) > 0 || l.Level() != ""
}

// startStream opens the stream of a lane's session, and answers what ends it. It is
// nil where there is none.
func (sl *slot) startStream(s session) (hangUp func()) {
	l := sl.link
	if l.streamless.Load() || !sl.lane.listens() || s.peer().Modern || (l.sse || l.stdio) && sl.lane.Inbox == nil {
		return nil // over these the stream is the session: it is only looked after
	}
	ctx, cancel := context.WithCancel(l.ctx)
	settled := make(chan struct{})
	var once sync.Once
	settle := func() { once.Do(func() { close(settled) }) }
	if !l.work.start(func() { defer settle(); sl.keepStream(ctx, s, settle) }) {
		cancel()
		return nil
	}
	if l.tardy.Load() {
		return cancel
	}
	timer := time.NewTimer(streamPatience)
	defer timer.Stop()
	select {
	case <-settled:
	case <-timer.C:
		l.tardy.Store(true)
	}
	return cancel
}

// keepStream reads the stream of a session for as long as the session lives, and
// calls settle when it is known whether there is one.
func (sl *slot) keepStream(ctx context.Context, s session, settle func()) {
	at := place{}
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		start := time.Now()
		err := s.listen(ctx, &at, func(kinds) { settle() })
		settle()
		if errors.Is(err, errNoStream) {
			sl.link.streamless.Store(true)
		}
		if ctx.Err() != nil || errors.Is(err, errNoStream) {
			return
		}
		if lost := errors.Is(err, errSessionLost); lost || sl.link.sse || sl.link.stdio {
			known, sure := false, true
			if lost {
				known, sure = sl.link.knows(ctx, s)
			}
			if known {
				sl.link.streamless.Store(true) // it was the path that the 404 meant
				return
			}
			if sure {
				sl.renew(ctx, s)
				return
			}
		}
		if !rest(ctx, &pause, start, at) {
			return
		}
	}
}

// rest waits before a stream that began at start is opened again, and answers false
// when ctx ended.
func rest(ctx context.Context, pause *time.Duration, start time.Time, at place) bool {
	if time.Since(start) > lasting {
		*pause = shortestPause
	}
	wait := *pause
	if at.told {
		wait = max(wait, at.retry)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// stream reads what the backend sends in the gateway's own session, again and again.
// It says on streaming of which kinds the stream tells, of none when there is no
// stream, and rings broken when one ended.
func (u *Upstream) stream(ctx context.Context, l *link, streaming chan<- kinds, broken bell) {
	tell := func(told kinds) {
		select {
		case streaming <- told:
		case <-ctx.Done():
		}
	}
	at := place{}
	var of session
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		start := time.Now()
		s, err := l.shared.acquire(ctx, nil)
		if err == nil {
			l.shared.release(time.Now())
			if s != of {
				of, at = s, place{}
			}
			err = s.listen(ctx, &at, tell)
		}
		if errors.Is(err, errSessionLost) {
			if known, _ := l.knows(ctx, s); known {
				err = errNoStream // it was the path that the 404 meant
			}
		}
		if ctx.Err() != nil {
			return
		}
		tell(0)
		if errors.Is(err, errNoStream) {
			return
		}
		broken.ring()
		if !rest(ctx, &pause, start, at) {
			return
		}
	}
}

// knows reports whether the backend takes a request in session s, and whether that is
// sure.
func (l *link) knows(ctx context.Context, s session) (known, sure bool) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	defer cancel()
	_, err := l.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodPing, "")
	var rpc *rpcError
	known = err == nil || errors.As(err, &rpc)
	return known, known || errors.Is(err, errSessionLost)
}
