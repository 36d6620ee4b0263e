package upstream

import (
	"context"
	"math/rand/v2"
	"time"

	"mcp-gw/discovery"
)

// failed publishes a failed attempt and waits until the next one is due.
func (u *Upstream) failed(b *discovery.Backend, err error) {
	if u.attempts == 1 {
		u.triedSince = time.Now()
	}
	wait := u.delay(b)
	reason := explain(context.Background(), err)
	u.publish(func(s *State) {
		s.want(b)
		s.Attempts, s.Reason, s.Failure, s.Answer, s.link = s.Attempts+1, reason, failureOf(err), answerOf(err), nil
		s.RetryAt = time.Now().Add(wait)
		if b.Transport == discovery.TransportStdio {
			s.Remarks = failureRemarks(err)
		}
		if s.Phase != PhaseHolding {
			s.Phase = PhaseProbing
			if !u.starting(b) {
				s.Phase = PhaseFailed
			}
		}
	})
	if reason != u.lastFail { // the same sentence every 200 ms helps nobody
		u.lastFail = reason
		u.note("error", "Failed: "+reason, true)
		u.log.Warn("backend unreachable", "url", addressOf(b), "err", reason, "retry_in", wait)
	}
	if left := u.holdLeft(); u.State().Phase == PhaseHolding && left < wait {
		u.idle(left)
		u.expireHold()
		return
	}
	u.idle(wait)
}

// Connecting again: at once, nearly, for a server that listens a moment after its container
// has started, and quickly for one that is starting; then rarely, for ever.
const (
	firstDelay    = 20 * time.Millisecond // doubled with each of the first attempts
	firstAttempts = 4
	quickAttempts = 50 // some 10 s
	slowAttempts  = 110
)

func (u *Upstream) delay(b *discovery.Backend) time.Duration {
	d := 30 * time.Second
	switch {
	case u.attempts <= firstAttempts:
		d = firstDelay << max(0, u.attempts-1)
	case u.attempts <= quickAttempts:
		d = 200 * time.Millisecond
	case u.attempts <= slowAttempts, b.Tuning.Startup > 0 && u.starting(b):
		d = time.Second
	}
	return d + time.Duration(rand.Int64N(int64(d)/10))
}

// idle waits for d, or for ever when d is 0, unless something is wanted.
func (u *Upstream) idle(d time.Duration) {
	var due <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-u.wish:
		u.attempts = 0
	case <-u.reconnect:
		u.attempts = 0
	case <-u.ctx.Done():
	}
}

// lose publishes that the backend is gone for the moment; its tools stay.
func (u *Upstream) lose(b *discovery.Backend, why string) {
	if u.lostAt.IsZero() {
		u.lostAt = time.Now()
	}
	u.publish(func(s *State) {
		s.want(b)
		s.Reason, s.Failure, s.Answer, s.link, s.RetryAt = why, "", "", nil, time.Time{}
		if s.Phase == PhaseReady {
			s.Phase = PhaseHolding
		}
	})
}

// holdLeft is how much longer a lost backend's tools stay; at least a moment.
func (u *Upstream) holdLeft() time.Duration {
	return max(time.Millisecond, u.cfg.Hold-time.Since(u.lostAt))
}

// expireHold takes the tools away when the backend did not come back in time.
func (u *Upstream) expireHold() {
	if u.State().Phase != PhaseHolding || time.Since(u.lostAt) < u.cfg.Hold {
		return
	}
	u.note("warn", "Disconnected", true)
	u.publish(func(s *State) { s.Phase, s.Offer = PhaseFailed, Offer{} })
}
