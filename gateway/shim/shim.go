// Package shim serves an MCP server that speaks stdio over streamable HTTP: it starts
// the server's command, keeps it running, and stands between the two. It is what runs
// inside the server's own container.
//
// With Shared, all clients have one process: a gateway with that one backend tells
// their requests apart. Otherwise each session has a process of its own, and what the
// two say to each other passes as it is.
package shim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/downstream"
)

// Config says what to run, and for whom. A zero field means its default where it says
// one.
type Config struct {
	// Command is the server's, with its arguments. It gets this process's environment.
	Command []string
	// Stderr is where its standard error goes.
	Stderr io.Writer
	// Shared gives all clients one process; else each session has its own.
	Shared  bool
	Version string
	Log     *slog.Logger
	// MaxBody bounds a client's request, MaxMessage one message of the server, in
	// bytes. Defaults 16 MiB and 64 MiB.
	MaxBody, MaxMessage int64
	// MaxSessions bounds the clients' sessions. Default, and most with a process each:
	// 100.
	MaxSessions int
	// SessionIdle is how long an unused session lives. Default 30 minutes.
	SessionIdle time.Duration
	// PingInterval is the time between two checks of a shared process. Default 30 s.
	PingInterval time.Duration
	Access       downstream.Access
}

// maxProcesses bounds the processes that one container runs for its clients.
const maxProcesses = 100

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 16 << 20
	}
	if c.MaxMessage <= 0 {
		c.MaxMessage = 64 << 20
	}
	if c.MaxSessions <= 0 || !c.Shared && c.MaxSessions > maxProcesses {
		c.MaxSessions = maxProcesses
	}
	if c.SessionIdle <= 0 {
		c.SessionIdle = 30 * time.Minute
	}
	if c.PingInterval <= 0 {
		c.PingInterval = 30 * time.Second
	}
	return c
}

// EndedError means that the command cannot be run, or not be kept running.
type EndedError struct {
	// Code is for the shim to end with: 127 where there is no such command, 126 where
	// it is none, 128 and the number of the signal that ended it, or its own.
	Code int
	// Reason is a sentence for people.
	Reason string
}

func (e *EndedError) Error() string { return e.Reason }

// side is one way of serving clients.
type side interface {
	http.Handler
	// run serves until ctx ends.
	run(ctx context.Context) error
	endStreams()
	// well answers why there is nobody to answer clients, nil when there is.
	well() error
}

// Shim is one server behind HTTP.
type Shim struct {
	command *command
	side    side
}

// New makes a shim. The command is looked up, and not started before Run; the error is
// an *EndedError.
func New(cfg Config) (*Shim, error) {
	cfg = cfg.withDefaults()
	c, err := newCommand(cfg.Command, cfg.Stderr, cfg.Log)
	if err != nil {
		return nil, err
	}
	s := &Shim{command: c}
	if cfg.Shared {
		s.side = newShared(cfg, c)
	} else {
		s.side = newClients(cfg, c)
	}
	return s, nil
}

// Run runs the command until ctx ends, and returns when every process has. An
// *EndedError means that the command could not be kept running.
func (s *Shim) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.command.end()
	reaped := make(chan struct{})
	go func() { defer close(reaped); s.command.reap(ctx) }()
	defer func() { cancel(); <-reaped }()
	return s.side.run(ctx)
}

// Signal passes a signal on to what the command started.
func (s *Shim) Signal(sig os.Signal) { s.command.signal(sig) }

// EndStreams ends the clients' endless streams, so that the server that carries them
// can drain.
func (s *Shim) EndStreams() { s.side.endStreams() }

// ServeHTTP serves clients at /mcp, and says at /healthz whether the server answers.
func (s *Shim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/mcp", "/mcp/":
		s.side.ServeHTTP(w, r)
	case "/healthz":
		if err := s.side.well(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	default:
		refuse(w, http.StatusNotFound, nil, codeInvalid, fmt.Sprintf("there is no such endpoint as %.200q: the server is at /mcp", r.URL.Path))
	}
}

// Codes of JSON-RPC, and the one that MCP's own servers answer to who has no session.
const (
	codeParse     = -32700
	codeInvalid   = -32600
	codeInternal  = -32603
	codeNoSession = -32000
)

// refuse answers with an error that is not the server's.
func refuse(w http.ResponseWriter, status int, id []byte, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(bridge.RPCError(nil, id, code, message, nil)) // who has left reads nothing
}
