package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Tens of thousands of messages on one stream, a hundred thousand when there is time:
// whoever reads gets them all, in order, and nobody else waits for that. Over HTTP+SSE, whose one stream is everybody's, a
// call whose client is too slow fails instead, and says so.
func TestFloodOnOneStream(t *testing.T) {
	messages := 40_000
	switch {
	case soaks():
		messages = 100_000
	case testing.Short():
		messages = 4000
	}
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info", "GOGC=50")
	healthy := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
	g.connect(t, "healthy", healthy.url, "http")
	before := holds(t, g)
	loop := startLoop(t, g, "healthy__fine")
	for _, kind := range choirKinds {
		c := newChoir(t, kind)
		g.connect(t, kind, c.url(), c.transport())
		for _, modern := range []bool{false, true} {
			s := joinSinger(t, g.mcp(), kind+eraName(modern), modern)
			steps := 0
			messages := messages
			if modern {
				messages /= 10
			}
			v := verse{tool: kind + "__sing", part: part{Mark: s.name + "-1", Nonce: s.name, Progress: messages}}
			v.on = func(m *message) {
				if steps++; int(m.Params.Progress) != steps {
					s.complain(fmt.Sprintf("report %v where %d was due", m.Params.Progress, steps))
				}
			}
			start := time.Now()
			m, err := s.sing(within(t, 2*time.Minute), v)
			switch {
			case err != nil:
				t.Errorf("%s client, %s: %v after %d reports", eraName(modern), kind, err, steps)
			case m.text() != "" && kind == "sse":
				if !strings.Contains(m.text(), "sse") {
					t.Errorf("%s client, %s: %s", eraName(modern), kind, m.text())
				}
			case m.text() != "" || steps != messages:
				t.Errorf("%s client, %s: %d reports of %d, %.300s", eraName(modern), kind, steps, messages, m.raw)
			}
			t.Logf("%s client, %s: %d reports in %v: %.200s", eraName(modern), kind, steps, time.Since(start).Round(time.Millisecond), m.text())
			s.complaints(t)
		}
		// The same on the stream that is nobody's call.
		eventually(t, "the gateway to listen", func() bool { _, streams := c.open(); return streams > 0 })
		c.mu.Lock()
		lists := c.listed
		c.mu.Unlock()
		start := time.Now()
		c.shout("notifications/tools/list_changed", messages/10)
		c.shout("notifications/made/up", messages/10)
		c.mu.Lock()
		lists = c.listed - lists
		c.mu.Unlock()
		if most := int(time.Since(start)/(100*time.Millisecond)) + 5; lists > most {
			t.Errorf("%s: %d announcements made the gateway list %d times in %v", kind, messages/10, lists, time.Since(start))
		}
		last := joinSinger(t, g.mcp(), "last"+kind, false)
		if m, err := last.sing(within(t, patience), verse{tool: kind + "__sing", part: part{Mark: last.name + "-1", Nonce: last.name}}); err != nil || m.text() != "" {
			t.Errorf("%s: a call after the flood: %v %.300s", kind, err, raw(m))
		}
	}
	loop.stop(t)
	if after := holds(t, g); after.heap > before.heap+16<<20 {
		t.Errorf("the floods left %d MiB", (after.heap-before.heap)>>20)
	}
}

// 8 MiB there and back, in all four combinations and over HTTP+SSE, to the byte.
func TestLargeMessagesBothWays(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info")
	text := make([]byte, 8<<20)
	for i := range text {
		text[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[(i*i+i>>9)%36]
	}
	arguments := []byte(`{"text":"` + string(text) + `"}`)
	for _, s := range []*stub{newStub(t, false, false), newStub(t, true, false), newOldStub(t)} {
		s.tool("mirror", nil)
		s.server.Handler = mirror(s)
		name := eraName(s.modern) + s.transport()
		g.connect(t, name, s.url, s.transport())
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			a := callTool(name+"__mirror", string(arguments))
			resp, err := c.post(within(t, 2*patience), c.body(a, "4711"), &a)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			before, after, found := bytes.Cut(body, arguments)
			if err != nil || !found || !bytes.Contains(before, []byte(`"id":4711,`)) || len(before)+len(after) > 200 {
				t.Errorf("%s client, %s: %v, HTTP %d, %d bytes: %.200s … %.200s", eraName(client), name, err, resp.StatusCode, len(body), before, after)
			}
		}
	}
}

// mirror is s, which answers large calls with their arguments and decodes nothing of
// them.
func mirror(s *stub) http.Handler {
	id := regexp.MustCompile(`"id":\s*(\d+)`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		from := bytes.Index(body, []byte(`{"text":"`))
		if len(body) < 1<<20 || from < 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
			s.ServeHTTP(w, r)
			return
		}
		arguments := body[from : from+bytes.Index(body[from:], []byte(`"}`))+2]
		member := `"result":{"content":[],"structuredContent":` + string(arguments) + `,"resultType":"complete"}`
		number := id.FindSubmatch(body[:from])[1]
		if !s.old {
			respond(w, 200, number, member)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		s.deliver(r.URL.Query().Get("session"), `{"jsonrpc":"2.0","id":`+string(number)+`,`+member+`}`)
	})
}
