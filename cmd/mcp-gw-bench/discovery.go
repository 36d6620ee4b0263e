package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/engine"
	"mcp-gw/cmd/mcp-gw-bench/internal/subject"
	"mcp-gw/cmd/mcp-gw-bench/internal/watcher"
)

// discoveryCommand measures at a connected client, because that is where it
// counts: the time from the moment in which the engine said that a container
// runs until the client was told that the tool list changed, asked for it, and
// read the tool in the answer. The client does not poll. It asks when it is
// told, so a notification that comes too early or not at all shows as a late
// tool, not as one found by luck. Between list_changed and the answer lies one
// round trip over loopback, which belongs to the figure.
//
// Between being listed and being killed a container has a rest: the gateway
// announces changes that follow each other closely together, and a kill right
// after the start would measure that.
//
// The gateway runs on this host, where a container's address can be reached on
// Linux, in a network of its own, so that other containers are not seen.
type discoveryCommand struct {
	Runs    int           `help:"Containers to start and kill, for each of the two kinds of clients." default:"50"`
	Network string        `help:"Network to make for the time of the measurement." default:"mcp-gw-bench-net"`
	Gateway string        `help:"Measure this mcp-gw binary instead of building one." placeholder:"PATH" type:"existingfile"`
	Rest    time.Duration `help:"How long a container is left alone before it is killed." default:"500ms"`
	Only    []string      `help:"Rows to measure: start (and kill), run, listens, refused, routed, recreate, cut, back, lost, crowd, idle. All when left out." placeholder:"ROW"`
	Crowd   int           `help:"Containers of the crowd." default:"200"`
	Settle  time.Duration `help:"How long nothing happens before the idle gateway is looked at." default:"1m"`
	Idle    time.Duration `help:"How long it is looked at." default:"5m"`
	Limit   time.Duration `help:"When a change that was not seen counts as failed." default:"15s"`
	Check   bool          `help:"Exit with 1 also when a promise was not kept."`
	JSON    string        `help:"File to write everything measured to." placeholder:"FILE"`
}

func (c *discoveryCommand) Validate() error {
	for _, name := range c.Only {
		if name != "start" && !slices.ContainsFunc(rows, func(r row) bool { return r.name == name }) {
			return fmt.Errorf("--only %s: there is no such row", name)
		}
	}
	if c.Crowd < 1 || c.Idle <= 0 || c.Settle < 0 {
		return fmt.Errorf("--crowd %d, --idle %s, --settle %s: want at least 1, more than 0, and no less than 0", c.Crowd, c.Idle, c.Settle)
	}
	if c.Runs < 1 || c.Limit <= 0 || c.Rest < 0 {
		return fmt.Errorf("--runs %d, --limit %s, --rest %s: want at least 1, more than 0, and no less than 0", c.Runs, c.Limit, c.Rest)
	}
	return nil
}

// delays are how long the changes took that one kind of client saw.
type delays struct {
	Client string          `json:"client"`
	Start  []time.Duration `json:"start_ns"` // from docker start having returned until listed
	Kill   []time.Duration `json:"kill_ns"`  // from docker kill being called until gone
}

func (c *discoveryCommand) Run(ctx context.Context, t terminal) (err error) {
	dir, err := os.MkdirTemp("", "mcp-gw-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	t.log.Info("building")
	server, err := subject.Build(ctx, dir, "examples/demo")
	if err != nil {
		return err
	}
	binary := c.Gateway
	if binary == "" {
		if binary, err = subject.Build(ctx, dir, "cmd/mcp-gw"); err != nil {
			return err
		}
	}
	e, err := engine.Open(ctx, c.Network, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	start := func(ctx context.Context, flags ...string) (*subject.Gateway, error) {
		return subject.Start(ctx, binary, dir, nil, append([]string{"--docker=auto", "--network=" + c.Network}, flags...)...)
	}
	gw, err := start(ctx)
	if err != nil {
		return err
	}
	r := &rig{discoveryCommand: c, engine: e, gw: gw, start: start}
	defer func() { r.gw.Stop() }()

	var all []delays
	for _, version := range []string{sessions, stateless} {
		if !c.wants("start") {
			break
		}
		t.log.Info("measuring", "client", version, "runs", c.Runs)
		d, err := c.measure(ctx, e, gw.URL, version)
		if err != nil {
			return fmt.Errorf("%w%s", err, gw.Tail())
		}
		all = append(all, d)
	}
	missed, err := printDelays(t.out, all)
	if err != nil {
		return err
	}
	others, err := c.rows(ctx, t, r)
	if len(others) > 0 {
		more, bad := printRows(t.out, others)
		missed, err = missed+more, errors.Join(err, bad)
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, r.gw.Tail())
	}
	if c.JSON != "" {
		text, bad := json.MarshalIndent(map[string]any{"clients": all, "rows": others}, "", " ")
		err = errors.Join(err, bad, os.WriteFile(c.JSON, append(text, '\n'), 0o644))
	}
	if c.Check && missed > 0 {
		err = errors.Join(err, fmt.Errorf("%d promises were not kept", missed))
	}
	return err
}

func (c *discoveryCommand) wants(name string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, name)
}

// connect is a client of 2026-07-28.
func (c *discoveryCommand) connect(ctx context.Context, url string) (*watcher.Watcher, error) {
	return watcher.Connect(ctx, url, stateless)
}

// rows measures what is wanted of them. What was measured before an error is answered
// with it.
func (c *discoveryCommand) rows(ctx context.Context, t terminal, r *rig) (all []result, err error) {
	if r.client, err = c.connect(ctx, r.gw.URL); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.client.Close()) }()
	for _, row := range rows {
		if !c.wants(row.name) {
			continue
		}
		t.log.Info("measuring", "row", row.name)
		one := result{Name: row.name, What: row.what, row: row}
		if row.measure != nil {
			one.Times, err = row.measure(ctx, r)
		} else {
			one.Figures, err = row.plain(ctx, r)
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", row.name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// measure starts and kills containers under one client's eyes. The first one
// does not count: it warms up all that takes part.
func (c *discoveryCommand) measure(ctx context.Context, e *engine.Engine, url, version string) (delays, error) {
	d := delays{Client: version}
	w, err := watcher.Connect(ctx, url, version)
	if err != nil {
		return d, err
	}
	defer w.Close()
	for i := range c.Runs + 1 {
		start, kill, err := c.once(ctx, e, w, fmt.Sprintf("bench%d", i))
		if err != nil {
			return d, fmt.Errorf("run %d, client of %s: %w", i, version, err)
		}
		if i > 0 {
			d.Start, d.Kill = append(d.Start, start), append(d.Kill, kill)
		}
	}
	return d, nil
}

func (c *discoveryCommand) once(ctx context.Context, e *engine.Engine, w *watcher.Watcher, name string) (start, kill time.Duration, err error) {
	id, err := e.Create(ctx, name, map[string]string{"mcp-gw.port": "8080", "mcp-gw.name": name})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, e.Remove(context.WithoutCancel(ctx), id)) }()
	tool := name + "__time_in"
	w.Forget()
	// The tool may be listed before docker start has returned; waiting begins
	// before it so that this is seen, and such a delay counts as nought.
	type seen struct {
		at  time.Time
		err error
	}
	listed := make(chan seen, 1)
	go func() {
		at, err := w.Await(ctx, tool, true, c.Limit)
		listed <- seen{at, err}
	}()
	startErr := e.Start(ctx, id)
	returned := time.Now()
	s := <-listed
	if err := errors.Join(startErr, s.err); err != nil {
		return 0, 0, err
	}
	start = max(0, s.at.Sub(returned))

	if err := pause(ctx, c.Rest); err != nil {
		return 0, 0, err
	}
	w.Forget()
	gone := make(chan seen, 1)
	go func() {
		at, err := w.Await(ctx, tool, false, c.Limit)
		gone <- seen{at, err}
	}()
	invoked := time.Now()
	killErr := e.Kill(ctx, id)
	s = <-gone
	if err := errors.Join(killErr, s.err); err != nil {
		return 0, 0, err
	}
	return start, s.at.Sub(invoked), nil
}

// percentile is the smallest of sorted that a share of q does not exceed.
func percentile(sorted []time.Duration, q float64) time.Duration {
	i := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

func sorted(d []time.Duration) []time.Duration { return slices.Sorted(slices.Values(d)) }
