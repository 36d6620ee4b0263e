package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
)

// glance is the least time between two looks at the containers: while many of them
// start, each look would find a few.
const glance = 200 * time.Millisecond

// unasked are the verdicts on containers that did not ask for anything.
var unasked = []string{"not_labelled", "self", "one_off", "other_instance", "not_allowed", "not_enabled", "disabled"}

const (
	engineConnected = "connected"
	engineAway      = "away"
)

// scene is what was last told of the containers and their engine.
type scene struct {
	engine     string // one of the above, or empty while it is not known
	error      string // of the engine
	containers map[string]discovery.Observed
}

// watchContainers records what is otherwise with the containers and their engine,
// until ctx ends.
func (s *server) watchContainers(ctx context.Context) {
	if s.Discovery == nil {
		return
	}
	var was scene
	pause := time.NewTimer(glance)
	defer pause.Stop()
	for {
		changed := s.Discovery.Changed()
		now := look(s.Discovery.Report())
		if now.containers == nil {
			now.containers = was.containers // the last word stands
		}
		if now.engine == "" {
			now.engine = was.engine
		}
		for _, c := range differences(was, now) {
			s.Gateway.Journal().Change(c)
		}
		was = now
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		pause.Reset(glance)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// look reads a report. While the engine is away it has said nothing of containers.
func look(r discovery.Report) (now scene) {
	switch {
	case r.Engine.Connected:
		now.engine = engineConnected
	case r.Engine.Code != "":
		now.engine, now.error = engineAway, r.Engine.Error
	}
	if r.Engine.Connected && !r.Engine.LastSyncAt.IsZero() {
		now.containers = make(map[string]discovery.Observed, len(r.Containers))
		for _, o := range r.Containers {
			if o.Verdict != "gone" {
				now.containers[o.ID] = o
			}
		}
	}
	return now
}

// differences tells what is otherwise than before. What was there at the first look
// is no news, but an engine that is not.
func differences(was, now scene) (changes []journal.Change) {
	if now.engine != was.engine && !(was.engine == "" && now.engine == engineConnected) {
		c := journal.Change{Kind: journal.ChangeEngine, From: was.engine, To: now.engine, Message: "the container engine is reached again"}
		if now.engine == engineAway {
			c.Message = "the container engine cannot be reached: " + now.error
		}
		changes = append(changes, c)
	}
	if was.containers == nil {
		return changes
	}
	for _, id := range slices.Sorted(maps.Keys(now.containers)) {
		o, before := now.containers[id], was.containers[id]
		quiet := slices.Contains(unasked, o.Verdict) && (before.Verdict == "" || slices.Contains(unasked, before.Verdict))
		if quiet || o.Verdict == before.Verdict {
			continue
		}
		c := journal.Change{Kind: journal.ChangeContainer, Container: o.Name, Backend: o.Backend, From: before.Verdict, To: o.Verdict,
			Message: fmt.Sprintf("container %s: %s", o.Name, o.Reason)}
		if before.Verdict == "" {
			c.Message = fmt.Sprintf("container %s is new: %s", o.Name, o.Reason)
		}
		changes = append(changes, c)
	}
	for _, id := range slices.Sorted(maps.Keys(was.containers)) {
		o := was.containers[id]
		if _, there := now.containers[id]; !there && !slices.Contains(unasked, o.Verdict) {
			changes = append(changes, journal.Change{Kind: journal.ChangeContainer, Container: o.Name, Backend: o.Backend, From: o.Verdict,
				Message: fmt.Sprintf("container %s is gone", o.Name)})
		}
	}
	return changes
}
