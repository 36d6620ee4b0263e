package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/downstream"
)

const (
	// server is the name of the only backend. Clients never see it.
	server = "server"
	// startPatience is how long a process may take until it answers: one that npx or
	// uvx has to fetch first takes its time.
	startPatience = time.Minute
	// readyPatience is how long a request waits for that.
	readyPatience = 2 * time.Second
	// callPatience is no bound of the shim's own: who calls has one.
	callPatience = 24 * time.Hour

	// A process that ends within quickEnd of its start, maxQuick times in a row, will
	// not be better the next time.
	quickEnd = 10 * time.Second
	maxQuick = 5
	// The pause before a start grows with the quick ends before it.
	firstPause = 200 * time.Millisecond
)

// shared is one process for all clients.
type shared struct {
	command *command
	gateway *gateway.Gateway
	access  downstream.Access
	log     *slog.Logger
	given   chan *EndedError // why the command is given up

	// Of who opens, one at a time:
	last  *process
	quick int // ends in a row

	mu    sync.Mutex // guards what follows
	why   error      // nobody answers clients; nil when somebody does
	next  chan struct{}
	known map[string]bool // remarks that were told
}

func newShared(cfg Config, c *command) *shared {
	return &shared{command: c, access: cfg.Access, log: cfg.Log, given: make(chan *EndedError, 1), next: make(chan struct{}),
		why: errors.New("the server is starting"), known: map[string]bool{},
		gateway: gateway.New(gateway.Config{Version: cfg.Version, Log: cfg.Log, MaxBody: cfg.MaxBody, MaxMessage: cfg.MaxMessage,
			MaxSessions: cfg.MaxSessions, CallTimeout: callPatience, SessionIdle: cfg.SessionIdle, PingInterval: cfg.PingInterval,
			AllowedHosts: cfg.Access.Hosts, AllowedOrigins: cfg.Access.Origins})}
}

func (s *shared) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	s.gateway.Put(discovery.SourceManual, []discovery.Backend{{Name: server, Source: discovery.SourceManual, Transport: discovery.TransportStdio,
		Open: s.open, Tuning: discovery.Tuning{Init: startPatience, Startup: startPatience}}})
	work.Go(func() { s.watch(ctx) })
	work.Go(func() { _ = s.gateway.Run(ctx) }) // it has no error but the end of ctx
	select {
	case <-ctx.Done():
		return nil
	case ended := <-s.given:
		return ended
	}
}

// open starts the process anew, when the one before it has ended.
func (s *shared) open(ctx context.Context) (io.ReadWriteCloser, error) {
	if p := s.last; p != nil {
		select {
		case <-p.done:
		case <-ctx.Done():
			return nil, errors.New("its process does not end")
		}
		s.last = nil
		if s.quick++; p.ran > quickEnd {
			s.quick = 0
		}
		if s.quick >= maxQuick {
			code := exitCode(p.cmd.ProcessState)
			if code == 0 {
				code = 1 // it did nothing of what it was started for
			}
			return nil, s.giveUp(&EndedError{Code: code, Reason: fmt.Sprintf("%q ended %d times in a row within %v of its start, at last with %s", s.command.argv[0], s.quick, quickEnd, p.how())})
		}
	}
	if s.quick > 0 {
		select {
		case <-time.After(firstPause << s.quick):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	p, err := s.command.start()
	if ended := (*EndedError)(nil); errors.As(err, &ended) {
		return nil, s.giveUp(ended)
	}
	if err != nil {
		return nil, err
	}
	s.last = p
	return p, nil
}

func (s *shared) giveUp(why *EndedError) error {
	select {
	case s.given <- why:
	default:
	}
	return why
}

// watch keeps what clients are told when nobody answers them.
func (s *shared) watch(ctx context.Context) {
	for {
		changed := s.gateway.Changed()
		if b, there := s.gateway.Backend(server); there {
			s.note(b)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (s *shared) note(b gateway.BackendState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range b.Diagnostics {
		if !s.known[d.Code] {
			s.known[d.Code] = true
			s.log.Warn(d.Message, "code", d.Code, "fix", d.Suggestion)
		}
	}
	before := s.why
	switch {
	case b.State == "ready" || b.State == "degraded" || b.State == "holding":
		s.why = nil
	case b.Reason != "":
		s.why = fmt.Errorf("the server does not answer: %s", b.Reason)
	}
	if (before == nil) != (s.why == nil) {
		close(s.next)
		s.next = make(chan struct{})
	}
}

func (s *shared) well() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// ServeHTTP waits for the server: what it is and can do is in the first answers.
func (s *shared) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	patience := time.NewTimer(readyPatience)
	defer patience.Stop()
	for waited := false; ; {
		s.mu.Lock()
		why, next := s.why, s.next
		s.mu.Unlock()
		switch {
		case why == nil:
			r = r.Clone(r.Context())
			r.URL.Path = "/mcp/" + server
			s.gateway.Handler().ServeHTTP(w, r)
			return
		case waited:
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, nil, codeInternal, why.Error())
			return
		}
		select {
		case <-next:
		case <-patience.C:
			waited = true
		case <-r.Context().Done():
			return
		}
	}
}

func (s *shared) endStreams() { s.gateway.EndStreams() }
