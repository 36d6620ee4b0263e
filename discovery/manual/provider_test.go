package manual

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-gw/discovery"
)

func TestRegisterSavesAndSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "config", "backends.json")
	p, s, stop := start(t, path)
	wantLast(t, s, "")
	r := reg("ha", "http://10.0.0.5:8123/sse?a=1&b=2")
	r.Transport, r.Headers = "sse", map[string]string{"Authorization": "Bearer x"}
	register(t, p, r)
	off := reg("off", "https://h/mcp")
	off.Enabled = false
	register(t, p, off)
	wantLast(t, s, "ha=http://10.0.0.5:8123/sse?a=1&b=2 off=https://h/mcp")

	want := `{
  "backends": [
    {
      "name": "ha",
      "url": "http://10.0.0.5:8123/sse?a=1&b=2",
      "transport": "sse",
      "enabled": true,
      "headers": {
        "Authorization": "Bearer x"
      }
    },
    {
      "name": "off",
      "url": "https://h/mcp",
      "transport": "http",
      "enabled": false
    }
  ]
}
`
	if got := read(t, path); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file with secrets has mode %v", info.Mode())
	}
	stop()
	if err := p.Register(t.Context(), r); err == nil {
		t.Error("a registration after the end was taken")
	}

	p, s, _ = start(t, path)
	wantLast(t, s, "ha=http://10.0.0.5:8123/sse?a=1&b=2 off=https://h/mcp")
	got, ok := p.Lookup("ha")
	if !ok || !got.Equal(r) {
		t.Errorf("after the restart: %+v, %v", got, ok)
	}
	set := s.puts[0]
	if set[0].Headers["Authorization"] != "Bearer x" || set[0].Disabled || !set[1].Disabled || set[0].Source != "manual" {
		t.Errorf("after the restart the sink has %+v", set)
	}
}

func TestGroupsAndTLSSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, _, stop := start(t, path)
	r := reg("a", "https://a")
	r.Groups, r.TLS = []string{"ops", "dev", "ops"}, discovery.TLS{SkipVerify: true, ServerName: "a.internal"}
	register(t, p, r)
	pinned := reg("b", "https://b")
	pinned.TLS = discovery.TLS{CAFile: "/certs/ca.pem"}
	register(t, p, pinned)
	stop()
	want := `{
  "backends": [
    {
      "name": "a",
      "url": "https://a",
      "transport": "http",
      "enabled": true,
      "groups": [
        "ops",
        "dev",
        "ops"
      ],
      "tls": {
        "verify": false,
        "serverName": "a.internal"
      }
    },
    {
      "name": "b",
      "url": "https://b",
      "transport": "http",
      "enabled": true,
      "tls": {
        "ca": "/certs/ca.pem"
      }
    }
  ]
}
`
	if got := read(t, path); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	p, s, _ := start(t, path)
	if got, ok := p.Lookup("a"); !ok || !got.Equal(r) {
		t.Errorf("after the restart: %+v, %v", got, ok)
	}
	if b := s.puts[0][0]; b.TLS != r.TLS || !slices.Equal(b.Groups, []string{"dev", "ops"}) {
		t.Errorf("after the restart the sink has %+v", b)
	}
	if b := s.puts[0][1]; b.TLS != pinned.TLS || b.Groups != nil {
		t.Errorf("after the restart the sink has %+v", b)
	}
	register(t, p, reg("a", "https://a"))
	register(t, p, reg("b", "https://b"))
	if got := read(t, path); strings.Contains(got, "tls") || strings.Contains(got, "groups") {
		t.Errorf("what was left out is still there: %s", got)
	}
}

func TestReplaceAndRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, s, _ := start(t, path)
	for _, name := range []string{"a", "b", "c"} {
		register(t, p, reg(name, "http://"+name))
	}
	register(t, p, reg("b", "http://other"))
	wantLast(t, s, "a=http://a b=http://other c=http://c")
	if found, err := p.Remove(t.Context(), "a"); !found || err != nil {
		t.Errorf("remove: %v, %v", found, err)
	}
	wantLast(t, s, "b=http://other c=http://c")
	before := read(t, path)
	if found, err := p.Remove(t.Context(), "a"); found || err != nil {
		t.Errorf("remove what is not there: %v, %v", found, err)
	}
	if _, ok := p.Lookup("a"); ok || read(t, path) != before {
		t.Error("a removed backend is still there, or removing nothing wrote the file")
	}
}

func TestRegisterWaitsNoLongerThanItsContext(t *testing.T) {
	p := New(filepath.Join(t.TempDir(), "backends.json"), slog.New(slog.DiscardHandler)) // not run
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Register(ctx, reg("a", "http://a")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMaskedHeaders(t *testing.T) {
	p, s, _ := start(t, filepath.Join(t.TempDir(), "backends.json"))
	r := reg("a", "http://a:1/mcp")
	r.Headers = map[string]string{"Authorization": "Bearer x", "X-Old": "o"}
	register(t, p, r)

	r.URL = "http://a:1/other"
	r.Headers = map[string]string{"authorization": Masked, "X-New": "n"}
	register(t, p, r)
	if got := s.puts[len(s.puts)-1][0].Headers; len(got) != 2 || got["authorization"] != "Bearer x" || got["X-New"] != "n" {
		t.Errorf("headers are %v", got)
	}
	for name, change := range map[string]func(*Registration){
		"to another host": func(r *Registration) { r.URL = "http://evil:1/mcp" },
		"of no value":     func(r *Registration) { r.Headers = map[string]string{"X-Old": Masked} },
		"of no backend":   func(r *Registration) { r.Name = "b" },
	} {
		changed := r.clone()
		change(&changed)
		var wrong *InvalidError
		if err := p.Register(t.Context(), changed); !errors.As(err, &wrong) || wrong.Field != "headers" {
			t.Errorf("a mask %s: got %v", name, err)
		}
	}
}

func TestConcurrentRegistrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, s, stop := start(t, path)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			register(t, p, reg(fmt.Sprint("b", i), "http://h"))
			p.Lookup("b0")
			p.Problems()
		})
	}
	wg.Wait()
	if got := len(s.puts[len(s.puts)-1]); got != 8 {
		t.Errorf("the sink has %d", got)
	}
	stop()
	doc, err := parse([]byte(read(t, path)))
	if err != nil || len(doc.registrations()) != 8 {
		t.Errorf("the file has %d, %v", len(doc.registrations()), err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
