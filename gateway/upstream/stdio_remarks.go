package upstream

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
)

// Codes of the remarks on backends over stdio; labels.md explains them.
const (
	codeGarbage = "S003"
	codeRefused = "S004"
	codeForeign = "S005"
)

// maxGarbage is how many lines that are no messages are shown.
const maxGarbage = 5

// manyForeign answers to what nobody here asked are more than an earlier session of
// the gateway can have left.
const manyForeign = 16

// hearsay is what came over stdio and is of no session.
type hearsay struct {
	garbage
	foreign atomic.Int64 // answers to what nobody here asked
}

// garbage is what a process wrote to its output that is no MCP.
type garbage struct {
	mu    sync.Mutex // guards what follows
	count int64
	first []string
}

// add reports whether line is among those that are shown.
func (g *garbage) add(line []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count++; len(g.first) == maxGarbage {
		return false
	}
	g.first = append(g.first, oneLine(string(line[:min(len(line), 400)])))
	return true
}

// remarks are those on the server.
func (s *hearsay) remarks() (all []discovery.Diagnostic) {
	s.mu.Lock()
	count, first := s.count, strings.Join(s.first, " ⏎ ")
	s.mu.Unlock()
	if count > 0 {
		all = append(all, discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeGarbage, Value: first,
			Message:    fmt.Sprintf("the server prints to its standard output, which is for MCP alone: %d lines were passed over, the first: %s", count, first),
			Suggestion: "make the server log to its standard error"})
	}
	if n := s.foreign.Load(); n >= manyForeign {
		all = append(all, discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeForeign,
			Message:    fmt.Sprintf("the server answers what this gateway did not ask (%d times): another gateway or terminal is attached to the same process, and the two spoil each other's sessions", n),
			Suggestion: "detach the other one, or run a container for each"})
	}
	return all
}

// failureRemarks are those that a failed connect calls for.
func failureRemarks(err error) []discovery.Diagnostic {
	if refused := (*notAgainError)(nil); errors.As(err, &refused) {
		return []discovery.Diagnostic{{Severity: discovery.SeverityError, Code: codeRefused, Message: refused.Error(), Suggestion: "docker restart"}}
	}
	return nil
}

// What a process writes to its standard error is for people to read. A flood of it
// must not wash away everything else that they may want to read.
const (
	maxErrorLines  = 50 // in errorInterval
	errorInterval  = 5 * time.Second
	maxErrorLength = 2000 // bytes
)

// hearErrors notes the lines of the process's standard error, until lines is closed.
func (u *Upstream) hearErrors(lines <-chan string) {
	var began time.Time
	taken, dropped := 0, 0
	for line := range lines {
		if line = strings.TrimSpace(strings.ToValidUTF8(line, "\uFFFD")); line == "" {
			continue
		}
		if now := time.Now(); now.Sub(began) > errorInterval {
			if dropped > 0 {
				u.cfg.Record.Backend("warn", u.name, fmt.Sprintf("stderr: %d more lines", dropped))
			}
			began, taken, dropped = now, 0, 0
		}
		if taken++; taken > maxErrorLines {
			dropped++
			continue
		}
		if len(line) > maxErrorLength {
			line = strings.ToValidUTF8(line[:maxErrorLength], "") + "…"
		}
		u.cfg.Record.Backend("info", u.name, "stderr: "+line)
		u.log.Debug("backend's standard error", "line", line)
	}
}
