package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Most clients never end their sessions: thousands that were opened and left, ten
// thousand when there is time, cost little while they live, and nothing when their time
// is over.
func TestSessionsOpenedAndAbandoned(t *testing.T) {
	sessions, idle := 5000, "10s"
	switch {
	case soaks():
		sessions, idle = 10_000, "20s"
	case testing.Short():
		sessions = 1000
	}
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info", "MCP_GW_SESSION_IDLE="+idle, "MCP_GW_LOG_ENTRIES=100", "GOGC=50")
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	before := atRest(t, g)
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	h := &http.Client{Transport: transport}
	var work sync.WaitGroup
	ids := make(chan int, sessions)
	for i := range sessions {
		ids <- i
	}
	close(ids)
	start := time.Now()
	for range 8 {
		work.Go(func() {
			for i := range ids {
				resp, err := h.Post(g.mcp(), "application/json", strings.NewReader(fmt.Sprintf(
					`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"abandoned %d","version":"1"}}}`, i)))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("initialize %d: HTTP %d", i, resp.StatusCode)
				}
			}
		})
	}
	work.Wait()
	transport.CloseIdleConnections()
	opened := time.Since(start)
	dialLegacy(t, g.mcp()).must(t, callTool("b__fine", `{}`))
	during := holds(t, g)
	if each := (during.heap - before.heap) / sessions; each > 8<<10 || during.goroutines > before.goroutines+20 {
		t.Errorf("%d sessions take %d bytes each, and %d goroutines together", sessions, each, during.goroutines-before.goroutines)
	} else {
		t.Logf("%d sessions were opened in %v and take %d bytes each", sessions, opened, each)
	}
	for deadline := time.Now().Add(3 * patience); ; time.Sleep(100 * time.Millisecond) {
		now := holds(t, g)
		if now.heap < before.heap+(during.heap-before.heap)/4+2<<20 && now.goroutines <= before.goroutines+10 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("before %+v, with the sessions %+v, after their time %+v", before, during, now)
		}
	}
}

// Clients that send half of something, or garbage, or do not read: each holds what is
// its own, nobody else notices, and all is given back when they go.
func TestClientsThatMisbehave(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info", "GOGC=50")
	address := strings.TrimPrefix(g.url, "http://")
	s := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`)).
		tool("large", fixed(`"result":{"content":[{"type":"text","text":"`+strings.Repeat("x", 2<<20)+`"}],"resultType":"complete"}`))
	g.connect(t, "healthy", s.url, "http")
	before := atRest(t, g)
	loop := startLoop(t, g, "healthy__fine")
	head := "POST /mcp HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
	modern := head + "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: healthy__large\r\n"
	call := newRawClient(t, g.mcp(), true).body(callTool("healthy__large", `{}`), "1")
	sent := map[string]string{
		"half a head":       "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-",
		"no body":           head + "Content-Length: 100\r\n\r\n",
		"half a body":       head + "Content-Length: 1000\r\n\r\n" + `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{`,
		"a claim of much":   head + "Content-Length: 15000000\r\n\r\n{",
		"half a chunk":      head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n{\"jsonrpc\"",
		"a wrong chunk":     head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"garbage":           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00\xff", 200) + "\r\n\r\n",
		"two lengths":       head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"an old HTTP":       "GET /mcp HTTP/0.9\r\n\r\n",
		"does not read":     modern + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(call)) + call,
		"asks many times":   strings.Repeat(modern+fmt.Sprintf("Content-Length: %d\r\n\r\n", len(call))+call, 20),
		"an endless header": head + "X-Y: " + strings.Repeat("y", 3<<20),
	}
	var conns []net.Conn
	for what, text := range sent {
		for range 10 {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
			_ = c.SetWriteDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(c, text); err != nil && what != "an endless header" && what != "asks many times" {
				t.Logf("%s: %v", what, err) // it may have been refused already
			}
		}
	}
	// While they all hang there, others work, and so does a newcomer.
	for _, newcomer := range []*rawClient{dialLegacy(t, g.mcp()), dialModern(t, g.mcp())} {
		for range 20 {
			newcomer.must(t, callTool("healthy__fine", `{}`))
		}
	}
	// 20 clients wait for 2 MiB each, which the gateway has and they do not take.
	during := figures(t, g)
	if grown := int(during[heapNow]) - before.heap; grown > 256<<20 {
		t.Errorf("%d such clients take %d MiB", len(conns), grown>>20)
	}
	t.Logf("with %d such clients: %v goroutines, %v files, %v MiB; before: %+v", len(conns),
		during["go_goroutines"], during["process_open_fds"], int(during[heapNow])>>20, before)
	for _, c := range conns {
		c.Close()
	}
	loop.stop(t)
	s.server.SetKeepAlivesEnabled(false) // the connections for their calls: the gateway would keep them for the next
	var now holdings
	t.Cleanup(func() { t.Logf("afterwards: %+v", now) })
	eventually(t, "all of it to be gone", func() bool {
		now = holds(t, g)
		return now.goroutines <= before.goroutines+20 && now.files <= before.files+20 && now.heap < before.heap+32<<20
	})
}
