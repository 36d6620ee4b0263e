package upstream

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/gateway/wire"
)

// link is one connected generation of a backend.
type link struct {
	name     string
	cfg      Config
	endpoint *endpoint
	self     self
	shared   *slot // the gateway's own session, and everybody's where none is needed
	// open makes one more session; nil where the backend keeps none.
	open func(*slot) (session, serverInfo, error)
	// gate bounds the calls under way; protocol is the revision that was chosen, empty
	// for none.
	gate     gate
	protocol string
	called   atomic.Bool   // since the last check
	wanted   atomic.Uint64 // the number of the desire that it serves
	older    atomic.Bool   // a backend of 2026-07-28 that has sessions for older clients too
	info     serverInfo
	sse      bool // over HTTP+SSE
	stdio    bool // over the standard input and output of a process
	// perClient: each session has a process of its own.
	perClient bool
	nextID    atomic.Int64
	// streamless and tardy tell what was learned of the streams of sessions: that
	// there are none, or that their opening is not worth waiting for.
	streamless, tardy atomic.Bool
	answers           chan struct{} // one for each answer of a client under way

	ctx   context.Context // ends when the backend is known to be gone
	kill  context.CancelCauseFunc
	work  group // goroutines of the link: streams, farewells
	calls group // calls under way

	callCtx  context.Context // ends the calls; the backend still hears of it
	endCalls context.CancelCauseFunc

	mu    sync.Mutex // guards what follows
	lanes map[string][]*slot
	slots int // in all lanes

	// hearsay is nil but over stdio.
	hearsay *hearsay

	changed func(kinds) // told when the backend says that lists of its changed
	doubt   func()      // told when it may have been restarted
	renewed func()      // told when the gateway's own session is another one
}

// serverInfo is what a backend said of itself.
type serverInfo struct {
	peer         Peer
	server       []byte // raw JSON of its Implementation
	capabilities []byte // raw JSON
	instructions string
}

// newServerInfo reads the result of a handshake, and keeps none of its bytes.
func newServerInfo(p Peer, result, server []byte) serverInfo {
	instructions, _ := wire.Unquote(wire.Member(result, "instructions"))
	return serverInfo{peer: p, server: bytes.Clone(server),
		capabilities: bytes.Clone(wire.Member(result, "capabilities")), instructions: instructions}
}

// farewell tells the backend that a session is over, if there is one, without
// making anybody wait.
func (l *link) farewell(s session) {
	if s == nil {
		return
	}
	l.work.start(func() {
		ctx, cancel := context.WithTimeout(l.ctx, l.cfg.ConnectTimeout)
		defer cancel()
		s.close(ctx)
	})
}

// call carries x to the backend. The error tells, as an UnavailableError, whether
// the backend can have seen it.
func (l *link) call(ctx context.Context, x Exchange, silence time.Duration) error {
	if !l.calls.enter() {
		return &UnavailableError{Backend: l.name, Reason: "it is being connected again", NotRun: true, again: true}
	}
	defer l.calls.leave()
	if !l.called.Load() {
		l.called.Store(true)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopKill := context.AfterFunc(l.callCtx, func() { cancel(context.Cause(l.callCtx)) })
	defer stopKill()

	if err := l.gate.enter(ctx); err != nil {
		return &UnavailableError{Backend: l.name, Reason: errBusy.Error(), NotRun: true, cause: err}
	}
	defer l.gate.leave()
	lane := x.Lane()
	sl, err := l.slotFor(lane)
	if err != nil {
		return &UnavailableError{Backend: l.name, Reason: err.Error(), NotRun: true}
	}
	defer l.leave(sl)
	c := &carriage{}
	c.begin(silence, sl, cancel)
	defer c.end()
	var stale session
	for retried := false; ; retried = true {
		s, err := sl.acquire(ctx, stale)
		if err != nil {
			return &UnavailableError{Backend: l.name, Reason: explain(ctx, err), NotRun: true,
				again: !errors.Is(context.Cause(ctx), errSilent), late: late(ctx, err), cause: err}
		}
		if sl.lane != nil {
			sl.level(ctx, s, lane.Level())
		}
		a := c.attempt(retried)
		a.link, a.x, a.session, a.peer, a.id = l, x, s, s.peer(), l.nextID.Add(1)
		err = a.run(ctx)
		l.farewell(sl.release(time.Now()))
		if err == nil {
			return nil
		}
		if errors.Is(err, errSessionLost) && !retried {
			stale = s
			l.doubt()
			continue
		}
		if ctx.Err() != nil && l.ctx.Err() == nil {
			l.cancelled(s, a.id)
		}
		refused := neverRan(err) || errors.Is(err, errOtherEra)
		return &UnavailableError{Backend: l.name, Reason: explain(ctx, err), NotRun: refused || errors.Is(err, errSessionLost),
			again: refused, late: late(ctx, err), cause: err}
	}
}

// cancelled tells a backend that nobody waits for request id any more. In 2026-07-28
// the closed stream has said so, where each request has its own.
func (l *link) cancelled(s session, id int64) {
	if s.peer().Modern && !l.stdio {
		return
	}
	l.work.start(func() {
		ctx, cancel := context.WithTimeout(l.ctx, l.cfg.ConnectTimeout)
		defer cancel()
		body := getBuffer()
		defer body.release()
		body.b = appendCancelled(body.b, id)
		_ = s.notify(ctx, body) // a backend that is gone has stopped already
	})
}

// retire gives the link up: no new calls, those under way end by themselves, then
// sessions and connections are closed. The calls of a killed link end at once, and
// nobody is left to say good-bye to.
func (l *link) retire() {
	l.calls.close()
	if l.ctx.Err() == nil {
		l.closeSessions()
	}
	l.kill(errReplaced)
	l.work.close()
	l.endpoint.close()
}

// goodbye bounds the time that the end of all sessions may take: the gateway's own
// end waits for it.
const goodbye = 2 * time.Second

// closeSessions tells the backend that all sessions are over, for a moment: a
// backend that was lost need not hear it.
func (l *link) closeSessions() {
	ctx, cancel := context.WithTimeout(l.ctx, min(goodbye, l.cfg.ConnectTimeout))
	defer cancel()
	l.mu.Lock()
	var all []*slot
	for _, slots := range l.lanes {
		all = append(all, slots...)
	}
	clear(l.lanes)
	l.slots = 0
	l.mu.Unlock()
	if l.shared != nil {
		all = append(all, l.shared)
	}
	for _, ln := range all {
		if s := ln.close(); s != nil && ctx.Err() == nil {
			s.close(ctx)
		}
	}
}
