package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
	"mcp-gw/cmd/mcp-gw-bench/internal/proc"
	"mcp-gw/cmd/mcp-gw-bench/internal/procstat"
	"mcp-gw/cmd/mcp-gw-bench/internal/report"
	"mcp-gw/cmd/mcp-gw-bench/internal/subject"
)

type runCommand struct {
	Rounds    int           `help:"Rounds, each of which measures every target in every scenario." default:"5"`
	Duration  time.Duration `short:"d" help:"Time to measure one target in one scenario of one round." default:"2s"`
	Warmup    time.Duration `help:"Time before that." default:"500ms"`
	Quick     bool          `help:"One very short round: shows that all of it works, not how fast."`
	Check     bool          `help:"Exit with 1 also when a promise was not kept."`
	JSON      string        `help:"File to write everything measured to." placeholder:"FILE"`
	Gateway   string        `help:"Measure this mcp-gw binary instead of building one." placeholder:"PATH" type:"existingfile"`
	NoGateway bool          `help:"Measure the yardsticks alone."`
	Raw       bool          `help:"Measure rawfloor as well."`
	Mixed     bool          `help:"Measure calls between clients and backends of different eras as well."`
}

func (c *runCommand) Validate() error {
	if c.Rounds < 1 || c.Duration <= 0 || c.Warmup < 0 {
		return fmt.Errorf("--rounds %d, --duration %s, --warmup %s: want at least 1, more than 0, and no less than 0", c.Rounds, c.Duration, c.Warmup)
	}
	return nil
}

// ports is how many the fleet listens on. Further backends share them, told
// apart by their paths.
const ports = 10

// settle is how long an idle gateway is left alone before its memory is read.
const settle = 3 * time.Second

func (c *runCommand) Run(ctx context.Context, t terminal) (err error) {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("CPU time and memory are read from /proc, which %s does not have; run it on Linux", runtime.GOOS)
	}
	if c.Quick {
		c.Rounds, c.Duration, c.Warmup = 1, 100*time.Millisecond, 50*time.Millisecond
	}
	dir, err := os.MkdirTemp("", "mcp-gw-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := c.Gateway
	if binary == "" && !c.NoGateway {
		t.log.Info("building the gateway")
		if binary, err = subject.Build(ctx, dir, "cmd/mcp-gw"); err != nil {
			return err
		}
	}
	b := &bench{runCommand: *c, log: t.log, dir: dir, binary: binary, report: &report.Report{Time: time.Now()}}
	for _, g := range groups(c.Mixed) {
		if err := b.group(ctx, g); err != nil {
			return err
		}
	}
	err = b.report.Print(t.out)
	if c.JSON != "" {
		err = errors.Join(err, b.report.Write(c.JSON))
	}
	if len(b.report.Failures) > 0 {
		err = errors.Join(err, fmt.Errorf("%d measurements had wrong or missing answers", len(b.report.Failures)))
	}
	if c.Check {
		for _, v := range b.report.Verdicts() {
			if !v.Met() {
				err = errors.Join(err, fmt.Errorf("%s: %.2f %s, promised at most %.4g", v.What, v.Measured, v.Unit, v.Limit))
			}
		}
	}
	return err
}

// bench is one run.
type bench struct {
	runCommand
	log    *slog.Logger
	dir    string // for everything it writes, removed at the end
	binary string // of the gateway; empty: yardsticks alone
	report *report.Report
}

// target is one endpoint to measure.
type target struct {
	name string
	pid  int
	// config completes the load for a scenario: the address, and the names of
	// tools there.
	config func(scenario) load.Config
}

// group starts what g needs, measures its scenarios in interleaved rounds, and
// stops everything.
func (b *bench) group(ctx context.Context, g group) error {
	targets, stop, err := b.start(ctx, g)
	defer stop()
	if err != nil {
		return err
	}
	first := len(b.report.Scenarios)
	for _, s := range g.scenarios {
		sc := &report.Scenario{Name: s.name(g.tools()), Limit: s.limit, Rounds: map[string][]*load.Result{}}
		for _, t := range targets {
			sc.Targets = append(sc.Targets, t.name)
		}
		b.report.Scenarios = append(b.report.Scenarios, sc)
	}
	for round := range b.Rounds {
		for i, s := range g.scenarios {
			sc := b.report.Scenarios[first+i]
			// To and fro, so that none always comes after the same neighbour.
			order := slices.Clone(targets)
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, t := range order {
				cfg := t.config(s)
				cfg.Version, cfg.Mode, cfg.Clients, cfg.Payload = s.client, s.mode, s.clients, s.payload
				cfg.Duration, cfg.Warmup, cfg.Timeout, cfg.PID = b.Duration, b.Warmup, 20*time.Second, t.pid
				r, err := load.Run(ctx, cfg)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err == nil {
					err = wrong(r)
					b.log.Info("measured", "round", round+1, "load", sc.Name, "target", t.name,
						"per_second", int(r.PerSecond), "p99_ms", fmt.Sprintf("%.2f", r.P99), "cpu_us", fmt.Sprintf("%.1f", r.CPU*1000))
				}
				if err != nil {
					failure := fmt.Sprintf("%s, %s, round %d: %v", sc.Name, t.name, round+1, err)
					if r != nil {
						failure += "\n" + describe(r, true)
					}
					b.report.Failures = append(b.report.Failures, failure)
					b.log.Error("wrong answers", "load", sc.Name, "target", t.name, "err", err)
				}
				sc.Rounds[t.name] = append(sc.Rounds[t.name], r)
			}
		}
	}
	return nil
}

// start starts the fleet, the floors and the gateway. stop ends what was
// started, also after an error.
func (b *bench) start(ctx context.Context, g group) (targets []target, stop func(), err error) {
	var running []*proc.Process
	stop = func() {
		for _, p := range slices.Backward(running) {
			p.Stop()
		}
	}
	server := func(name string, args ...string) ([]string, error) {
		p, urls, err := proc.Serve(ctx, filepath.Join(b.dir, name+".log"), args...)
		if err == nil {
			running = append(running, p)
		}
		return urls, err
	}
	yardstick := func(name, url string) target {
		return target{name, running[len(running)-1].PID(), func(s scenario) load.Config {
			if s.mode == load.ModeList {
				return load.Config{URL: fmt.Sprintf("%s/mcp?tools=%d", url, g.tools()), Tool: "echo", WantTools: g.tools()}
			}
			return load.Config{URL: url + "/mcp", Tool: "echo"}
		}}
	}

	fleet, err := server("backend", "backend", "--port=0", fmt.Sprint("--ports=", ports), fmt.Sprint("--tools=", g.toolsEach))
	if err != nil {
		return nil, stop, err
	}
	targets = append(targets, yardstick(report.Direct, fleet[0]))
	floors := map[string]string{report.Floor: "floor"}
	names := []string{report.Floor}
	if b.Raw {
		floors[report.Raw] = "rawfloor"
		names = append(names, report.Raw)
	}
	for _, name := range names {
		urls, err := server(name, floors[name], "--listen=127.0.0.1:0", "--to="+fleet[0])
		if err != nil {
			return nil, stop, err
		}
		targets = append(targets, yardstick(name, urls[0]))
	}
	if b.binary == "" {
		return targets, stop, nil
	}
	gw, err := subject.Start(ctx, b.binary, b.dir, register(g, fleet), "--docker=off")
	if err != nil {
		return nil, stop, err
	}
	running = append(running, gw.Process)
	targets = append(targets, target{report.Gateway, gw.PID(), func(s scenario) load.Config {
		tool := backendOf(s.backend) + "__echo"
		if s.mode == load.ModeList {
			return load.Config{URL: gw.URL, Tool: tool, WantTools: g.tools()}
		}
		return load.Config{URL: gw.URL, Tool: tool}
	}})
	return targets, stop, b.ready(ctx, g, gw)
}

// register describes the fleet to the gateway. Odd backends speak both eras,
// even ones know sessions only.
func register(g group, fleet []string) []subject.Backend {
	var all []subject.Backend
	for i := range g.backends {
		path := fmt.Sprintf("/%d/mcp", i+1)
		if (i+1)%2 == 0 {
			path = "/legacy" + path
		}
		all = append(all, subject.Backend{Name: fmt.Sprint("b", i+1), URL: fleet[i%len(fleet)] + path, Transport: "http", Enabled: true})
	}
	return all
}

// backendOf names a backend whose latest protocol version is version.
func backendOf(version string) string {
	if version == stateless {
		return "b1"
	}
	return "b2"
}

// ready waits until the gateway lists all tools, and reads its idle memory.
func (b *bench) ready(ctx context.Context, g group, gw *subject.Gateway) error {
	begin := time.Now()
	var last error
	err := subject.Poll(ctx, time.Minute, func() (bool, error) {
		last = load.Probe(ctx, load.Config{URL: gw.URL, Mode: load.ModeList, Tool: "b1__echo", WantTools: g.tools(), Timeout: 10 * time.Second})
		return last == nil, gw.Ended()
	}, func() string { return fmt.Sprintf("the gateway's tool list: %v%s", last, gw.Tail()) })
	if err != nil {
		return err
	}
	b.log.Info("the gateway lists all tools", "backends", g.backends, "tools", g.tools(), "after", time.Since(begin).Round(time.Millisecond))
	if !g.idle {
		return nil
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	b.report.IdleMB = float64(procstat.RSS(procstat.Tree(gw.PID()))) / 1e6
	return gw.Ended()
}
