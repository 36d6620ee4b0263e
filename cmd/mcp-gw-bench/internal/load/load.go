// Package mcpload drives an MCP streamable-HTTP endpoint with many client
// sessions and checks every answer.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/procstat"
)

const (
	ModeCall = "call" // tools/call of Tool
	ModeList = "list" // tools/list, all pages
)

// Config says what to do.
type Config struct {
	URL       string            // http://host:port/path
	Header    map[string]string // sent with every request
	Version   string            // protocol version to ask for; 2026-07-28 is the stateless form
	Mode      string
	Tool      string // tool to call; in list mode, one that must be listed
	Args      string // raw JSON arguments instead of {"message": payload}; answers are then not compared
	Payload   int    // bytes of the message to echo
	WantTools int    // in list mode, tools there must be; 0: any number
	Clients   int
	Duration  time.Duration // of measuring; it goes on until one operation has ended
	Warmup    time.Duration // before it
	Timeout   time.Duration // of one request
	PID       int           // process whose CPU time and memory to sample; 0: none
}

// Result is what came of it. Only operations that ended in the measured time
// are counted.
type Result struct {
	Clients   int            `json:"clients"`
	Seconds   float64        `json:"seconds"`
	OK        int            `json:"ok"`
	Errors    int            `json:"errors"`
	PerSecond float64        `json:"per_second"` // OK a second
	P50       float64        `json:"p50_ms"`
	P90       float64        `json:"p90_ms"`
	P99       float64        `json:"p99_ms"`
	Max       float64        `json:"max_ms"`
	CPU       float64        `json:"cpu_seconds_per_1000"` // of PID, per 1000 OK
	RSS       float64        `json:"rss_peak_mb"`          // of PID, in 1e6 bytes
	Kinds     map[string]int `json:"error_kinds,omitempty"`
	Samples   []string       `json:"error_samples,omitempty"`
	Version   string         `json:"protocol_version"`
	Reopened  int            `json:"sessions_reopened,omitempty"`
	Died      bool           `json:"process_died,omitempty"`
}

func (c *Config) defaults() {
	if c.Version == "" {
		c.Version = "2025-11-25"
	}
	if c.Mode == "" {
		c.Mode = ModeCall
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	c.Clients = max(c.Clients, 1)
}

// Probe opens one session, performs one operation and closes the session.
func Probe(ctx context.Context, cfg Config) error {
	cfg.defaults()
	s, err := newSession(&cfg, 0)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	if err := s.open(ctx); err != nil {
		return err
	}
	_, err = s.do(ctx)
	return err
}

// Run drives the endpoint as cfg says. It fails only if a session does not open,
// or if ctx ends before it is done.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg.defaults()
	sessions := make([]*session, cfg.Clients)
	for i := range sessions {
		s, err := newSession(&cfg, i)
		if err == nil {
			sessions[i] = s
			err = s.open(ctx)
		}
		if err != nil {
			closeAll(ctx, sessions)
			return nil, fmt.Errorf("client %d: %w", i+1, err)
		}
	}

	r := &recorder{kinds: map[string]int{}}
	begin := time.Now().Add(cfg.Warmup)
	end := begin.Add(cfg.Duration)
	lat := make([][]time.Duration, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() { lat[i] = s.loop(ctx, begin, r) })
	}

	pause(ctx, time.Until(begin))
	pids := procstat.Tree(cfg.PID)
	cpu, rss := procstat.CPU(pids), procstat.RSS(pids)
	for ctx.Err() == nil {
		left := time.Until(end)
		if left <= 0 && (r.any.Load() || -left > cfg.Timeout) {
			break
		}
		pause(ctx, min(50*time.Millisecond, max(left, time.Millisecond)))
		rss = max(rss, procstat.RSS(pids))
	}
	r.over.Store(true)
	took := time.Since(begin)
	cpu = procstat.CPU(pids) - cpu
	died := cfg.PID > 0 && procstat.Tree(cfg.PID) == nil
	wg.Wait()
	if ctx.Err() != nil {
		closeAll(ctx, sessions)
		return nil, context.Cause(ctx)
	}

	all := slices.Concat(lat...)
	slices.Sort(all)
	res := &Result{
		Clients: cfg.Clients, Seconds: took.Seconds(),
		OK: len(all), Errors: r.errors, Kinds: r.kinds, Samples: r.samples,
		PerSecond: float64(len(all)) / took.Seconds(),
		RSS:       float64(rss) / 1e6,
		Version:   sessions[0].version,
		Died:      died,
	}
	if n := len(all); n > 0 {
		at := func(q float64) float64 { return ms(all[min(n-1, int(q*float64(n)))]) }
		res.P50, res.P90, res.P99, res.Max = at(.50), at(.90), at(.99), ms(all[n-1])
		res.CPU = cpu.Seconds() / float64(n) * 1000
	}
	for _, s := range sessions {
		res.Reopened += s.inits - 1
	}
	closeAll(ctx, sessions)
	return res, nil
}

func closeAll(ctx context.Context, sessions []*session) {
	var wg sync.WaitGroup
	for _, s := range sessions {
		if s != nil {
			wg.Go(func() { s.close(ctx) })
		}
	}
	wg.Wait()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// loop repeats the operation until r is over and returns the latencies of those
// that ended well after begin.
func (s *session) loop(ctx context.Context, begin time.Time, r *recorder) []time.Duration {
	lat := make([]time.Duration, 0, 1<<16)
	for {
		took, err := s.do(ctx)
		now := time.Now()
		if r.over.Load() || ctx.Err() != nil {
			return lat
		}
		switch {
		case err != nil:
			r.fail(err)
			// Whatever it was, go on as a client that noticed.
			pause(ctx, 20*time.Millisecond)
			if !r.over.Load() && needsSession(err) {
				if err := s.open(ctx); err != nil {
					r.fail(err)
				}
			}
		case now.After(begin):
			if lat = append(lat, took); len(lat) == 1 {
				r.any.Store(true)
			}
		}
	}
}

// pause waits for d, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func needsSession(err error) bool {
	var a *answerError
	return !errors.As(err, &a) || a.kind == "HTTP 404" || a.kind == "HTTP 400"
}

// recorder counts errors, from the first to the last request, warm-up too.
type recorder struct {
	any  atomic.Bool // an operation has ended in the measured time, well or not
	over atomic.Bool // the measured time has

	mu      sync.Mutex // guards the rest
	errors  int
	kinds   map[string]int
	samples []string
}

func (r *recorder) fail(err error) {
	r.any.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors++
	kind := "other"
	var a *answerError
	var n net.Error
	switch {
	case errors.As(err, &a):
		kind = a.kind
	case errors.Is(err, syscall.ECONNREFUSED):
		kind = "connection refused"
	case errors.As(err, &n) && n.Timeout():
		kind = "timeout"
	case errors.Is(err, errNoAnswer):
		kind = "no answer in stream"
	default:
		kind = "connection broken"
	}
	r.kinds[kind]++
	if len(r.samples) < 5 {
		r.samples = append(r.samples, fmt.Sprintf("%.300s", err))
	}
}
