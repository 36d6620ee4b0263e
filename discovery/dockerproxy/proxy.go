// Package dockerproxy stands between the gateway and the engine's socket. The
// socket is as good as root on its machine; what is left of it here is to look at
// containers that concern the gateway, and to type into those whose labels say
// that they speak MCP on stdio. Where that is allowed, commands are started in those
// whose labels name them.
//
// Requests are matched against a list of methods and paths, taken apart and put
// together anew. Answers are decoded into types that have the fields the gateway
// reads, and nothing else: what a type does not name cannot get out, whatever a
// later engine adds. It knows nothing of MCP.
package dockerproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"mcp-gw/discovery/docker"
)

// Config says whose socket to guard and what for.
type Config struct {
	// Socket is the path of the engine's socket; "" = /var/run/docker.sock.
	Socket string
	// Network is the one that containers share with the gateway, or several with commas
	// between; "" = docker.DefaultNetwork.
	Network string
	// LabelPrefix stands before every label; "" = docker.DefaultLabelPrefix.
	LabelPrefix string
	// AllowExec lets the commands through that labels name.
	AllowExec bool
	// Log; nil = none.
	Log *slog.Logger
}

// Bounds on clients. There is one, usually: the gateway.
const (
	maxConns     = 512
	maxRequests  = 64 // at the engine at a time; the provider inspects 32 at once
	maxStreams   = 256
	maxHeader    = 16 << 10
	maxBody      = 64 << 10
	headerTime   = 10 * time.Second
	idleTime     = 2 * time.Minute
	engineTime   = 30 * time.Second // for one answer of the engine
	writeTime    = 10 * time.Second // for a client to take what was sent
	shutdownTime = 3 * time.Second
)

// Proxy is the guard of one socket. Its methods may be called from any goroutine.
type Proxy struct {
	cfg    Config
	log    *slog.Logger
	engine *engine
	guard  guard // the watchdog's patience; tests shorten it

	requests chan struct{} // capacity maxRequests
	streams  chan struct{} // capacity maxStreams
	told     teller
	execs    execs
	attached sync.WaitGroup // hijacked connections, which the server does not wait for
}

// New makes a proxy. It touches nothing yet.
func New(cfg Config) *Proxy {
	if cfg.Socket == "" {
		cfg.Socket = "/var/run/docker.sock"
	}
	if cfg.Network == "" {
		cfg.Network = docker.DefaultNetwork
	}
	if cfg.LabelPrefix == "" {
		cfg.LabelPrefix = docker.DefaultLabelPrefix
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Proxy{
		cfg: cfg, log: cfg.Log, engine: newEngine(cfg.Socket), guard: usualGuard,
		requests: make(chan struct{}, maxRequests), streams: make(chan struct{}, maxStreams),
		told: teller{log: cfg.Log},
	}
}

// Run serves on l until ctx ends, then ends all streams and returns nil. It
// returns an error when the socket went stale: see watch.
func (p *Proxy) Run(ctx context.Context, l net.Listener) error {
	defer p.engine.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: p, DisableGeneralOptionsHandler: true, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		// Streams end with ctx, so that whoever listens hears the end at once
		// instead of finding it out.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	var running sync.WaitGroup
	served := make(chan error, 1)
	running.Go(func() { served <- server.Serve(limit(l, maxConns)) })
	stale := make(chan error, 1)
	running.Go(func() { stale <- p.watch(ctx) })

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-stale:
	case cause = <-served:
		if errors.Is(cause, http.ErrServerClosed) {
			cause = nil
		}
	}
	cancel()
	stop, end := context.WithTimeout(context.Background(), shutdownTime)
	defer end()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close() // a client that takes nothing does not hold up the end
	}
	running.Wait()
	p.attached.Wait()
	return cause
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.RequestURI == "/healthz" && r.Method == http.MethodGet {
		p.health(w, r)
		return
	}
	a, err := p.accept(r)
	if err != nil {
		p.told.refused(r, err)
		// The words are those of a status, because clients show no other.
		fail(w, http.StatusForbidden, fmt.Sprintf("403 Forbidden: docker-proxy does not pass %s %s: %v", word(r.Method), word(r.RequestURI), err))
		return
	}
	slots := p.requests
	if a.kind == events || a.kind == attachContainer || a.kind == startExec {
		slots = p.streams
	}
	wait := time.NewTimer(headerTime)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-wait.C:
		fail(w, http.StatusServiceUnavailable, "docker-proxy: too many requests at a time")
		return
	case <-r.Context().Done():
		return
	}
	if err := p.serve(w, r, a); err != nil {
		p.answerError(w, r, err)
	}
}

// accept checks all of a request but what the answer depends on.
func (p *Proxy) accept(r *http.Request) (ask, error) {
	a, err := parse(r.Method, r.RequestURI, p.cfg.AllowExec)
	if err != nil {
		return a, err
	}
	switch a.kind {
	case createExec, startExec:
		if r.ContentLength <= 0 || r.ContentLength > maxBody {
			return a, fmt.Errorf("its body has no length, or one of more than %d bytes", maxBody)
		}
	default:
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			return a, errors.New("it has a body")
		}
	}
	upgrade := r.Header.Values("Upgrade")
	if a.kind == attachContainer || a.kind == startExec {
		if len(upgrade) != 1 || upgrade[0] != "tcp" {
			return a, errors.New("a stream is upgraded to tcp, and to nothing else")
		}
		return a, nil
	}
	if len(upgrade) > 0 || r.Header.Get("Http2-Settings") != "" {
		return a, errors.New("it asks for another protocol")
	}
	return a, nil
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, a ask) error {
	switch a.kind {
	case events:
		return p.events(w, r, a)
	case attachContainer:
		return p.attach(w, r, a)
	case createExec:
		return p.createExec(w, r, a)
	case startExec:
		return p.startExec(w, r, a)
	}
	ctx, cancel := context.WithTimeout(r.Context(), engineTime)
	defer cancel()
	if a.kind == ping {
		return p.ping(ctx, w, r.Method, a)
	}
	answer, err := p.look(ctx, a, caller(r))
	if err != nil {
		return err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(engineTime))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the client is gone, nobody to tell
	return nil
}

// health says whether the engine can be reached, for this container's HEALTHCHECK.
func (p *Proxy) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTime)
	defer cancel()
	if err := p.engine.ping(ctx); err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}`))
}

// answerError passes on the engine's own refusals, and explains the rest.
func (p *Proxy) answerError(w http.ResponseWriter, r *http.Request, err error) {
	var said engineError
	switch {
	case r.Context().Err() != nil: // nobody listens any more
	case errors.As(err, &said):
		fail(w, said.status, said.message)
	default:
		p.told.trouble(err)
		fail(w, http.StatusBadGateway, "docker-proxy: "+err.Error())
	}
}

// fail answers as the engine does, so that its clients show the message.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
