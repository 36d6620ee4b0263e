package journal

import (
	"cmp"
	"slices"
	"time"
)

// Range is how far back numbers reach.
type Range string

// The ranges.
const (
	Range15m Range = "15m"
	Range1h  Range = "1h"
	Range6h  Range = "6h"
	Range24h Range = "24h"
)

// steps of each range, in seconds: of all calls, of one backend, of one tool.
var rangeSteps = map[Range]struct{ length, total, backend, tool int64 }{
	Range15m: {900, 10, 60, 300},
	Range1h:  {3600, 30, 60, 300},
	Range6h:  {6 * 3600, 180, 900, 3600},
	Range24h: {24 * 3600, 720, 900, 3600},
}

// Valid reports whether r is one of the ranges.
func (r Range) Valid() bool { _, ok := rangeSteps[r]; return ok }

// endingNow is the frame of at least so many seconds whose last step is under way.
func endingNow(now time.Time, length, step int64) frame {
	n := length/step + 1
	return frame{from: (now.Unix()/step - n + 1) * step, step: step, n: n}
}

// Series are columns of equal length, one row a step of time.
type Series struct {
	T      []int64             `json:"t"`
	OK     []int               `json:"ok"`
	Errors []int               `json:"errors"`
	P50Ms  []*float64          `json:"p50Ms"`
	P95Ms  []*float64          `json:"p95Ms"`
	P99Ms  []*float64          `json:"p99Ms"`
	Run    []int               `json:"running"`
	Stream []int               `json:"streams"`
	ByKind map[ErrorKind][]int `json:"byKind"`
}

// Totals sum up a range. Percentiles are nil below 20 calls.
type Totals struct {
	Calls  int      `json:"calls"`
	Errors int      `json:"errors"`
	P50Ms  *float64 `json:"p50Ms"`
	P95Ms  *float64 `json:"p95Ms"`
	P99Ms  *float64 `json:"p99Ms"`
}

// ToolNumbers are the calls of one tool in a range.
type ToolNumbers struct {
	Name    string   `json:"name"`
	Backend string   `json:"backend"`
	Calls   int      `json:"calls"`
	Errors  int      `json:"errors"`
	P50Ms   *float64 `json:"p50Ms"`
	P95Ms   *float64 `json:"p95Ms"`
	TotalMs float64  `json:"totalMs"`
	LastAt  string   `json:"lastAt,omitempty"`
}

// BackendNumbers are the calls of one backend in a range.
type BackendNumbers struct {
	Name   string   `json:"name"`
	Calls  int      `json:"calls"`
	Errors int      `json:"errors"`
	P95Ms  *float64 `json:"p95Ms"`
	Spark  Spark    `json:"spark"`
}

// Spark are the columns of a small chart.
type Spark struct {
	T      []int64    `json:"t"`
	Calls  []int      `json:"calls"`
	Errors []int      `json:"errors"`
	P95Ms  []*float64 `json:"p95Ms"`
}

// Numbers are calls over time.
type Numbers struct {
	From, To, Since time.Time
	Step            time.Duration
	Series          Series
	Total           Totals
	Tools           []ToolNumbers // most calls first, by the backends' names
	Backends        []BackendNumbers
}

// Numbers sums up r until now: everything, or only one backend, or only one tool of it,
// by the name that the backend has for it.
func (j *Journal) Numbers(r Range, backend, tool string) Numbers {
	now := time.Now()
	of := rangeSteps[r]
	f := endingNow(now, of.length, of.total)
	rows := []counted(nil)
	switch {
	case tool != "":
		f = endingNow(now, of.length, of.tool)
		rows = make([]counted, f.n)
	case backend != "":
		f = endingNow(now, of.length, of.backend)
		rows = make([]counted, f.n)
	default:
		rows = j.window.read(f)
	}
	out := Numbers{From: time.Unix(f.from, 0), To: now, Since: j.started, Step: time.Duration(f.step) * time.Second}
	byTool, byBackend := endingNow(now, of.length, of.tool), endingNow(now, of.length, of.backend)
	tools, backends := j.meters.list(backend, tool)
	for _, m := range tools {
		if tool != "" {
			rows = m.window.read(byTool)
		}
		if n := m.numbers(m.window.total(byTool)); n.Calls > 0 {
			out.Tools = append(out.Tools, n)
		}
	}
	for name, b := range backends {
		read := b.window.read(byBackend)
		if backend != "" && tool == "" {
			rows = read
		}
		out.Backends = append(out.Backends, backendNumbers(name, byBackend, read))
	}
	slices.SortFunc(out.Tools, func(a, b ToolNumbers) int {
		return cmp.Or(b.Calls-a.Calls, cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(out.Backends, func(a, b BackendNumbers) int { return cmp.Compare(a.Name, b.Name) })
	out.Series, out.Total = seriesOf(f, rows)
	if backend == "" && tool == "" {
		j.calls.mu.Lock()
		out.Series.Run = j.calls.now.read(f)
		j.calls.mu.Unlock()
		j.clients.mu.RLock()
		out.Series.Stream = j.clients.open.read(f)
		j.clients.mu.RUnlock()
	}
	return out
}

// list answers the meters that are asked for; empty means all.
func (s *meters) list(backend, tool string) (tools []*Meter, backends map[string]*backendMeter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	backends = map[string]*backendMeter{}
	for key, m := range s.tools {
		if (backend == "" || key.backend == backend) && (tool == "" || key.tool == tool) {
			tools = append(tools, m)
		}
	}
	for name, b := range s.backends {
		if backend == "" || name == backend {
			backends[name] = b
		}
	}
	return tools, backends
}

func sum(rows []counted) (all counted) {
	for i := range rows {
		all.plus(&rows[i])
	}
	return all
}

func (m *Meter) numbers(all counted) ToolNumbers {
	n := ToolNumbers{Name: m.tool, Backend: m.backend, Calls: all.calls(), Errors: all.failed(),
		P50Ms: all.percentile(0.5), P95Ms: all.percentile(0.95), TotalMs: *millis(time.Duration(all.nanos))}
	if all.last > 0 {
		n.LastAt = stamp(time.Unix(0, all.last))
	}
	return n
}

func backendNumbers(name string, f frame, rows []counted) BackendNumbers {
	all := sum(rows)
	n := BackendNumbers{Name: name, Calls: all.calls(), Errors: all.failed(), P95Ms: all.percentile(0.95)}
	for i := range rows {
		n.Spark.T = append(n.Spark.T, f.from+int64(i)*f.step)
		n.Spark.Calls = append(n.Spark.Calls, rows[i].calls())
		n.Spark.Errors = append(n.Spark.Errors, rows[i].failed())
		n.Spark.P95Ms = append(n.Spark.P95Ms, rows[i].percentile(0.95))
	}
	return n
}

func seriesOf(f frame, rows []counted) (Series, Totals) {
	s := Series{T: make([]int64, f.n), OK: make([]int, f.n), Errors: make([]int, f.n), P50Ms: make([]*float64, f.n), P95Ms: make([]*float64, f.n),
		P99Ms: make([]*float64, f.n), Run: make([]int, f.n), Stream: make([]int, f.n), ByKind: map[ErrorKind][]int{}}
	for _, kind := range ErrorKinds {
		s.ByKind[kind] = make([]int, f.n)
	}
	for i := range rows {
		r := &rows[i]
		s.T[i] = f.from + int64(i)*f.step
		s.OK[i], s.Errors[i] = int(r.ok), r.failed()
		s.P50Ms[i], s.P95Ms[i], s.P99Ms[i] = r.percentile(0.5), r.percentile(0.95), r.percentile(0.99)
		for k, kind := range ErrorKinds {
			s.ByKind[kind][i] = int(r.errors[k])
		}
	}
	all := sum(rows)
	return s, Totals{all.calls(), all.failed(), all.percentile(0.5), all.percentile(0.95), all.percentile(0.99)}
}

// Pulse is what goes on at the moment.
type Pulse struct {
	// Calls and Errors are those that ended, ever.
	Calls, Errors uint64
	// Running are calls under way, Streams the event streams that are open.
	Running, Streams int
	// P95Ms is of the last minute; nil below 20 calls.
	P95Ms *float64
}

// Pulse answers what goes on at the moment.
func (j *Journal) Pulse() Pulse {
	minute := j.window.total(endingNow(time.Now(), 60, 10))
	p := Pulse{P95Ms: minute.percentile(0.95)}
	j.window.mu.Lock()
	p.Calls, p.Errors = j.window.calls, j.window.failed
	j.window.mu.Unlock()
	j.calls.mu.Lock()
	p.Running = j.calls.running
	j.calls.mu.Unlock()
	j.clients.mu.RLock()
	p.Streams = j.clients.streams
	j.clients.mu.RUnlock()
	return p
}
