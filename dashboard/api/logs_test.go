package api

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-gw/gateway/journal"
)

func TestLogs(t *testing.T) {
	h := newHouse(t)
	h.want(t, "GET", "/api/logs", "", 200, `{"entries":[]}`)
	for i := range 250 {
		h.gateway.journal.System(journal.LevelInfo, fmt.Sprint("m", i+1))
	}
	_, got := h.call(t, "GET", "/api/logs", "")
	if n := strings.Count(got, `"id":`); n != 200 || !strings.HasPrefix(got, `{"entries":[{"id":51,`) || !strings.Contains(got, `"level":"info","type":"system","message":"m250"}]}`) {
		t.Errorf("%d entries: %.300s", n, got)
	}
}

// lines reads a stream, line by line.
type lines struct {
	t *testing.T
	r *bufio.Reader
}

func (l lines) next() string {
	l.t.Helper()
	line, err := l.r.ReadString('\n')
	if err != nil {
		l.t.Fatalf("the stream ended: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// want reads on until a line begins so, and returns it. Nothing but comments and
// empty lines may come before.
func (l lines) want(prefix string) string {
	l.t.Helper()
	for {
		line := l.next()
		if strings.HasPrefix(line, prefix) {
			return line
		}
		if line != "" && !strings.HasPrefix(line, ":") {
			l.t.Fatalf("got %q, want %q", line, prefix)
		}
	}
}

func follow(t *testing.T, ctx context.Context, url string, header ...string) lines {
	t.Helper()
	resp := open(t, ctx, url, header...)
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"} {
		if got := resp.Header.Get(name); resp.StatusCode != 200 || got != want {
			t.Errorf("%d, %s: got %q, want %q", resp.StatusCode, name, got, want)
		}
	}
	l := lines{t, bufio.NewReader(resp.Body)}
	if got := l.next(); got != ": open" {
		t.Fatalf("the stream begins with %q", got)
	}
	return l
}

func TestTheStreamReplaysAndFollows(t *testing.T) {
	h := newHouse(t)
	url := h.live(t).URL + "/api/logs/stream"
	say := func(message string) { h.gateway.journal.System(journal.LevelInfo, message) }
	say("one")
	say("two")

	fresh := follow(t, t.Context(), url)
	say("three")
	id := fresh.want("id: ")
	if want := "id: " + h.server.boot + "-3"; id != want {
		t.Errorf("got %q, want %q", id, want)
	}
	data := fresh.want("data: ")
	if entry := strings.TrimPrefix(data, "data: "); field(t, entry, "message") != `"three"` || field(t, entry, "id") != "3" {
		t.Errorf("a fresh reader got %s", data)
	}
	if got := fresh.next(); got != "" {
		t.Errorf("the event does not end: %q", got)
	}

	for name, header := range map[string][]string{
		"after the first":   {"Last-Event-ID", h.server.boot + "-1", "two", "three"},
		"a bare number":     {"Last-Event-ID", "2", "three"},
		"of another life":   {"Last-Event-ID", "zzz-2", "one", "two", "three"},
		"what is no id":     {"Last-Event-ID", "-", "one", "two", "three"},
		"one of the future": {"Last-Event-ID", "99", "one", "two", "three"},
	} {
		t.Run(name, func(t *testing.T) {
			l := follow(t, t.Context(), url, header[:2]...)
			for _, want := range header[2:] {
				l.want("id: ")
				if got := l.want("data: "); !strings.Contains(got, `"message":"`+want+`"`) {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	l := follow(t, t.Context(), url+"?since=2")
	l.want("id: ")
	if got := l.want("data: "); !strings.Contains(got, "three") {
		t.Errorf("since=2: got %s", got)
	}
}

func TestASilentStreamIsKeptOpen(t *testing.T) {
	h := newHouse(t)
	h.server.heartbeat = 5 * time.Millisecond
	l := follow(t, t.Context(), h.live(t).URL+"/api/logs/stream")
	l.want(": alive")
	l.want(": alive")
}

func TestStreamsEndWithTheServer(t *testing.T) {
	h := newHouse(t)
	run, stop := context.WithCancel(context.Background())
	s := httptest.NewUnstartedServer(h.handler)
	s.Config.BaseContext = func(net.Listener) context.Context { return run }
	s.Start()
	t.Cleanup(s.Close)
	resp := open(t, t.Context(), s.URL+"/api/logs/stream")
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server could not shut down: %v", err)
	}
	if got := all(t, resp.Body); got != ": open\n\n" {
		t.Errorf("the stream ended with %q", got)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	h := newHouse(t)
	url := h.live(t).URL + "/api/logs/stream"
	ctx, cancel := context.WithCancel(t.Context())
	for range maxStreams {
		follow(t, ctx, url)
	}
	resp := open(t, t.Context(), url)
	if body := all(t, resp.Body); resp.StatusCode != 503 || !strings.Contains(body, `{"error":"64 log streams are open already`) {
		t.Errorf("one more: %d %s", resp.StatusCode, body)
	}
	cancel()
	eventually(t, "a free place", func() bool { return len(h.server.streams) == 0 })
	follow(t, t.Context(), url)
}

// stuck is a connection whose reader may stop: each write says that it begins,
// and waits until it may go on.
type stuck struct {
	*httptest.ResponseRecorder
	begins, goOn chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	s.begins <- struct{}{}
	<-s.goOn
	return s.ResponseRecorder.Write(b)
}

func TestASlowReaderIsDroppedAndHoldsUpNobody(t *testing.T) {
	h := newHouse(t)
	w := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/logs/stream", nil))
	}()
	<-w.begins // ": open"
	w.goOn <- struct{}{}
	h.gateway.journal.System(journal.LevelInfo, "first")
	<-w.begins           // the first event, which its reader does not take
	for i := range 400 { // nobody waits for it; and the ring has 300
		h.gateway.journal.System(journal.LevelInfo, fmt.Sprint(i))
	}
	w.goOn <- struct{}{}
	select {
	case <-ended:
	case <-w.begins:
		t.Error("a reader who lost entries was served on, as if it had not")
		w.goOn <- struct{}{}
	case <-time.After(30 * time.Second):
		t.Fatal("the stream did not end")
	}
	if n := len(h.server.streams); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}
