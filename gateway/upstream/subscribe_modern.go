package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// gather is how long a change of the subscriptions waits for more of them: each makes
// a new stream.
const gather = 5 * time.Millisecond

// updates is a stream of 2026-07-28 with the updates of some resources.
type updates struct {
	since  time.Time
	list   []byte // of the resources that the backend acknowledged
	hangUp context.CancelFunc
	ended  chan struct{}
}

// keepListening is keepSubscribed in 2026-07-28: a stream of its own names all
// resources. When they change, the new stream is open before the old one is closed, so
// that no update is lost between the two; one may come twice.
func (u *Upstream) keepListening(ctx context.Context, l *link) {
	var streams group
	defer streams.close()
	var now *updates
	var named []string // in the last stream that was asked for
	defer func() {
		if now != nil {
			now.hangUp()
		}
	}()
	pause := shortestPause
	var since, retry time.Time // when a change was noticed, and when to try again; zero when there is nothing to do
	for {
		var ended chan struct{}
		if now != nil {
			ended = now.ended
		}
		var again <-chan time.Time
		wanted := u.subs.wanted()
		same := slices.Equal(wanted, named)
		if same && now != nil {
			u.settleHonoured(wanted, now.list, false) // one was given up and wanted again meanwhile
		}
		switch {
		case !same || u.subs.pending(): // also what was refused, and is wanted again
			if since.IsZero() {
				since = time.Now()
			}
			again = time.After(gather - time.Since(since))
		case now == nil && len(wanted) > 0: // it broke, or could not be opened
			if since = (time.Time{}); retry.IsZero() {
				retry = time.Now().Add(pause)
				pause = min(2*pause, longestPause)
			}
			again = time.After(time.Until(retry))
		default:
			since = time.Time{}
		}
		select {
		case <-ctx.Done():
			return
		case <-u.subs.changed:
			continue
		case <-ended:
			if now.hangUp(); time.Since(now.since) > lasting {
				pause = shortestPause
			}
			now = nil
			continue
		case <-again:
		}
		since, retry = time.Time{}, time.Time{}
		named = u.subs.wanted()
		next := u.openUpdates(ctx, l, &streams, named)
		if next == nil && len(named) > 0 {
			continue // the old stream, if any, stands
		}
		if now != nil {
			now.hangUp()
		}
		now = next
	}
}

// openUpdates opens a stream for some resources and settles their subscriptions. It
// answers nil when there is no stream.
func (u *Upstream) openUpdates(ctx context.Context, l *link, streams *group, uris []string) *updates {
	if len(uris) == 0 {
		return nil
	}
	s, ok := l.shared.session().(*httpSession)
	if !ok {
		u.settleHonoured(uris, nil, true)
		return nil
	}
	quoted, _ := json.Marshal(uris)
	streamCtx, cancel := context.WithCancel(ctx)
	next := &updates{since: time.Now(), hangUp: cancel, ended: make(chan struct{})}
	honoured := make(chan []byte, 1)
	var err error // of the stream, when ended is closed
	var why error // of there being none
	if !streams.start(func() {
		defer close(next.ended)
		err = s.subscriptions(streamCtx, `"resourceSubscriptions":`+string(quoted), func(filter []byte) error {
			select {
			case honoured <- slices.Clone(wire.Member(filter, "resourceSubscriptions")):
			default: // one acknowledgement counts
			}
			return nil
		})
	}) {
		cancel()
		return nil
	}
	timer := time.NewTimer(u.patience())
	defer timer.Stop()
	select {
	case next.list = <-honoured:
		u.settleHonoured(uris, next.list, true)
		return next
	case <-next.ended:
		why = settled(u.name, err)
	case <-timer.C:
		why = &UnavailableError{Backend: u.name, Reason: fmt.Sprintf("did not acknowledge the subscription within %v", u.patience())}
	case <-ctx.Done():
		cancel()
		return nil // the next link asks
	}
	cancel()
	for _, uri := range uris {
		u.subs.settle(uri, why)
	}
	return nil
}

// settled is what the end of a stream that was never acknowledged means to those who
// subscribe.
func settled(backend string, err error) error {
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		return refused
	case err == nil, errors.Is(err, errNoStream):
		return notOffered()
	}
	return &UnavailableError{Backend: backend, Reason: explain(context.Background(), err), cause: err}
}

// settleHonoured settles the subscriptions that the backend names, and with all the
// others as refused. It looks at each once: one that is settled may be given up and
// wanted again at once.
func (u *Upstream) settleHonoured(uris []string, list []byte, all bool) {
	named := map[string]bool{}
	_ = wire.Elements(list, func(raw []byte) error {
		uri, _ := wire.Unquote(raw)
		named[uri] = true
		return nil
	})
	for _, uri := range uris {
		if named[uri] {
			u.subs.settle(uri, nil)
		} else if all {
			u.subs.settle(uri, notOffered())
		}
	}
}

// notOffered is the refusal of a backend that says nothing.
func notOffered() *RefusedError {
	return &RefusedError{Code: mcp.METHOD_NOT_FOUND,
		Object: []byte(`{"code":-32601,"message":"the server does not tell of updates of this resource"}`)}
}
