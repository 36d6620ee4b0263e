package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"mcp-gw/dashboard/api"
	"mcp-gw/dashboard/web"
	"mcp-gw/discovery"
	"mcp-gw/discovery/docker"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/auth"
	"mcp-gw/gateway/journal"
)

// serve runs the gateway until it is told to stop. It only wires: what is made
// here knows nothing of the rest but what it is given.
func serve(ctx context.Context, cfg config, t terminal) error {
	log := newLog(cfg, t.err)
	for _, w := range cfg.Warnings {
		log.Warn("unknown setting", "problem", w)
	}
	easeCollector()
	// A second signal finds the default behaviour again, which is to die at once.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	secret, err := cfg.secret()
	if err != nil {
		return err
	}
	token := auth.NewToken(secret)

	// First of all: a port that is taken is the most usual reason not to start.
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w; set PORT or MCP_GW_LISTEN", err)
	}

	if cfg.Docker && cfg.DockerRules.NamePolicy == docker.NamesOwner {
		// Whose the names are is what was asked to be kept.
		if err := docker.CheckNames(namesFile(cfg.ConfigPath)); err != nil {
			_ = l.Close()
			return fmt.Errorf("MCP_GW_NAME_POLICY=%s: %w", docker.NamesOwner, err)
		}
	}
	sources := []string{discovery.SourceManual}
	if cfg.Docker {
		sources = append(sources, discovery.SourceDocker)
	}
	book := journal.New(journal.Options{Entries: cfg.LogEntries, Traffic: cfg.Traffic})
	gw := gateway.New(gateway.Config{
		Version: version, Log: log, Journal: book,
		MaxBody: cfg.MaxBody, MaxMessage: cfg.MaxMessage, MaxSessions: cfg.MaxSessions,
		CallTimeout: cfg.CallTimeout, ConnectTimeout: cfg.ConnectTimeout,
		StartupWait: cfg.StartupWait, Sources: sources,
		SessionIdle: cfg.SessionIdle, PingInterval: cfg.PingInterval,
		AllowedHosts: cfg.AllowedHosts, AllowedOrigins: cfg.AllowedOrigins, BasePath: cfg.basePath(), Token: token,
		DescriptionPrefix: cfg.DescriptionPrefix,
		Key:               loadKey(cfg.ConfigPath, log),
	})
	registered := manual.New(cfg.ConfigPath, log)
	switches := manual.NewSwitchboard(switchesFile(cfg.ConfigPath), log, gw)
	providers := []discovery.Provider{registered}
	var watcher *docker.Provider
	if cfg.Docker {
		watch := dockerConfig(cfg)
		watch.Log, watch.NamesFile = log, namesFile(cfg.ConfigPath)
		watcher = docker.New(watch)
		providers = append(providers, watcher)
	}

	var stopping atomic.Bool
	control := api.Config{
		Gateway: gw, Manual: registered, Switches: switches, MCP: gw.Handler(), Check: gw.Check,
		// The file is read in no time, and what it says is part of the service. The
		// engine may be away for hours, and holds up nobody.
		Ready:    func() bool { return !stopping.Load() && gw.Heard(discovery.SourceManual) },
		ReadOnly: cfg.Dashboard == dashboardReadOnly, Token: token,
		Version: version, Log: log,
	}
	if cfg.Base != nil {
		control.BaseURL = cfg.Base.String()
	}
	if cfg.Dashboard != dashboardOff {
		if control.Page, err = web.New(web.Embedded()); err != nil {
			_ = l.Close()
			return err
		}
		if !control.Page.Built() {
			log.Info("this program was built without its dashboard", "fix", "make build")
		}
	}
	if watcher != nil { // a nil *Provider in the interface would not be nil
		control.Discovery = watcher
	}

	log.Info("serving", "version", version, "address", l.Addr().String(), "token", token != nil)
	board := api.New(control)
	return life{
		log: log, handler: board, drain: cfg.ShutdownTimeout,
		notReady:   func() { stopping.Store(true) },
		endStreams: gw.EndStreams,
		work: []func(context.Context) error{
			gw.Run,
			switches.Run,
			board.Run,
			func(ctx context.Context) error { return discovery.Watch(ctx, gw, providers...) },
		},
	}.run(ctx, l)
}

// switchesFile is where is kept what people switched off.
func switchesFile(configPath string) string {
	return filepath.Join(filepath.Dir(configPath), "switches.json")
}

// namesFile is where the docker provider keeps who has which name.
func namesFile(configPath string) string {
	return filepath.Join(filepath.Dir(configPath), "names.json")
}
