package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// stdioSession is MCP over the standard input and output of a process: a message a
// line, both ways. Answers are sorted by id and progress by token, as in sseSession.
//
// Most often the process has one session, which all clients share, and outlives it.
// What an earlier one asked may be answered in this one, and so may what another
// gateway asks at the same process: each session takes its ids from a place of its own.
// A process may be started for one session alone as well, and end with it.
type stdioSession struct {
	owner   *slot
	stream  io.ReadWriteCloser
	max     int64
	first   int64         // the lowest id of the session
	toWrite chan outgoing // to write
	ended   chan struct{} // closed when the session is over

	heardOf *hearsay
	told    func() // there is a new remark

	mu      sync.Mutex // guards what follows
	p       Peer
	forget  func() bool // the end of the link
	why     error       // of the end
	pending map[int64]*inbox
}

// Reasons why a session ends.
var (
	errProcessEnded = errors.New("its process ended, or closed its output")
	errNotReading   = fmt.Errorf("it does not read its input: a message was not taken within %v", writePatience)
	errLongLine     = errors.New("wrote a line longer than allowed (MCP_GW_MAX_MESSAGE)")
)

// processEnd is errProcessEnded, with what is known of the end.
func processEnd(err error) error {
	if end := (*discovery.EndError)(nil); errors.As(err, &end) {
		return fmt.Errorf("%w: %s", errProcessEnded, end.How)
	}
	return errProcessEnded
}

func (s *stdioSession) peer() Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p
}

func (s *stdioSession) settle(p Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.p = p
}

// end closes the stream and, with the first reason given, the link: a process that
// is gone is found again as any other backend is. One that was started for the session
// is nobody else's loss.
func (s *stdioSession) end(why error) {
	s.mu.Lock()
	first := s.why == nil
	if first {
		s.why = why
		close(s.ended)
	}
	forget := s.forget
	s.mu.Unlock()
	if !first {
		return
	}
	forget()
	s.stream.Close()
	switch l := s.owner.link; {
	case !l.perClient:
		l.kill(why)
	case !errors.Is(why, errReplaced):
		l.doubt()
	}
}

// cause answers why the session ended, nil while it has not.
func (s *stdioSession) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// read takes what the process writes, and waits for nobody: a process whose output
// is not read stands still, with its engine's log of it.
func (s *stdioSession) read() {
	lines := wire.NewLineReader(s.stream, int(s.max))
	var m wire.Message
	dispatch := func(m *wire.Message) error { s.dispatch(m); return nil }
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, wire.ErrLineTooLong):
			s.end(errLongLine)
			_, _ = io.Copy(io.Discard, s.stream) // closed, so that this ends; and with it what comes beside the output
			return
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			s.end(processEnd(err))
			return
		case err != nil:
			s.end(fmt.Errorf("its output cannot be read any more: %w", err))
			return
		}
		if each(line, &m, dispatch) != nil && s.heardOf.add(line) {
			s.told()
		}
	}
}

// dispatch hands a message to the call that it belongs to.
func (s *stdioSession) dispatch(m *wire.Message) {
	switch {
	case m.Kind == wire.KindResponse:
		id := number(m.ID.In(m.Raw))
		if !s.pass(id, m) && (id < s.first || id > s.owner.link.nextID.Load()) && s.heardOf.foreign.Add(1) == manyForeign {
			s.told()
		}
	case m.Kind == wire.KindNotification && m.ProgressToken.Present() && s.pass(number(m.ProgressToken.In(m.Raw)), m):
	default:
		s.hear(m)
	}
}

func (s *stdioSession) pass(id int64, m *wire.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.pending[id]
	if in != nil && !in.put(m.Raw, s.max) {
		delete(s.pending, id)
	}
	return in != nil
}

// busy reports whether the process owes answers.
func (s *stdioSession) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) > 0
}

func (s *stdioSession) hear(m *wire.Message) { s.owner.heard(s, m) }

func (s *stdioSession) do(ctx context.Context, _ http.Header, body *buffer, id int64, receive func(*wire.Message) error) error {
	in := newInbox()
	s.mu.Lock()
	s.pending[id] = in
	s.mu.Unlock()
	defer s.leave(id, in)
	if err := s.notify(ctx, body); err != nil {
		return err
	}
	var m wire.Message
	for {
		raw, err := in.take(ctx, s.ended)
		if errors.Is(err, errStreamEnded) {
			err = s.cause()
		}
		if err == nil {
			err = m.Scan(raw)
		}
		if err == nil {
			err = receive(&m)
		}
		if err != nil || m.Kind == wire.KindResponse {
			return err
		}
	}
}

// leave takes a call's inbox away. Requests of the process that are still in it came too
// late for the call.
func (s *stdioSession) leave(id int64, in *inbox) {
	s.mu.Lock()
	delete(s.pending, id)
	s.mu.Unlock()
	in.requests(func(m *wire.Message) { s.owner.link.reply(s, m) })
}

// outgoing is one message on its way to the process.
type outgoing struct {
	line *buffer
	sent chan struct{} // closed when it was written, or could not be
}

// write is the one goroutine that writes. A message goes out whole, although who sent
// it has left: half a line would spoil the next one.
func (s *stdioSession) write() {
	for {
		select {
		case <-s.ended:
			return
		case m := <-s.toWrite:
			late := time.AfterFunc(writePatience, func() { s.end(errNotReading) })
			_, err := s.stream.Write(m.line.b)
			late.Stop()
			m.line.release()
			if close(m.sent); err != nil {
				// What the process wrote before it closed its input is still to be read.
				time.AfterFunc(lastWords, func() { s.end(fmt.Errorf("its input cannot be written to: %w", err)) })
				<-s.ended
				return
			}
		}
	}
}

// lastWords is how long the output of a process is read that closed its input.
const lastWords = time.Second

// notify returns when the message was handed to the process, or nobody waits for that
// any more. errSessionLost means that it was not, and never will be.
func (s *stdioSession) notify(ctx context.Context, body *buffer) error {
	handed, err := s.hand(ctx, body)
	if !handed {
		return err
	}
	return nil
}

// hand gives the message to the writer, and reports whether it took it.
func (s *stdioSession) hand(ctx context.Context, body *buffer) (handed bool, err error) {
	if s.over() {
		return false, errSessionLost
	}
	m := outgoing{line: getBuffer(), sent: make(chan struct{})}
	m.line.b = wire.AppendLine(m.line.b, body.b)
	select {
	case s.toWrite <- m:
	case <-ctx.Done():
		m.line.release()
		return false, context.Cause(ctx)
	case <-s.ended:
		m.line.release()
		return false, errSessionLost
	}
	select {
	case <-m.sent:
	case <-ctx.Done():
	case <-s.ended:
	}
	return true, nil
}

// listen answers when the session is over: what the backend tells comes anyway, in
// 2026-07-28 once it was asked to.
func (s *stdioSession) listen(ctx context.Context, _ *place, opened func(kinds)) error {
	opened(s.owner.link.info.announced())
	if s.peer().Modern {
		l := s.owner.link
		id := l.nextID.Add(1)
		body := getBuffer()
		defer body.release()
		body.b = l.self.appendRequest(body.b, id, "subscriptions/listen",
			`"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}`)
		return s.do(ctx, nil, body, id, func(m *wire.Message) error {
			if m.Kind == wire.KindResponse && m.Error.Present() {
				return errNoStream
			}
			return nil
		})
	}
	select {
	case <-s.ended:
		return s.cause()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *stdioSession) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *stdioSession) close(context.Context) { s.end(errReplaced) }

func (s *stdioSession) abandon() { s.end(errReplaced) }
