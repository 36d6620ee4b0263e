package main

import (
	"context"
	"errors"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/strait"
)

// Rows on the event stream: the gateway is given a way to the engine that can be cut,
// and that can swallow what the engine says.

// behind runs a gateway that reaches the engine through a strait, and a client of it.
func (r *rig) behind(ctx context.Context, do func(*strait.Strait, *rig) error) (err error) {
	s, err := strait.Listen(r.engine.Socket())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	gw, err := r.start(ctx, "--docker-host=unix://"+s.Path)
	if err != nil {
		return err
	}
	defer gw.Stop()
	if _, err := s.AwaitStream(ctx, r.Limit); err != nil {
		return err
	}
	other := *r
	if other.client, err = r.connect(ctx, gw.URL); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.client.Close()) }()
	return do(s, &other)
}

// forgiven is how long a connection must stand until the gateway forgets that earlier
// ones did not, and is not more careful each time.
const forgiven = 31 * time.Second

func measureCut(ctx context.Context, r *rig) (all []time.Duration, err error) {
	err = r.behind(ctx, func(s *strait.Strait, r *rig) error {
		all, err = r.repeat(min(r.Runs, 3), "", func(string) (time.Duration, error) {
			if err := pause(ctx, forgiven); err != nil {
				return 0, err
			}
			cut := time.Now()
			s.Cut()
			at, err := s.AwaitStream(ctx, r.Limit)
			return at.Sub(cut), err
		})
		return err
	})
	return all, err
}

// measureBack starts a container while the engine cannot be reached. How long the
// gateway waits between two attempts, at most 5 s, is not part of the figure.
func measureBack(ctx context.Context, r *rig) (all []time.Duration, err error) {
	err = r.behind(ctx, func(s *strait.Strait, r *rig) error {
		all, err = r.repeat(min(r.Runs, 5), "back", func(name string) (d time.Duration, err error) {
			id, remove, err := r.named(ctx, name)
			defer remove(&err)
			if err != nil {
				return 0, err
			}
			s.Bar()
			defer s.Unbar()
			seen := r.await(ctx, name+"__time_in", true)
			if err := r.engine.Start(ctx, id); err != nil {
				return 0, err
			}
			if err := pause(ctx, time.Second); err != nil {
				return 0, err
			}
			s.Unbar()
			let, err := s.AwaitLet(ctx, r.Limit)
			found := <-seen
			return found.at.Sub(let), errors.Join(err, found.err)
		})
		return err
	})
	return all, err
}

func measureLost(ctx context.Context, r *rig) (all []time.Duration, err error) {
	err = r.behind(ctx, func(s *strait.Strait, r *rig) error {
		// The second listing after a connect finds what was missed before it.
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
		s.Mute()
		own := *r.discoveryCommand
		own.Limit = time.Minute
		r.discoveryCommand = &own
		all, err = r.repeat(1, "lost", func(name string) (d time.Duration, err error) {
			id, remove, err := r.named(ctx, name)
			defer remove(&err)
			if err != nil {
				return 0, err
			}
			seen := r.await(ctx, name+"__time_in", true)
			if err := r.engine.Start(ctx, id); err != nil {
				return 0, err
			}
			began := time.Now()
			found := <-seen
			return found.at.Sub(began), found.err
		})
		return err
	})
	return all, err
}
