package dockerproxy

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limit lets at most n connections be open at a time; others wait to be accepted.
func limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// CloseWrite is what an attach ends its half with.
func (c *limitedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// teller writes to the log what clients were refused. Each kind of line comes
// once in a while and says how many it stands for: a client that asks in a loop
// does not fill the disk.
type teller struct {
	log *slog.Logger

	mu     sync.Mutex // guards all below
	last   map[string]time.Time
	silent map[string]int
}

const tellEvery = 10 * time.Second

func (t *teller) refused(r *http.Request, why error) {
	if n, ok := t.due("refused"); ok {
		t.log.Warn("request refused", "method", word(r.Method), "target", word(r.RequestURI), "client", r.RemoteAddr, "reason", why.Error(), "not_logged_since", n)
	}
}

func (t *teller) trouble(err error) {
	if n, ok := t.due("trouble"); ok {
		t.log.Warn("the engine did not answer", "err", err.Error(), "not_logged_since", n)
	}
}

// due reports whether a line of that kind may be written, and how many were not.
func (t *teller) due(kind string) (skipped int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last, t.silent = map[string]time.Time{}, map[string]int{}
	}
	if now := time.Now(); now.Sub(t.last[kind]) >= tellEvery {
		skipped, t.last[kind], t.silent[kind] = t.silent[kind], now, 0
		return skipped, true
	}
	t.silent[kind]++
	return 0, false
}

// word quotes and bounds what a client wrote.
func word(s string) string {
	const most = 120
	if len(s) > most {
		return fmt.Sprintf("%s…", strconv.QuoteToASCII(s[:most]))
	}
	return strconv.QuoteToASCII(s)
}
