package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// headerTimeout is how long a client may take to send a request's header. A
	// body has no such limit, a response neither: calls and streams are as long
	// as they are.
	headerTimeout = 10 * time.Second
	// idleTimeout ends unused connections; longer than the minute after which
	// most proxies end theirs, so that it is not us who closes under a request.
	idleTimeout = 2 * time.Minute
	// maxHeader bounds a request's header, in bytes.
	maxHeader = 64 << 10
)

// life is the order in which the parts of a gateway start and stop.
type life struct {
	log     *slog.Logger
	handler http.Handler
	// notReady turns readiness off; endStreams ends the streams of MCP clients
	// that would never end by themselves, those of requests still to come included.
	notReady, endStreams func()
	// drain is how long running calls may take to finish.
	drain time.Duration
	// work runs beside the server until its context ends. An error ends all.
	work []func(context.Context) error
}

// run serves on l until ctx ends or a part fails, and returns when everything
// that it started has ended.
func (f life) run(ctx context.Context, l net.Listener) error {
	// The parts outlive ctx: calls that are finishing need their backends.
	workCtx, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	// Requests end with the server, not with ctx; see the end of stop.
	requests, endRequests := context.WithCancel(workCtx)
	defer endRequests()
	// Log streams and the like are GETs, as no call is: they end before the calls.
	reads, endReads := context.WithCancel(workCtx)
	defer endReads()
	server := &http.Server{
		Handler:           endingReads(f.handler, reads),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}

	failed := make(chan error, len(f.work)+1) // each part reports once at most
	var running sync.WaitGroup
	for _, part := range f.work {
		running.Go(func() {
			if err := part(workCtx); err != nil && workCtx.Err() == nil {
				failed <- err
			}
		})
	}
	running.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
		}
	})

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	f.stop(server, endReads, endRequests, endWork)
	running.Wait()
	return cause
}

// stop ends the server and the parts. The order is what makes a restart
// unnoticed by clients that are in the middle of a call.
func (f life) stop(server *http.Server, endReads, endRequests, endWork func()) {
	began := time.Now()
	f.log.Info("stopping", "timeout", f.drain)

	// 1. Readiness off: whoever balances load sends new clients elsewhere while
	// everything here still works.
	f.notReady()

	// 2. Endless streams. Shutdown waits for every request, and these would make
	// it wait until the timeout, each time.
	f.endStreams()
	endReads()

	// 3. The server takes no more connections and waits for the calls in flight.
	ctx, cancel := context.WithTimeout(context.Background(), f.drain)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		// They had their time. Their contexts end first, so that backends are told
		// to cancel; then their connections.
		f.log.Warn("calls were still running at the end of the shutdown timeout, and are cut off", "timeout", f.drain)
		endRequests()
		if err := server.Close(); err != nil {
			f.log.Debug("closing connections", "err", err)
		}
	}

	// 4. Only now the parts: connections to backends, watchers, files. No call
	// is left that could need them.
	endWork()
	f.log.Debug("server stopped", "after", time.Since(began))
}

// endingReads gives each GET a context that also ends with reads.
func endingReads(next http.Handler, reads context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(reads, cancel)()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}
