package docker

import (
	"context"
	"errors"
	"slices"
	"time"
)

// attend inspects one container until it has no marks left. An error of the
// engine is no news of the container: the next attempt comes after a pause, or
// with the next mark.
func (s *session) attend(ctx context.Context, id string) {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			s.p.table.release(visit{id: id})
			return
		}
		v := s.p.table.begin(id, time.Now())
		o, err := s.eng.inspect(ctx, id)
		<-s.slots
		if ctx.Err() != nil {
			s.p.table.release(v)
			return
		}
		if err != nil && !errors.Is(err, errGone) {
			s.p.log.Debug("inspect failed", "container", short(id), "err", err)
		}
		if err == nil && len(o.labels) > 0 {
			s.p.readSecrets(o.labels)
		}
		again, pause, news := s.p.table.end(v, o, err, time.Now())
		if news {
			ring(s.changed)
		}
		if !again {
			return
		}
		if pause > 0 && !s.p.table.rest(ctx, id, pause) {
			s.p.table.release(visit{id: id})
			return
		}
	}
}

// sync lists, and inspects what the listing calls for. It returns when the table
// knows the result; containers whose inspect is late join when it comes.
func (s *session) sync(ctx context.Context, much depth) error {
	list, err := s.eng.containers(ctx)
	if err != nil {
		return err
	}
	homes := s.p.table.homes()
	known := homes[0].host
	for i, name := range s.p.networks {
		all, err := s.eng.networks(ctx, name)
		switch {
		case err == nil:
			homes[i] = chooseHome(name, all)
		case s.eng.limits.has(pathNetworks):
			homes[i] = homeByName(name, list)
		default:
			s.p.log.Debug("cannot list networks", "err", err) // what was known stands
		}
	}
	if slices.ContainsFunc(list, func(c observation) bool { return c.networkMode == "host" && speaks(s.p.cfg.LabelPrefix, c.labels) }) {
		switch addr, err := s.p.hostAddr(ctx); {
		case err != nil && known.IsValid():
			homes[0].host = known
		case addr.IsValid():
			homes[0].host = addr
		}
	}
	s.lookAtServices(ctx)
	s.p.table.move(homes[0], findSelf(s.p.self, list), time.Now(), homes[1:]...)
	s.p.readSecrets(nil)
	s.p.loadNames()
	attend, done := s.p.table.markAll(list, much, time.Now())
	for _, id := range attend {
		s.wg.Go(func() { s.attend(ctx, id) })
	}
	late := time.NewTimer(s.p.pace.straggler)
	defer late.Stop()
	for _, d := range done {
		select {
		case <-d:
		case <-late.C:
			// A container that the engine is slow about must not keep the others
			// out. An engine that lets none be inspected has told nothing.
			if _, err, blind := s.p.table.inspectErrors(); blind {
				return err
			}
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return context.Cause(ctx) // the end of the connection answers all marks, too
}

// lookAtServices finds labels that never reach a container, where there is a swarm
// to ask. Nothing else depends on the answer.
func (s *session) lookAtServices(ctx context.Context) {
	if !s.eng.manager {
		return
	}
	all, err := s.eng.services(ctx)
	if err != nil {
		s.p.log.Debug("cannot list the services of the swarm", "err", err)
		return
	}
	s.p.table.keepServices(misplaced(s.p.cfg.LabelPrefix, all, time.Now()))
}
