package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// A legacy client subscribes in its own session with a legacy backend: such a server
// tells a session of updates in ways that depend on what else was done in it, and
// what it says about the subscription is for that client. Where there is no such
// session, the gateway subscribes once for all; see Subscribe.

// watched are the resources that a client subscribed to in its own sessions, by
// backend. They are asked for again in each new session.
type watched struct {
	mu   sync.Mutex // guards uris
	uris map[string][]string
}

func (w *watched) add(backend, uri string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.uris == nil {
		w.uris = map[string][]string{}
	}
	if !slices.Contains(w.uris[backend], uri) {
		w.uris[backend] = append(w.uris[backend], uri)
	}
}

// remove reports whether uri was there.
func (w *watched) remove(backend, uri string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.uris[backend], uri)
	if i >= 0 {
		w.uris[backend] = slices.Delete(w.uris[backend], i, i+1)
	}
	return i >= 0
}

func (w *watched) of(backend string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.uris[backend])
}

func (w *watched) any(backend string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.uris[backend]) > 0
}

// SubscribeAs asks the backend, in the client's own session, to tell of updates of the
// resource; they come by the lane's Inbox. own is false, and nothing was done, where
// the client has no session with the backend. A *RefusedError is the backend's answer.
func (u *Upstream) SubscribeAs(ctx context.Context, lane *Lane, uri string) (own bool, err error) {
	var waited time.Time
	l, err := u.await(ctx, &waited, nil)
	if err != nil {
		return false, err
	}
	own, err = l.inSession(ctx, lane, func(ctx context.Context, s session) error {
		// Noted first: should the session be lost meanwhile, the next one asks.
		lane.watched.add(u.name, uri)
		err := l.about(ctx, s, mcp.MethodResourcesSubscribe, uri)
		if err != nil && !errors.Is(err, errSessionLost) {
			lane.watched.remove(u.name, uri)
		}
		return err
	})
	if !own { // noted for another server that had the name
		lane.watched.remove(u.name, uri)
	}
	return own, err
}

// UnsubscribeAs takes a SubscribeAs back, and reports whether there was one.
func (u *Upstream) UnsubscribeAs(ctx context.Context, lane *Lane, uri string) bool {
	if !lane.watched.remove(u.name, uri) {
		return false
	}
	if l := u.State().link; l != nil {
		for _, sl := range l.openSlots(lane.Key) {
			if s := sl.session(); s != nil && !s.peer().Modern {
				_ = l.about(ctx, s, mcp.MethodResourcesUnsubscribe, uri) // a backend that is gone has forgotten it
			}
		}
	}
	return true
}

// inSession does f in the lane's own session, once more in a new one when the backend
// lost it; own is false where the lane has none.
func (l *link) inSession(ctx context.Context, lane *Lane, f func(context.Context, session) error) (own bool, err error) {
	if !l.calls.enter() {
		return false, &UnavailableError{Backend: l.name, Reason: "it is being connected again", NotRun: true}
	}
	defer l.calls.leave()
	sl, err := l.slotFor(lane)
	if err != nil || sl.lane == nil {
		return false, err
	}
	defer l.leave(sl)
	var stale session
	for {
		s, err := sl.acquire(ctx, stale)
		if err != nil {
			return true, &UnavailableError{Backend: l.name, Reason: explain(ctx, err), NotRun: true, cause: err}
		}
		if s.peer().Modern {
			l.farewell(sl.release(time.Now()))
			return false, nil
		}
		err = f(ctx, s)
		l.farewell(sl.release(time.Now()))
		var rpc *rpcError
		switch {
		case errors.Is(err, errSessionLost) && stale == nil:
			stale = s
			continue
		case errors.As(err, &rpc):
			return true, &RefusedError{Object: rpc.object, Code: rpc.code}
		case err != nil:
			return true, &UnavailableError{Backend: l.name, Reason: explain(ctx, err), cause: err}
		}
		return true, nil
	}
}

// about asks the backend something about one resource.
func (l *link) about(ctx context.Context, s session, method mcp.MCPMethod, uri string) error {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	defer cancel()
	quoted := wire.Quote(uri)
	_, err := l.self.ask(ctx, s, l.nextID.Add(1), method, `"uri":`+string(quoted))
	return err
}

// resubscribe asks in a new session for what the client subscribed to in the last one.
func (sl *slot) resubscribe(s session) {
	if s.peer().Modern {
		return
	}
	l := sl.link
	for _, uri := range sl.lane.watched.of(l.name) {
		if err := l.about(l.ctx, s, mcp.MethodResourcesSubscribe, uri); err != nil {
			l.cfg.Log.Warn("a resource cannot be watched any more", "backend", l.name, "uri", uri, "err", err)
		}
	}
}
