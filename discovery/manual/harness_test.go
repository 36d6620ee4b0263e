package manual

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// sets is a Sink that remembers what was put.
type sets struct {
	mu   sync.Mutex // guards puts
	puts [][]discovery.Backend
}

func (s *sets) Put(source string, set []discovery.Backend) {
	if source != discovery.SourceManual {
		panic("put by " + source)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts = append(s.puts, set)
}

// last is the newest set, as "name=url name=url", and how many were put.
func (s *sets) last() (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.puts) == 0 {
		return "", 0
	}
	var out []string
	for _, b := range s.puts[len(s.puts)-1] {
		out = append(out, b.Name+"="+b.URL)
	}
	return strings.Join(out, " "), len(s.puts)
}

// start runs a provider of path until the test, or stop, ends it.
func start(t *testing.T, path string) (p *Provider, s *sets, stop func()) {
	t.Helper()
	p, s = New(path, slog.New(slog.DiscardHandler)), &sets{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Cleanup(stop)
	eventually(t, "the first set", func() bool { _, n := s.last(); return n > 0 })
	return p, s, stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func reg(name, url string) Registration {
	return Registration{Name: name, URL: url, Transport: "http", Enabled: true}
}

func register(t *testing.T, p *Provider, r Registration) {
	t.Helper()
	if err := p.Register(t.Context(), r); err != nil {
		t.Fatalf("register %s: %v", r.Name, err)
	}
}

func wantLast(t *testing.T, s *sets, want string) {
	t.Helper()
	if got, _ := s.last(); got != want {
		t.Errorf("the sink has %q, want %q", got, want)
	}
}

func broken(t *testing.T, path string) []string {
	t.Helper()
	kept, err := filepath.Glob(path + ".broken-*")
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
