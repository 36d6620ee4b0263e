// Package watcher is an MCP client that waits for tools to come and go, as an
// agent's client does: it lists the tools when the server says that the list has
// changed, and only then.
package watcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// Watcher is a connected client.
type Watcher struct {
	client  *client.Client
	end     func()        // of the listen stream
	changed chan struct{} // capacity 1: a doorbell, not a queue
}

// Connect opens a session with a GET stream, or, for 2026-07-28, a
// subscriptions/listen stream.
func Connect(ctx context.Context, url, version string) (*Watcher, error) {
	legacy := version < mcp.ProtocolVersion20260728
	listening := make(chan struct{}, 1)
	options := []transport.StreamableHTTPCOption{
		transport.WithHTTPBasicClient(&http.Client{Transport: tell{listening}}),
		transport.WithHTTPLogger(slog.New(slog.DiscardHandler)), // what matters comes back as an error
	}
	if legacy {
		//lint:ignore SA1019 the versions before 2026-07-28 have nothing else
		options = append(options, transport.WithContinuousListening())
	}
	tr, err := transport.NewStreamableHTTP(url, options...)
	if err != nil {
		return nil, err
	}
	w := &Watcher{client: client.NewClient(tr, client.WithProtocolVersion(version)), end: func() {}, changed: make(chan struct{}, 1)}
	w.client.OnNotification(func(n mcp.JSONRPCNotification) {
		switch n.Method {
		case mcp.MethodNotificationToolsListChanged:
			ring(w.changed)
		case mcp.MethodNotificationSubscriptionsAcknowledged:
			ring(listening)
		}
	})
	if err := w.connect(ctx, version, legacy, listening); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s as a client of %s: %w", url, version, err), w.Close())
	}
	return w, nil
}

func (w *Watcher) connect(ctx context.Context, version string, legacy bool, listening <-chan struct{}) error {
	if err := w.client.Start(ctx); err != nil {
		return err
	}
	var init mcp.InitializeRequest
	init.Params.ProtocolVersion = version
	init.Params.ClientInfo = mcp.Implementation{Name: "mcp-gw-bench", Version: "1.0.0"}
	if _, err := w.client.Initialize(ctx, init); err != nil {
		return err
	}
	if got := w.client.ProtocolVersion(); got != version {
		return fmt.Errorf("the server speaks %s, want %s", got, version)
	}
	if !legacy {
		end, err := w.client.ListenAsync(ctx, mcp.SubscriptionFilter{ToolsListChanged: true}, nil)
		if err != nil {
			return err
		}
		w.end = end
	}
	select {
	case <-listening:
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("no stream for notifications within 10s")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tell rings when a session's GET stream was opened, of which the client says
// nothing.
type tell struct{ listening chan<- struct{} }

func (t tell) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && res.StatusCode == http.StatusOK {
		ring(t.listening)
	}
	return res, err
}

func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// Forget drops a change that was announced before.
func (w *Watcher) Forget() {
	select {
	case <-w.changed:
	default:
	}
}

// Await waits until the list was announced as changed and, asked for, has the
// tool, or has it no longer. It returns when that answer was there.
func (w *Watcher) Await(ctx context.Context, tool string, listed bool, limit time.Duration) (time.Time, error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	for rung := 0; ; rung++ {
		select {
		case <-w.changed:
		case <-late.C:
			return time.Time{}, fmt.Errorf("%s listed %v: not seen within %s, after %d list_changed; tools/list says %s",
				tool, listed, limit, rung, w.state(ctx, tool))
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
		has, err := w.Lists(ctx, tool)
		if err != nil {
			return time.Time{}, err
		}
		if has == listed {
			return time.Now(), nil
		}
	}
}

func (w *Watcher) state(ctx context.Context, tool string) string {
	has, err := w.Lists(ctx, tool)
	return fmt.Sprintf("%v, %v", has, err)
}

// Lists reports whether tools/list has the tool.
func (w *Watcher) Lists(ctx context.Context, tool string) (bool, error) {
	names, err := w.Names(ctx)
	return slices.Contains(names, tool), err
}

// Names answers the names of all tools.
func (w *Watcher) Names(ctx context.Context) ([]string, error) {
	list, err := w.client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, fmt.Errorf("tools/list: %w", err)
	}
	names := make([]string, len(list.Tools))
	for i, t := range list.Tools {
		names[i] = t.Name
	}
	return names, nil
}

// Close ends the session.
func (w *Watcher) Close() error {
	w.end()
	return w.client.Close()
}
