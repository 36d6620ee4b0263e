package shim

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Ten clients share one process: each answer reaches who asked, once.
func TestSharedProcess(t *testing.T) {
	r := start(t, "plain", Config{Shared: true})
	var mu sync.Mutex
	var counted []int
	var all sync.WaitGroup
	clients := make([]*caller, 10)
	for i := range clients {
		clients[i] = r.dial(t)
	}
	for _, c := range clients {
		all.Go(func() {
			for range 30 {
				n := c.number("count")
				mu.Lock()
				counted = append(counted, n)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(counted)
	for i, n := range counted {
		if n != i+1 {
			t.Fatalf("the answers count %v, want each of 1 to 300 once", counted)
		}
	}
	if _, body := clients[3].call("progress"); strings.Count(body, `"progressToken":"p31"`) != 3 {
		t.Errorf("progress: got %s, want three under the token of the call", body)
	}
}

// A process that ends is started again, and clients keep their sessions.
func TestSharedProcessIsStartedAgain(t *testing.T) {
	r := start(t, "plain", Config{Shared: true})
	c := r.dial(t)
	before := c.number("pid")
	if _, body := c.call("exit"); !strings.Contains(body, `"error"`) && !strings.Contains(body, `"isError":true`) {
		t.Errorf("the call that ended the process: got %s, want an error", body)
	}
	if after := c.number("pid"); after == before {
		t.Errorf("still process %d", after)
	}
	if alive(before) {
		t.Errorf("process %d was not waited for", before)
	}
}

func TestEachSessionHasAProcess(t *testing.T) {
	r := start(t, "plain", Config{})
	a, b := r.dial(t), r.dial(t)
	for want := range 5 {
		if n := a.number("count"); n != want+1 {
			t.Fatalf("a counts %d, want %d", n, want+1)
		}
	}
	if n := b.number("count"); n != 1 {
		t.Errorf("b counts %d, want 1: it sees what a did", n)
	}
	pid := a.number("pid")
	if pid == b.number("pid") {
		t.Error("both have one process")
	}

	// What a session's process does is no matter of the others.
	if status, body := b.call("exit"); status != http.StatusOK || !strings.Contains(body, "the server's process ended") {
		t.Errorf("the call that ended the process: got HTTP %d %s", status, body)
	}
	eventually(t, "the session of the process that ended to be unknown", func() bool {
		status, _ := b.call("count")
		return status == http.StatusNotFound
	})
	if n := a.number("count"); n != 6 {
		t.Errorf("a counts %d, want 6", n)
	}
	resp := a.send(http.MethodDelete, "")
	resp.Body.Close()
	if status, _ := a.call("count"); resp.StatusCode != http.StatusNoContent || status != http.StatusNotFound {
		t.Errorf("DELETE: got HTTP %d, and %d for a call after it", resp.StatusCode, status)
	}
	eventually(t, "the process of the session that ended to end", func() bool { return !alive(pid) })
}

// A server with one client may ask it.
func TestServerAsksItsClient(t *testing.T) {
	r := start(t, "plain", Config{})
	c := r.dial(t)
	resp := c.send(http.MethodPost, callBody(1, "ask"))
	defer resp.Body.Close()
	var text string
	buf := make([]byte, 4096)
	for !strings.Contains(text, "sampling/createMessage") {
		n, err := resp.Body.Read(buf)
		if text += string(buf[:n]); err != nil {
			t.Fatalf("%v after %q", err, text)
		}
	}
	if status, body, _ := c.post(`{"jsonrpc":"2.0","id":"question","result":{"model":"m"}}`); status != http.StatusAccepted {
		t.Fatalf("the answer: got HTTP %d %s", status, body)
	}
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(rest), `told: {\"model\":\"m\"}`) {
		t.Errorf("got %q, %v", rest, err)
	}
	if _, body := c.call("progress"); strings.Count(body, `"progressToken":"p1"`) != 3 || !strings.Contains(body, "done") {
		t.Errorf("progress: got %s", body)
	}
}

// What came when nobody listened is in the client's stream.
func TestStreamOfASession(t *testing.T) {
	r := start(t, "plain", Config{})
	c := r.dial(t)
	stream := c.send(http.MethodGet, "")
	defer stream.Body.Close()
	var text string
	buf := make([]byte, 4096)
	for !strings.Contains(text, `"data":"hello"`) {
		n, err := stream.Body.Read(buf)
		if text += string(buf[:n]); err != nil {
			t.Fatalf("%v after %q", err, text)
		}
	}
	second := c.send(http.MethodGet, "")
	second.Body.Close()
	if second.StatusCode != http.StatusConflict {
		t.Errorf("a second stream: got HTTP %d, want 409", second.StatusCode)
	}
	r.EndStreams()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream was cut off rather than ended: %v", err)
	}
}

func TestSessionsAreBoundedAndEndOfIdleness(t *testing.T) {
	r := start(t, "plain", Config{MaxSessions: 2, SessionIdle: time.Hour})
	first, second := r.dial(t), r.dial(t)
	pid := first.number("pid")
	second.number("pid")
	r.dial(t)
	if status, _ := first.call("pid"); status != http.StatusNotFound {
		t.Errorf("a third session: got HTTP %d for the one unused longest, want 404", status)
	}
	second.number("pid")
	eventually(t, "its process to end", func() bool { return !alive(pid) })

	r = start(t, "plain", Config{SessionIdle: 200 * time.Millisecond})
	pid = r.dial(t).number("pid")
	eventually(t, "the process of an idle session to end", func() bool { return !alive(pid) })
}

// A client without a session is told what one of the older era is told.
func TestNoSession(t *testing.T) {
	r := start(t, "plain", Config{})
	c := &caller{t: t, url: r.url + "/mcp"}
	if status, body, _ := c.post(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}`); status != http.StatusBadRequest || !strings.Contains(body, "initialize first") {
		t.Errorf("got HTTP %d %s", status, body)
	}
	if status, body, _ := c.post(`{`); status != http.StatusBadRequest || !strings.Contains(body, "-32700") {
		t.Errorf("half a message: got HTTP %d %s", status, body)
	}
}

func TestCommandThatCannotRun(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]int{"there-is-no-such-command": 127, plain: 126} {
		_, err := New(Config{Command: []string{name}})
		var ended *EndedError
		if !errors.As(err, &ended) || ended.Code != code || !strings.Contains(ended.Reason, name) {
			t.Errorf("%s: got %v, want the exit code %d", name, err, code)
		}
	}
}

// A command that ends again and again is given up, with its own exit code. Until then
// clients are told why nobody answers.
func TestCommandThatEndsAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := start(t, "broken", Config{Shared: true})
	c := &caller{t: t, url: r.url + "/mcp"}
	if status, body, _ := c.post(`{"jsonrpc":"2.0","id":0,"method":"ping"}`); status != http.StatusServiceUnavailable || !strings.Contains(body, "process ended") {
		t.Errorf("got HTTP %d %s, want 503 and the reason", status, body)
	}
	select {
	case err := <-r.ended:
		var ended *EndedError
		if !errors.As(err, &ended) || ended.Code != 7 {
			t.Errorf("got %v, want the exit code 7", err)
		}
	case <-time.After(2 * patience):
		t.Fatal("it is not given up")
	}
}

// Whatever a process does about its end, it ends with the shim.
func TestStubbornProcessEnds(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{true, false} {
		r := start(t, "stubborn", Config{Shared: shared})
		pid := r.dial(t).number("pid")
		r.stop()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Fatal("the shim does not end")
		}
		if alive(pid) {
			t.Errorf("process %d is still there", pid)
		}
		if _, err := r.command.start(); !errors.Is(err, errEnding) {
			t.Errorf("a start after the end: got %v", err)
		}
	}
}
