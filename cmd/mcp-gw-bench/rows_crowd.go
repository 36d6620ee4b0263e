package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/procstat"
)

// measureCrowd starts 200 containers, some at a time, as an engine does after a
// restart of the machine. The gateway has just started, as it has then: what the rows
// before made it keep, of the calls that it carried, is not a matter of the crowd.
func measureCrowd(ctx context.Context, r *rig) ([]time.Duration, error) {
	if err := r.afresh(ctx); err != nil {
		return nil, err
	}
	for i := range r.Crowd {
		id, _, err := r.named(ctx, fmt.Sprintf("crowd%d", i))
		if err != nil {
			return nil, err
		}
		r.crowd = append(r.crowd, id)
	}
	const atOnce = 8
	slots := make(chan struct{}, atOnce)
	errs := make([]error, len(r.crowd))
	var work sync.WaitGroup
	for i, id := range r.crowd {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = r.engine.Start(ctx, id)
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	began := time.Now()
	for time.Since(began) < time.Minute {
		names, err := r.client.Names(ctx)
		if err != nil {
			return nil, err
		}
		n := 0
		for _, name := range names {
			if strings.HasPrefix(name, "crowd") && strings.HasSuffix(name, "__time_in") {
				n++
			}
		}
		if n == len(r.crowd) {
			return []time.Duration{time.Since(began)}, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.New("not all were listed within a minute")
}

// measureIdle looks at what the gateway takes while nobody calls anything.
func measureIdle(ctx context.Context, r *rig) ([]figure, error) {
	if len(r.crowd) == 0 {
		if _, err := measureCrowd(ctx, r); err != nil {
			return nil, err
		}
	}
	// What the starts have caused is over then, and nobody expects more.
	if err := pause(ctx, r.Settle); err != nil {
		return nil, err
	}
	pids := procstat.Tree(r.gw.PID())
	before, began := procstat.CPU(pids), time.Now()
	if err := pause(ctx, r.Idle); err != nil {
		return nil, err
	}
	used := float64(procstat.CPU(pids)-before) / float64(time.Since(began))
	memory := procstat.RSS(pids)
	if memory == 0 {
		return nil, errors.New("the gateway is not there any more")
	}
	return []figure{
		{"CPU", 100 * used, 0.5, "% of a core"},
		{"memory", float64(memory) / 1e6, 60, "MB"},
	}, nil
}
