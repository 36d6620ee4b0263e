package shim

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"mcp-gw/gateway/wire"
)

const (
	// maxKept bounds what is kept of a server for the client's next stream; the oldest
	// gives way.
	maxKept = 64
	// keepAlive is the time between two comments on a silent stream, and plainPatience
	// how long an answer may take to be plain JSON.
	keepAlive     = 15 * time.Second
	plainPatience = time.Second
	// maxGarbage lines that are no messages are shown of a process.
	maxGarbage = 5
)

// client is a session with a process of its own. What the two say to each other is not
// changed; only where each message of the process goes has to be found out.
type client struct {
	id      string
	process *process
	max     int64
	log     *slog.Logger
	ended   chan struct{} // closed when the session is over; why is valid from then on

	writing sync.Mutex // a message goes out whole

	mu      sync.Mutex // guards what follows
	why     error
	used    time.Time
	calls   []*call // under way, in the order of their arrival
	open    *listener
	kept    [][]byte // for the next stream
	garbage int
}

// listener is where messages go, and gone says that nobody takes them any more.
type listener struct {
	messages chan []byte
	gone     chan struct{}
}

func newListener() *listener {
	return &listener{messages: make(chan []byte, 16), gone: make(chan struct{})}
}

func newClient(id string, p *process, max int64, log *slog.Logger) *client {
	return &client{id: id, process: p, max: max, log: log, ended: make(chan struct{}), used: time.Now()}
}

func (c *client) end(why error) {
	c.mu.Lock()
	first := c.why == nil
	if first {
		c.why = why
		close(c.ended)
	}
	c.mu.Unlock()
	if first {
		c.process.Close()
	}
}

// use answers when the session was used last, and whether it is now.
func (c *client) use() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used, len(c.calls) > 0 || c.open != nil
}

// write hands the process a message.
func (c *client) write(message []byte) error {
	c.mu.Lock()
	c.used = time.Now()
	c.mu.Unlock()
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.process.in.SetWriteDeadline(time.Now().Add(writePatience)) // pipes have deadlines
	if _, err := c.process.Write(wire.AppendLine(nil, message)); err != nil {
		err = fmt.Errorf("the server does not take the message: %w", err)
		c.end(err) // it may have half of it
		return err
	}
	return nil
}

// call notes a request before it is sent.
func (c *client) call(m *wire.Message) (*call, error) {
	k := &call{listener: newListener(), client: c, id: string(m.ID.In(m.Raw)), token: string(m.MetaProgressToken.In(m.Raw))}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.calls, func(o *call) bool { return o.id == k.id }) {
		return nil, fmt.Errorf("a request with the id %.100s is under way already", k.id)
	}
	c.calls = append(c.calls, k)
	return k, nil
}

func (c *client) forget(k *call) {
	close(k.gone)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = slices.DeleteFunc(c.calls, func(o *call) bool { return o == k })
	c.used = time.Now()
}

// read hands out what the process writes, and answers why that ended. A client that
// does not read holds up its own process, and nobody else's.
func (c *client) read() error {
	lines := wire.NewLineReader(c.process, int(c.max))
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, wire.ErrLineTooLong):
			return errLongLine
		case errors.Is(err, io.EOF):
			select {
			case <-c.process.done:
				return fmt.Errorf("%w: %s", errGone, c.process.how())
			case <-time.After(eofPatience):
				return errGone
			}
		case err != nil:
			return fmt.Errorf("%w: %w", errGone, err)
		}
		var m wire.Message
		if m.Scan(line) != nil {
			if c.garbage++; c.garbage <= maxGarbage {
				c.log.Warn("the server prints to its standard output, which is for MCP alone; it should log to its standard error", "line", string(line[:min(len(line), 400)]))
			}
			continue
		}
		if to := c.whose(&m); to != nil {
			select {
			case to.messages <- slices.Clone(line):
			case <-to.gone:
			case <-c.ended:
			}
		}
	}
}

// whose answers where a message goes: a response to its call, progress to the one that
// has its token, and the rest to the call that came last, which most likely has caused
// it, else to the client's stream. Nil: it is kept, or a response that nobody waits for
// any more.
func (c *client) whose(m *wire.Message) *listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := func(k *call) bool { return k.id == string(m.ID.In(m.Raw)) }
	if m.Kind != wire.KindResponse {
		token := string(m.ProgressToken.In(m.Raw))
		is = func(k *call) bool { return token != "" && k.token == token }
	}
	if i := slices.IndexFunc(c.calls, is); i >= 0 {
		return c.calls[i].listener
	}
	switch {
	case m.Kind == wire.KindResponse:
		return nil
	case len(c.calls) > 0:
		return c.calls[len(c.calls)-1].listener
	case c.open != nil:
		return c.open
	}
	c.keep(slices.Clone(m.Raw))
	return nil
}

// keep is called with the lock.
func (c *client) keep(raw []byte) {
	if len(c.kept) == maxKept {
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	c.kept = append(c.kept, raw)
}

// stream sends what belongs to no call, until the client or ending has had enough.
func (c *client) stream(w http.ResponseWriter, r *http.Request, ending <-chan struct{}) {
	l := newListener()
	c.mu.Lock()
	taken := c.open != nil
	kept := c.kept
	if !taken {
		c.open, c.kept, c.used = l, nil, time.Now()
	}
	c.mu.Unlock()
	if taken {
		refuse(w, http.StatusConflict, nil, codeNoSession, "Conflict: the session has a stream already")
		return
	}
	defer func() {
		close(l.gone)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open, c.used = nil, time.Now()
	}()
	events := newEvents(w)
	if events.comment() != nil {
		return
	}
	for _, raw := range kept {
		if events.send(raw) != nil {
			return
		}
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		var err error
		select {
		case raw := <-l.messages:
			err = events.send(raw)
		case <-tick.C:
			err = events.comment()
		case <-c.ended:
			return
		case <-ending:
			return
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// events is an event stream that is being written.
type events struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newEvents(w http.ResponseWriter) *events {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	w.Header().Set("X-Accel-Buffering", "no")
	return &events{w, http.NewResponseController(w)}
}

func (e *events) send(message []byte) error { return e.put(wire.AppendEvent(nil, message)) }
func (e *events) comment() error            { return e.put([]byte(": alive\n\n")) }

// put writes, with a limit: a client that takes nothing is not waited for.
func (e *events) put(b []byte) error {
	_ = e.rc.SetWriteDeadline(time.Now().Add(writePatience))  // servers of HTTP/1.1 have deadlines
	defer func() { _ = e.rc.SetWriteDeadline(time.Time{}) }() // the connection may see other requests
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.rc.Flush()
}
