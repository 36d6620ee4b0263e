package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
)

// quiet is how long after a listing the next one waits, so that a backend that
// announces each of many changes is asked once.
const quiet = 100 * time.Millisecond

// watch keeps the link until it is lost or not wanted, and answers why.
func (u *Upstream) watch(b *discovery.Backend, l *link) error {
	ctx, cancel := context.WithCancel(l.ctx)
	unhook := context.AfterFunc(u.ctx, cancel)
	var streams group
	interval := l.cfg.PingInterval
	ping := time.NewTimer(interval)
	defer func() { unhook(); ping.Stop(); cancel(); streams.close() }()
	streaming := make(chan kinds, 1)
	broken := newBell()
	streams.start(func() { u.stream(ctx, l, streaming, broken) })
	// Most backends have no resource that anybody watches.
	firstWatched := u.subs.changed
	subscribe := func() {
		firstWatched = nil
		streams.start(func() { u.keepSubscribed(ctx, l) })
	}
	if len(u.subs.wanted()) > 0 {
		subscribe()
	}

	var again <-chan time.Time // when the next listing may begin
	var heard, dirty kinds     // whose changes the stream tells; whose list is to be read again
	var said kinds             // whose list the backend says has changed
	failures := 0
	for {
		check, usual := false, false
		select {
		case <-u.ctx.Done():
			return context.Cause(u.ctx)
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		case <-u.wish:
			want := u.heed(l, b)
			if want == nil || ctx.Err() != nil {
				return errReplaced
			}
			if want.Doubted.After(b.Doubted) {
				ping.Reset(0)
			}
			b = want
		case <-u.reconnect:
			return errors.New("reconnecting on request")
		case heard = <-streaming:
			dirty |= heard // what changed while there was no stream was not heard
		case <-u.relist:
			said |= kinds(u.announced.Swap(0))
			dirty |= said | kinds(u.stale.Swap(0))
		case <-firstWatched:
			u.subs.changed.ring() // for who looks after them from now on
			subscribe()
		case <-again:
			again = nil
		case <-broken:
			check = true
		case <-u.suspect:
			check = true
		case <-ping.C:
			_, doubt := doubted(b, time.Now())
			check, usual = doubt || !b.Tuning.NoPing, !doubt
			if !doubt {
				dirty |= allKinds&^heard | u.unlisted
				l.sweep(time.Now().Add(-l.cfg.LaneIdle))
			}
			if interval = l.nextPing(b, heard != 0); !check {
				ping.Reset(due(time.Now(), interval))
			}
		}
		if dirty != 0 && again == nil {
			want, announced := dirty, said
			dirty, said = 0, 0
			if err := u.asking(b, cancel, func() error { return u.relistNow(ctx, l, want, announced) }); err != nil {
				check = true
			}
			again = time.After(quiet)
		}
		if check && ctx.Err() == nil {
			if err := u.asking(b, cancel, func() error { return u.check(ctx, l, usual) }); ctx.Err() != nil {
				continue
			} else if err != nil {
				failures++
				if err = u.missed(ctx, failures, err); err != nil {
					return err
				}
				ping.Reset(time.Second)
				continue
			}
			failures = 0
			ping.Reset(due(time.Now(), interval))
			if interval > l.cfg.PingInterval {
				l.endpoint.transport.CloseIdleConnections() // it is not needed for long
			}
			if soon, doubt := doubted(b, time.Now()); doubt {
				ping.Reset(soon)
			}
		}
	}
}

// asking lets ask ask the backend. Meanwhile nobody else hears a wish: one for something
// else than b ends the link by cancel, one for a new connection too, and the asking with
// it.
func (u *Upstream) asking(b *discovery.Backend, cancel func(), ask func() error) error {
	heard := u.interrupt(b, cancel)
	err := ask()
	wished, again := heard()
	if wished {
		u.wish.ring()
	}
	if again {
		u.reconnect.ring()
	}
	return err
}

// missed tells of the check that failed with err, after others, and answers why that ends
// the connection; nil while it does not.
func (u *Upstream) missed(ctx context.Context, failures int, err error) error {
	u.note("warn", "Heartbeat failed: "+explain(ctx, err), true)
	if failures > 1 || neverRan(err) || errors.Is(err, errSessionLost) || errors.Is(err, errOtherEra) {
		return fmt.Errorf("the last check failed: %s", explain(ctx, err))
	}
	u.publish(func(*State) {}) // that it failed is worth seeing
	return nil
}

// heed takes what is wanted now instead of b, and answers it; nil when l is not a way to
// it.
func (u *Upstream) heed(l *link, b *discovery.Backend) *discovery.Backend {
	desire := u.desired.Load()
	want := &desire.Backend
	if !want.Same(*b) {
		return nil
	}
	l.wanted.Store(desire.number) // what was wanted in between is not any more
	u.publish(func(s *State) { s.Backend = *want })
	return want
}

// How many times the usual interval lies between two checks of what nobody calls: where
// the changes of its lists have to be asked for, and where a stream tells them.
const (
	lazyPings    = 4
	laziestPings = 10
)

// nextPing answers the time to the next check. The end of a container is told by events,
// and what hangs is found by the first call: while nobody calls it, it is seldom asked.
func (l *link) nextPing(b *discovery.Backend, streams bool) time.Duration {
	usual := l.cfg.PingInterval
	switch {
	case l.called.Swap(false), b.Generation == "", b.Tuning.Ping > 0:
		return usual
	case streams:
		return laziestPings * usual
	}
	return lazyPings * usual
}

// due answers how long to wait until the next check, when it is due interval after now or a
// little earlier: those that were connected together are not asked all together, and yet
// some at a time, so that a process with nothing else to do does not wake up for each.
func due(now time.Time, interval time.Duration) time.Duration {
	const beat = time.Second
	at := now.Add(interval - time.Duration(rand.Int64N(int64(interval)/10+1)))
	if interval >= 10*beat {
		at = at.Truncate(beat)
	}
	return at.Sub(now)
}

// check asks whether the backend is alive, in the way that harms no server: a
// POST in the session that is there anyway. Any answer counts. Nobody waits for a usual
// check: an answer that tells nothing new makes no new state, of which all would hear.
func (u *Upstream) check(ctx context.Context, l *link, usual bool) error {
	s, err := l.shared.acquire(ctx, nil)
	if err != nil {
		return err
	}
	method := mcp.MethodPing
	if s.peer().Modern {
		method = mcp.MethodServerDiscover
	}
	start := time.Now()
	_, err = u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), method, "")
	})
	l.shared.release(time.Now())
	if p, ok := s.(*stdioSession); ok && errors.Is(err, errUnanswered) && p.busy() {
		return nil // most such servers do one thing at a time, and the calls have limits of their own
	}
	if errors.Is(err, errSessionLost) {
		// It lost our session, by a restart or of old age. A new one in its place
		// disturbs no call.
		if _, err = l.shared.acquire(ctx, s); err == nil {
			l.shared.release(time.Now())
		}
	}
	var rpc *rpcError
	if errors.As(err, &rpc) && !s.peer().Modern {
		err = nil
	}
	wasWell := u.well()
	if ctx.Err() == nil {
		u.checked(start, method, err)
	}
	if err == nil {
		took := time.Since(start)
		remarks := u.allRemarks(l) // the one on the connection may be new
		if s := u.State(); usual && wasWell && u.well() && s.checked != nil && slices.Equal(s.Remarks, remarks) {
			s.checked.Store(&Check{Took: took, At: time.Now()})
		} else {
			u.publish(func(s *State) { s.checked, s.Remarks = newChecked(took), remarks })
		}
	}
	return err
}
