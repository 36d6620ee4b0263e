package gateway

import (
	"context"
	"fmt"
	"time"

	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/pool"
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

func (c core) Subscribe(ctx context.Context, backend, uri string, lane *upstream.Lane) (own bool, err error) {
	m := c.g.registry.Load().byName[backend]
	if m == nil {
		return false, fmt.Errorf("backend %q is not there any more", backend)
	}
	return subscribe(ctx, m.up, uri, lane)
}

func subscribe(ctx context.Context, up *pool.Pool, uri string, lane *upstream.Lane) (own bool, err error) {
	if lane != nil {
		if own, err = up.SubscribeAs(ctx, lane, uri); own || err != nil {
			return own, err
		}
	}
	return false, up.Subscribe(ctx, uri)
}

// unsubscribePatience bounds what a backend may take to hear that a client watches a
// resource no more.
const unsubscribePatience = 5 * time.Second

func (c core) Unsubscribe(backend, uri string, lane *upstream.Lane) {
	m := c.g.registry.Load().byName[backend]
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), unsubscribePatience)
	defer cancel()
	if lane == nil || !m.up.UnsubscribeAs(ctx, lane, uri) {
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
// pool does so itself.
func (g *Gateway) resubscribe(name string, up *pool.Pool) {
	if g.resumed[up] {
		return
	}
	g.resumed[up] = true
	watches := g.handler.Watched(name)
	if len(watches) == 0 {
		return
	}
	g.upWork.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), resubscribePatience)
		defer cancel()
		for _, w := range watches {
			own, err := subscribe(ctx, up, w.URI, w.Lane)
			w.Took(own)
			if err != nil {
				g.cfg.Log.Warn("a resource cannot be watched any more", "backend", name, "uri", w.URI, "err", err)
			}
		}
	})
}
