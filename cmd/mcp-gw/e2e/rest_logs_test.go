package e2e

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRESTLogs(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).
		tool("fine", fixed(`"result":{"content":[]}`)).
		tool("bad", fixed(`"result":{"content":[],"isError":true}`)).
		tool("thrown", fixed(`"error":{"code":-32603,"message":"boom"}`))
	g.connect(t, "b", s.url, "http")

	// The stream is open before what it shall show.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", g.url+"/api/logs/stream", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"} {
		if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("/api/logs/stream: %s is %q, want %q", name, got, want)
		}
	}
	c := dialLegacy(t, g.mcp())
	c.must(t, callTool("b__fine", `{"q":"visible","password":"hunter2"}`))
	c.must(t, callTool("b__bad", `{}`))
	if _, err := c.try(t.Context(), callTool("b__thrown", `{}`)); err != nil {
		t.Fatal(err)
	}
	wanted := []*regexp.Regexp{
		regexp.MustCompile(`^→ b::fine$`), regexp.MustCompile(`^← b::fine OK \d+ms$`),
		regexp.MustCompile(`^← b::bad ERR \d+ms$`), regexp.MustCompile(`^← b::thrown THROW \d+ms: .*boom`),
	}
	stream := newSSEReader(resp.Body)
	var read []string
	for seen := 0; seen < len(wanted); {
		_, data, err := stream.next()
		if err != nil {
			t.Fatalf("the log stream ended; still wanted: %v of:\n%s", wanted[seen:], strings.Join(read, "\n"))
		}
		read = append(read, str(data, "level")+" "+str(data, "message"))
		checkEntry(t, data)
		if wanted[seen].MatchString(str(data, "message")) {
			seen++
		}
	}

	status, header, body := g.api(t, "GET", "/api/logs", "")
	wantJSON(t, "GET /api/logs", status, 200, header, body)
	last := 0.0
	levels := map[string]string{}
	for _, text := range elements(t, get(body, "entries")) {
		entry := checkEntry(t, text)
		if id := entry["id"].(float64); id <= last {
			t.Errorf("log ids: %v after %v, want them to rise", id, last)
		} else {
			last = id
		}
		levels[strings.Fields(str(text, "message"))[0]+" "+str(text, "tool")+" "+str(text, "type")] = str(text, "level")
	}
	for key, want := range map[string]string{
		"→ fine tool_call": "info", "← fine tool_result": "info", "← bad tool_result": "warn", "← thrown tool_result": "error",
	} {
		if levels[key] != want {
			t.Errorf("level of %s: got %q, want %q (all: %v)", key, levels[key], want, levels)
		}
	}
	for _, message := range []string{"Connected — 3 tools", "MCP session opened:"} {
		if !bytes.Contains(body, []byte(message)) {
			t.Errorf("/api/logs has no %q: %s", message, indent(body))
		}
	}
	if !bytes.Contains(body, []byte("visible")) || bytes.Contains(body, []byte("hunter2")) {
		t.Error("data of a call: want its arguments, without the password")
	}

	for range 110 { // two entries each
		c.must(t, callTool("b__fine", `{}`))
	}
	eventually(t, "the log to hold its last 200", func() bool {
		_, _, body := g.api(t, "GET", "/api/logs", "")
		return len(elements(t, get(body, "entries"))) == 200
	})
}

// checkEntry holds a LogEntry against the original gateway's shape.
func checkEntry(t *testing.T, text []byte) map[string]any {
	t.Helper()
	entry := object(t, text)
	id, ok := entry["id"].(float64)
	if ts, _ := entry["ts"].(string); !ok || id < 1 || !isoTime.MatchString(ts) {
		t.Errorf("log entry: id %v, ts %v", entry["id"], entry["ts"])
	}
	if !slices.Contains([]any{"info", "warn", "error", "debug"}, entry["level"]) ||
		!slices.Contains([]any{"tool_call", "tool_result", "backend_event", "system"}, entry["type"]) {
		t.Errorf("log entry: level %v, type %v", entry["level"], entry["type"])
	}
	if m, ok := entry["message"].(string); !ok || m == "" {
		t.Errorf("log entry without message: %s", text)
	}
	if entry["type"] == "tool_result" {
		_, isNumber := entry["durationMs"].(float64)
		if !isNumber || entry["status"] != "ok" && entry["status"] != "error" || entry["backend"] == nil || entry["tool"] == nil {
			t.Errorf("tool_result: %s", text)
		}
	}
	return entry
}
