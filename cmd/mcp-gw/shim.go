package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/shim"
)

// runShim stands in front of a stdio server, in its container, until it is told to
// stop or the server cannot be kept running.
func runShim(ctx context.Context, cfg config, t terminal) error {
	if len(t.args) == 0 {
		fmt.Fprintln(t.err, "mcp-gw shim: there is no command to run: mcp-gw shim -- COMMAND [ARGUMENT…]")
		return exit(2)
	}
	log := newLog(cfg, t.err)
	for _, w := range cfg.Warnings {
		log.Warn("unknown setting", "problem", w)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	s, err := shim.New(shim.Config{
		Command: t.args, Stderr: t.err, Shared: cfg.ShimShared, Version: version, Log: log,
		MaxBody: cfg.MaxBody, MaxMessage: cfg.MaxMessage, MaxSessions: cfg.MaxSessions,
		SessionIdle: cfg.SessionIdle, PingInterval: cfg.PingInterval,
		Access: downstream.Access{Hosts: cfg.AllowedHosts, Origins: cfg.AllowedOrigins},
	})
	if err != nil {
		return ended(err, t)
	}
	l, err := net.Listen("tcp", cfg.ShimListen)
	if err != nil {
		return fmt.Errorf("%w; set MCP_GW_SHIM_LISTEN", err)
	}
	defer passSignals(s)()
	log.Info("serving", "version", version, "address", l.Addr().String(), "command", t.args[0], "shared", cfg.ShimShared)
	return ended(life{
		log: log, handler: s, drain: cfg.ShutdownTimeout,
		notReady: func() {}, endStreams: s.EndStreams,
		work: []func(context.Context) error{s.Run},
	}.run(ctx, l), t)
}

// ended makes the exit code of a command that is not kept running the shim's own.
func ended(err error, t terminal) error {
	if why := (*shim.EndedError)(nil); errors.As(err, &why) {
		fmt.Fprintln(t.err, "mcp-gw shim:", why)
		return exit(why.Code)
	}
	return err
}

// passSignals hands the server what is meant for it; those that end it end the shim
// first. The function that it answers ends that.
func passSignals(s *shim.Shim) func() {
	signals, done := make(chan os.Signal, 8), make(chan struct{})
	signal.Notify(signals, passed...)
	go func() {
		defer close(done)
		for sig := range signals {
			s.Signal(sig)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
