package docker

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Paths of the engine's API, as people find them in its reference.
const (
	pathPing       = "/_ping"
	pathEvents     = "/events"
	pathContainers = "/containers/json"
	pathInspect    = "/containers/{id}/json"
	pathNetworks   = "/networks"
)

// limits are the requests that something between here and the engine refuses, and
// that there is a way around.
type limits struct {
	host string

	mu      sync.Mutex // guards all below
	refused map[string]refusal
}

// meet remembers err if it is a refusal, and reports whether it is.
func (l *limits) meet(err error) bool {
	var r refusal
	if !errors.As(err, &r) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused == nil {
		l.refused = map[string]refusal{}
	}
	l.refused[r.path] = r
	return true
}

func (l *limits) lift(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.refused, path)
}

func (l *limits) has(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.refused[path]
	return ok
}

// detours say what is done without a request, the worst first.
var detours = []struct{ path, code, instead string }{
	{pathEvents, codeNoEvents, "Until then containers are looked at every few seconds, and changes are seen that much later"},
	{pathInspect, codeNoInspect, "Until then containers are known from the listing alone: their restarts from events, and not when they started"},
	{pathNetworks, codeNoNetworks, "Until then networks are told apart by their names"},
}

// text says what is refused, what that costs and what to permit; "" when nothing is.
// code is that of the worst.
func (l *limits) text() (code, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, d := range detours {
		if r, ok := l.refused[d.path]; ok {
			if code == "" {
				code = d.code
			}
			all = append(all, fmt.Sprintf("%s. %s", r.text(l.host), d.instead))
		}
	}
	return code, strings.Join(all, "; ")
}
