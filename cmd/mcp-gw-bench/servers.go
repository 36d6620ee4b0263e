package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/fleet"
	"mcp-gw/cmd/mcp-gw-bench/internal/floor"
	"mcp-gw/cmd/mcp-gw-bench/internal/proc"
)

type backendCommand struct {
	Host   string `help:"Address to listen on." default:"127.0.0.1"`
	Port   int    `help:"First port; 0: any that are free." default:"9100"`
	Ports  int    `help:"Ports to listen on, one after the other, each standing for one backend." default:"1"`
	Tools  int    `help:"Tools in the catalogue, echo and sleep included." default:"50"`
	Page   int    `help:"Tools on a page of tools/list; 0: all on one." default:"0"`
	SSE    bool   `help:"Answer as text/event-stream instead of application/json."`
	Legacy bool   `help:"Refuse the stateless 2026-07-28 form."`
}

func (c *backendCommand) Run(ctx context.Context, t terminal) error {
	var addrs []string
	for i := range c.Ports {
		port := 0
		if c.Port > 0 {
			port = c.Port + i
		}
		addrs = append(addrs, net.JoinHostPort(c.Host, strconv.Itoa(port)))
	}
	return serve(ctx, t, fleet.New(fleet.Options{Tools: c.Tools, Page: c.Page, SSE: c.SSE, Legacy: c.Legacy}), addrs...)
}

type floorCommand struct {
	Listen string   `help:"Address to listen on." default:"127.0.0.1:9300"`
	To     *url.URL `help:"Where to send everything." default:"http://127.0.0.1:9100"`
}

func (c *floorCommand) Run(ctx context.Context, t terminal) error {
	return serve(ctx, t, floor.Proxy(c.To), c.Listen)
}

type rawFloorCommand struct {
	Listen string   `help:"Address to listen on." default:"127.0.0.1:9301"`
	To     *url.URL `help:"Backend, without the path." default:"http://127.0.0.1:9100"`
}

func (c *rawFloorCommand) Run(ctx context.Context, t terminal) error {
	return serve(ctx, t, floor.Raw(c.To), c.Listen)
}

// serve answers with h on all addrs until ctx ends, and says on standard output
// where it listens.
func serve(ctx context.Context, t terminal, h http.Handler, addrs ...string) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	var urls []string
	failed := make(chan error, len(addrs))
	running := 0
	// Streams and calls are cut: whoever measures has what it wanted.
	stop := func() error {
		err := srv.Close()
		for range running {
			if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
				err = errors.Join(err, e)
			}
		}
		return err
	}
	for _, addr := range addrs {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return errors.Join(err, stop())
		}
		urls = append(urls, "http://"+l.Addr().String())
		running++
		go func() { failed <- srv.Serve(l) }()
	}
	if err := proc.Announce(t.out, urls); err != nil {
		return errors.Join(err, stop())
	}
	select {
	case err := <-failed:
		running--
		return errors.Join(err, stop())
	case <-ctx.Done():
		return stop()
	}
}
