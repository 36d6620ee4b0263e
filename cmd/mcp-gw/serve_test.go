package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// free gives an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The whole gateway, as wired: it comes up without Docker and without a file,
// its own health check finds it, and it ends when it is told to, with a log
// stream still open.
func TestServe(t *testing.T) {
	addr := free(t)
	environ := []string{
		"MCP_GW_LISTEN=" + addr, "MCP_GW_DOCKER=off", "MCP_GW_LOG_FORMAT=json", "MCP_GW_NETWROK=x",
		"CONFIG_PATH=" + filepath.Join(t.TempDir(), "config", "backends.json"),
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	exit := make(chan int, 1)
	go func() { exit <- run(ctx, []string{"serve"}, environ, io.Discard, &log) }()

	healthy := func() bool { return run(ctx, []string{"healthcheck"}, environ, io.Discard, io.Discard) == 0 }
	ready := func() bool { // a moment later: the registrations are read
		resp, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	for deadline := time.Now().Add(20 * time.Second); !healthy() || !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the gateway is not healthy and ready")
		}
	}
	for path, want := range map[string]int{"/readyz": 200, "/metrics": 200, "/api/health": 200, "/api/nothing": 404} {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s answered %d, want %d", path, resp.StatusCode, want)
		}
	}
	// The dashboard, where it was built into this test, else how to build it.
	page, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if kind := page.Header.Get("Content-Type"); page.StatusCode != 200 && page.StatusCode != 503 || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("GET / answered %d %s, want a page", page.StatusCode, kind)
	}
	stream, err := http.Get("http://" + addr + "/api/logs/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()

	stop()
	select {
	case code := <-exit:
		if code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the gateway does not end: its shutdown waits for a stream that never ends")
	}
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the log stream was cut off rather than ended: %v", err)
	}
	if !strings.Contains(log.String(), `did you mean MCP_GW_NETWORK?`) || !strings.Contains(log.String(), `"msg":"serving"`) {
		t.Errorf("the log lacks the warning on a misspelt setting, or is no JSON:\n%s", log.String())
	}
}

func TestServeOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out bytes.Buffer
	code := run(t.Context(), []string{"serve", "--docker=off", "--listen=" + l.Addr().String()}, nil, io.Discard, &out)
	if code != 1 || !strings.Contains(out.String(), "in use") || !strings.Contains(out.String(), "set PORT or MCP_GW_LISTEN") {
		t.Errorf("exit %d, %q; want 1, the reason and what to set", code, out.String())
	}
}
