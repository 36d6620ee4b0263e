package docker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"mcp-gw/discovery"
)

// socketProxy stands for the socket proxies that people have: it passes on what
// fits a pattern, and answers 403 to the rest.
func socketProxy(t *testing.T, cli *client.Client, patterns ...string) (host string) {
	t.Helper()
	engine, err := url.Parse(cli.DaemonHost())
	if err != nil || engine.Scheme != "unix" {
		missing(t, "the engine is not at a socket: %s", cli.DaemonHost())
	}
	all := regexp.MustCompile(`^(/v1\.[0-9]+)?(` + strings.Join(patterns, "|") + `)$`)
	pass := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", engine.Path)
		}},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || !all.MatchString(r.URL.Path) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>")
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return "tcp://" + srv.Listener.Addr().String()
}

const (
	passPing, passEvents, passList  = "/_ping", "/events", "/containers/json"
	passInspect, passNetworks, rest = "/containers/[a-f0-9]+/json", "/networks", "/version"
)

func TestF36RealEngineBehindAProxy(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: port8080("behind")})
	for _, tt := range []struct {
		name, code string
		pass       []string
	}{
		{"all that is needed", "", []string{passPing, passEvents, passList, passInspect, passNetworks, rest}},
		{"the least", codeNoNetworks, []string{passPing, passEvents, passList, passInspect}},
		{"no inspect", codeNoInspect, []string{passPing, passEvents, passList, passNetworks, rest}},
		{"no events", codeNoEvents, []string{passPing, passList, passInspect, passNetworks, rest}},
		{"a list and nothing else", codeNoEvents, []string{passPing, passList}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := New(Config{Host: socketProxy(t, l.cli, tt.pass...), Network: l.net, Log: testLog(t)})
			p.pace.poll = 300 * time.Millisecond
			_, r := runProvider(t, p)
			first := r.awaitNames(t, "behind").set[0]
			awaitReport(t, p, "code "+tt.code, func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Code == tt.code })
			l.must("restart", l.cli.ContainerRestart(t.Context(), id, container.StopOptions{}))
			second := r.await(t, "a new life", func(set []discovery.Backend) bool {
				// A look now and then that lacks the start time cannot tell.
				blind := tt.name == "a list and nothing else"
				return names(set) == "behind" && (blind || set[0].Generation != first.Generation)
			}).set[0]
			if second.URL != first.URL {
				t.Logf("the address changed: %s, %s", first.URL, second.URL)
			}
			l.must("stop", l.cli.ContainerStop(t.Context(), id, container.StopOptions{}))
			r.awaitNames(t)
			l.must("start", l.cli.ContainerStart(t.Context(), id, container.StartOptions{}))
			r.awaitNames(t, "behind")
		})
	}
	t.Run("no list", func(t *testing.T) {
		p, r := l.watch(Config{Host: socketProxy(t, l.cli, passPing, passEvents, passInspect)})
		if e := awaitEngineError(t, p, "CONTAINERS=1"); e.Code != codeRefused || e.Connected {
			t.Errorf("engine %+v", e)
		}
		if _, put := r.set(); put {
			t.Error("a set was put although nothing can be listed")
		}
	})
}

// choke is a connection to the engine that can be cut, and told to keep what comes.
type choke struct {
	l     net.Listener
	stall atomic.Bool
	open  chan net.Conn
}

func newChoke(t *testing.T, cli *client.Client) *choke {
	t.Helper()
	engine, err := url.Parse(cli.DaemonHost())
	if err != nil || engine.Scheme != "unix" {
		missing(t, "the engine is not at a socket: %s", cli.DaemonHost())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &choke{l: l, open: make(chan net.Conn, 1024)}
	t.Cleanup(func() { _ = l.Close(); c.cut() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("unix", engine.Path)
			if err != nil {
				_ = conn.Close()
				continue
			}
			c.open <- conn
			c.open <- there
			go c.copy(there, conn)
			go c.copy(conn, there)
		}
	}()
	return c
}

func (c *choke) host() string { return "tcp://" + c.l.Addr().String() }

func (c *choke) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		for c.stall.Load() {
			time.Sleep(time.Millisecond)
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// cut ends all connections there are.
func (c *choke) cut() {
	for {
		select {
		case conn := <-c.open:
			_ = conn.Close()
		default:
			return
		}
	}
}

func TestF30RealStreamCutOverAndOver(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("stays")})
	c := newChoke(t, l.cli)
	p := New(Config{Host: c.host(), Network: l.net, Log: testLog(t)})
	p.pace.backoffMax = 200 * time.Millisecond // it doubles with each cut
	_, r := runProvider(t, p)
	first := r.awaitNames(t, "stays").set[0]
	for range 4 {
		c.cut()
		id := l.start(want{labels: port8080("guest")})
		r.awaitNames(t, "guest", "stays")
		c.cut()
		l.remove(id)
		r.awaitNames(t, "stays")
	}
	for _, p := range r.all() {
		if b, ok := find(p.set, "stays"); !ok || !b.Same(first) {
			t.Fatalf("a cut touched a backend: %+v", b)
		}
	}
}

// All connections stay open, and no byte comes through for a while.
func TestF31RealHalfOpen(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("stays")})
	c := newChoke(t, l.cli)
	p := New(Config{Host: c.host(), Network: l.net, Log: testLog(t)})
	p.pace.guard, p.pace.quiet = 100*time.Millisecond, 300*time.Millisecond
	_, r := runProvider(t, p)
	first := r.awaitNames(t, "stays").set[0]
	c.stall.Store(true)
	l.start(want{labels: port8080("late")})
	if e := awaitEngineError(t, p, "does not answer"); e.Code != codeSilent || e.Connected {
		t.Errorf("engine %+v", e)
	}
	c.stall.Store(false)
	after, _ := find(r.awaitNames(t, "late", "stays").set, "stays")
	if !after.Same(first) {
		t.Errorf("it lived on, and is another backend:\n%+v\n%+v", first, after)
	}
}
