package journal

import (
	"slices"
	"sync"
	"time"
)

// level is a resolution at which calls are counted over time.
type level struct {
	step int64 // seconds
	n    int   // steps that are kept
}

// What is kept of a day. A step takes some 230 bytes, once there was a call in it: 200
// KB for all calls together, at most 38 KB a backend and 9 KB a tool, which is 18 MB for
// 2,000 tools that are all called in every five minutes.
var (
	totalLevels   = []level{{10, 363}, {180, 484}}
	backendLevels = []level{{60, 61}, {900, 97}}
	toolLevels    = []level{{300, 13}, {3600, 25}}
)

// window counts calls in steps of time, up to a day back.
type window struct {
	levels        []level
	mu            sync.Mutex   // guards what follows
	rings         [][]*counted // by level; a step's place is its number modulo the length
	calls, failed uint64       // ever
}

// counted is the calls that ended in one step.
type counted struct {
	step   int64 // its number since 1970
	ok     uint32
	errors [len(ErrorKinds)]uint32
	nanos  int64
	last   int64 // when one ended, in ns since 1970
	count  [steps]uint32
}

func newWindow(levels []level) window { return window{levels: levels} }

func (w *window) observe(now time.Time, d time.Duration, kind ErrorKind) {
	at := step(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rings == nil {
		w.rings = make([][]*counted, len(w.levels))
		for i, l := range w.levels {
			w.rings[i] = make([]*counted, l.n)
		}
	}
	if w.calls++; kind != "" {
		w.failed++
	}
	for i, l := range w.levels {
		number := now.Unix() / l.step
		place := &w.rings[i][number%int64(l.n)]
		if *place == nil {
			*place = new(counted)
		}
		if (*place).step != number {
			**place = counted{step: number}
		}
		(*place).add(now, d, at, kind)
	}
}

func (c *counted) add(now time.Time, d time.Duration, at int, kind ErrorKind) {
	c.nanos += int64(d)
	c.last = now.UnixNano()
	c.count[at]++
	if i := slices.Index(ErrorKinds[:], kind); i >= 0 {
		c.errors[i]++
	} else {
		c.ok++
	}
}

// plus adds what o counted.
func (c *counted) plus(o *counted) {
	c.ok += o.ok
	c.nanos += o.nanos
	c.last = max(c.last, o.last)
	for i, n := range o.errors {
		c.errors[i] += n
	}
	for i, n := range o.count {
		c.count[i] += n
	}
}

func (c *counted) failed() (n int) {
	for _, e := range c.errors {
		n += int(e)
	}
	return n
}

func (c *counted) calls() int { return int(c.ok) + c.failed() }

// percentile answers milliseconds, nil while there were too few calls for it to mean
// anything.
func (c *counted) percentile(q float64) *float64 {
	if c.calls() < minForPercents {
		return nil
	}
	var count [steps]uint64
	for i, n := range c.count {
		count[i] = uint64(n)
	}
	p := percentile(&count, uint64(c.calls()), q)
	return &p
}

// frame is a stretch of time in equal steps, of seconds since 1970.
type frame struct{ from, step, n int64 }

// read sums up what each step of f had. The step must be a multiple of one of the
// levels' that reaches back as far.
func (w *window) read(f frame) []counted {
	out := make([]counted, f.n)
	w.each(f, func(i int64, c *counted) { out[i].plus(c) })
	return out
}

// total sums up all of f.
func (w *window) total(f frame) (all counted) {
	w.each(f, func(_ int64, c *counted) { all.plus(c) })
	return all
}

// each calls do with what was counted in f, and the number of the step it belongs to.
func (w *window) each(f frame, do func(step int64, c *counted)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, l := range w.levels {
		if f.step%l.step != 0 || w.rings == nil || f.step*f.n > l.step*int64(l.n) {
			continue
		}
		for _, c := range w.rings[i] {
			if c == nil {
				continue
			}
			if at := (c.step*l.step - f.from); at >= 0 && at/f.step < f.n {
				do(at/f.step, c)
			}
		}
		break
	}
}

// gauge keeps the highest value in each step of time. Its owner guards it.
type gauge struct {
	value int
	rings [len(gaugeLevels)][]peak
}

// gaugeLevels are those of all calls.
var gaugeLevels = [2]level{{10, 363}, {180, 484}}

// peak is a step in which something changed: what it was before, and the most that it
// was.
type peak struct {
	step         int64
	before, most int
}

func (g *gauge) set(now time.Time, value int) {
	for i, l := range gaugeLevels {
		if g.rings[i] == nil {
			g.rings[i] = make([]peak, l.n)
		}
		number := now.Unix() / l.step
		p := &g.rings[i][number%int64(l.n)]
		if p.step != number {
			*p = peak{step: number, before: g.value, most: g.value}
		}
		p.most = max(p.most, value)
	}
	g.value = value
}

// read answers the highest value in each step of f. Where nothing changed it is what it
// was before the next change, or is now.
func (g *gauge) read(f frame) []int {
	out := make([]int, f.n)
	for i, l := range gaugeLevels {
		if f.step%l.step != 0 || g.rings[i] == nil || f.step*f.n > l.step*int64(l.n) {
			continue
		}
		changed := slices.DeleteFunc(slices.Clone(g.rings[i]), func(p peak) bool { return p.step == 0 })
		slices.SortFunc(changed, func(a, b peak) int { return int(a.step - b.step) })
		for at := f.from; at < f.from+f.step*f.n; at += l.step {
			for len(changed) > 0 && changed[0].step*l.step < at {
				changed = changed[1:]
			}
			most := g.value
			if len(changed) > 0 {
				if most = changed[0].before; changed[0].step*l.step == at {
					most = changed[0].most
				}
			}
			slot := &out[(at-f.from)/f.step]
			*slot = max(*slot, most)
		}
		break
	}
	return out
}
