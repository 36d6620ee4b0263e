package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// listing is what reading the tool list brought besides the tools.
type listing struct {
	diagnostics []discovery.Diagnostic
	took        time.Duration
}

func (u *Upstream) list(ctx context.Context, l *link) ([]Tool, listing, error) {
	s, err := l.shared.acquire(ctx, nil)
	if err != nil {
		return nil, listing{}, err
	}
	defer func() { l.shared.release(time.Now()) }()
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 4*u.cfg.ConnectTimeout)
	defer cancel()
	tools, remarks, err := listTools(ctx, u.self, s, func() int64 { return l.nextID.Add(1) })
	if errors.Is(err, errSessionLost) {
		fresh, openErr := l.shared.acquire(ctx, s)
		if openErr != nil {
			return nil, listing{}, openErr
		}
		defer func() { l.shared.release(time.Now()) }()
		tools, remarks, err = listTools(ctx, u.self, fresh, func() int64 { return l.nextID.Add(1) })
	}
	return tools, listing{remarks, time.Since(start)}, err
}

// firstList lists the tools of a new link; a backend that has none is no error.
func (u *Upstream) firstList(ctx context.Context, l *link) ([]Tool, listing, error) {
	tools, more, err := u.list(ctx, l)
	var rpc *rpcError
	if errors.As(err, &rpc) && rpc.code == mcp.METHOD_NOT_FOUND && wire.Member(l.info.capabilities, "tools") == nil {
		return nil, more, nil
	}
	return tools, more, err
}

// quiet is how long after a listing the next one waits, so that a backend that
// announces each of many changes is asked once.
const quiet = 100 * time.Millisecond

// watch keeps the link until it is lost or not wanted, and answers why.
func (u *Upstream) watch(b discovery.Backend, l *link) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer context.AfterFunc(u.ctx, cancel)()
	var streams group
	defer func() { cancel(); streams.close() }()
	streaming := make(chan bool, 1)
	broken := newBell()
	streams.start(func() { u.stream(ctx, l, streaming, broken) })

	ping := time.NewTimer(u.cfg.PingInterval)
	defer ping.Stop()
	var again <-chan time.Time // when the next listing may begin
	hasStream, dirty, failures := false, false, 0
	// While the backend is being asked, nobody hears a wish. One for something else
	// ends the link, and the asking with it.
	asking := func(ask func() error) error {
		heard := u.interrupt(b, nil, cancel)
		err := ask()
		if heard() {
			u.wish.ring()
		}
		return err
	}
	for {
		check := false
		select {
		case <-u.ctx.Done():
			return context.Cause(u.ctx)
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		case <-u.wish:
			want := *u.desired.Load()
			if !want.Same(b) || ctx.Err() != nil {
				return errReplaced
			}
			b = want
			u.publish(func(s *State) { s.Backend = want })
		case <-u.reconnect:
			return errors.New("reconnecting on request")
		case hasStream = <-streaming:
			dirty = dirty || hasStream // what changed while there was no stream was not heard
		case <-u.relist:
			dirty = true
		case <-again:
			again = nil
		case <-broken:
			check = true
		case <-u.suspect:
			check = true
		case <-ping.C:
			check = true
			dirty = dirty || !hasStream || !l.info.announces()
			l.sweep(time.Now().Add(-u.cfg.LaneIdle))
		}
		if dirty && again == nil {
			dirty = false
			if err := asking(func() error { return u.relistNow(ctx, l) }); err != nil {
				check = true
			}
			again = time.After(quiet)
		}
		if check && ctx.Err() == nil {
			if err := asking(func() error { return u.check(ctx, l) }); ctx.Err() != nil {
				continue
			} else if err != nil {
				failures++
				u.note("warn", "Heartbeat failed: "+explain(ctx, err), true)
				if failures > 1 || neverRan(err) || errors.Is(err, errSessionLost) || errors.Is(err, errOtherEra) {
					return fmt.Errorf("the last check failed: %s", explain(ctx, err))
				}
				ping.Reset(time.Second)
				continue
			}
			failures = 0
			ping.Reset(u.cfg.PingInterval)
		}
	}
}

func (u *Upstream) relistNow(ctx context.Context, l *link) error {
	tools, more, err := u.list(ctx, l)
	if err != nil {
		if ctx.Err() == nil {
			u.log.Warn("backend's tools cannot be listed again; the last list stands", "err", err)
		}
		return err
	}
	if old := u.State(); !sameTools(old.Tools, tools) || !slices.Equal(old.Remarks, more.diagnostics) {
		u.publish(func(s *State) { s.Tools, s.Remarks = tools, more.diagnostics })
		u.note("info", fmt.Sprintf("Tools changed — %d tools", len(tools)), true)
	}
	return nil
}

// check asks whether the backend is alive, in the way that harms no server: a
// POST in the session that is there anyway. Any answer counts.
func (u *Upstream) check(ctx context.Context, l *link) error {
	s, err := l.shared.acquire(ctx, nil)
	if err != nil {
		return err
	}
	method := mcp.MethodPing
	if s.peer().Modern {
		method = mcp.MethodServerDiscover
	}
	start := time.Now()
	_, err = u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), method, "")
	})
	l.shared.release(time.Now())
	if errors.Is(err, errSessionLost) {
		// It lost our session, by a restart or of old age. A new one in its place
		// disturbs no call.
		if _, err = l.shared.acquire(ctx, s); err == nil {
			l.shared.release(time.Now())
			u.relist.ring()
		}
	}
	var rpc *rpcError
	if errors.As(err, &rpc) && !s.peer().Modern {
		err = nil
	}
	if err == nil {
		took := time.Since(start)
		u.publish(func(s *State) { s.Latency, s.CheckedAt = took, time.Now() })
	}
	return err
}

// stream reads what the backend sends of its own accord, again and again. It says
// on streaming whether there is a stream, and rings broken when one ended.
func (u *Upstream) stream(ctx context.Context, l *link, streaming chan<- bool, broken bell) {
	tell := func(open bool) {
		select {
		case streaming <- open:
		case <-ctx.Done():
		}
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		start := time.Now()
		s, err := l.shared.acquire(ctx, nil)
		if err == nil {
			l.shared.release(time.Now())
			err = s.listen(ctx, func() { tell(true) }, func(m *wire.Message) { l.noticed(m) })
		}
		if errors.Is(err, errSessionLost) && u.stillKnows(ctx, l, s) {
			err = errNoStream // it was the path that the 404 meant
		}
		if ctx.Err() != nil {
			return
		}
		tell(false)
		if errors.Is(err, errNoStream) {
			return
		}
		broken.ring()
		if time.Since(start) > 10*time.Second {
			wait = 100 * time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// stillKnows reports whether the backend takes a request in session s.
func (u *Upstream) stillKnows(ctx context.Context, l *link, s session) bool {
	_, err := u.step(ctx, func(ctx context.Context) ([]byte, error) {
		return u.self.ask(ctx, s, l.nextID.Add(1), mcp.MethodPing, "")
	})
	var rpc *rpcError
	return err == nil || errors.As(err, &rpc)
}
