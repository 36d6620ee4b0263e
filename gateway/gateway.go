// Package gateway is the data plane: it takes the backends that should be
// connected, keeps them connected, makes one catalogue of what they offer, and
// serves it to MCP clients. It knows neither Docker nor the REST API.
//
//	Put ──▶ desired sets ──▶ Run: reconcile ──▶ pools of upstreams ──▶ states
//	clients ◀── downstream ◀── view ◀── rebuild ◀───────────────────────┘
package gateway

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/auth"
	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/pool"
	"mcp-gw/gateway/upstream"
)

// Config is what a gateway may be told. A zero field means its default.
type Config struct {
	Version string
	Log     *slog.Logger
	Journal *journal.Journal
	// MaxBody bounds a client's request, MaxMessage one message of a backend, in
	// bytes. Defaults 16 MiB and 64 MiB.
	MaxBody, MaxMessage int64
	// MaxSessions bounds the sessions of legacy clients. Default 10,000.
	MaxSessions int
	// CallTimeout is how long a call may stay silent. Default 2 minutes.
	CallTimeout time.Duration
	// ConnectTimeout bounds each step of connecting to a backend. Default 5 s.
	ConnectTimeout time.Duration
	// SessionIdle is how long an unused session lives. Default 30 minutes.
	SessionIdle time.Duration
	// PingInterval is the time between two checks of a backend. Default 30 s.
	PingInterval time.Duration
	// AllowedHosts and AllowedOrigins add to those that are always taken.
	AllowedHosts, AllowedOrigins []string
	// Token is what clients have to show. Default nil: nothing.
	Token *auth.Token
	// BasePath is what clients have before the paths that Handler serves, such as /gw:
	// it stands in addresses that clients are told. Default none.
	BasePath string
	// Key seals session ids and the like, which stay good over a restart with the
	// same key. The zero key means a random one.
	Key [32]byte
	// StartupWait is how long the first lists wait at most until all of Sources have
	// said what they want and each backend of that has been tried. Zero: not at all.
	StartupWait time.Duration
	// Sources are those that Put is expected from.
	Sources []string
	// DescriptionPrefix puts "[backend] " in front of tools' descriptions.
	DescriptionPrefix bool
}

const (
	// hold is how long a lost backend's tools stay listed while it is expected
	// back, and how long calls wait for it: longer than a container takes to
	// restart, shorter than a person takes to wonder.
	hold = 10 * time.Second
	// calm is the least time between two list_changed: clients fetch the whole
	// list each time.
	calm = 250 * time.Millisecond
	// keepAlive is the time between two comments on a silent stream.
	keepAlive = 15 * time.Second
	// aging is the time between two looks at backends that are unwell: nothing may
	// happen to them, and they are well again because what was wrong is long ago.
	aging = 30 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Journal == nil {
		c.Journal = journal.New(journal.Options{})
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.CallTimeout, 2 * time.Minute}, {&c.ConnectTimeout, 5 * time.Second},
		{&c.SessionIdle, 30 * time.Minute}, {&c.PingInterval, 30 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.Key == [32]byte{} {
		_, _ = rand.Read(c.Key[:]) // never fails
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 16 << 20
	}
	if c.MaxMessage <= 0 {
		c.MaxMessage = 64 << 20
	}
	if c.MaxSessions <= 0 {
		c.MaxSessions = 10_000
	}
	return c
}

// Gateway connects backends and serves clients.
type Gateway struct {
	cfg     Config
	hold    time.Duration
	aging   time.Duration
	now     func() time.Time
	access  downstream.Access
	handler *downstream.Handler

	mu      sync.Mutex                     // guards desired
	desired map[string][]discovery.Backend // by source

	wish    chan struct{} // desired has changed; capacity 1: a doorbell, not a queue
	changed chan struct{} // some upstream has a new state; likewise

	instance string // tells this gateway from all others, in what it sends

	settled chan struct{} // closed when the first lists are worth reading
	settle  func()        // closes it; further calls do nothing

	switches atomic.Pointer[discovery.Switches]
	altered  alterations

	registry atomic.Pointer[registry]
	view     atomic.Pointer[downstream.View]
	shown    atomic.Pointer[shown]

	// Of Run's goroutine only.
	running  map[string]*member
	sequence int
	upWork   sync.WaitGroup
	drawn    map[string]drawing // the scopes as they were drawn last
	changes  uint64             // of what clients see
	born     uint64             // scopes ever drawn for the first time
	// metersLeft is how many meters there were after the last sweep.
	metersLeft int
	resumed    map[*pool.Pool]bool
	told       map[string]*known // of each backend
	// toldSwitches are the switches as they were last told.
	toldSwitches *discovery.Switches
}

var (
	_ discovery.Sink     = (*Gateway)(nil)
	_ discovery.Switcher = (*Gateway)(nil)
)

// New makes a gateway without backends. It serves clients at once; Run connects
// what Put asks for.
func New(cfg Config) *Gateway {
	cfg = cfg.withDefaults()
	g := &Gateway{cfg: cfg, hold: hold, aging: aging, now: time.Now, access: downstream.Access{Hosts: cfg.AllowedHosts, Origins: cfg.AllowedOrigins},
		desired: map[string][]discovery.Backend{}, running: map[string]*member{},
		drawn: map[string]drawing{}, resumed: map[*pool.Pool]bool{}, told: map[string]*known{},
		wish: make(chan struct{}, 1), changed: make(chan struct{}, 1), settled: make(chan struct{}), instance: rand.Text()}
	g.settle = sync.OnceFunc(func() { close(g.settled) })
	if cfg.StartupWait <= 0 {
		g.settle()
	} else {
		time.AfterFunc(cfg.StartupWait, g.settle)
	}
	g.switches.Store(&discovery.Switches{})
	g.registry.Store(newRegistry(nil))
	g.shown.Store(&shown{next: make(chan struct{})})
	g.handler = downstream.New(downstream.Config{Log: cfg.Log, Journal: cfg.Journal, Version: cfg.Version,
		MaxBody: cfg.MaxBody, MaxSessions: cfg.MaxSessions, SessionIdle: cfg.SessionIdle,
		KeepAlive: keepAlive, Access: g.access, Token: cfg.Token, BasePath: cfg.BasePath, Settled: g.settled, Instance: g.instance, Key: cfg.Key}, core{g})
	g.rebuild()
	return g
}

// Put implements discovery.Sink.
func (g *Gateway) Put(source string, set []discovery.Backend) {
	g.mu.Lock()
	g.desired[source] = set
	g.mu.Unlock()
	ring(g.wish)
}

// Switch implements discovery.Switcher.
func (g *Gateway) Switch(s discovery.Switches) {
	g.switches.Store(&s)
	ring(g.wish)
}

// Heard reports whether source has said yet what it wants.
func (g *Gateway) Heard(source string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, heard := g.desired[source]
	return heard
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// Handler serves MCP clients. It answers every path it is given; the caller mounts
// it at /mcp.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Check answers why a request must be refused for its Host or Origin header, nil
// when it may pass. The MCP handler asks it itself.
func (g *Gateway) Check(r *http.Request) error { return g.access.Check(r) }

// Changed answers a channel that is closed when clients may see something else, or
// a backend has another state.
func (g *Gateway) Changed() <-chan struct{} { return g.shown.Load().next }

// EndStreams ends the clients' endless streams, so that the server that carries
// them can drain.
func (g *Gateway) EndStreams() { g.handler.EndStreams() }

// EndSession ends the session of a client by its tag, and reports whether there was
// one. The client finds out with its next request, and begins another.
func (g *Gateway) EndSession(tag string) bool { return g.handler.EndSession(tag) }

// Journal is where calls and events are recorded.
func (g *Gateway) Journal() *journal.Journal { return g.cfg.Journal }

// Run connects and serves until ctx ends, then ends all connections and waits for
// everything that it started.
func (g *Gateway) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { g.handler.Run(ctx) })
	work.Go(func() { g.cfg.Journal.Run(ctx) })
	defer g.stopAll()

	g.rebuild()
	g.toldSwitches = g.shown.Load().switches // what is off at the start is no news
	told := g.changes
	var lastTold time.Time
	calmed := time.NewTimer(0)
	defer calmed.Stop()
	aged := time.NewTicker(g.aging)
	defer aged.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.wish:
			g.reconcile()
			g.rebuild()
		case <-g.changed:
			g.rebuild()
		case <-calmed.C:
		case <-aged.C:
			if g.someDegraded() {
				g.rebuild() // whoever waits for news looks again
			}
		}
		g.settleOnce()
		g.tellNews()
		now := g.changes
		if now == told {
			continue
		}
		// The first change is told at once, a storm of them from time to time.
		if wait := calm - time.Since(lastTold); wait > 0 {
			calmed.Reset(wait)
			continue
		}
		told, lastTold = now, time.Now()
		g.handler.Changed()
	}
}

// settleOnce lets the first lists go when what they wait for is there.
func (g *Gateway) settleOnce() {
	select {
	case <-g.settled:
	default:
		if g.hasSettled() {
			g.settle()
		}
	}
}

// hasSettled reports whether all sources have said what they want, and each backend
// has been tried.
func (g *Gateway) hasSettled() bool {
	for _, source := range g.cfg.Sources {
		if !g.Heard(source) {
			return false
		}
	}
	_, want := g.wanted()
	for name, b := range want {
		m := g.running[name]
		if m == nil || !m.want.Same(b) {
			return false // the bell has rung again
		}
		// What clients see was made of this state; a later one is not in the lists yet.
		s := g.shown.Load().states[m.up]
		if s == nil {
			return false
		}
		if s.Phase != upstream.PhaseReady && s.Phase != upstream.PhaseDisabled && s.Reason == "" {
			return false
		}
	}
	return true
}

func (g *Gateway) stopAll() {
	for _, m := range g.running {
		m.up.Stop()
	}
	g.upWork.Wait()
}

func (g *Gateway) upstreamConfig() upstream.Config {
	return upstream.Config{Instance: g.instance, Log: g.cfg.Log, Record: g.cfg.Journal, Version: g.cfg.Version,
		MaxMessage: g.cfg.MaxMessage, ConnectTimeout: g.cfg.ConnectTimeout, CallTimeout: g.cfg.CallTimeout,
		PingInterval: g.cfg.PingInterval, Hold: g.hold, LaneIdle: g.cfg.SessionIdle, MaxLanes: g.cfg.MaxSessions,
		Updated: g.handler.Updated}
}
