package gateway

import (
	"context"
	"fmt"
	"time"

	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/upstream"
)

// core is the Gateway as downstream may use it.
type core struct{ g *Gateway }

var _ downstream.Core = core{}

func (c core) View() *downstream.View { return c.g.view.Load() }

func (c core) Left(lane string) {
	for _, m := range c.g.registry.Load().members {
		m.up.CloseLane(lane)
	}
}

func (c core) Subscribe(ctx context.Context, backend, uri string) error {
	m := c.g.registry.Load().byName[backend]
	if m == nil {
		return fmt.Errorf("backend %q is not there any more", backend)
	}
	return m.up.Subscribe(ctx, uri)
}

func (c core) Unsubscribe(backend, uri string) {
	if m := c.g.registry.Load().byName[backend]; m != nil {
		m.up.Unsubscribe(uri)
	}
}

func (c core) Tell(backend, lane string, message []byte) {
	for _, m := range c.g.registry.Load().members {
		if backend == "" || backend == m.name {
			m.up.Tell(lane, message)
		}
	}
}

func (c core) SyncLevel(lane string) {
	for _, m := range c.g.registry.Load().members {
		m.up.SyncLevel(lane)
	}
}

// resubscribePatience bounds what a backend may take to hear what clients watch.
const resubscribePatience = 30 * time.Second

// resubscribe tells a backend that came anew under a name, for the first time that
// it is connected, which of its resources clients watch. Over a mere reconnect the
// upstream does so itself.
func (g *Gateway) resubscribe(name string, up *upstream.Upstream) {
	if g.resumed[up] {
		return
	}
	g.resumed[up] = true
	uris := g.handler.Watched(name)
	if len(uris) == 0 {
		return
	}
	g.upWork.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), resubscribePatience)
		defer cancel()
		for _, uri := range uris {
			if err := up.Subscribe(ctx, uri); err != nil {
				g.cfg.Log.Warn("a resource cannot be watched any more", "backend", name, "uri", uri, "err", err)
			}
		}
	})
}
