package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// savage serves connections by hand, below HTTP.
func savage(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	var mu sync.Mutex // guards conns and over
	conns, over := map[net.Conn]bool{}, false
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			if over {
				c.Close()
			}
			mu.Unlock()
			work.Go(func() {
				serve(c)
				c.Close()
				mu.Lock()
				defer mu.Unlock()
				delete(conns, c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		over = true
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		work.Wait()
	})
	return l.Addr().String()
}

// forever writes until nobody takes it.
func forever(c net.Conn, text string) {
	for {
		if _, err := c.Write([]byte(text)); err != nil {
			return
		}
	}
}

// headOf reads a request's head.
func headOf(c net.Conn) {
	buf := make([]byte, 1)
	var seen []byte
	for !bytes.HasSuffix(seen, []byte("\r\n\r\n")) {
		if _, err := c.Read(buf); err != nil {
			return
		}
		seen = append(seen, buf[0])
	}
}

// What answers at a backend's address may be anything: none of it is connected, each
// says why, and nobody else notices. What has no end is cut off.
func TestGarbageAtEveryLayerOfABackend(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_MAX_MESSAGE=1MiB", "MCP_GW_CONNECT_TIMEOUT=1s", "GOGC=50", "MCP_GW_LOG_LEVEL=info")
	s := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
	g.connect(t, "healthy", s.url, "http")
	before := holds(t, g)
	loop := startLoop(t, g, "healthy__fine")
	noise := make([]byte, 4096)
	_, _ = rand.Read(noise)
	x := strings.Repeat("x", 4096)
	backends := map[string]func(net.Conn){
		"noise":       func(c net.Conn) { _, _ = c.Write(noise) },
		"noise-after": func(c net.Conn) { headOf(c); _, _ = c.Write(noise) },
		"tls":         func(c net.Conn) { headOf(c); _, _ = c.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) },
		"ssh":         func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")); headOf(c) },
		"hangs-up":    func(net.Conn) {},
		"hangs-up-2":  headOf,
		"half-closes": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"jsonrpc\""))
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		},
		"status-only": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
			_, _ = io.Copy(io.Discard, c)
		},
		"no-status": func(c net.Conn) { headOf(c); _, _ = c.Write([]byte("HTTP/1.1 999999 ?\r\n\r\n")) },
		"long-head": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
			forever(c, "X-Y: "+x+"\r\n")
		},
		"long-line": func(c net.Conn) { headOf(c); forever(c, x) },
		"long-body": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"x\":\""))
			forever(c, x)
		},
		"long-event": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: "))
			forever(c, x)
		},
		"many-events": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"))
			forever(c, "data: {\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n\n")
		},
		"drips": func(c net.Conn) {
			headOf(c)
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 400\r\nContent-Type: application/json\r\n\r\n" + strings.Repeat(" ", 400)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond) // is what it does
			}
		},
		"bad-length": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n{}"))
		},
		"bad-chunks": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"))
		},
		"bomb": func(c net.Conn) { // says that it is compressed, and is not
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"))
		},
		"to-itself": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp\r\nContent-Length: 0\r\n\r\n"))
		},
		"sign-in": func(c net.Conn) {
			headOf(c)
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>sign in</html>"))
		},
	}
	var names []string
	var work sync.WaitGroup
	for name, serve := range backends {
		address := savage(t, serve)
		for _, transport := range []string{"http", "sse"} {
			name := name + "-" + transport
			names = append(names, name)
			path := map[string]string{"http": "/mcp", "sse": "/sse"}[transport]
			work.Go(func() {
				g.api(t, http.MethodPost, "/api/backends", fmt.Sprintf(`{"name":%q,"url":"http://%s%s","transport":%q}`, name, address, path, transport))
			})
		}
	}
	work.Wait()
	for _, name := range names {
		var b []byte
		eventually(t, name+" to say what is wrong", func() bool {
			b = g.backend(t, name)
			return str(b, "status") == "error" && str(b, "error") != ""
		})
		if why := str(b, "error"); strings.Contains(why, "\x00") || len(why) > 1000 {
			t.Errorf("%s: the error is not fit to be read: %.200q", name, why)
		} else {
			t.Logf("%s: %s", name, why)
		}
	}
	loop.stop(t)
	during := holds(t, g)
	if grown := during.heap - before.heap; grown > 48<<20 {
		t.Errorf("%d backends of this sort take %d MiB", len(names), grown>>20)
	}
	for _, name := range names {
		g.api(t, http.MethodDelete, "/api/backends/"+name, "")
	}
	eventually(t, "all of it to be gone", func() bool {
		now := holds(t, g)
		return now.goroutines <= before.goroutines+10 && now.files <= before.files+10
	})
}
