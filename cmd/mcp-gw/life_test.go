package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// parts is a gateway of fakes that notes what happens, in order.
type parts struct {
	mu     sync.Mutex
	events []string

	callBegan, callMayEnd  chan struct{}
	streamBegan, logsBegan chan struct{}
	streamsEnd             chan struct{}
}

func newParts() *parts {
	return &parts{callBegan: make(chan struct{}), callMayEnd: make(chan struct{}), streamBegan: make(chan struct{}), logsBegan: make(chan struct{}), streamsEnd: make(chan struct{})}
}

func (p *parts) note(event string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event)
}

func (p *parts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/call":
		close(p.callBegan)
		select {
		case <-p.callMayEnd:
			p.note("call finished")
			io.WriteString(w, "result")
		case <-r.Context().Done():
			p.note("call cut off")
			panic(http.ErrAbortHandler) // or an empty answer may get out before the end
		}
	case "/stream":
		http.NewResponseController(w).Flush()
		close(p.streamBegan)
		<-p.streamsEnd
		p.note("stream ended")
	case "/logs":
		http.NewResponseController(w).Flush()
		close(p.logsBegan)
		<-r.Context().Done()
	}
}

func (p *parts) life(drain time.Duration, work ...func(context.Context) error) life {
	return life{
		log: slog.New(slog.DiscardHandler), handler: p, drain: drain,
		notReady: func() { p.note("not ready") },
		endStreams: func() {
			p.note("streams told to end")
			close(p.streamsEnd)
		},
		work: work,
	}
}

func (p *parts) worker(ctx context.Context) error {
	<-ctx.Done()
	p.note("work ended")
	return ctx.Err()
}

// start runs f on a free port. The channel gives what run returned.
func start(t *testing.T, ctx context.Context, f life) (url string, done <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx, l) }()
	return "http://" + l.Addr().String(), ended
}

func request(method, url string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			answer <- "error: " + err.Error()
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			answer <- "error: " + err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	return answer
}

func TestF49ShutdownLetsCallsFinishAndEndsStreams(t *testing.T) {
	p := newParts()
	ctx, stop := context.WithCancel(t.Context())
	url, done := start(t, ctx, p.life(time.Minute, p.worker))
	call, stream, logs := request("POST", url+"/call"), request("POST", url+"/stream"), request("GET", url+"/logs")
	<-p.callBegan
	<-p.streamBegan
	<-p.logsBegan

	stop()
	<-p.streamsEnd
	if got := <-logs; got != "" {
		t.Errorf("the log stream gave %q, want a clean end", got)
	}
	if got := <-stream; got != "" {
		t.Errorf("the stream gave %q, want a clean end", got)
	}
	close(p.callMayEnd)
	if got := <-call; got != "result" {
		t.Errorf("the call in flight gave %q, want its result", got)
	}
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	want := []string{"not ready", "streams told to end", "stream ended", "call finished", "work ended"}
	if !slices.Equal(p.events, want) {
		t.Errorf("order\n got %q\nwant %q", p.events, want)
	}
}

func TestShutdownCutsOffWhatTakesTooLong(t *testing.T) {
	p := newParts()
	ctx, stop := context.WithCancel(t.Context())
	url, done := start(t, ctx, p.life(time.Millisecond, p.worker))
	call := request("POST", url+"/call")
	<-p.callBegan
	stop()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if got := <-call; !strings.HasPrefix(got, "error: ") {
		t.Errorf("the call gave %q, want an error", got)
	}
	// The call's own goroutine notes its end after the work may have ended.
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.events, "work ended") || slices.Contains(p.events, "call finished") {
		t.Errorf("got %q", p.events)
	}
}

func TestAFailingPartEndsAll(t *testing.T) {
	p := newParts()
	broken := errors.New("broken")
	_, done := start(t, t.Context(), p.life(time.Minute, p.worker, func(context.Context) error { return broken }))
	if err := <-done; !errors.Is(err, broken) {
		t.Errorf("run gave %v, want %v", err, broken)
	}
	want := []string{"not ready", "streams told to end", "work ended"}
	if !slices.Equal(p.events, want) {
		t.Errorf("order\n got %q\nwant %q", p.events, want)
	}
}
