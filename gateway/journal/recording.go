package journal

import "time"

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
		x.request = c.store(x).put(r.Message)
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
		x.response = c.store(x).put(message)
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
