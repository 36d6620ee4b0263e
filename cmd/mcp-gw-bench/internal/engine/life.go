package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
)

// Stop stops a container as docker compose does, by SIGTERM.
func (e *Engine) Stop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.api.ContainerStop(ctx, id, container.StopOptions{})
}

// Rename gives a container another name, the network's in front.
func (e *Engine) Rename(ctx context.Context, id, name string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.api.ContainerRename(ctx, id, e.network+"-"+name)
}

// Listening answers when a container's server said that it listens, by the engine's
// clock, which is this machine's. It waits for it.
func (e *Engine) Listening(ctx context.Context, id string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	logs, err := e.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: true})
	if err != nil {
		return time.Time{}, fmt.Errorf("logs of %s: %w", id, err)
	}
	r, w := io.Pipe()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, err := stdcopy.StdCopy(w, w, logs)
		_ = w.CloseWithError(err)
	}()
	defer func() { logs.Close(); r.Close(); <-copied }()
	for lines := bufio.NewScanner(r); lines.Scan(); {
		stamp, text, _ := strings.Cut(lines.Text(), " ")
		if strings.Contains(text, "msg=serving") {
			return time.Parse(time.RFC3339Nano, stamp)
		}
	}
	return time.Time{}, fmt.Errorf("container %s does not say that it listens", id)
}

// Deaths tells when containers of this measurement die, by the engine's own event,
// until ctx ends.
func (e *Engine) Deaths(ctx context.Context) <-chan time.Time {
	messages, _ := e.api.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", "container"), filters.Arg("event", "die"), filters.Arg("label", mark+"="+e.network))})
	deaths := make(chan time.Time, 16)
	go func() {
		for {
			select {
			case m := <-messages:
				select {
				case deaths <- time.Unix(0, m.TimeNano):
				default: // nobody waits
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return deaths
}
