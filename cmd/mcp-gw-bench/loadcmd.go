package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

type loadCommand struct {
	URL       string            `help:"MCP endpoint." default:"http://127.0.0.1:9100/mcp"`
	Mode      string            `help:"call (tools/call) or list (tools/list, all pages)." enum:"call,list" default:"call"`
	Tool      string            `help:"Tool to call; in list mode, one that must be listed." default:"echo"`
	Args      string            `help:"Raw JSON arguments instead of an echo payload, such as {\"ms\":100} for sleep."`
	Version   string            `help:"Protocol version to ask for; 2026-07-28 is the stateless form." default:"2025-11-25"`
	Clients   int               `short:"c" help:"Clients at a time, a session and a connection each." default:"16"`
	Payload   int               `help:"Bytes to echo." default:"100"`
	WantTools int               `help:"In list mode, tools there must be; 0: any number."`
	Duration  time.Duration     `short:"d" help:"Time to measure." default:"5s"`
	Warmup    time.Duration     `help:"Time before that." default:"1s"`
	Timeout   time.Duration     `help:"Of one request." default:"30s"`
	PID       int               `help:"Process whose CPU time and memory to sample, with its descendants."`
	JSON      bool              `help:"Print JSON."`
	Header    map[string]string `short:"H" help:"Headers to send, as Name=value."`
}

func (c *loadCommand) Run(ctx context.Context, t terminal) error {
	r, err := load.Run(ctx, load.Config{
		URL: c.URL, Header: c.Header, Version: c.Version, Mode: c.Mode, Tool: c.Tool, Args: c.Args, Payload: c.Payload,
		WantTools: c.WantTools, Clients: c.Clients, Duration: c.Duration, Warmup: c.Warmup, Timeout: c.Timeout, PID: c.PID,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(t.out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		_, err = fmt.Fprintln(t.out, describe(r, c.PID > 0))
	}
	return errors.Join(err, wrong(r))
}

// describe is a result in a line, and a line for each kind of error.
func describe(r *load.Result, process bool) string {
	lines := []string{fmt.Sprintf("%d clients, %.1f s, %s: %.0f/s  p50 %.3f  p90 %.3f  p99 %.3f  max %.1f ms  errors %d",
		r.Clients, r.Seconds, r.Version, r.PerSecond, r.P50, r.P90, r.P99, r.Max, r.Errors)}
	if process {
		lines[0] += fmt.Sprintf("  cpu %.1f µs each  rss %.1f MB", r.CPU*1000, r.RSS)
	}
	var kinds []string
	for kind, n := range r.Kinds {
		kinds = append(kinds, fmt.Sprintf("  %6d × %s", n, kind))
	}
	slices.Sort(kinds)
	lines = append(lines, kinds...)
	for _, s := range r.Samples {
		lines = append(lines, "  e.g. "+s)
	}
	return strings.Join(lines, "\n")
}

// wrong returns an error unless all answers came and were right.
func wrong(r *load.Result) error {
	switch {
	case r.Died:
		return errors.New("the measured process ended")
	case r.Errors > 0:
		return fmt.Errorf("%d wrong or missing answers, %v", r.Errors, r.Kinds)
	case r.OK == 0:
		return errors.New("no answer within the measured time")
	}
	return nil
}
