package gateway

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Altered is a tool that its backend describes otherwise than it did when people could
// first look at it: when it was listed first since the gateway started, or when
// somebody last switched it on. A backend that comes back is the one that went.
type Altered struct {
	// At is when the gateway first saw the description of now.
	At time.Time `json:"at"`
	// Before is the tool's object as it was, byte for byte; empty where that is not known,
	// because its backend has more of them than are kept.
	Before json.RawMessage `json:"before,omitempty"`
}

// Bounds on what is kept of one backend: of all that one may list. Beyond them a tool is
// called altered without what it was, lest a backend gets rid of the warning by filling
// them.
const (
	maxAltered      = 5000
	maxAlteredBytes = 8 << 20
	// maxGone is of how many backends that are gone something is kept, and maxGoneBytes
	// how much of all; those that went first are forgotten.
	maxGone      = 200
	maxGoneBytes = 16 << 20
)

// alterations are the tools that are not what they were, by backend and the backend's
// own names, and what those were that are not there just now: they are compared when
// they come back.
type alterations struct {
	mu       sync.RWMutex // guards what follows
	backends map[string]*alteredTools
	gone     []string // backends that are not there, in the order in which they went
}

type alteredTools struct {
	tools map[string]alteredTool
	bytes int
	// forgot says that a tool that went was not kept: one that comes may be that.
	forgot bool
}

// room reports whether there is room for a tool of n bytes as it was. With force it is
// made, at the cost of those that are not there.
func (b *alteredTools) room(n int, force bool) bool {
	fits := func() bool { return len(b.tools) < maxAltered && b.bytes+n <= maxAlteredBytes }
	if fits() || !force || n > maxAlteredBytes {
		return fits()
	}
	for name, t := range b.tools {
		if t.gone {
			b.bytes -= len(t.Before)
			delete(b.tools, name)
			b.forgot = true
			if fits() {
				return true
			}
		}
	}
	return false
}

type alteredTool struct {
	Altered
	gone bool // it is not there to be compared with
}

// note compares a tool as it was and as it is now, nil when it is not there, and
// reports whether something else is known of it than before.
func (a *alterations) note(backend, tool string, before, now []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.noteLocked(backend, tool, before, now)
}

func (a *alterations) noteLocked(backend, tool string, before, now []byte) bool {
	b := a.backends[backend]
	if b == nil {
		b = &alteredTools{tools: map[string]alteredTool{}}
	}
	was, known := b.tools[tool]
	hidden := was.gone
	switch {
	case !known && (before == nil && !b.forgot || before != nil && now != nil && means(before, now)):
		return false
	case !known && now == nil && !b.room(len(before), false):
		b.forgot = true
		a.keep(backend, b)
		return false
	case !known && before != nil && b.room(len(before), true):
		was.Before = bytes.Clone(before)
		b.bytes += len(before)
	case !known: // what it was is not known
	case len(was.Before) == 0 && now == nil:
		delete(b.tools, tool)
		return true
	case len(was.Before) > 0 && now != nil && means(was.Before, now):
		b.bytes -= len(was.Before)
		delete(b.tools, tool)
		return !hidden
	}
	was.At, was.gone = time.Now().UTC().Truncate(time.Millisecond), now == nil
	b.tools[tool] = was
	a.keep(backend, b)
	return true
}

func (a *alterations) keep(backend string, b *alteredTools) {
	if a.backends == nil {
		a.backends = map[string]*alteredTools{}
	}
	a.backends[backend] = b
}

// trust forgets what tools were: from now on they are compared with what they are.
func (a *alterations) trust(backend string, tools ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.backends[backend]
	if b == nil {
		return
	}
	for _, tool := range tools {
		b.bytes -= len(b.tools[tool].Before)
		delete(b.tools, tool)
	}
}

// forget forgets all tools of a backend.
func (a *alterations) forget(backend string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.backends, backend)
}

// leave notes that a backend is gone, whose tools were these.
func (a *alterations) leave(backend string, tools []upstream.Tool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range tools {
		a.noteLocked(backend, t.Name, t.Raw, nil)
	}
	if a.backends[backend] == nil {
		return
	}
	a.gone = append(slices.DeleteFunc(a.gone, func(name string) bool { return name == backend || a.backends[name] == nil }), backend)
	sum := 0
	for _, name := range a.gone {
		sum += a.backends[name].bytes
	}
	for ; sum > maxGoneBytes || len(a.gone) > maxGone; a.gone = a.gone[1:] {
		sum -= a.backends[a.gone[0]].bytes
		delete(a.backends, a.gone[0])
	}
}

// back notes that a backend is there, with these tools. It reports whether something is
// known of them.
func (a *alterations) back(backend string, tools []upstream.Tool) (known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = slices.DeleteFunc(a.gone, func(name string) bool { return name == backend })
	if a.backends[backend] == nil {
		return false
	}
	for _, t := range tools {
		known = a.noteLocked(backend, t.Name, nil, t.Raw) || known
	}
	return known
}

// of answers what is known of a tool, nil when it is what it was.
func (a *alterations) of(backend, tool string) *Altered {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.backends[backend]
	if b == nil {
		return nil
	}
	if was, known := b.tools[tool]; known && !was.gone {
		return &was.Altered
	}
	return nil
}

// count answers how many of a backend's tools are altered.
func (a *alterations) count(backend string, tools []upstream.Tool) (n int) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.backends[backend]
	if b == nil {
		return 0
	}
	for _, t := range tools {
		if was, known := b.tools[t.Name]; known && !was.gone {
			n++
		}
	}
	return n
}

// meaning is what a model, and whoever trusts it, goes by.
var meaning = []string{"title", "description", "inputSchema", "outputSchema", "annotations"}

// means reports whether two tools say the same, however it is written.
func means(a, b []byte) bool {
	for _, member := range meaning {
		x, y := wire.Member(a, member), wire.Member(b, member)
		if bytes.Equal(x, y) {
			continue
		}
		var v, w any
		if len(x) == 0 || len(y) == 0 || json.Unmarshal(x, &v) != nil || json.Unmarshal(y, &w) != nil || !reflect.DeepEqual(v, w) {
			return false
		}
	}
	return true
}
