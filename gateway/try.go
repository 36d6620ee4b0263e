package gateway

import (
	"context"
	"log/slog"
	"sync"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/pool"
)

// Try connects to b once, as it would be connected if it were wanted, lists what it
// has, and gives it up again. It answers how far that came until ctx ended. Nobody
// else hears of it.
func (g *Gateway) Try(ctx context.Context, b discovery.Backend) BackendState {
	cfg := g.upstreamConfig()
	cfg.Log, cfg.Record, cfg.Updated = slog.New(slog.DiscardHandler), unrecorded{}, nil
	up := pool.New(b, cfg, func() {})
	var work sync.WaitGroup
	up.Start(&work)
	up.AwaitAttempt(ctx, 0)
	state := g.describe(&member{name: b.Name, want: b, up: up})
	up.Stop()
	work.Wait()
	return state
}

// unrecorded is an upstream.Recorder of what is nobody's business.
type unrecorded struct{}

func (unrecorded) Backend(journal.Level, string, string) {}
