package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSilentCallsTimeOutAndProgressKeepsThemAlive(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_CALL_TIMEOUT=1s")
	for _, backend := range []bool{false, true} {
		s := newStub(t, backend, true)
		h := addHanging(s, "hang")
		s.tool("steady", func(c *stubCall) string {
			for i := range 8 { // twice the timeout in all
				time.Sleep(250 * time.Millisecond)
				c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":` + report(string(c.progressToken), i, "1") + `}`)
			}
			return `"result":{"content":[],"resultType":"complete"}`
		})
		g.connect(t, eraName(backend), s.url, "http")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			var got answer
			var err error
			d := took(func() { got, err = c.try(t.Context(), callTool(eraName(backend)+"__hang", `{}`)) })
			if err != nil || get(got.final, "error") == nil && string(get(got.result(), "isError")) != "true" {
				t.Errorf("%s client, %s backend: a silent call got %v %v, want an error", eraName(client), eraName(backend), got, err)
			}
			if d < 900*time.Millisecond || d > 10*time.Second {
				t.Errorf("a silent call was answered after %v, want about 1s", d)
			}
			if how := receive(t, "the silent call to end at the backend", h.ended); how != "cancelled" {
				t.Errorf("%s client, %s backend: the timed out call was %s at the backend, want cancelled", eraName(client), eraName(backend), how)
			}
			a := callTool(eraName(backend)+"__steady", `{}`)
			a.meta = `"progressToken":1`
			if got := c.must(t, a); len(got.before) != 8 {
				t.Errorf("%s client, %s backend: the steady call got %d reports, want 8", eraName(client), eraName(backend), len(got.before))
			}
		}
	}
}

func TestUnusedSessionsEndAndListeningOnesStay(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_SESSION_IDLE=1s")
	unused, listening := dialLegacy(t, g.mcp()), dialLegacy(t, g.mcp())
	messages, _ := listening.listen(t)
	opened := time.Now()
	// Asking would be using: look at the log instead.
	eventually(t, "the unused session to end", func() bool {
		_, _, body := g.api(t, "GET", "/api/logs", "")
		return strings.Contains(string(body), "MCP session closed: ")
	})
	if d := time.Since(opened); d < 900*time.Millisecond {
		t.Errorf("the unused session ended after %v, want 1s", d)
	}
	unused.must(t, ask{method: "ping"}) // its client never notices
	listening.must(t, ask{method: "ping"})
	select {
	case m, open := <-messages:
		t.Errorf("the stream of a session in use: got %s (open: %v)", m, open)
	default:
	}
}

// Most clients never end their sessions, so a full gateway lets the one go that
// has not been used for longest. Its client, should it come back, finds it again.
func TestTooManySessionsEndTheOldest(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_MAX_SESSIONS=2")
	oldest, second := dialLegacy(t, g.mcp()), dialLegacy(t, g.mcp())
	third := dialLegacy(t, g.mcp())
	dialModern(t, g.mcp()) // needs none
	_, _, log := g.api(t, "GET", "/api/logs", "")
	if n := strings.Count(string(log), "MCP session closed: "); n != 1 {
		t.Errorf("%d of three sessions ended where two are allowed, want 1: %s", n, log)
	}
	for _, c := range []*rawClient{third, second, oldest} {
		c.must(t, ask{method: "ping"})
	}
}

// The newest GET of a session gets what comes; the older one ends, so that no
// message is sent twice and none into a dead connection.
func TestNewestStreamOfASessionWins(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	c := dialLegacy(t, g.mcp())
	older, _ := c.listen(t)
	newer, _ := c.listen(t)
	eventually(t, "the older stream to end", func() bool {
		select {
		case _, open := <-older:
			return !open
		default:
			return false
		}
	})
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	awaitTool(t, c, newer, "b__fine", true)
}

// A client that asks for much and reads nothing must hold up nobody else, not
// even the others who use the same backend over one shared stream.
func TestClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	p := typescriptV1(t)
	g.connect(t, "http25", p.address("/mcp"), "http")
	g.connect(t, "sse24", p.address("/sse"), "sse")
	large := `{"x":"` + strings.Repeat("0123456789abcdef", 12<<20/16) + `"}`
	for _, backend := range []string{"http25", "sse24"} {
		for _, client := range []bool{false, true} {
			lazy, busy := dial(t, g.mcp(), client), dial(t, g.mcp(), client)
			x, err := lazy.open(t.Context(), callTool(backend+"__echo", large))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				arguments := fmt.Sprintf(`{"i":%d}`, i)
				got := busy.must(t, callTool(backend+"__echo", arguments))
				if text := str(elements(t, get(got.result(), "content"))[0], "text"); text != arguments {
					t.Errorf("%s: got %s, want %s", backend, text, arguments)
				}
			}
			got, err := x.finish()
			if err != nil || len(got.final) < len(large) {
				t.Errorf("%s: the lazy client's own answer: %d bytes of at least %d, %v: %.300s", backend, len(got.final), len(large), err, got.final)
			}
		}
	}
}

// Clients' credentials are for the gateway; backends get those that were
// registered for them, and nothing of a client's but the request.
func TestCredentialsOfClientsStayHere(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
		if status, _, body := g.api(t, "POST", "/api/backends", fmt.Sprintf(`{"name":%q,"url":%q,"transport":"http","headers":{"X-Api-Key":"registered"}}`, eraName(modern), s.url)); status != 200 {
			t.Fatalf("POST: got HTTP %d %s", status, body)
		}
		g.awaitStatus(t, eraName(modern), "connected")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			req, _ := http.NewRequestWithContext(t.Context(), "POST", g.mcp(), strings.NewReader(c.body(callTool(eraName(modern)+"__fine", `{}`), "1")))
			headers := and(jsonHeaders, "Mcp-Session-Id", c.session, "Mcp-Protocol-Version", legacyVersion)
			if client {
				headers = and(jsonHeaders, "Mcp-Protocol-Version", modernVersion, "Mcp-Method", "tools/call", "Mcp-Name", eraName(modern)+"__fine", "Mcp-Param-Region", "eu")
			}
			for k, v := range and(headers, "Authorization", "Bearer client-token", "Cookie", "session=client-token", "X-Api-Key", "client-token") {
				req.Header[k] = []string{v}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("the call: got HTTP %d %s", resp.StatusCode, text)
			}
			s.mu.Lock()
			last := s.headers[len(s.headers)-1]
			s.mu.Unlock()
			if strings.Contains(fmt.Sprint(last), "client-token") || last.Get("X-Api-Key") != "registered" {
				t.Errorf("%s client, %s backend: the backend got %v", eraName(client), eraName(modern), last)
			}
			if client && modern && last.Get("Mcp-Param-Region") != "eu" {
				t.Errorf("a header that the gateway does not know was not forwarded: %v", last)
			}
		}
	}
}
