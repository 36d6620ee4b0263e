package journal

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// maxCallers is how many programs are told of one tool.
const maxCallers = 50

// Caller is a program that called a tool, however many of it run. Its JSON is the
// Caller of the API.
type Caller struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	// Calls are those that are kept, Errors the ones of them that failed.
	Calls  int    `json:"calls"`
	Errors int    `json:"errors"`
	LastAt string `json:"lastAt"`
}

// Callers answers who called a backend's tool in the calls that are kept, the latest
// first, and when the oldest of all kept calls was; empty when none is.
func (j *Journal) Callers(backend, tool string) (callers []Caller, since string) {
	type program struct{ name, version string }
	type use struct {
		calls, errors int
		last          time.Time
	}
	used := map[program]use{}
	c := &j.calls
	c.mu.Lock()
	ring := &c.rings[0]
	if ring.len() > 0 {
		since = stamp(ring.at(0).start)
	}
	for i := range ring.len() {
		x := ring.at(i)
		if x.client == nil || x.method != "tools/call" || x.backend != backend || x.original != tool {
			continue
		}
		of := program{x.client.facts.name, x.client.facts.version}
		u := used[of]
		u.calls++
		if x.kind != "" {
			u.errors++
		}
		u.last = x.start
		used[of] = u
	}
	c.mu.Unlock()
	callers = make([]Caller, 0, len(used))
	for of, u := range used {
		callers = append(callers, Caller{of.name, of.version, u.calls, u.errors, stamp(u.last)})
	}
	slices.SortFunc(callers, func(a, b Caller) int {
		return cmp.Or(strings.Compare(b.LastAt, a.LastAt), strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return callers[:min(len(callers), maxCallers)], since
}
