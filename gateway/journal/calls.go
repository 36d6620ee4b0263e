package journal

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"
)

// Bounds on the calls that are kept. Lists and handshakes have a place of their own,
// or they would drown the rest.
const (
	DefaultCalls    = 5000
	DefaultPayload  = 32 << 20
	protocolCalls   = 1000
	protocolPayload = 1 << 20
	maxLate         = 64
	maxPayload      = 64 << 10 // of one message
	maxNameOrURI    = 1024
	maxErrorText    = 300
	minForPercents  = 20 // calls below which a percentile is chance
	maxTraceContext = 128
)

// call is one request as it is kept, guarded by calls.mu.
type call struct {
	id                      uint64 // 0: not kept
	start                   time.Time
	method, name, original  string
	backend, replica, trace string
	client                  *Client
	meter                   *Meter
	protocol                bool
	running                 bool
	fallen                  bool // out of the ring while it runs
	kept                    bool // its messages were to be kept
	request, response       span
	requestBytes            int
	responseBytes           int // -1 without an answer
	wait, first, duration   time.Duration
	sent                    bool // wait is known
	heard                   bool // first is known
	kind                    ErrorKind
	err                     string
}

// calls are the requests of clients, each once, by two rings in the order in which
// they came. What runs longer than a ring reaches back stays until it ends.
type calls struct {
	mode Mode

	mu       sync.Mutex // guards what follows
	last     uint64
	rings    [2]callRing // of calls, and of protocol traffic
	fallen   map[*call]struct{}
	late     []*call  // of the fallen those that ended, oldest first
	free     []*call  // nowhere else
	now      gauge    // how many run
	stores   [2]store // of what was said in calls, and in protocol traffic
	running  int
	watchers []*Watch
	notices  []notice // a ring by number
	noticed  uint64   // notices ever
}

// callRing holds calls by ascending ids.
type callRing struct {
	slots []*call
	count uint64 // ever
}

func (r *callRing) len() int { return int(min(r.count, uint64(len(r.slots)))) }

// at answers the i-th oldest.
func (r *callRing) at(i int) *call {
	return r.slots[(r.count-uint64(r.len())+uint64(i))%uint64(len(r.slots))]
}

// put stores x and answers the one that gives way to it, or nil.
func (r *callRing) put(x *call) (old *call) {
	slot := &r.slots[r.count%uint64(len(r.slots))]
	r.count++
	old, *slot = *slot, x
	return old
}

// before answers how many of the ring have an id below id.
func (r *callRing) before(id uint64) int {
	return sort.Search(r.len(), func(i int) bool { return r.at(i).id >= id })
}

// newest answers at most limit of the first n, oldest first.
func (r *callRing) newest(n, limit int) []*call {
	out := make([]*call, 0, min(n, limit))
	for i := max(0, n-limit); i < n; i++ {
		out = append(out, r.at(i))
	}
	return out
}

func newCalls(o Options) calls {
	return calls{mode: o.Traffic, stores: [2]store{newStore(o.Payload), newStore(min(o.Payload, protocolPayload))}, fallen: map[*call]struct{}{},
		rings: [2]callRing{{slots: make([]*call, o.Calls)}, {slots: make([]*call, min(o.Calls, protocolCalls))}}}
}

// store is where the messages of x lie.
func (c *calls) store(x *call) *store {
	if x.protocol {
		return &c.stores[1]
	}
	return &c.stores[0]
}

func (c *calls) takeLocked() *call {
	if n := len(c.free); n > 0 {
		x := c.free[n-1]
		c.free = c.free[:n-1]
		return x
	}
	return new(call)
}

// lateLocked keeps a call that fell out of its ring while it ran, for a while: who is
// told of its end must find it.
func (c *calls) lateLocked(x *call) {
	if c.late = append(c.late, x); len(c.late) > maxLate {
		delete(c.fallen, c.late[0])
		c.free = append(c.free, c.late[0])
		c.late = slices.Delete(c.late, 0, 1)
	}
}

// findLocked answers the call with the id, nil when it is not kept.
func (c *calls) findLocked(id uint64) *call {
	for i := range c.rings {
		r := &c.rings[i]
		if at := r.before(id); at < r.len() && r.at(at).id == id {
			return r.at(at)
		}
	}
	for x := range c.fallen {
		if x.id == id {
			return x
		}
	}
	return nil
}

// pick copies the newest calls below id before, newest first, and answers the oldest
// id of those that are kept and their number. What still runs is among them, however
// old it is.
func (c *calls) pick(before uint64, limit int, protocol bool) (picked []call, oldest uint64, kept int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rings := c.rings[:1]
	if protocol {
		rings = c.rings[:]
	}
	// What is left of each source, newest last: the rings, and what fell out of them.
	left := make([][]*call, 0, len(rings)+1)
	for i := range rings {
		r := &rings[i]
		if r.len() > 0 {
			if first := r.at(0).id; oldest == 0 || first < oldest {
				oldest = first
			}
		}
		kept += r.len()
		left = append(left, r.newest(r.before(before), limit))
	}
	var old []*call
	for x := range c.fallen {
		if x.id < before && (protocol || !x.protocol) {
			old = append(old, x)
		}
	}
	slices.SortFunc(old, func(a, b *call) int { return cmp.Compare(a.id, b.id) })
	left = append(left, old)
	for len(picked) < limit {
		best := -1
		for i, l := range left {
			if len(l) > 0 && (best < 0 || l[len(l)-1].id > left[best][len(left[best])-1].id) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		last := len(left[best]) - 1
		picked, left[best] = append(picked, *left[best][last]), left[best][:last]
	}
	return picked, oldest, kept
}
