package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"mcp-gw/discovery"
)

const (
	logTimeout = 3 * time.Second
	// logLines are read of a container's log, and at most logBytes.
	logLines, logBytes = 5, 256 << 10
)

// LastLog answers the last lines of what a labelled container printed before it stopped,
// the oldest first. There are none of one that runs, of one that is not labelled, and
// where the engine, or what guards it, shows nobody's log: docker-proxy is of those.
func (p *Provider) LastLog(ctx context.Context, id string) ([]string, error) {
	stopped := []string{verdictNotRunning, verdictRestarting, verdictFlapping}
	p.mu.Lock()
	at := slices.IndexFunc(p.observed, func(o discovery.Observed) bool { return o.ID == id })
	ours := at >= 0 && len(p.observed[at].Labels) > 0 && slices.Contains(stopped, p.observed[at].Verdict)
	p.mu.Unlock()
	if !ours {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	e, err := dial(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	defer e.close()
	lines, err := e.lastLog(ctx, id)
	if refused := (refusal{}); errors.As(err, &refused) {
		return nil, nil
	}
	return lines, err
}

func (e *engine) lastLog(ctx context.Context, id string) ([]string, error) {
	c, err := e.cli.ContainerInspect(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := e.cli.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(logLines)})
	if err != nil {
		return nil, asked("/containers/{id}/logs", err)
	}
	defer body.Close()
	var text bytes.Buffer
	from := io.LimitReader(body, logBytes)
	if c.Config != nil && c.Config.Tty {
		_, err = text.ReadFrom(from)
	} else {
		_, err = stdcopy.StdCopy(&text, &text, from)
	}
	if err != nil && text.Len() == 0 {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(text.String()) {
		if line = clip(oneLine(strings.TrimRight(line, "\r\n"))); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-logLines):], nil
}
