package upstream

import (
	"context"
	"errors"
	"time"

	"mcp-gw/gateway/wire"
)

// Call carries x to the backend. While the backend is expected back, after a
// restart say, the call waits; when it was not run because the connection could
// not be made, it is tried again as soon as there is a new one. What may have run
// is never sent twice, and a backend that loses each new session is given up.
func (u *Upstream) Call(ctx context.Context, x Exchange) error { return u.CallHere(ctx, x, nil) }

// CallHere is Call, but it waits for nothing once elsewhere is closed, because the
// request has other places to go: what it answers then is what it knows.
func (u *Upstream) CallHere(ctx context.Context, x Exchange, elsewhere <-chan struct{}) error {
	var waited time.Time
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		l, err := u.await(ctx, &waited, elsewhere)
		if err != nil {
			return err
		}
		silence := u.cfg.CallTimeout
		if own := u.State().Backend.CallTimeout; own > 0 {
			silence = own
		}
		err = l.call(ctx, x, silence)
		var lost *UnavailableError
		if !errors.As(err, &lost) || ctx.Err() != nil {
			return err
		}
		if status := (*statusError)(nil); !errors.As(err, &status) || errors.Is(err, errOtherEra) {
			u.suspect.ring()
		}
		if other := (*eraError)(nil); errors.As(err, &other) && !u.relinked(ctx, l) {
			return other.deliver(x, l.info.peer, err)
		}
		if !lost.again {
			return err
		}
		if waited.IsZero() {
			waited = time.Now()
		}
		if time.Since(waited) > u.cfg.Hold {
			return err
		}
		// Until the life's goroutine has looked, the link looks well: give it time.
		select {
		case <-elsewhere:
			return err
		case <-u.State().next:
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// deliver hands the answer to x after all, when its sender turned out to be what it
// was; err stands where there is none.
func (e *eraError) deliver(x Exchange, from Peer, err error) error {
	var m wire.Message
	if e.answer == nil || m.Scan(e.answer) != nil {
		return err
	}
	return x.Receive(&m, from)
}

// relinked waits until the life's goroutine has looked at the backend, and reports
// whether it gave up link l.
func (u *Upstream) relinked(ctx context.Context, l *link) bool {
	if s := u.State(); s.link == l {
		select {
		case <-s.next:
		case <-time.After(u.cfg.Hold):
		case <-ctx.Done():
		}
	}
	return u.State().link != l
}

// serves reports whether l carries calls. The address of a link that serves something
// else than what is wanted now may be another's already.
func (u *Upstream) serves(l *link) bool {
	return l != nil && l.ctx.Err() == nil && l.wanted.Load() == u.desired.Load().number
}

// await answers the link, waiting for it while it is expected, until elsewhere is
// closed.
func (u *Upstream) await(ctx context.Context, waited *time.Time, elsewhere <-chan struct{}) (*link, error) {
	for {
		s := u.State()
		if u.serves(s.link) {
			return s.link, nil
		}
		if s.Phase == PhaseFailed || s.Phase == PhaseDisabled || s.Phase == PhaseProbing && s.Reason != "" {
			return nil, &UnavailableError{Backend: u.name, Reason: s.why(), NotRun: true}
		}
		if waited.IsZero() {
			*waited = time.Now()
		}
		left := u.cfg.Hold - time.Since(*waited)
		if left <= 0 {
			return nil, &UnavailableError{Backend: u.name, Reason: s.why(), NotRun: true}
		}
		timer := time.NewTimer(left)
		select {
		case <-s.next:
		case <-timer.C:
		case <-elsewhere:
			timer.Stop()
			return nil, &UnavailableError{Backend: u.name, Reason: s.why(), NotRun: true}
		case <-u.ctx.Done():
			timer.Stop()
			return nil, &UnavailableError{Backend: u.name, Reason: context.Cause(u.ctx).Error(), NotRun: true}
		case <-ctx.Done():
			timer.Stop()
			return nil, &UnavailableError{Backend: u.name, Reason: "the caller did not wait", NotRun: true, cause: context.Cause(ctx)}
		}
		timer.Stop()
	}
}

func (s *State) why() string {
	if s.Phase == PhaseDisabled {
		return "it is switched off"
	}
	if s.Reason == "" {
		return "it is not connected yet"
	}
	return s.Reason
}
