package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Rows on one container's coming and going.

// repeat measures n times, each with a container of another name.
func (r *rig) repeat(n int, prefix string, once func(name string) (time.Duration, error)) (all []time.Duration, err error) {
	for i := range n {
		d, err := once(fmt.Sprintf("%s%d", prefix, i))
		if err != nil {
			return all, fmt.Errorf("run %d: %w", i, err)
		}
		all = append(all, max(0, d))
	}
	return all, nil
}

func measureRun(ctx context.Context, r *rig) ([]time.Duration, error) {
	return r.repeat(r.Runs, "run", func(name string) (d time.Duration, err error) {
		seen := r.await(ctx, name+"__time_in", true)
		began := time.Now()
		id, remove, err := r.named(ctx, name)
		defer remove(&err)
		if err == nil {
			err = r.engine.Start(ctx, id)
		}
		s := <-seen
		return s.at.Sub(began), errors.Join(err, s.err)
	})
}

func measureListens(ctx context.Context, r *rig) ([]time.Duration, error) {
	return r.repeat(min(r.Runs, 10), "late", func(name string) (d time.Duration, err error) {
		id, remove, err := r.named(ctx, name, "DEMO_WAIT=2s")
		defer remove(&err)
		if err != nil {
			return 0, err
		}
		seen := r.await(ctx, name+"__time_in", true)
		if err := r.engine.Start(ctx, id); err != nil {
			return 0, err
		}
		s := <-seen
		at, err := r.engine.Listening(ctx, id)
		return s.at.Sub(at), errors.Join(err, s.err)
	})
}

// killed makes calls of a container that is killed, and answers when that was asked
// for, when the engine told, and the calls.
func (r *rig) killed(ctx context.Context, name string, deaths <-chan time.Time) (asked, died time.Time, c *calls, err error) {
	id, remove, err := r.named(ctx, name)
	defer remove(&err)
	if err == nil {
		err = r.up(ctx, id, name)
	}
	if err != nil {
		return asked, died, nil, err
	}
	for len(deaths) > 0 {
		<-deaths
	}
	c = r.hammer(ctx, name)
	defer c.stop()
	gone := r.await(ctx, name+"__time_in", false)
	time.Sleep(100 * time.Millisecond)
	asked = time.Now()
	err = r.engine.Kill(ctx, id)
	select {
	case died = <-deaths:
	case <-time.After(r.Limit):
		err = errors.Join(err, errors.New("no die event"))
	}
	s := <-gone
	time.Sleep(50 * time.Millisecond) // for a call that waits
	return asked, died, c, errors.Join(err, s.err)
}

func measureRefused(ctx context.Context, r *rig) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deaths := r.engine.Deaths(ctx)
	return r.repeat(min(r.Runs, 20), "refused", func(name string) (time.Duration, error) {
		_, died, c, err := r.killed(ctx, name, deaths)
		if err != nil {
			return 0, err
		}
		first, err := c.refused(died, name)
		return first.to.Sub(died), err
	})
}

func measureRouted(ctx context.Context, r *rig) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deaths := r.engine.Deaths(ctx)
	return r.repeat(min(r.Runs, 20), "routed", func(name string) (time.Duration, error) {
		asked, _, c, err := r.killed(ctx, name, deaths)
		if err != nil {
			return 0, err
		}
		last := asked
		for _, one := range c.answered() {
			if one.from.After(last) {
				last = one.from
			}
		}
		return last.Sub(asked), nil
	})
}

// measureRecreate does by the API what compose does when a service's configuration
// changed: the next container is there before the last one ends.
func measureRecreate(ctx context.Context, r *rig) ([]time.Duration, error) {
	labels := func(name string) map[string]string {
		return map[string]string{"mcp-gw.port": "8080", "mcp-gw.name": name, "com.docker.compose.project": "bench",
			"com.docker.compose.service": name, "com.docker.compose.container-number": "1"}
	}
	return r.repeat(min(r.Runs, 10), "again", func(name string) (d time.Duration, err error) {
		remove := func(id string) {
			if id != "" {
				err = errors.Join(err, r.engine.Remove(context.WithoutCancel(ctx), id))
			}
		}
		old, err := r.engine.Create(ctx, name, labels(name))
		if err == nil {
			err = r.up(ctx, old, name)
		}
		if err != nil {
			remove(old)
			return 0, err
		}
		c := r.hammer(ctx, name)
		defer c.stop()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		next, err := r.engine.Create(ctx, old[:12]+"_"+name, labels(name))
		defer func() { remove(next) }()
		err = errors.Join(err, r.engine.Stop(ctx, old), r.engine.Remove(ctx, old))
		if err == nil {
			err = errors.Join(r.engine.Rename(ctx, next, name), r.engine.Start(ctx, next))
		}
		if err != nil {
			return 0, err
		}
		time.Sleep(r.Rest + 2*time.Second)
		last := began
		for _, one := range c.answered() {
			if one.to.After(began) {
				d, last = max(d, one.to.Sub(last)), one.to
			}
		}
		if time.Since(last) > time.Second {
			return 0, fmt.Errorf("no call was answered any more after %v", last.Sub(began))
		}
		return d, nil
	})
}
