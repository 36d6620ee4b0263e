package pool

import (
	"context"
	"errors"
	"time"

	"mcp-gw/gateway/upstream"
)

// at is an elsewhere that is there always.
var at = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Call carries x to a replica. What provably did not run goes to the next one at once;
// what may have run is never sent twice. Only while none can take it, and one is
// expected back, the call waits.
func (p *Pool) Call(ctx context.Context, x upstream.Exchange) error {
	s := p.set.Load()
	if s.only != nil {
		err := s.only.up.CallHere(ctx, x, s.elsewhere)
		if err == nil || p.set.Load().elsewhere == s.elsewhere || !elsewhere(ctx, err) {
			return err
		}
	}
	return p.spread(ctx, x)
}

// elsewhere reports whether a request that failed may be sent to another replica.
func elsewhere(ctx context.Context, err error) bool {
	var lost *upstream.UnavailableError
	return errors.As(err, &lost) && lost.NotRun && ctx.Err() == nil
}

// spread carries x to one of several replicas.
func (p *Pool) spread(ctx context.Context, x upstream.Exchange) (err error) {
	var tried []*replica
	var waited time.Time
	for pause := 50 * time.Millisecond; ; {
		news, s := *p.news.Load(), p.set.Load()
		r := p.choose(s, x.Lane(), tried)
		if r != nil {
			if err = p.callAt(ctx, s, r, x); err == nil || !elsewhere(ctx, err) {
				return err
			}
			tried = append(tried, r)
			continue
		}
		if waited.IsZero() {
			waited = time.Now()
		}
		if p.ctx.Err() != nil || !p.hopeful(s, err) || time.Since(waited) > p.cfg.Hold {
			if err == nil {
				err = p.unavailable()
			}
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-news:
		case <-timer.C:
			pause = min(2*pause, time.Second)
		case <-ctx.Done():
			timer.Stop()
			return p.unavailable()
		}
		timer.Stop()
		tried = tried[:0]
	}
}

// callAt carries x to r of s, which it does not wait for.
func (p *Pool) callAt(ctx context.Context, s *set, r *replica, x upstream.Exchange) error {
	if o, curious := x.(upstream.Observer); curious {
		o.At(s.called(r))
	}
	r.calls.Add(1)
	err := r.up.CallHere(ctx, x, at)
	r.calls.Add(-1)
	if lane := x.Lane(); lane != nil && !lane.Modern && !p.owns(r, lane.Key) {
		r.up.Release(lane.Key) // its client was moved while the call began
	}
	var lost *upstream.UnavailableError
	if !errors.As(err, &lost) {
		return err
	}
	if lost.Broken() {
		r.suspect.Store(time.Now().UnixNano())
	}
	if name := s.called(r); name != "" {
		return lost.At(name)
	}
	return err
}

// hopeful reports whether waiting for a replica makes sense; err is what was heard from
// the last one.
func (p *Pool) hopeful(s *set, err error) bool {
	var lost *upstream.UnavailableError
	if errors.As(err, &lost) && !lost.Passing() {
		return false
	}
	for _, pl := range s.all {
		switch st := pl.up.State(); {
		case st.Phase == upstream.PhaseReady, st.Phase == upstream.PhaseHolding, st.Phase == upstream.PhaseProbing && st.Reason == "":
			return true
		}
	}
	return false
}

func (p *Pool) unavailable() error {
	s := p.State()
	reason := s.Reason
	switch {
	case s.Phase == upstream.PhaseDisabled:
		reason = "it is switched off"
	case reason == "":
		reason = "it is not connected yet"
	}
	return &upstream.UnavailableError{Backend: p.name, Reason: reason, NotRun: true}
}
