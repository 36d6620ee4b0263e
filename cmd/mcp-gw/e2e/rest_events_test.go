package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// eventPage reads GET /api/events.
type eventPage struct {
	t    *testing.T
	r    *bufio.Reader
	all  strings.Builder // what was read
	last string          // the last id
}

func (g *gateway) listen(t *testing.T, since string) *eventPage {
	t.Helper()
	resp, err := http.Get(g.url + "/api/events?since=" + since)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("/api/events: got HTTP %d", resp.StatusCode)
	}
	return &eventPage{t: t, r: bufio.NewReader(resp.Body)}
}

// next answers the name and the data of the next event, and an error at the end.
func (l *eventPage) next() (name, data string, err error) {
	for {
		text, err := l.r.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		l.all.WriteString(text)
		field, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), ": ")
		switch field {
		case "id":
			l.last = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			return name, data, nil
		}
	}
}

// want reads on until an event of one of the names has the text.
func (l *eventPage) want(text string, names ...string) {
	l.t.Helper()
	for {
		name, data, err := l.next()
		if err != nil {
			l.t.Fatalf("the stream ended before %v with %s: %v\n%s", names, text, err, l.all.String())
		}
		for _, n := range names {
			if n == name && strings.Contains(data, text) {
				return
			}
		}
	}
}

// A page sees a call, without its secrets; it is told when the gateway is another one,
// and let go when the gateway stops.
func TestEventsOverALifeAndTheNext(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
	s := newStub(t, false, false).tool("says", fixed(`"result":{"content":[{"type":"text","text":"it is `+secret+`"}]}`))
	page := g.listen(t, "")
	page.want(`"redaction":"redacted"`, "hello")
	g.connect(t, "b", s.url, "http")
	page.want(`"health":"healthy"`, "backend")
	page.want(`"exposed":1`, "tools_changed")
	c := dialLegacy(t, g.mcp())
	page.want(`"connected":true`, "client")
	c.must(t, callTool("b__says", `{"key":"`+secret+`","password":"hunter2"}`))
	page.want(`"state":"ok","method":"tools/call","name":"b__says"`, "call_finished", "calls")
	page.want(`"callsPerSecond"`, "metrics")
	_, _, calls := g.api(t, "GET", "/api/calls?limit=1", "")
	_, _, detail := g.api(t, "GET", "/api/calls/"+string(get(elements(t, get(calls, "calls"))[0], "id")), "")
	if got := string(get(detail, "arguments")); got != `{"key":"•••• redacted, 40 chars","password":"•••• redacted, 7 chars"}` {
		t.Errorf("arguments: %s", got)
	}
	said := map[string]string{"events": page.all.String(), "call": string(detail), "calls": string(calls), "log": g.process.output()}
	for _, path := range []string{"/api/logs", "/api/clients", "/api/stats", "/api/changes"} {
		_, _, text := g.api(t, "GET", path, "")
		said[path] = string(text)
	}
	for where, text := range said {
		if strings.Contains(text, secret) || strings.Contains(text, "hunter2") {
			t.Errorf("%s has a secret: %s", where, text)
		}
	}

	g.kill()
	g.start(t)
	back := g.listen(t, page.last)
	back.want("{}", "reset")
	c.must(t, callTool("b__says", `{}`)) // the client goes on in its session
	back.want(`"name":"b__says"`, "call_finished", "calls")

	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := back.next(); err != nil {
				ended <- err
				return
			}
		}
	}()
	if took := took(func() {
		if err := g.process.terminate(patience); err != nil {
			t.Error(err)
		}
	}); took > 8*time.Second {
		t.Errorf("an open page kept the gateway from stopping for %v", took)
	}
	receive(t, "the end of the stream", ended)
}

// Nothing but numbers is kept where somebody wants that.
func TestTrafficModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{"metadata": "name", "full": "name arguments secret", "off": ""} {
		g := startGateway(t, "MCP_GW_TRAFFIC="+mode)
		s := newStub(t, false, false).tool("says", fixed(`"result":{"content":[]}`))
		g.connect(t, "b", s.url, "http")
		dialLegacy(t, g.mcp()).must(t, callTool("b__says", `{"password":"hunter2"}`))
		_, _, calls := g.api(t, "GET", "/api/calls", "")
		_, _, detail := g.api(t, "GET", fmt.Sprint("/api/calls/", 2), "")
		var got []string
		for word, text := range map[string]string{"name": "b__says", "arguments": `"arguments":`, "secret": "hunter2"} {
			if strings.Contains(string(calls)+string(detail), text) {
				got = append(got, word)
			}
		}
		for _, word := range []string{"name", "arguments", "secret"} {
			if strings.Contains(want, word) != strings.Contains(strings.Join(got, " "), word) {
				t.Errorf("%s: got %v, want %q\n%s\n%s", mode, got, want, calls, detail)
			}
		}
		if _, _, stats := g.api(t, "GET", "/api/stats?range=15m", ""); string(get(get(stats, "total"), "calls")) != "1" {
			t.Errorf("%s: %s", mode, get(stats, "total"))
		}
		if str(calls, "redaction") != mode {
			t.Errorf("%s: %.200s", mode, calls)
		}
	}
}
