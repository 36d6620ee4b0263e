// Command demo is a small MCP server to try mcp-gw with, and the backend of its
// end-to-end tests. It serves streamable HTTP at /mcp, in sessions
// (2025-11-25 and before) and stateless (2026-07-28), and keeps everything in
// memory. Its tools are of the kinds that a gateway has to do right: quick ones
// with structured results, one that remembers, a slow one that reports progress
// and can be cancelled, and one that changes the list of tools.
//
// It needs nothing but its binary: no shell, no files, no time zone database.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mark3labs/mcp-go/server"
)

// maxBody is the longest request that is read, in bytes.
const maxBody = 1 << 20

// drain is how long calls in flight may take once the server is told to stop.
// It is shorter than the ten seconds after which Docker kills a container.
const drain = 5 * time.Second

type options struct {
	Listen string        `help:"Address to listen on." default:":8080" env:"DEMO_LISTEN"`
	Wait   time.Duration `help:"How long to wait before listening, as servers do that have much to load." default:"0s" env:"DEMO_WAIT"`
	Name   string        `help:"Name that the server introduces itself with." default:"demo" env:"DEMO_NAME"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("demo"), kong.Description("A small MCP server: streamable HTTP at /mcp."))
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	select {
	case <-time.After(o.Wait):
	case <-ctx.Done():
		return
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		log.Error("cannot listen", "address", o.Listen, "err", err)
		os.Exit(1)
	}
	log.Info("serving", "url", fmt.Sprintf("http://%s/mcp", l.Addr()))
	if err := serve(ctx, l, newServer(o.Name)); err != nil {
		log.Error("stopped", "err", err)
		os.Exit(1)
	}
}

// serve answers on l until ctx ends, then lets the calls in flight finish.
func serve(ctx context.Context, l net.Listener, mcp *server.MCPServer) error {
	streams := server.NewStreamableHTTPServer(mcp,
		// A restarted server answers 404 to sessions it does not know, as the
		// specification wants, so that clients open new ones.
		server.WithStateful(true),
		// Many clients never end their sessions.
		server.WithSessionIdleTTL(time.Hour),
		server.WithHeartbeatInterval(20*time.Second),
	)
	mux := http.NewServeMux()
	mux.Handle("/mcp", http.MaxBytesHandler(endWith(ctx, streams), maxBody))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := srv.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-failed
	return errors.Join(err, streams.Shutdown(late))
}

// endWith ends streams that have no end of their own (GET, and
// subscriptions/listen) when ctx ends: the server would wait for them in vain.
// Calls are left alone.
func endWith(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Header.Get("Mcp-Method") == "subscriptions/listen" {
			c, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			r = r.WithContext(c)
		}
		h.ServeHTTP(w, r)
	})
}
