package downstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// again is h after a restart with that key.
func (h *house) again(t *testing.T, key byte) *house {
	t.Helper()
	return start(t, func(c *Config) { c.Key = [32]byte{key, 2, 3} })
}

// A session goes on after a restart of the gateway: all that it needs is in its id,
// which only this gateway can write.
func TestSessionSurvivesARestart(t *testing.T) {
	h := start(t, nil)
	const params = `{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{},"x":1e400},"clientInfo":{"name":"c","version":"1","n":1.0}}`
	a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":`+params+`}`)
	s := []string{"Mcp-Session-Id", a.header.Get("Mcp-Session-Id")}
	if strings.ContainsFunc(s[1], func(r rune) bool { return r < '!' || r > '~' }) {
		t.Errorf("id %q", s[1])
	}
	after := h.again(t, 1)
	if a := after.post(t, ping, s...); a.status != 200 || after.sessions.count() != 1 {
		t.Fatalf("after a restart: %+v", a)
	}
	got := after.sessions.get(s[1])
	if got.Version != "2025-06-18" || string(got.Capabilities) != `{"elicitation":{},"x":1e400}` || string(got.Info) != `{"name":"c","version":"1","n":1.0}` || got.tag != h.tag(t, s) || got.lane.Key != got.tag {
		t.Errorf("it has become %+v", got.hello)
	}
	if a := after.do(t, "DELETE", "", s...); a.status != http.StatusNoContent {
		t.Errorf("DELETE: %+v", a)
	}
	for range 2 {
		if a := after.post(t, ping, s...); a.status != http.StatusNotFound || !strings.Contains(a.body, "-32001") {
			t.Errorf("after DELETE: %+v", a)
		}
	}
	if a := h.again(t, 2).post(t, ping, s...); a.status != http.StatusNotFound || !strings.Contains(a.body, "-32001") {
		t.Errorf("with another key: %+v", a)
	}
	// Each endpoint keeps its own.
	if a := h.again(t, 1).post(t, ping, append(s, "Path", "/mcp/b")...); a.status != http.StatusNotFound {
		t.Errorf("at another endpoint: %+v", a)
	}
}

// A session that gave way to others comes back when its client does.
func TestEvictedSessionComesBack(t *testing.T) {
	h := start(t, func(c *Config) { c.MaxSessions = 2 })
	first := h.initialize(t)
	for range 5 {
		h.initialize(t)
	}
	if h.sessions.count() > 2 {
		t.Errorf("%d sessions", h.sessions.count())
	}
	if a := h.post(t, ping, first...); a.status != 200 || h.sessions.count() > 2 {
		t.Errorf("%+v; %d sessions", a, h.sessions.count())
	}
}

// Ids that nobody made, or that were changed, are no sessions.
func TestForgedSessions(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	after := h.again(t, 1)
	id := s[1]
	forged := []string{id + "A", id[:len(id)-1], "A" + id, h.tag(t, s), strings.Repeat("A", 1<<12), strings.Repeat("A", 40), "x"}
	for i := 0; i < len(id); i += 7 {
		c := "A"
		if id[i] == 'A' {
			c = "B"
		}
		forged = append(forged, id[:i]+c+id[i+1:])
	}
	for _, f := range forged {
		if a := after.post(t, ping, "Mcp-Session-Id", f); a.status != http.StatusNotFound {
			t.Errorf("%q: %+v", f, a)
		}
	}
	// Sealed by us, for another purpose or with other content.
	for _, content := range []string{``, `{}`, `{"t":"x"}`, `{"t":"x","v":"2026-07-28"}`, `{"t":"x","v":"1999-01-01"}`, `{"t":"","v":"2025-11-25"}`, `[]`, `{"t":7,"v":"2025-11-25"}`} {
		if a := after.post(t, ping, "Mcp-Session-Id", after.sessions.seal.Close([]byte(content), nil)); a.status != http.StatusNotFound {
			t.Errorf("%s: %+v", content, a)
		}
	}
	if n := after.sessions.count(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// However much a client says of itself, its session works, and its id stays within
// what servers take as a header.
func TestTalkativeClients(t *testing.T) {
	h := start(t, nil)
	icon := strings.Repeat("i", 4000)
	for name, test := range map[string]struct {
		info, capabilities string
		survives           bool
		kept               string
	}{
		"icons":                   {`{"icons":[{"src":"` + icon + `"}],"name":"c","version":"1","websiteUrl":"x"}`, `{"roots":{}}`, true, `{"name":"c","version":"1"}`},
		"name twice":              {`{"name":"c","name":"d","version":"1","x":"` + icon + `"}`, `{}`, true, `{"name":"c","version":"1"}`},
		"long name":               {`{"name":"` + icon + `","version":"1"}`, `{}`, false, ""},
		"long capabilities":       {`{"name":"c","version":"1"}`, `{"experimental":{"x":"` + icon + `"}}`, false, ""},
		"more than is kept":       {`{"name":"` + strings.Repeat("n", maxClientInfo) + `"}`, `{"x":"` + strings.Repeat("n", maxCapabilities) + `"}`, true, ""},
		"no objects":              {`"c"`, `[]`, true, ""},
		"nothing":                 {`null`, `null`, true, ""},
		"an endless implentation": {`{"name":"c","version":"1","x":"` + strings.Repeat("x", 1<<17) + `"}`, `{}`, true, ""},
	} {
		a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":`+test.capabilities+`,"clientInfo":`+test.info+`}}`)
		s := []string{"Mcp-Session-Id", a.header.Get("Mcp-Session-Id")}
		if a.status != 200 || len(s[1]) > 3<<10 || len(s[1]) < 20 {
			t.Errorf("%s: %d, an id of %d bytes", name, a.status, len(s[1]))
		}
		if a := h.post(t, ping, s...); a.status != 200 {
			t.Errorf("%s: %+v", name, a)
		}
		after := h.again(t, 1)
		a = after.post(t, ping, s...)
		if test.survives != (a.status == 200) || !test.survives && a.status != http.StatusNotFound {
			t.Errorf("%s, after a restart: %+v", name, a)
			continue
		}
		if test.survives {
			if got := string(after.sessions.get(s[1]).Info); got != test.kept {
				t.Errorf("%s: its Info is %.100s", name, got)
			}
		}
	}
}

// Clients that come, and never come back, cost what the bound allows.
func TestManyAbandonedSessions(t *testing.T) {
	h := newHouse(func(c *Config) { c.MaxSessions = 500 })
	defer h.parking.Close()
	var last *session
	for i := range 10_000 {
		last = h.sessions.open(readHello(fmt.Appendf(nil, `{"capabilities":{},"clientInfo":{"name":"c%d","version":"1"}}`, i), "", "2025-11-25"))
		last.newReel().add([]byte("x"))
		last.standing.add([]byte("x"))
		if i%2 == 0 {
			h.sessions.end(last)
		}
	}
	if n := h.sessions.count(); n > 500 || n < 400 {
		t.Errorf("%d sessions", n)
	}
	if n, left := int64(h.sessions.count()), h.sessions.budget.used.Load(); left != 2*n {
		t.Errorf("%d bytes are kept for %d sessions", left, n)
	}
	if n := len(h.left()); n != 10_000-h.sessions.count() {
		t.Errorf("told of %d", n)
	}
	if len(h.sessions.ended) > maxEnded {
		t.Errorf("%d ids are known to be given up", len(h.sessions.ended))
	}
}
