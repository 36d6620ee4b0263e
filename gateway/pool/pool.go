// Package pool spreads the requests for one backend over the processes that serve it,
// most often one, and is to the gateway what an upstream.Upstream is to one of them.
//
//	Pool     one backend: its replicas, and who of its clients is where
//	replica  one process: an upstream.Upstream with its own connection and sessions
//	set      the replicas that are wanted now, and what is wanted of each
//	seat     where a client is: its requests stay at one replica while that can take them
//
// A request that provably did not run goes to another replica at once. One that may
// have run is never sent twice. With one replica, requests go straight to it.
package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// Pool is one backend.
type Pool struct {
	name    string
	cfg     upstream.Config
	changed func()

	set  atomic.Pointer[set]
	news atomic.Pointer[chan struct{}] // closed when something has changed

	ctx    context.Context // of the subscribing that nobody waits for
	cancel context.CancelCauseFunc

	mu      sync.Mutex      // guards what follows
	work    *sync.WaitGroup // Runs, and the subscribing; nil before Start
	over    bool
	seats   map[string]*seat
	left    []*replica // not wanted any more, with clients that are to be moved
	watches map[string]*watch
	shown   composition
}

// replica is one process, or several in a row in the same place.
type replica struct {
	up    *upstream.Upstream
	calls atomic.Int64 // under way
	// suspect is when a connection broke last, in ns since 1970.
	suspect atomic.Int64

	// Guarded by the pool's mu.
	seats, turn int
	started     bool
	met         bool // it was connected once
}

// place is a replica with what is wanted of it.
type place struct {
	*replica
	want discovery.Backend // that of this process alone
}

// set is immutable.
type set struct {
	want discovery.Backend
	all  []place
	only *replica // the one of all; nil when there are several
	// elsewhere is closed when only is not the only one any more.
	elsewhere chan struct{}
}

// New prepares the life of b and its replicas. changed is called when State has
// changed; it must not block.
func New(b discovery.Backend, cfg upstream.Config, changed func()) *Pool {
	p := &Pool{name: b.Name, cfg: cfg, changed: changed, seats: map[string]*seat{}, watches: map[string]*watch{}}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	news := make(chan struct{})
	p.news.Store(&news)
	p.set.Store(&set{elsewhere: make(chan struct{})})
	p.Set(b)
	return p
}

// each answers what is wanted of each process of b.
func each(b discovery.Backend) []discovery.Backend {
	own := b
	own.Replicas = nil
	all := []discovery.Backend{own}
	for _, r := range b.Replicas {
		one := own
		one.Replica, one.URL, one.Alternatives, one.Open = r.ReplicaRole, r.URL, r.Alternatives, r.Open
		one.Generation, one.Held, one.Doubted, one.Withheld, one.Container = r.Generation, r.Held, r.Doubted, r.Withheld, r.Container
		all = append(all, one)
	}
	return all
}

// Set replaces what is wanted. Connections are kept that would be made the same way
// again. From the moment that it returns, no new request goes to a replica that is
// held or gone. It must not be called after Remove or Stop.
func (p *Pool) Set(b discovery.Backend) {
	old := p.set.Load()
	spare := slices.Clone(old.all)
	wants := each(b)
	next := &set{want: b, all: make([]place, len(wants))}
	for i, want := range wants {
		next.all[i].want = want
		if j := slices.IndexFunc(spare, func(o place) bool { return o.want.Replica.ID == want.Replica.ID }); j >= 0 {
			next.all[i].replica = spare[j].replica
			spare = slices.Delete(spare, j, j+1)
		}
	}
	var fresh []*replica
	for i := range next.all {
		switch n := &next.all[i]; {
		case n.replica != nil:
		case len(spare) > 0: // its successor: what was listed stays until it is connected
			n.replica = spare[0].replica
			spare = spare[1:]
		default:
			n.replica = p.newReplica(n.want, len(wants) > 1)
			fresh = append(fresh, n.replica)
		}
	}
	if len(next.all) == 1 {
		next.only = next.all[0].replica
	}
	if next.elsewhere = old.elsewhere; next.only != old.only {
		next.elsewhere = make(chan struct{})
	}
	p.set.Store(next)
	if next.elsewhere != old.elsewhere {
		close(old.elsewhere)
	}
	for i, n := range next.all {
		had := slices.IndexFunc(old.all, func(o place) bool { return o.replica == n.replica })
		if had >= 0 && !alike(old.all[had].want, n.want) {
			next.all[i].up.Set(n.want)
		}
	}
	p.mu.Lock()
	for _, gone := range spare {
		gone.up.Remove()
		if gone.seats > 0 {
			p.left = append(p.left, gone.replica)
		}
		for _, w := range p.watches {
			delete(w.on, gone.replica)
		}
	}
	if p.work != nil {
		p.startLocked(fresh)
	}
	p.mu.Unlock()
	p.settle()
	p.tell()
}

func (p *Pool) newReplica(b discovery.Backend, several bool) *replica {
	r := &replica{}
	cfg := p.cfg
	cfg.Record = recorder{p, r}
	cfg.Owns = func(lane string) bool { return p.owns(r, lane) }
	if several && b.Replica.ID != "" {
		cfg.Log = cfg.Log.With("replica", nameOf(b))
	}
	r.up = upstream.New(b, cfg, p.heard)
	return r
}

// alike reports whether a replica need not hear of b when it knows a.
func alike(a, b discovery.Backend) bool {
	return a.Same(b) && a.Replica == b.Replica && a.Withheld == b.Withheld && a.Doubted.Equal(b.Doubted) &&
		sameContainer(a.Container, b.Container) && slices.Equal(a.Diagnostics, b.Diagnostics) && slices.Equal(a.Groups, b.Groups)
}

func sameContainer(a, b *discovery.Container) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// Start begins the backend's life, in goroutines of work, which end after Remove or
// Stop.
func (p *Pool) Start(work *sync.WaitGroup) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work = work
	var all []*replica
	for _, pl := range p.set.Load().all {
		all = append(all, pl.replica)
	}
	p.startLocked(all)
}

func (p *Pool) startLocked(all []*replica) {
	for _, r := range all {
		if !r.started {
			r.started = p.goLocked(r.up.Run)
		}
	}
}

// goLocked runs f in a goroutine of the pool's, unless it has ended.
func (p *Pool) goLocked(f func()) bool {
	if !p.over {
		p.work.Go(f)
	}
	return !p.over
}

// Remove ends the backend's life because nobody wants it any more, Stop because the
// gateway ends. Calls under way fail. Neither waits.
func (p *Pool) Remove() { p.end((*upstream.Upstream).Remove) }

// Stop is another reason to end than Remove's.
func (p *Pool) Stop() { p.end((*upstream.Upstream).Stop) }

func (p *Pool) end(how func(*upstream.Upstream)) {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	for _, pl := range p.set.Load().all {
		how(pl.up)
	}
	p.cancel(errEnded)
	p.tell()
}

var errEnded = errors.New("the backend is not wanted any more")

// Reconnect gives up the connections, if any, and makes new ones at once.
func (p *Pool) Reconnect() {
	for _, pl := range p.set.Load().all {
		pl.up.Reconnect()
	}
}

// heard is called when the state of a replica has changed.
func (p *Pool) heard() {
	p.settle()
	p.tell()
	p.changed()
}

func (p *Pool) tell() {
	news := make(chan struct{})
	close(*p.news.Swap(&news))
}

// AwaitAttempt waits until more than after connects have ended, or ctx has.
func (p *Pool) AwaitAttempt(ctx context.Context, after int) *upstream.State {
	var s *upstream.State
	p.awaitState(ctx, func() bool {
		s = p.State()
		return s.Attempts > after || s.Phase == upstream.PhaseDisabled
	})
	return s
}

// AwaitTried waits until b, which Set or New was given, has been tried or ctx has
// ended.
func (p *Pool) AwaitTried(ctx context.Context, b discovery.Backend) {
	p.awaitState(ctx, func() bool {
		s := p.State()
		return s.Backend.Same(b) && (s.Phase == upstream.PhaseReady || s.Phase == upstream.PhaseDisabled || s.Reason != "")
	})
}

func (p *Pool) awaitState(ctx context.Context, ok func() bool) {
	for {
		news := *p.news.Load()
		if ok() {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			return
		case <-p.ctx.Done():
			return
		}
	}
}

// doubtTime is how long a process that was told to end is the last choice: as long as
// it takes the engine to kill one that refuses.
const doubtTime = 10 * time.Second
