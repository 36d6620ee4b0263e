package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// Bounds on what the clients together may be subscribed to at one backend.
const (
	maxSubscriptions     = 10_000
	maxSubscriptionBytes = 1 << 20 // of all URIs: one request of 2026-07-28 names them all
)

// RefusedError is a backend's refusal, in its own words.
type RefusedError struct {
	Object []byte // the JSON-RPC error object, raw
	Code   int
}

func (e *RefusedError) Error() string {
	text, _ := wire.Unquote(wire.Member(e.Object, "message"))
	return fmt.Sprintf("the backend refuses with error %d: %s", e.Code, oneLine(text))
}

// subscriptions are the resources whose updates somebody wants, counted. They outlive
// connections: a goroutine of each link tells its backend, see keepSubscribed.
type subscriptions struct {
	changed bell

	mu   sync.Mutex // guards what follows
	uris map[string]*subscription
	size int // of all URIs
	open int // those that are not settled
}

type subscription struct {
	count   int
	settled chan struct{} // closed when the backend has taken or refused it once
	done    bool
	err     error
}

func newSubscriptions() *subscriptions {
	return &subscriptions{changed: newBell(), uris: map[string]*subscription{}}
}

// Subscribe asks the backend to tell of updates of the resource, if nobody did before,
// and answers when that is settled. While the backend is away for a moment, it
// succeeds at once: the backend is asked when it is back, and a refusal is not heard
// of then. A *RefusedError is the backend's answer; after an error there is nothing
// to unsubscribe from.
func (u *Upstream) Subscribe(ctx context.Context, uri string) error {
	if s := u.State(); !u.met.Load() || s.Phase == PhaseDisabled {
		return &UnavailableError{Backend: u.name, Reason: s.why(), NotRun: true}
	}
	e, err := u.subs.add(uri)
	if err != nil {
		return err
	}
	for {
		s := u.State()
		if s.link == nil {
			return nil
		}
		select {
		case <-e.settled:
			return e.err
		case <-s.next:
		case <-u.ctx.Done():
			return &UnavailableError{Backend: u.name, Reason: context.Cause(u.ctx).Error(), NotRun: true}
		case <-ctx.Done():
			u.subs.remove(uri, e)
			return context.Cause(ctx)
		}
	}
}

// Unsubscribe takes one Subscribe back that succeeded. The backend is told when it was
// the last, in good time.
func (u *Upstream) Unsubscribe(uri string) { u.subs.remove(uri, nil) }

func (s *subscriptions) add(uri string) (*subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.uris[uri]
	if e == nil {
		if len(s.uris) >= maxSubscriptions || s.size+len(uri) > maxSubscriptionBytes {
			return nil, fmt.Errorf("there are %d subscriptions to resources of this backend, as many as allowed: end some first", len(s.uris))
		}
		e = &subscription{settled: make(chan struct{})}
		s.uris[uri] = e
		s.size += len(uri)
		s.open++
		s.changed.ring()
	}
	e.count++
	return e, nil
}

// remove takes one subscriber away: of e, when that is not nil.
func (s *subscriptions) remove(uri string, e *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.uris[uri]
	if now == nil || e != nil && e != now {
		return
	}
	if now.count--; now.count == 0 {
		if !now.done {
			s.open--
		}
		s.deleteLocked(uri)
		s.changed.ring()
	}
}

// pending reports whether somebody waits to hear what became of a subscription.
func (s *subscriptions) pending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open > 0
}

func (s *subscriptions) deleteLocked(uri string) {
	delete(s.uris, uri)
	s.size -= len(uri)
}

// settle notes what became of a subscription when the backend was asked for the first
// time. One that was refused is over. One that was good before stays wanted, for the
// next connection.
func (s *subscriptions) settle(uri string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.uris[uri]
	if e == nil || e.done {
		return
	}
	s.open--
	e.done, e.err = true, err
	close(e.settled)
	if err != nil {
		s.deleteLocked(uri)
	}
}

// wanted answers the URIs in their order.
func (s *subscriptions) wanted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	uris := make([]string, 0, len(s.uris))
	for uri := range s.uris {
		uris = append(uris, uri)
	}
	slices.Sort(uris)
	return uris
}

// keepSubscribed makes the backend know what is wanted, for as long as the link is
// watched. It is the only one to ask, so that nothing overtakes anything.
func (u *Upstream) keepSubscribed(ctx context.Context, l *link) {
	if l.info.peer.Modern {
		u.keepListening(ctx, l)
		return
	}
	var in session
	asked := map[string]bool{} // in that session; false when it was refused
	for pause := shortestPause; ; {
		err := u.subscribeIn(ctx, l, &in, asked)
		var again <-chan time.Time
		if err != nil {
			again, pause = time.After(pause), min(2*pause, longestPause)
		} else {
			pause = shortestPause
		}
		select {
		case <-u.subs.changed:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// subscribeIn makes what was asked for in the gateway's session what is wanted. An
// error means that it has to be done again.
func (u *Upstream) subscribeIn(ctx context.Context, l *link, in *session, asked map[string]bool) error {
	wanted := u.subs.wanted()
	if len(wanted) == 0 && len(asked) == 0 {
		return nil
	}
	s, err := l.shared.acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { l.shared.release(time.Now()) }()
	if s != *in {
		clear(asked)
		*in = s
	}
	for uri, taken := range asked {
		if _, still := slices.BinarySearch(wanted, uri); still {
			continue
		}
		delete(asked, uri)
		if !taken {
			continue
		}
		if _, err := u.askAbout(ctx, l, s, mcp.MethodResourcesUnsubscribe, uri); errors.Is(err, errSessionLost) {
			return u.replace(ctx, l, s)
		}
	}
	for _, uri := range wanted {
		if asked[uri] {
			u.subs.settle(uri, nil) // it was given up and wanted again meanwhile
			continue
		}
		_, err := u.askAbout(ctx, l, s, mcp.MethodResourcesSubscribe, uri)
		var rpc *rpcError
		switch {
		case err == nil:
			u.subs.settle(uri, nil)
		case errors.As(err, &rpc):
			u.subs.settle(uri, &RefusedError{Object: rpc.object, Code: rpc.code})
		case errors.Is(err, errSessionLost):
			return u.replace(ctx, l, s)
		case ctx.Err() != nil:
			return ctx.Err() // the next link asks
		default:
			u.subs.settle(uri, &UnavailableError{Backend: u.name, Reason: explain(ctx, err), cause: err})
			return err
		}
		asked[uri] = err == nil
	}
	return nil
}

// replace puts a new session in the place of one that was lost, and says that there
// is more to do.
func (u *Upstream) replace(ctx context.Context, l *link, lost session) error {
	if _, err := l.shared.acquire(ctx, lost); err != nil {
		return err
	}
	l.shared.release(time.Now())
	u.subs.changed.ring()
	return nil
}

func (u *Upstream) askAbout(ctx context.Context, l *link, s session, method mcp.MCPMethod, uri string) ([]byte, error) {
	quoted, _ := json.Marshal(uri)
	return u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), method, `"uri":`+string(quoted))
	})
}
