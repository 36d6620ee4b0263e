package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
)

// What a backend's own settings say instead of the gateway's.

// tuned answers the settings for connections to a backend.
func (c Config) tuned(t discovery.Tuning) Config {
	c.DialTimeout = c.ConnectTimeout
	if t.Connect > 0 {
		c.DialTimeout = t.Connect
	}
	if t.Init > 0 {
		c.ConnectTimeout = t.Init
	}
	if t.Idle > 0 {
		c.LaneIdle = t.Idle
	}
	if t.Ping > 0 {
		c.PingInterval = t.Ping
	}
	return c
}

// patience is how long one step of a connect or a check may take.
func (u *Upstream) patience() time.Duration {
	return u.cfg.tuned(u.desired.Load().Tuning).ConnectTimeout
}

// starting reports whether a backend that does not answer may still be starting.
func (u *Upstream) starting(b *discovery.Backend) bool {
	if b.Tuning.Startup > 0 {
		return time.Since(u.triedSince) < b.Tuning.Startup
	}
	return u.attempts <= quickAttempts
}

// speaks reports whether the backend is to be spoken to in a revision of one era:
// all are tried where nobody chose.
func speaks(protocol string, modern bool) bool {
	return protocol == "" || mcp.IsModernProtocol(protocol) == modern
}

// errOtherProtocol means that a backend does not speak the revision that was chosen.
func errOtherProtocol(protocol string) error {
	return fmt.Errorf("does not speak the protocol revision %s, which mcp-gw.protocol asks for", protocol)
}

// gate bounds the calls that are under way at a backend. A nil gate lets all pass.
type gate chan struct{}

func newGate(most int) gate {
	if most <= 0 {
		return nil
	}
	return make(gate, most)
}

// enter waits for a place, in the order of arrival, until ctx ends.
func (g gate) enter(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() {
	if g != nil {
		<-g
	}
}

// A process that was told to end may take its time, or refuse. For doubtTime it is
// asked every doubtPing whether it is still there.
const (
	doubtTime = 2 * time.Second
	doubtPing = 100 * time.Millisecond
)

// doubted answers when to ask a backend next that was told to end, and false when
// there is no doubt any more.
func doubted(b *discovery.Backend, now time.Time) (time.Duration, bool) {
	return doubtPing, !b.Doubted.IsZero() && now.Sub(b.Doubted) < doubtTime
}

// errBusy is the reason of a call that found no place in time.
var errBusy = errors.New("all the calls that it may have at a time (mcp-gw.max-concurrency) are under way")
