package journal

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
)

// Meter counts the calls of one tool. It is found once, when the catalogue is
// built, so that a call need not look for it.
type Meter struct {
	journal       *Journal
	backend, tool string
	series        series
	window        window
	backendSeries *series // of all tools of the backend
	backendWindow *window
	// hidden reads the schemas, once, where they may have secrets.
	hidden atomic.Pointer[func() secretNames]
	used   atomic.Bool // there was a call
}

// Describe tells what the backend says of the tool: the raw object with its schemas,
// which is kept where these may say that arguments are secrets.
func (m *Meter) Describe(tool json.RawMessage) {
	if !mayMark(tool) {
		m.hidden.Store(nil)
		return
	}
	read := sync.OnceValue(func() secretNames { return secretsOf(tool) })
	m.hidden.Store(&read)
}

// secrets are the members of arguments and results that the schemas call secret.
func (m *Meter) secrets() secretNames {
	if m == nil {
		return secretNames{}
	}
	if read := m.hidden.Load(); read != nil {
		return (*read)()
	}
	return secretNames{}
}

// use says that there is a call: what was counted is not forgotten.
func (m *Meter) use() {
	if !m.used.Load() {
		m.used.Store(true)
	}
}

// Stats of the tool.
func (m *Meter) Stats() Stats { return m.series.stats() }

type meterKey struct{ backend, tool string }

type meters struct {
	mu       sync.Mutex // guards both maps; never held together with Journal.mu
	tools    map[meterKey]*Meter
	backends map[string]*backendMeter
}

// backendMeter sums up all tools of a backend.
type backendMeter struct {
	series series
	window window
}

// Meter returns the meter of a backend's tool, always the same for the same
// pair. Names must come from the catalogue, not from a client's request: a
// meter stays until Retain drops it.
func (j *Journal) Meter(backend, tool string) *Meter {
	s := &j.meters
	s.mu.Lock()
	defer s.mu.Unlock()
	key := meterKey{backend, tool}
	if m := s.tools[key]; m != nil {
		return m
	}
	if s.tools == nil {
		s.tools = map[meterKey]*Meter{}
		s.backends = map[string]*backendMeter{}
	}
	of := s.backends[backend]
	if of == nil {
		of = &backendMeter{window: newWindow(backendLevels)}
		s.backends[backend] = of
	}
	m := &Meter{journal: j, backend: backend, tool: tool, window: newWindow(toolLevels), backendSeries: &of.series, backendWindow: &of.window}
	s.tools[key] = m
	return m
}

// Retain drops the meters that keep does not want, and with its last tool the
// backend's sum. A call under way may still end on a dropped meter. keep must not call
// the journal.
func (j *Journal) Retain(keep func(backend, tool string) bool) {
	s := &j.meters
	s.mu.Lock()
	defer s.mu.Unlock()
	live := map[string]bool{}
	for key := range s.tools {
		if keep(key.backend, key.tool) {
			live[key.backend] = true
		} else {
			delete(s.tools, key)
		}
	}
	for backend := range s.backends {
		if !live[backend] {
			delete(s.backends, backend)
		}
	}
}

// Meters is how many there are.
func (j *Journal) Meters() int {
	j.meters.mu.Lock()
	defer j.meters.mu.Unlock()
	return len(j.meters.tools)
}

// Sweep drops the meters that were never used and that listed does not want, and answers
// how many are left: a backend may list other names each time it is asked, without end.
// listed must not call the journal.
func (j *Journal) Sweep(listed func(*Meter) bool) (left int) {
	s := &j.meters
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, m := range s.tools {
		if !m.used.Load() && !listed(m) {
			delete(s.tools, key)
		}
	}
	return len(s.tools)
}

// ToolStats are those of a backend's tool, and none when it has no meter.
func (j *Journal) ToolStats(backend, tool string) Stats {
	j.meters.mu.Lock()
	m := j.meters.tools[meterKey{backend, tool}]
	j.meters.mu.Unlock()
	if m == nil {
		return Stats{}
	}
	return m.Stats()
}

// BackendStats sums up all tools of a backend, those that it no longer has too.
func (j *Journal) BackendStats(backend string) Stats {
	j.meters.mu.Lock()
	of := j.meters.backends[backend]
	j.meters.mu.Unlock()
	if of == nil {
		return Stats{}
	}
	return of.series.stats()
}

// Snapshot is all numbers at one moment, sorted by name.
type Snapshot struct {
	Backends []BackendCalls
	Tools    []ToolCalls
}

// BackendCalls are the durations of a backend's calls.
type BackendCalls struct {
	Backend   string
	Durations Histogram
}

// ToolCalls are the calls of a tool.
type ToolCalls struct {
	Backend, Tool string
	Counts
}

// Snapshot reads the numbers, for a metrics exposition.
func (j *Journal) Snapshot() Snapshot {
	snapshot := Snapshot{}
	j.meters.mu.Lock()
	for name, of := range j.meters.backends {
		snapshot.Backends = append(snapshot.Backends, BackendCalls{name, of.series.histogram()})
	}
	for key, m := range j.meters.tools {
		snapshot.Tools = append(snapshot.Tools, ToolCalls{key.backend, key.tool, m.series.counts()})
	}
	j.meters.mu.Unlock()
	slices.SortFunc(snapshot.Backends, func(a, b BackendCalls) int { return cmp.Compare(a.Backend, b.Backend) })
	slices.SortFunc(snapshot.Tools, func(a, b ToolCalls) int {
		return cmp.Or(cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Tool, b.Tool))
	})
	return snapshot
}
