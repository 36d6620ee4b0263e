package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	"mcp-gw/discovery"
)

// writePatience is how long a process may take to read one message. A server that
// works on a call in its only thread reads nothing meanwhile; its pipe takes 64 KiB.
const writePatience = 30 * time.Second

// stdioURL is shown for backends that have no address.
const stdioURL = "stdio://container"

// addressOf is where a backend is, for people: without its secrets.
func addressOf(b *discovery.Backend) string {
	if b.Transport == discovery.TransportStdio {
		return stdioURL
	}
	return discovery.ShowURL(b.URL)
}

// connectStdio opens the stream of b and a session on it. The process may have had
// sessions before: each connection greets it anew.
func (u *Upstream) connectStdio(ctx context.Context, b *discovery.Backend) (*link, error) {
	if b.Open == nil {
		return nil, errors.New("its standard input and output cannot be reached from here")
	}
	at, err := url.Parse(stdioURL)
	if err != nil {
		return nil, err
	}
	l := u.newLink(b, at)
	l.stdio = true
	// Two sessions of one process never share an id: there is room for 2^20 of them,
	// with 2^32 ids each, in what a JavaScript server can count.
	l.nextID.Store((1 + rand.Int64N(1<<20)) << 32)
	l.shared = &slot{link: l, open: func(*slot) (session, serverInfo, error) { return nil, serverInfo{}, errProcessEnded }}
	l.hearsay = &hearsay{}
	var open func(*slot) (session, serverInfo, error)
	if l.perClient = b.PerClient; l.perClient {
		l.cfg.MaxLanes = min(l.cfg.MaxLanes, maxProcesses)
		open = func(sl *slot) (session, serverInfo, error) { return u.openStdio(l.callCtx, sl, b.Open) }
		l.shared.open = open
	}
	s, info, err := u.openStdio(ctx, l.shared, b.Open)
	if err != nil {
		l.kill(err)
		l.retire()
		return nil, err
	}
	l.info, l.shared.current, l.open = info, s, open
	return l, nil
}

// maxProcesses bounds those that clients have of a backend that starts one for each.
const maxProcesses = 100

func (u *Upstream) openStdio(ctx context.Context, sl *slot, open discovery.Opener) (session, serverInfo, error) {
	l := sl.link
	openCtx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout)
	stream, err := open(openCtx)
	cancel()
	if err != nil {
		return nil, serverInfo{}, &notOpenedError{err}
	}
	s := &stdioSession{owner: sl, stream: stream, max: u.cfg.MaxMessage, first: l.nextID.Load(), toWrite: make(chan outgoing),
		ended: make(chan struct{}), pending: map[int64]*inbox{}, heardOf: l.hearsay, told: u.suspect.ring}
	s.mu.Lock()
	s.forget = context.AfterFunc(l.ctx, func() { s.end(context.Cause(l.ctx)) })
	s.mu.Unlock()
	if !l.work.start(s.read) { // the link was retired meanwhile
		s.end(errReplaced)
		return nil, serverInfo{}, errReplaced
	}
	l.work.start(s.write)
	if out, ok := stream.(discovery.ErrorOutput); ok {
		l.work.start(func() { u.hearErrors(out.ErrorLines()) })
	}
	info, err := u.greetStdio(ctx, l, s)
	if err != nil {
		if cause := s.cause(); cause != nil && ctx.Err() == nil {
			err = cause
		}
		s.end(err)
		return nil, serverInfo{}, err
	}
	return s, info, nil
}

// notOpenedError means that there was no stream; what was to be sent never was.
type notOpenedError struct{ error }

func (e *notOpenedError) Unwrap() error { return e.error }
