// Package docker finds backends in a Docker engine: it watches containers, reads
// their labels and addresses, and puts the set of those that want to be
// connected. It knows nothing of MCP.
//
// Events are doorbells. What is true of a container, only an inspect says; what
// containers there are, only a listing; and an error of the engine says nothing
// about containers at all. The engine type is the one door to it; all behind
// it, from observation to set, is pure.
package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
)

// Config says which engine to watch and what for. The zero value is the local
// engine, network mcp-gw-net and labels that begin with "mcp-gw.".
type Config struct {
	// Host is the engine's address: unix://, tcp://, npipe://. "" = DefaultHost.
	Host string
	// CertPath is a folder with ca.pem, cert.pem and key.pem; "" = no TLS.
	CertPath string
	// TLSVerify checks the engine's certificate against ca.pem.
	TLSVerify bool
	// APIVersion demands a version of the engine's API; "" = agree on one.
	APIVersion string
	// Network is the one that containers share with the gateway, or several with commas
	// between; "" = DefaultNetwork.
	Network string
	// LabelPrefix stands before every label; "" = DefaultLabelPrefix.
	LabelPrefix string
	// Rules are what containers are allowed.
	Rules Rules
	// NamesFile keeps who has which name, so that a restart of the gateway changes
	// nothing about it; "" = nothing is kept.
	NamesFile string
	// ContainerID is the gateway's own container, where it cannot be found out.
	ContainerID string
	// Log; nil = none.
	Log *slog.Logger
}

// DefaultNetwork is the name of the network that containers share with the gateway.
const DefaultNetwork = "mcp-gw-net"

// pace is how long the provider waits where it waits; tests shorten it.
type pace struct {
	relist     time.Duration // from the first listing to the second
	resync     time.Duration // between listings without a reason
	resyncCalm time.Duration // the same, when nothing has changed for calm
	calm       time.Duration
	thorough   time.Duration // between looks at every container, whatever the listing says
	// resyncPodman is the same for an engine that forgets to tell.
	resyncPodman time.Duration
	poll         time.Duration // the same where there are no events
	reask        time.Duration // between two attempts to get events that were refused
	guard        time.Duration // between two looks at the connection itself
	quiet        time.Duration // without an event, before the engine is asked for a sign of life
	retry        time.Duration // from a failed listing to the next
	hearing      time.Duration // for an event to arrive that a listing overtook
	straggler    time.Duration // for the inspects of a sync
	putGap       time.Duration // between two sets in a storm of events
	saving       time.Duration // from a set to the file of the names
	again        time.Duration // from the end of a steady connection to the next attempt
	backoffMin   time.Duration // the same after one that failed, doubled with each
	backoffMax   time.Duration
	steady       time.Duration // connected that long, the end of a connection is no sign of trouble
	stale        time.Duration // a socket may refuse, before it is called stale rather than starting
}

var usualPace = pace{
	relist: time.Second, resync: 28 * time.Second, resyncCalm: time.Minute, calm: 10 * time.Minute, thorough: 5 * time.Minute,
	resyncPodman: 15 * time.Second, poll: 3 * time.Second, reask: time.Minute,
	guard: 5 * time.Second, quiet: time.Minute, retry: 2 * time.Second, hearing: time.Second,
	straggler: 2 * time.Second, putGap: 10 * time.Millisecond, saving: time.Second,
	again: 10 * time.Millisecond, backoffMin: 100 * time.Millisecond, backoffMax: 5 * time.Second, steady: 30 * time.Second,
	stale: 15 * time.Second,
}

// Provider watches one engine. All methods may be called from any goroutine;
// Run at most once at a time.
type Provider struct {
	cfg      Config
	networks []string // of cfg, each once
	log      *slog.Logger
	pace     pace
	execPace execPace
	self     identity
	once     bool // it looks once, for Examine
	// hostAddr asks for the address of the host by its name in containers; invalid
	// when the name leads nowhere. It fails when that cannot be said now.
	hostAddr func(context.Context) (netip.Addr, error)
	table    *table
	rescans  chan chan<- error // each is answered once, and never blocks the answer
	outdated chan struct{}     // capacity 1, a doorbell: something is otherwise than the table has it

	// of Run's goroutine
	last   []discovery.Backend
	hasPut bool
	voice  voice
	eager  []chan<- error // rescans that wait for the next sync
	// commands are those that this Run started in containers.
	commands *commands

	lastEvent atomic.Int64 // when the last event was read; unix nanoseconds, 0 = never

	namesBad atomic.Bool // the file of the names cannot be read, and is not to be written

	mu        sync.Mutex // guards all below
	namesSaid string     // the latest problem with that file
	engine    discovery.Engine
	observed  []discovery.Observed
	// what the engine refuses while it is connected, as engine.Code and Error say it
	limitCode, limitText string
	news                 chan struct{} // closed when the report is another one
}

var _ discovery.Provider = (*Provider)(nil)

// New makes a provider. It does not connect; Run does.
func New(cfg Config) *Provider {
	if cfg.Host == "" {
		cfg.Host = DefaultHost()
	}
	if cfg.LabelPrefix == "" {
		cfg.LabelPrefix = DefaultLabelPrefix
	}
	cfg.LabelPrefix = lowerASCII(cfg.LabelPrefix)
	if cfg.Rules.SecretsDir == "" {
		cfg.Rules.SecretsDir = DefaultSecretsDir
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	networks := Networks(cfg.Network)
	log := cfg.Log.With("provider", discovery.SourceDocker)
	return &Provider{
		cfg: cfg, networks: networks, log: log, pace: usualPace, execPace: usualExecPace,
		self:     ownTraces(cfg.ContainerID).identity(),
		hostAddr: resolveHost,
		table:    newTable(cfg.LabelPrefix, networks[0], cfg.Rules, networks[1:]...),
		rescans:  make(chan chan<- error),
		outdated: make(chan struct{}, 1),
		voice:    newVoice(log),
		news:     make(chan struct{}),
		engine:   discovery.Engine{Endpoint: cfg.Host, Network: strings.Join(networks, ", "), Error: "not connected yet"},
	}
}

// Source is discovery.SourceDocker.
func (p *Provider) Source() string { return discovery.SourceDocker }

// Run watches the engine until ctx ends. While the engine is away the last set
// stands, because nothing is known that could replace it, and Run tries again
// without end. It returns nil.
func (p *Provider) Run(ctx context.Context, sink discovery.Sink) error {
	p.hasPut = false
	p.commands = newCommands(p.cfg, p.log)
	p.commands.pace = p.execPace
	defer p.commands.close()
	backoff := p.pace.backoffMin
	away := time.Now()
	for ctx.Err() == nil {
		s := session{p: p, sink: sink}
		err := s.run(ctx)
		if ctx.Err() != nil {
			break
		}
		wait := backoff
		backoff = min(2*backoff, p.pace.backoffMax)
		if !s.liveSince.IsZero() {
			away = time.Now()
			if time.Since(s.liveSince) >= p.pace.steady {
				// A proxy cut the stream, most likely, and takes the next one.
				wait, backoff = p.pace.again, p.pace.backoffMin
			}
		}
		p.offline(ctx, err, time.Since(away), !s.liveSince.IsZero())
		p.answer(err)
		p.pause(ctx, spread(wait, 0.2))
	}
	p.setEngine(func(e *discovery.Engine) { e.Connected, e.Code, e.Error = false, "", "stopped" })
	p.answer(errors.New("the docker provider has stopped"))
	return nil
}

// hostName leads to the host where an engine or whoever started the gateway says so.
const hostName = "host.docker.internal"

func resolveHost(ctx context.Context) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", hostName)
	var said *net.DNSError
	switch {
	case errors.As(err, &said) && said.IsNotFound:
		return netip.Addr{}, nil
	case err != nil:
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			return a, nil
		}
	}
	if len(addrs) == 0 {
		return netip.Addr{}, nil
	}
	return addrs[0], nil
}

// spread shortens d by up to that part of it, so that many gateways do not act as one.
// It never lengthens it: d is what people are promised.
func spread(d time.Duration, part float64) time.Duration {
	return time.Duration(float64(d) * (1 - part*rand.Float64()))
}

// pause waits for the next attempt. A rescan does not wait.
func (p *Provider) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case r := <-p.rescans:
		p.eager = append(p.eager, r)
	}
}

// answer tells those who wait for a sync how it went.
func (p *Provider) answer(err error) {
	for _, r := range p.eager {
		r <- err
	}
	p.eager = nil
}

// Rescan looks at every container anew and returns when the set that follows
// from it was put, or says why the engine could not be asked.
func (p *Provider) Rescan(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case p.rescans <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// offline notes that the engine is away, and why. wasLive: the connection worked
// until now.
func (p *Provider) offline(ctx context.Context, err error, since time.Duration, wasLive bool) {
	o := explore(ctx, p.cfg.Host, err)
	// Who looks once cannot wait for it.
	o.stale = p.once || since >= p.pace.stale
	o.pinned, o.certs = p.cfg.APIVersion, p.cfg.CertPath
	code, text := o.diagnose()
	p.setEngine(func(e *discovery.Engine) { e.Connected, e.Code, e.Error = false, code, text })
	if wasLive {
		// Streams end for many reasons, some proxies cut them every ten minutes.
		// Only when the next attempt fails there is something to tell.
		p.log.Debug("connection to the engine ended", "err", err)
		return
	}
	p.voice.engineAway(code, text, err)
}

// readSecrets reads the files of the secrets that labels name, those of all known
// containers with nil: a file may have changed, and nobody tells.
func (p *Provider) readSecrets(labels map[string]string) {
	names := p.table.secretNames(labels)
	if len(names) == 0 {
		return
	}
	p.table.keepSecrets(readSecrets(p.cfg.Rules.SecretsDir, names), time.Now())
}

func (p *Provider) setEngine(change func(*discovery.Engine)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.engine
	change(&p.engine)
	if p.engine != before {
		p.tellLocked()
	}
}

// Changed answers a channel that is closed when Report has something else to say than
// it had when Changed was called.
func (p *Provider) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.news
}

func (p *Provider) tellLocked() {
	close(p.news)
	p.news = make(chan struct{})
}

// publish puts the set, if it is another than before, and renews the report. next
// is when time alone will change the set.
func (p *Provider) publish(sink discovery.Sink) (next time.Time, put bool) {
	now := time.Now()
	a := p.table.assemble(now)
	p.voice.stamp(&a, now)
	p.voice.out(p.last, a.observed)
	if put = !p.hasPut || !reflect.DeepEqual(p.last, a.set); put {
		p.voice.setChanged(p.last, a)
		p.last, p.hasPut = a.set, true
	}
	problem := p.table.problem()
	p.voice.networkProblem(problem)
	refusal := ""
	if id, err, _ := p.table.inspectErrors(); err != nil {
		refusal = fmt.Sprintf("container %s cannot be inspected, what was known of it stands: %v", short(id), err)
	}
	p.voice.inspectProblem(refusal)
	p.tell(a.observed, problem, refusal)
	if put { // who hears of it finds it reported
		sink.Put(discovery.SourceDocker, p.openable(a.set))
	}
	return a.next, put
}

// tell stands up what people are told of containers and of the engine.
func (p *Provider) tell(now []discovery.Observed, problem, refusal string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	engine, observed := p.engine, p.observed
	p.observed = now
	p.engine.NetworkProblem = problem
	if p.engine.Connected {
		p.engine.Code, p.engine.Error = p.limitCode, p.limitText
		if refusal != "" {
			p.engine.Code = cmp.Or(p.limitCode, codeNotInspected)
			p.engine.Error = strings.Trim(p.limitText+"; "+refusal, "; ")
		}
	}
	if p.engine != engine || !reflect.DeepEqual(p.observed, observed) {
		p.tellLocked()
	}
}
