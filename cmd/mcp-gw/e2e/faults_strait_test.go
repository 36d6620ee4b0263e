package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// strait is a stretch of network between two programs that can be frozen and cut.
type strait struct {
	listener net.Listener
	target   string
	work     sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns map[*net.TCPConn]bool
	open  chan struct{} // closed while bytes may pass
	over  bool
}

// newStrait lets connections to it pass on to target, a host and port.
func newStrait(t *testing.T, target string) *strait {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &strait{listener: l, target: target, conns: map[*net.TCPConn]bool{}, open: make(chan struct{})}
	close(s.open)
	s.work.Go(s.accept)
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		s.over = true
		s.mu.Unlock()
		s.cut()
		s.thaw()
		s.work.Wait()
	})
	return s
}

func (s *strait) url(path string) string { return "http://" + s.listener.Addr().String() + path }

func (s *strait) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", s.target)
		if err != nil {
			c.Close()
			continue
		}
		near, far := c.(*net.TCPConn), out.(*net.TCPConn)
		s.mu.Lock()
		s.conns[near], s.conns[far] = true, true
		over := s.over
		s.mu.Unlock()
		if over {
			s.cut()
		}
		s.work.Go(func() { s.pump(near, far) })
		s.work.Go(func() { s.pump(far, near) })
	}
}

func (s *strait) pump(from, to *net.TCPConn) {
	defer func() {
		_ = to.CloseWrite()
		s.mu.Lock()
		delete(s.conns, from)
		s.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		<-open
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				_, _ = io.Copy(io.Discard, from)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut breaks all connections, as the loss of a router does; new ones may be made.
func (s *strait) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.SetLinger(0)
		c.Close()
	}
}

// freeze lets nothing pass, and keeps it until thaw.
func (s *strait) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = make(chan struct{})
}

func (s *strait) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.open:
	default:
		close(s.open)
	}
}
