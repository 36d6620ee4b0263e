package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// At SIGTERM endless streams end, calls in flight are finished, and the process
// leaves with code 0.
func TestF49ShutdownFinishesCallsAndEndsStreams(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, true)
	h := addHanging(s, "hang")
	g.connect(t, "b", s.url, "http")
	legacy, modern := dialLegacy(t, g.mcp()), dialModern(t, g.mcp())
	onGet, _ := legacy.listen(t)
	onListen, _ := modern.listen(t)
	logs, err := http.Get(g.url + "/api/logs/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Body.Close()

	answers := make(chan answer, 2)
	for _, c := range []*rawClient{legacy, modern} {
		go func() {
			got, err := c.try(t.Context(), callTool("b__hang", `{}`))
			if err != nil {
				t.Errorf("%s client, call in flight: %v", eraName(c.modern), err)
			}
			answers <- got
		}()
		receive(t, "the call to start", h.started)
	}
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for message := range drain(t, onGet) {
		t.Errorf("unexpected message on the GET stream: %s", message)
	}
	final := false
	for message := range drain(t, onListen) {
		final = final || get(message, "result") != nil && string(get(message, "id")) == `"listen:0"`
	}
	if !final {
		t.Error("the listen stream ended without its result")
	}
	select {
	case <-g.exited:
		t.Fatalf("the gateway left with two calls in flight: %v", g.err)
	default:
	}
	close(h.release)
	for range 2 {
		if got := receive(t, "the answer to a call in flight", answers); got.result() == nil {
			t.Errorf("a call in flight at shutdown: got %v, want its result", got)
		}
	}
	receiveClosed(t, "the gateway to end", g.exited)
	if g.err != nil {
		t.Errorf("the gateway's end: %v", g.err)
	}
}

// drain yields what comes until the channel is closed, for at most patience.
func drain(t *testing.T, from <-chan []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		timeout := time.After(patience)
		for {
			select {
			case m, ok := <-from:
				if !ok || !yield(m) {
					return
				}
			case <-timeout:
				t.Error("a stream was still open at shutdown")
				return
			}
		}
	}
}

// A call that does not end holds the shutdown up for the configured time only.
func TestShutdownDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_SHUTDOWN_TIMEOUT=500ms")
	s := newStub(t, true, false)
	h := addHanging(s, "hang")
	g.connect(t, "b", s.url, "http")
	g.register(t, "dead", "http://127.0.0.1:1/mcp", "http")
	begin(t, dialLegacy(t, g.mcp()), callTool("b__hang", `{}`))
	receive(t, "the call to start", h.started)
	var err error
	d := took(func() { err = g.terminate(patience) })
	if err != nil || d > 10*time.Second {
		t.Errorf("shutdown with an endless call: %v after %v, want a clean end soon after 500ms", err, d)
	}
}

func TestShutdownOfAnIdleGatewayIsQuick(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	var err error
	d := took(func() { err = g.terminate(patience) })
	if err != nil || d > 5*time.Second {
		t.Errorf("shutdown of an idle gateway: %v after %v", err, d)
	}
	t.Logf("idle shutdown took %v", d)
}
