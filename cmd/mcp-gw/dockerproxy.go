package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"mcp-gw/discovery/docker"
	"mcp-gw/discovery/dockerproxy"
)

// dockerProxy stands between a gateway and the engine's socket, in a container of
// its own, until it is told to stop or the socket is stale.
func dockerProxy(ctx context.Context, cfg config, t terminal) error {
	log := newLog(cfg, t.err)
	for _, w := range cfg.Warnings {
		log.Warn("unknown setting", "problem", w)
	}
	host := cfg.DockerHost
	if host == "" {
		host = docker.DefaultHost()
	}
	socket, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return fmt.Errorf("DOCKER_HOST=%s: expected the engine's socket, such as unix:///var/run/docker.sock; what is behind tcp has a guard of its own, or needs one there", host)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	l, err := net.Listen("tcp", cfg.ProxyListen)
	if err != nil {
		return fmt.Errorf("%w; set MCP_GW_PROXY_LISTEN", err)
	}
	log.Info("guarding the engine's socket", "version", version, "address", l.Addr().String(), "socket", socket, "network", cfg.DockerNetwork)
	return dockerproxy.New(dockerproxy.Config{
		Socket: socket, Network: cfg.DockerNetwork, LabelPrefix: cfg.DockerPrefix, AllowExec: cfg.DockerRules.AllowExec, Log: log,
	}).Run(ctx, l)
}
