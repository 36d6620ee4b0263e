package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
	shared   *lane // the gateway's own session, and everybody's where none is needed
	// open makes one more session; nil where the backend keeps none.
	open   func() (session, error)
	info   serverInfo
	sse    bool // over HTTP+SSE
	nextID atomic.Int64

	ctx   context.Context // ends when the backend is known to be gone
	kill  context.CancelCauseFunc
	work  group // goroutines of the link: streams, farewells
	calls group // calls under way

	callCtx  context.Context // ends the calls; the backend still hears of it
	endCalls context.CancelCauseFunc

	mu    sync.Mutex // guards lanes
	lanes map[string]*lane

	changed func() // rung when the backend says that its tools changed
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

// announces reports whether the backend says that it tells of changes of its tools.
func (i serverInfo) announces() bool {
	return i.peer.Modern || string(wire.Member(wire.Member(i.capabilities, "tools"), "listChanged")) == "true"
}

// lane answers the lane called key, the shared one where the backend keeps no
// sessions.
func (l *link) lane(key string) *lane {
	if l.open == nil || key == "" {
		return l.shared
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln := l.lanes[key]; ln != nil {
		return ln
	}
	if len(l.lanes) >= l.cfg.MaxLanes {
		l.evictLocked()
	}
	ln := &lane{open: l.open, used: time.Now()}
	l.lanes[key] = ln
	return ln
}

// evictLocked closes the lane that was idle longest.
func (l *link) evictLocked() {
	var oldest string
	var since time.Time
	for key, ln := range l.lanes {
		if used, idle := ln.idleSince(); idle && (oldest == "" || used.Before(since)) {
			oldest, since = key, used
		}
	}
	if oldest != "" {
		l.farewell(l.lanes[oldest].close())
		delete(l.lanes, oldest)
	}
}

// closeLane ends the session of a client that left.
func (l *link) closeLane(key string) {
	l.mu.Lock()
	ln := l.lanes[key]
	delete(l.lanes, key)
	l.mu.Unlock()
	if ln != nil {
		l.farewell(ln.close())
	}
}

// sweep ends the sessions that nobody used since before.
func (l *link) sweep(before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, ln := range l.lanes {
		if used, idle := ln.idleSince(); idle && used.Before(before) {
			delete(l.lanes, key)
			l.farewell(ln.close())
		}
	}
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopKill := context.AfterFunc(l.callCtx, func() { cancel(context.Cause(l.callCtx)) })
	defer stopKill()
	timer := time.AfterFunc(silence, func() { cancel(fmt.Errorf("%w after %v of silence", errSilent, silence)) })
	defer timer.Stop()

	ln := l.lane(x.Lane())
	var stale session
	for attempt := 0; ; attempt++ {
		s, err := ln.acquire(ctx, stale)
		if err != nil {
			return &UnavailableError{Backend: l.name, Reason: explain(ctx, err), NotRun: true,
				again: !errors.Is(context.Cause(ctx), errSilent), cause: err}
		}
		id := l.nextID.Add(1)
		err = l.attempt(ctx, s, id, x, func() { timer.Reset(silence) })
		l.farewell(ln.release(time.Now()))
		if err == nil {
			return nil
		}
		if errors.Is(err, errSessionLost) && attempt == 0 {
			stale = s
			l.changed() // a backend that lost a session was restarted, most likely
			continue
		}
		if ctx.Err() != nil && l.ctx.Err() == nil {
			l.cancelled(s, id)
		}
		refused := neverRan(err) || errors.Is(err, errOtherEra)
		return &UnavailableError{Backend: l.name, Reason: explain(ctx, err), NotRun: refused || errors.Is(err, errSessionLost),
			again: refused, cause: err}
	}
}

func (l *link) attempt(ctx context.Context, s session, id int64, x Exchange, alive func()) error {
	peer := s.peer()
	body := getBuffer()
	defer body.release()
	body.b = x.Encode(body.b, id, peer)
	h := make(http.Header, 12)
	x.Header(h, peer)
	return s.do(ctx, h, body, id, func(m *wire.Message) error {
		alive()
		if m.Kind == wire.KindNotification && l.noticed(m) {
			return nil
		}
		return x.Receive(m, peer)
	})
}

// noticed takes the notifications that concern the backend and no call.
func (l *link) noticed(m *wire.Message) bool {
	switch m.Method {
	case "notifications/tools/list_changed":
		l.changed()
		return true
	case "notifications/prompts/list_changed", "notifications/resources/list_changed":
		return true
	}
	return false
}

// cancelled tells a legacy backend that nobody waits for request id any more. In
// 2026-07-28 the closed stream has said so.
func (l *link) cancelled(s session, id int64) {
	if s.peer().Modern {
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
	all := append(slices.Collect(maps.Values(l.lanes)), l.shared)
	clear(l.lanes)
	l.mu.Unlock()
	for _, ln := range all {
		if s := ln.close(); s != nil && ctx.Err() == nil {
			s.close(ctx)
		}
	}
}
