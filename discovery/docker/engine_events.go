package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// watched are the actions that the stream is filtered for. health_status makes
// the engine compare prefixes, and keeps the exec_* events out: three for every
// health probe of every container.
var watched = []string{
	"create", "start", "die", "kill", "stop", "pause", "unpause", "rename", "destroy", "oom",
	"health_status", "connect", "disconnect", "reload",
}

// podmanWords are Podman's for what Docker calls otherwise.
var podmanWords = map[string]string{"died": "die", "remove": "destroy"}

// events reads the event stream until it ends, and never returns nil. subscribed
// is called when the engine has answered; hear for every event that is watched, and
// must not block: an engine drops events for readers that are slow.
//
// The stream starts at now. The engine's memory of past events is short, shared
// by all kinds and lost when it restarts, so whoever connects lists anyway. Nor
// would our clock know what to ask for: the engine has another.
func (e *engine) events(ctx context.Context, subscribed func(), hear func(event)) error {
	if e.podman { // which misreads some filters
		return e.stream(ctx, events.ListOptions{}, subscribed, hear)
	}
	filtered := events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", "container"), filters.Arg("type", "network"), filters.Arg("type", "daemon"))}
	for _, a := range watched {
		filtered.Filters.Add("event", a)
	}
	err := e.stream(ctx, filtered, subscribed, hear)
	if cerrdefs.IsInvalidArgument(err) || cerrdefs.IsInternal(err) || cerrdefs.IsNotImplemented(err) {
		// What answers is no Docker, and does not know the filters.
		return e.stream(ctx, events.ListOptions{}, subscribed, hear)
	}
	return err
}

func (e *engine) stream(ctx context.Context, opts events.ListOptions, subscribed func(), hear func(event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(subscribeTimeout, cancel)
	messages, errs := e.cli.Events(ctx, opts)
	if !late.Stop() {
		return fmt.Errorf("event stream: no answer within %v: %w", subscribeTimeout, context.DeadlineExceeded)
	}
	subscribed()
	for {
		select {
		case m := <-messages:
			// Without filters everything comes, three events for every health probe.
			if ev := toEvent(m); slices.Contains(watched, ev.action) || ev.kind == "daemon" {
				hear(ev)
			}
		case err := <-errs:
			if err = asked(pathEvents, err); errors.As(err, new(refusal)) {
				return err
			}
			return streamEnd{err}
		}
	}
}

func toEvent(m events.Message) event {
	action, detail, _ := strings.Cut(string(m.Action), ":")
	action = cmp.Or(podmanWords[action], action)
	if action != "health_status" {
		detail = ""
	}
	at := time.Unix(m.Time, 0)
	if m.TimeNano != 0 {
		at = time.Unix(0, m.TimeNano)
	}
	return event{
		kind:   string(m.Type),
		action: action,
		// Podman has no colon, and two spellings of the attribute.
		health:    cmp.Or(strings.TrimSpace(detail), m.Actor.Attributes["health_status"], m.Actor.Attributes["healthStatus"]),
		exitCode:  cmp.Or(m.Actor.Attributes["exitCode"], m.Actor.Attributes["containerExitCode"]),
		id:        m.Actor.ID,
		name:      m.Actor.Attributes["name"],
		container: m.Actor.Attributes["container"],
		signal:    m.Actor.Attributes["signal"],
		at:        at.UTC(),
	}
}
