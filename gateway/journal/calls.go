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
	maxLate         = 64
	maxPayload      = 64 << 10 // of one message
	maxNameOrURI    = 1024
	maxErrorText    = 300
	minForPercents  = 20 // calls below which a percentile is chance
	maxTraceContext = 128
)

// ErrorKind says whose fault it is that a call failed, because the fix differs.
type ErrorKind string

// The kinds of errors.
const (
	ErrTool      ErrorKind = "tool"      // a result that is an error
	ErrRPC       ErrorKind = "jsonrpc"   // the backend's JSON-RPC error
	ErrTransport ErrorKind = "transport" // no answer came back
	ErrTimeout   ErrorKind = "timeout"   // none came in time
	ErrCancelled ErrorKind = "cancelled" // the client does not want it any more
	ErrGateway   ErrorKind = "gateway"   // the gateway refused
)

// ErrorKinds are all of them.
var ErrorKinds = [...]ErrorKind{ErrTool, ErrRPC, ErrTransport, ErrTimeout, ErrCancelled, ErrGateway}

// Request is what is known of a client's request when it comes.
type Request struct {
	Client *Client
	Method string
	// Name is the tool or prompt as the client calls it, or the URI; Original what the
	// backend calls it.
	Name, Original string
	Backend        string
	// Meter counts it; nil for none.
	Meter *Meter
	// Protocol is list and handshake traffic.
	Protocol bool
	// Trace is the trace context that came in the header.
	Trace string
	// Message is the JSON-RPC message. It is copied.
	Message []byte
}

// Fate is how a request fared. The zero Fate is success.
type Fate struct {
	// Meter, when not nil, is of the backend that answered in the end.
	Meter *Meter
	// Replica is which of several processes answered.
	Replica string
	// Sent is when the request went out, First when the first message of the answer
	// had come; zero when it did not.
	Sent, First time.Time
	// Kind is empty when all went well, and Err what people read otherwise.
	Kind ErrorKind
	Err  string
}

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
	late     []*call // of the fallen those that ended, oldest first
	free     []*call // nowhere else
	now      gauge   // how many run
	store    store
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
	return calls{mode: o.Traffic, store: newStore(o.Payload), fallen: map[*call]struct{}{},
		rings: [2]callRing{{slots: make([]*call, o.Calls)}, {slots: make([]*call, min(o.Calls, protocolCalls))}}}
}

// Recording is one request under way. The zero Recording records nothing.
type Recording struct {
	journal *Journal
	call    *call
	id      uint64
}

// Begin records a request. What is recorded is ended by End, once.
func (j *Journal) Begin(r *Request) Recording {
	now := time.Now()
	c := &j.calls
	if r.Client != nil {
		r.Client.seen(now)
	}
	if r.Meter != nil {
		r.Meter.use()
	}
	c.mu.Lock()
	x := c.beginLocked(r, now)
	id := x.id
	c.mu.Unlock()
	return Recording{j, x, id}
}

func (c *calls) beginLocked(r *Request, now time.Time) *call {
	ring := &c.rings[0]
	if r.Protocol {
		ring = &c.rings[1]
	}
	x := c.takeLocked()
	*x = call{start: now, method: clipTo(r.Method, maxFact), name: clipTo(r.Name, maxNameOrURI), original: clipTo(r.Original, maxNameOrURI), backend: r.Backend,
		client: r.Client, meter: r.Meter, protocol: r.Protocol, running: true, requestBytes: len(r.Message), responseBytes: -1}
	if len(r.Trace) <= maxTraceContext {
		x.trace = r.Trace
	}
	if !r.Protocol {
		c.running++
		c.now.set(now, c.running)
	}
	if c.mode == Off {
		return x
	}
	c.last++
	x.id = c.last
	if x.kept = c.mode.payloads(); x.kept && len(r.Message) <= maxPayload {
		x.request = c.store.put(r.Message)
	}
	if old := ring.put(x); old != nil {
		if old.running {
			old.fallen = true
			c.fallen[old] = struct{}{}
		} else {
			c.free = append(c.free, old)
		}
	}
	c.noticeLocked(x.id, false)
	return x
}

func (c *calls) takeLocked() *call {
	if n := len(c.free); n > 0 {
		x := c.free[n-1]
		c.free = c.free[:n-1]
		return x
	}
	return new(call)
}

// ID is the call's; 0 when it is not kept.
func (r Recording) ID() uint64 {
	if r.call == nil {
		return 0
	}
	return r.id
}

// End records how the request ended: with message, which is copied, or of bytes that
// went to the client otherwise; a length below 0 means that there was no answer.
func (r Recording) End(f *Fate, message []byte, length int) {
	if r.call == nil {
		return
	}
	now := time.Now()
	c, x := &r.journal.calls, r.call
	c.mu.Lock()
	d := now.Sub(x.start)
	if f.Meter != nil && f.Meter != x.meter {
		x.meter, x.backend = f.Meter, f.Meter.backend
	}
	client, meter, protocol := x.client, x.meter, x.protocol
	x.running, x.duration, x.replica, x.kind, x.err = false, d, f.Replica, f.Kind, clip(f.Err)
	if x.sent = !f.Sent.IsZero(); x.sent {
		x.wait = f.Sent.Sub(x.start)
	}
	if x.heard = !f.First.IsZero(); x.heard {
		x.first = f.First.Sub(x.start)
	}
	if x.responseBytes = length; x.kept && length > 0 && length == len(message) && length <= maxPayload {
		x.response = c.store.put(message)
	}
	if !protocol {
		c.running--
		c.now.set(now, c.running)
	}
	if x.id == 0 {
		c.free = append(c.free, x)
	} else {
		c.noticeLocked(x.id, true)
	}
	if x.fallen {
		c.lateLocked(x)
	}
	c.mu.Unlock()
	if protocol {
		return
	}
	if client != nil {
		client.ended(now, f.Kind != "")
	}
	r.journal.window.observe(now, d, f.Kind)
	if meter != nil {
		meter.window.observe(now, d, f.Kind)
		meter.backendWindow.observe(now, d, f.Kind)
	}
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
