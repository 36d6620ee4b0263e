package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mcp-gw/gateway/wire"
)

// sseSession is the HTTP+SSE transport of 2024-11-05: one stream for everything
// that the backend sends, and an address to post to, which the stream names first.
// Requests share the stream, so answers are sorted by id and progress by token,
// which the gateway chose itself: nothing of the client's is trusted to be unique.
type sseSession struct {
	*endpoint
	owner  *slot
	postTo *url.URL
	stream io.Closer
	ended  chan struct{} // closed when the stream has ended

	mu      sync.Mutex // guards what follows
	p       Peer
	pending map[int64]*inbox
}

// openSSE opens the stream and learns where to post, unless ctx ends before. Its
// reader goes on, under work, until the link ends.
func openSSE(ctx context.Context, sl *slot) (*sseSession, error) {
	l := sl.link
	e, cfg := l.endpoint, l.cfg
	streamCtx, cancel := context.WithCancel(l.ctx)
	defer context.AfterFunc(ctx, cancel)()
	res, err := patient(cfg.ConnectTimeout, cancel, func() (*http.Response, error) { return e.get(streamCtx, make(http.Header, 8)) })
	if err != nil {
		cancel()
		return nil, err
	}
	s := &sseSession{endpoint: e, owner: sl, stream: closer(func() error { cancel(); return res.Body.Close() }),
		ended: make(chan struct{}), pending: map[int64]*inbox{}}
	events := wire.NewEventReader(res.Body, int(e.max))
	target, err := patient(cfg.ConnectTimeout, cancel, func() (*url.URL, error) { return readEndpoint(events, e.url) })
	if err != nil {
		s.stream.Close()
		return nil, err
	}
	s.postTo = target
	if !l.work.start(func() { s.read(events) }) {
		s.stream.Close()
		return nil, errReplaced
	}
	return s, nil
}

// patient runs f, and cancels it when it takes longer than d. The stream that f
// begins outlives d, so that a context with a deadline would not do.
func patient[T any](d time.Duration, cancel func(), f func() (T, error)) (T, error) {
	timer := time.AfterFunc(d, cancel)
	v, err := f()
	if !timer.Stop() {
		err = fmt.Errorf("no event stream within %v", d)
	}
	return v, err
}

type closer func() error

func (c closer) Close() error { return c() }

// readEndpoint waits for the event that names the address to post to. It must be
// on the same server: anything else would send the user's headers elsewhere.
func readEndpoint(events *wire.EventReader, base *url.URL) (*url.URL, error) {
	for {
		ev, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("no endpoint event on its SSE stream: %w", err)
		}
		if ev.Type != "endpoint" {
			continue
		}
		target, err := base.Parse(string(bytes.TrimSpace(ev.Data)))
		if err != nil {
			return nil, fmt.Errorf("its endpoint event is no URL: %.200q", ev.Data)
		}
		if target.Scheme != base.Scheme || target.Host != base.Host {
			return nil, fmt.Errorf("its endpoint event names another server, %s: refused", target.Host)
		}
		return target, nil
	}
}

func (s *sseSession) peer() Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p
}

// settle notes what the handshake brought.
func (s *sseSession) settle(p Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.p = p
}

func (s *sseSession) read(events *wire.EventReader) {
	defer close(s.ended)
	defer s.stream.Close()
	var m wire.Message
	dispatch := func(m *wire.Message) error { s.dispatch(m); return nil }
	for {
		ev, err := events.Next()
		if err != nil {
			return
		}
		if ev.Type == "message" && len(ev.Data) > 0 {
			_ = each(ev.Data, &m, dispatch) // garbage between messages harms nobody
		}
	}
}

// dispatch hands a message to the call that it belongs to.
func (s *sseSession) dispatch(m *wire.Message) {
	if m.Kind == wire.KindResponse {
		s.pass(number(m.ID.In(m.Raw)), m)
		return
	}
	if m.Kind == wire.KindNotification && m.ProgressToken.Present() && s.pass(number(m.ProgressToken.In(m.Raw)), m) {
		return
	}
	s.hear(m)
}

// pass puts a message into the inbox of call id. One that overflows is closed: its
// call fails.
func (s *sseSession) pass(id int64, m *wire.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.pending[id]
	if in != nil && !in.put(m.Raw, s.max) {
		delete(s.pending, id)
	}
	return in != nil
}

func (s *sseSession) hear(m *wire.Message) { s.owner.heard(s, m) }

func (s *sseSession) do(ctx context.Context, _ http.Header, body *buffer, id int64, receive func(*wire.Message) error) error {
	select {
	case <-s.ended:
		return errSessionLost // nothing was sent
	default:
	}
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

// leave takes a call's inbox away. Requests of the backend that are still in it came
// too late for the call.
func (s *sseSession) leave(id int64, in *inbox) {
	s.mu.Lock()
	delete(s.pending, id)
	s.mu.Unlock()
	in.requests(func(m *wire.Message) { s.owner.link.reply(s, m) })
}

func (s *sseSession) notify(ctx context.Context, body *buffer) error {
	h := make(http.Header, 8)
	if v := s.peer().Version; v != "" {
		h["Mcp-Protocol-Version"] = []string{v}
	}
	h["Accept"] = acceptBoth
	res, err := s.transport.RoundTrip(s.newRequest(ctx, http.MethodPost, s.postTo, h, body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	head, _ := io.ReadAll(io.LimitReader(res.Body, 512))
	if res.StatusCode/100 == 2 {
		return nil
	}
	if status := newStatusError(res, head); !status.sessionLost() {
		return status
	}
	return errSessionLost
}

// listen answers when the stream, which is open already, has ended.
func (s *sseSession) listen(ctx context.Context, _ *place, opened func(kinds)) error {
	opened(s.owner.link.info.announced())
	select {
	case <-s.ended:
		return io.EOF
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *sseSession) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *sseSession) close(context.Context) { s.stream.Close() }

func (s *sseSession) abandon() { s.stream.Close() }
