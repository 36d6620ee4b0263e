package e2e

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// choir is a backend for soak tests: every message that it sends carries the mark of
// the call that it belongs to, it counts what it runs by nonce, asks its callers
// things in the way of its era, and can be killed and started again on its address.
type choir struct {
	kind    string // "legacy" (streamable HTTP with sessions), "sse" (HTTP+SSE) or "modern"
	address string
	// lists replace the elements of a list, by its name in the result.
	lists map[string]string

	mu       sync.Mutex // guards all below
	server   *http.Server
	stop     context.CancelFunc
	ctx      context.Context
	sessions map[string]*choirSession
	ran      map[string]int // calls begun, by nonce; a repetition with input is none
	ended    map[string]string
	asks     map[string]chan []byte   // by id of our request
	listens  map[chan []byte]choirEar // open GET and listen streams
	listed   int                      // how often the tools were asked for
	work     sync.WaitGroup
}

type choirSession struct {
	out     func([]byte) // sse: writes to the one stream
	calls   map[string]context.CancelCauseFunc
	watches map[string]bool
}

type choirEar struct{ session, subscription, uris string }

// choirKinds are those of the backends that a gateway meets.
var choirKinds = []string{"legacy", "sse", "modern"}

func newChoir(t *testing.T, kind string) *choir {
	t.Helper()
	c := &choir{kind: kind, ran: map[string]int{}, ended: map[string]string{}, asks: map[string]chan []byte{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = l.Addr().String()
	c.serve(l)
	t.Cleanup(c.kill)
	return c
}

func (c *choir) url() string {
	if c.kind == "sse" {
		return "http://" + c.address + "/sse"
	}
	return "http://" + c.address + "/mcp"
}

func (c *choir) transport() string {
	if c.kind == "sse" {
		return "sse"
	}
	return "http"
}

// note is the resource that clients may watch; no two choirs have the same.
func (c *choir) note() string { return "note://" + c.address + "/" + c.kind }

func (c *choir) serve(l net.Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions, c.listens = map[string]*choirSession{}, map[chan []byte]choirEar{}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.server = &http.Server{Handler: c}
	server := c.server
	c.work.Go(func() { _ = server.Serve(l) })
}

// kill ends everything at once, as the end of a process would: connections break, and
// what was known of sessions is gone.
func (c *choir) kill() {
	c.mu.Lock()
	server, stop := c.server, c.stop
	c.mu.Unlock()
	server.Close()
	stop()
	c.work.Wait()
}

// restart starts it again where it was.
func (c *choir) restart(t *testing.T) {
	t.Helper()
	var l net.Listener
	eventually(t, c.address+" to be free", func() bool {
		var err error
		l, err = net.Listen("tcp", c.address)
		return err == nil
	})
	c.serve(l)
}

// hangUp closes the connections that nobody uses at the moment, as servers do after a
// time.
func (c *choir) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server.SetKeepAlivesEnabled(false)
	c.server.SetKeepAlivesEnabled(true)
}

// runs answers how often the call with this nonce was begun.
func (c *choir) runs(nonce string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ran[nonce]
}

// twice lists the nonces of calls that ran more than once.
func (c *choir) twice() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for nonce, n := range c.ran {
		if n > 1 {
			all = append(all, nonce)
		}
	}
	return all
}

// how answers how a call ended: "done", "cancelled", or "" while it runs.
func (c *choir) how(nonce string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended[nonce]
}

// open counts the sessions and streams that clients have here.
func (c *choir) open() (sessions, streams int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions), len(c.listens)
}

// updated tells whoever watches uri.
func (c *choir) updated(uri string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for stream, of := range c.listens {
		meta := ""
		if c.kind == "modern" {
			if !strings.Contains(of.uris, `"`+uri+`"`) {
				continue
			}
			meta = `,"_meta":{"io.modelcontextprotocol/subscriptionId":` + of.subscription + `}`
		} else if s := c.sessions[of.session]; s == nil || !s.watches[uri] {
			continue
		}
		select {
		case stream <- []byte(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"` + uri + `"` + meta + `}}`):
		default:
		}
	}
}

// shout sends a notification on every open stream, n times, as fast as it is taken.
func (c *choir) shout(method string, n int) {
	c.mu.Lock()
	streams := maps.Clone(c.listens)
	c.mu.Unlock()
	for range n {
		for stream, of := range streams {
			params := ""
			if of.subscription != "" {
				params = `,"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":` + of.subscription + `}}`
			}
			select {
			case stream <- []byte(`{"jsonrpc":"2.0","method":"` + method + `"` + params + `}`):
			case <-time.After(patience):
				return
			}
		}
	}
}
