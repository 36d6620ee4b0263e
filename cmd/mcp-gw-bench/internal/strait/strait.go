// Package strait is a way to an engine's socket that can be cut, and that can swallow
// what the engine tells of its own accord.
package strait

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Strait listens at Path and carries everything to another socket.
type Strait struct {
	Path string

	to      string
	dir     string
	l       net.Listener
	work    sync.WaitGroup
	mute    atomic.Bool
	barred  atomic.Bool
	streams chan time.Time // when the engine has answered a request for events
	let     chan time.Time // when somebody was let through first after a bar

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// Listen makes a strait to the socket at path to.
func Listen(to string) (*Strait, error) {
	dir, err := os.MkdirTemp("", "strait") // short: the path of a socket is bounded
	if err != nil {
		return nil, err
	}
	s := &Strait{Path: filepath.Join(dir, "s"), to: to, dir: dir, streams: make(chan time.Time, 16), let: make(chan time.Time, 1), conns: map[net.Conn]bool{}}
	if s.l, err = net.Listen("unix", s.Path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.work.Go(func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			if s.barred.Load() {
				c.Close()
				continue
			}
			select {
			case s.let <- time.Now():
			default:
			}
			s.work.Go(func() { s.carry(c) })
		}
	})
	return s, nil
}

// Close ends all connections.
func (s *Strait) Close() error {
	err := s.l.Close()
	s.Cut()
	s.work.Wait()
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Cut ends the connections that are open.
func (s *Strait) Cut() {
	for len(s.streams) > 0 {
		<-s.streams
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// Bar ends the connections that are open, and lets none through until Unbar, as an engine
// does that is down.
func (s *Strait) Bar() {
	s.barred.Store(true)
	s.Cut()
}

// Unbar lets connections through again. AwaitLet answers when the first one came.
func (s *Strait) Unbar() {
	for len(s.let) > 0 {
		<-s.let
	}
	s.barred.Store(false)
}

// AwaitLet waits until somebody was let through after Unbar.
func (s *Strait) AwaitLet(ctx context.Context, limit time.Duration) (time.Time, error) {
	return await(ctx, s.let, limit, "nobody came")
}

// Mute swallows from now on what comes on streams of events.
func (s *Strait) Mute() { s.mute.Store(true) }

// AwaitStream waits until the engine has answered a request for its events.
func (s *Strait) AwaitStream(ctx context.Context, limit time.Duration) (time.Time, error) {
	return await(ctx, s.streams, limit, "nobody asked for events")
}

func await(ctx context.Context, from <-chan time.Time, limit time.Duration, otherwise string) (time.Time, error) {
	select {
	case at := <-from:
		return at, nil
	case <-time.After(limit):
		return time.Time{}, fmt.Errorf("%s within %s", otherwise, limit)
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

func (s *Strait) keep(c net.Conn) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	return func() {
		c.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	}
}

func (s *Strait) carry(near net.Conn) {
	defer s.keep(near)()
	far, err := net.Dial("unix", s.to)
	if err != nil {
		return
	}
	defer s.keep(far)()
	var events atomic.Bool // the latest request was for events
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := near.Read(buf)
			if line, _, _ := bytes.Cut(buf[:n], []byte("\r\n")); bytes.HasPrefix(line, []byte("GET ")) {
				events.Store(bytes.Contains(line, []byte("/events")))
			}
			if _, werr := far.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	s.back(near, far, &events)
	near.Close()
	<-done
}

// back carries what the engine says.
func (s *Strait) back(near io.Writer, far io.Reader, events *atomic.Bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := far.Read(buf)
		if events.Load() {
			if bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 200")) {
				select {
				case s.streams <- time.Now():
				default:
				}
			} else if s.mute.Load() {
				n = 0
			}
		}
		if _, werr := near.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
