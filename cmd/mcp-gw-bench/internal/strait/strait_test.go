package strait

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const limit = 10 * time.Second

// talker is an engine that tells one line on its stream of events each time that it is
// asked to.
func talker(t *testing.T) (path string, say chan string) {
	t.Helper()
	path, say = filepath.Join(t.TempDir(), "s"), make(chan string)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/events") {
			_, _ = w.Write([]byte("pong"))
			return
		}
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case line := <-say:
				_, _ = w.Write([]byte(line + "\n"))
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return path, say
}

func through(s *Strait) *http.Client {
	return &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", s.Path)
		}}}
}

func TestStreamsPassAndAreCut(t *testing.T) {
	to, say := talker(t)
	s, err := Listen(to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	client := through(s)
	res, err := client.Get("http://engine/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := s.AwaitStream(context.Background(), limit); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	say <- "one"
	if line, err := lines.ReadString('\n'); line != "one\n" {
		t.Fatalf("heard %q, %v", line, err)
	}
	s.Mute()
	say <- "two"
	if res, err := client.Get("http://engine/_ping"); err != nil { // what is asked for still passes
		t.Error(err)
	} else {
		res.Body.Close()
	}
	s.Cut()
	if line, err := lines.ReadString('\n'); err == nil {
		t.Errorf("heard %q after the cut", line)
	}
}

func TestABarLetsNobodyThrough(t *testing.T) {
	to, _ := talker(t)
	s, err := Listen(to)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := through(s)
	s.Bar()
	if res, err := client.Get("http://engine/_ping"); err == nil {
		res.Body.Close()
		t.Error("the bar let a request through")
	}
	s.Unbar()
	res, err := client.Get("http://engine/_ping")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if _, err := s.AwaitLet(context.Background(), limit); err != nil {
		t.Error(err)
	}
}
