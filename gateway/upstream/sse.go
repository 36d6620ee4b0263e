package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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
	postTo *url.URL
	stream io.Closer
	ended  chan struct{} // closed when the stream has ended

	mu      sync.Mutex // guards what follows
	p       Peer
	pending map[int64]*inbox
	other   func(*wire.Message)
}

// openSSE opens the stream and learns where to post, unless ctx ends before. Its
// reader goes on, under work, until the link ends.
func openSSE(ctx context.Context, l *link) (*sseSession, error) {
	e, cfg := l.endpoint, l.cfg
	streamCtx, cancel := context.WithCancel(l.ctx)
	defer context.AfterFunc(ctx, cancel)()
	res, err := patient(cfg.ConnectTimeout, cancel, func() (*http.Response, error) { return e.get(streamCtx, make(http.Header, 8)) })
	if err != nil {
		cancel()
		return nil, err
	}
	s := &sseSession{endpoint: e, stream: closer(func() error { cancel(); return res.Body.Close() }),
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
	for {
		ev, err := events.Next()
		if err != nil {
			return
		}
		if ev.Type == "message" && len(ev.Data) > 0 && m.Scan(ev.Data) == nil {
			s.dispatch(&m)
		}
	}
}

// dispatch hands a message to the call that it belongs to.
func (s *sseSession) dispatch(m *wire.Message) {
	switch m.Kind {
	case wire.KindRequest:
		s.reply(m, s.notify)
	case wire.KindResponse:
		s.deliver(number(m.ID.In(m.Raw)), m)
	default:
		if m.ProgressToken.Present() {
			s.deliver(number(m.ProgressToken.In(m.Raw)), m)
			return
		}
		s.mu.Lock()
		other := s.other
		var only int64
		if len(s.pending) == 1 {
			for only = range s.pending {
			}
		}
		s.mu.Unlock()
		// A message that names no call can only be given to the one that runs.
		if m.Method == "notifications/message" && only != 0 {
			s.deliver(only, m)
		} else if other != nil {
			other(m)
		}
	}
}

// deliver puts a message into the inbox of call id. One that overflows is closed:
// its call fails.
func (s *sseSession) deliver(id int64, m *wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.pending[id]; in != nil && !in.put(m.Raw, s.max) {
		delete(s.pending, id)
		close(in.messages)
	}
}

func number(raw []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

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
	defer func() {
		s.mu.Lock()
		delete(s.pending, id)
		s.mu.Unlock()
	}()
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
func (s *sseSession) listen(ctx context.Context, opened func(), receive func(*wire.Message)) error {
	s.mu.Lock()
	s.other = receive
	s.mu.Unlock()
	opened()
	select {
	case <-s.ended:
		return io.EOF
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *sseSession) close(context.Context) { s.stream.Close() }

func (s *sseSession) abandon() { s.stream.Close() }
