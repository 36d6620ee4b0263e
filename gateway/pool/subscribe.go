package pool

import (
	"context"
	"errors"

	"mcp-gw/gateway/upstream"
)

// watch is a resource that somebody without a session of his own watches: at all
// replicas, because each may be the one where it changes.
type watch struct {
	count  int // of Subscribe
	on     map[*replica]bool
	begun  chan struct{} // closed when the replicas that are there have answered
	err    error         // of all of them
	cancel context.CancelFunc
}

// Subscribe asks the replicas to tell of updates of the resource, if nobody did before;
// see upstream.Upstream. It succeeds where one of them agrees.
func (p *Pool) Subscribe(ctx context.Context, uri string) error {
	p.mu.Lock()
	w := p.watches[uri]
	if w == nil {
		w = &watch{on: map[*replica]bool{}, begun: make(chan struct{})}
		var within context.Context
		within, w.cancel = context.WithCancel(p.ctx)
		places := p.set.Load().all
		at := make([]*replica, 0, len(places))
		for _, pl := range places {
			if pl.met {
				at = append(at, pl.replica)
			}
		}
		if len(at) == 0 {
			at = append(at, places[0].replica)
		}
		p.watches[uri] = w
		if !p.goLocked(func() { p.begin(within, uri, w, at) }) {
			delete(p.watches, uri)
			w.cancel()
			p.mu.Unlock()
			return errEnded
		}
	}
	w.count++
	p.mu.Unlock()
	select {
	case <-w.begun:
		return w.err
	case <-ctx.Done():
		p.drop(uri, w)
		return context.Cause(ctx)
	}
}

// begin subscribes at the replicas side by side, and says what came of it.
func (p *Pool) begin(ctx context.Context, uri string, w *watch, at []*replica) {
	errs := make(chan error, len(at))
	for _, r := range at {
		go func() { errs <- p.subscribeAt(ctx, uri, w, r) }()
	}
	taken := false
	var first error
	for range at {
		err := <-errs
		var refused *upstream.RefusedError
		if taken = taken || err == nil; first == nil || errors.As(err, &refused) {
			first = err
		}
	}
	p.mu.Lock()
	if !taken {
		w.err = first
		w.cancel()
		if p.watches[uri] == w {
			delete(p.watches, uri)
		}
	}
	p.mu.Unlock()
	close(w.begun)
}

// subscribeAt subscribes at one replica, and takes that back where nobody wants it any
// more.
func (p *Pool) subscribeAt(ctx context.Context, uri string, w *watch, r *replica) error {
	if err := r.up.Subscribe(ctx, uri); err != nil {
		return err
	}
	p.mu.Lock()
	wanted := p.watches[uri] == w && !w.on[r]
	if wanted {
		w.on[r] = true
	}
	p.mu.Unlock()
	if !wanted {
		r.up.Unsubscribe(uri)
	}
	return nil
}

// catchUpLocked tells a replica that is new what is watched.
func (p *Pool) catchUpLocked(r *replica) {
	todo := map[string]*watch{}
	for uri, w := range p.watches {
		if !w.on[r] {
			todo[uri] = w
		}
	}
	if len(todo) == 0 {
		return
	}
	p.goLocked(func() {
		for uri, w := range todo {
			if err := p.subscribeAt(p.ctx, uri, w, r); err != nil && p.ctx.Err() == nil {
				p.cfg.Log.Warn("a resource cannot be watched any more", "backend", p.name, "replica", p.set.Load().called(r), "uri", uri, "err", err)
			}
		}
	})
}

// Unsubscribe takes one Subscribe back that succeeded. The replicas are told when it
// was the last, in good time.
func (p *Pool) Unsubscribe(uri string) { p.drop(uri, nil) }

// drop takes one subscriber away: of w, when that is not nil.
func (p *Pool) drop(uri string, w *watch) {
	p.mu.Lock()
	now := p.watches[uri]
	if now == nil || w != nil && w != now {
		p.mu.Unlock()
		return
	}
	if now.count--; now.count > 0 {
		p.mu.Unlock()
		return
	}
	delete(p.watches, uri)
	now.cancel()
	p.mu.Unlock()
	for r := range now.on { // nobody adds to it any more
		r.up.Unsubscribe(uri)
	}
}

// SubscribeAs asks the replica at which the client has its session; see
// upstream.Upstream.
func (p *Pool) SubscribeAs(ctx context.Context, lane *upstream.Lane, uri string) (own bool, err error) {
	var tried []*replica
	for {
		s := p.set.Load()
		r := s.only
		if r == nil {
			r = p.choose(s, lane, tried)
		}
		if r == nil && len(tried) > 0 {
			return own, err
		}
		if r == nil {
			r = s.all[0].replica // it is waited for
		}
		own, err = r.up.SubscribeAs(ctx, lane, uri)
		if s.only != nil || err == nil || !elsewhere(ctx, err) {
			return own, err
		}
		tried = append(tried, r)
	}
}

// UnsubscribeAs takes a SubscribeAs back, and reports whether there was one.
func (p *Pool) UnsubscribeAs(ctx context.Context, lane *upstream.Lane, uri string) bool {
	all := p.set.Load().all
	for _, pl := range all {
		if pl.up.Has(lane.Key) {
			return pl.up.UnsubscribeAs(ctx, lane, uri)
		}
	}
	return all[0].up.UnsubscribeAs(ctx, lane, uri)
}
