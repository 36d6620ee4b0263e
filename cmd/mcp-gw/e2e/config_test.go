package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegistrationSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	status, _, body := g.api(t, "POST", "/api/backends", fmt.Sprintf(`{"name":"kept","url":%q,"transport":"http","headers":{"X-Key":"v1"}}`, s.url))
	if status != 200 {
		t.Fatalf("POST: got HTTP %d %s", status, body)
	}
	session := dialLegacy(t, g.mcp())
	g.register(t, "gone", s.url, "http")
	g.api(t, "DELETE", "/api/backends/gone", "")

	info, err := os.Stat(g.config)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode of backends.json: got %o, want 600: it holds secrets", mode)
	}
	g.kill() // at once: whatever was answered must be on disk
	text, err := os.ReadFile(g.config)
	if err != nil {
		t.Fatal(err)
	}
	list := elements(t, get(text, "backends"))
	if len(list) != 1 || str(list[0], "name") != "kept" || str(list[0], "url") != s.url || str(list[0], "transport") != "http" ||
		string(get(list[0], "enabled")) != "true" || str(get(list[0], "headers"), "X-Key") != "v1" {
		t.Errorf("backends.json: got %s", text)
	}
	g.start(t)
	g.awaitStatus(t, "kept", "connected")
	if g.backend(t, "gone") != nil {
		t.Error("a deleted backend is back")
	}
	session.must(t, callTool("kept__fine", `{}`)) // clients do not notice
	dialLegacy(t, g.mcp()).must(t, callTool("kept__fine", `{}`))
	s.mu.Lock()
	key := s.headers[len(s.headers)-1].Get("X-Key")
	s.mu.Unlock()
	if key != "v1" {
		t.Errorf("header after the restart: got %q, want v1", key)
	}
}

func TestBackendsFileIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g := startGateway(t)
	g.kill()
	// As the original gateway, or a person, leaves it: fields we do not know, too.
	writeFile(t, g.config, fmt.Sprintf(`{"comment":"mine","backends":[{"name":"old","url":%q,"transport":"http","enabled":true,"note":{"by":"me"}}]}`, s.url))
	g.start(t)
	g.awaitStatus(t, "old", "connected")

	g.register(t, "new", s.url, "http")
	text, err := os.ReadFile(g.config)
	if err != nil {
		t.Fatal(err)
	}
	if str(text, "comment") != "mine" || str(elements(t, get(text, "backends"))[0], "note", "by") != "me" {
		t.Errorf("unknown fields were lost: %s", text)
	}

	// A change by hand is picked up without a restart.
	writeFile(t, g.config, fmt.Sprintf(`{"backends":[{"name":"byhand","url":%q,"transport":"http","enabled":true}]}`, s.url))
	g.awaitStatus(t, "byhand", "connected")
	eventually(t, "the removed ones to go", func() bool { return g.backend(t, "old") == nil && g.backend(t, "new") == nil })
}

func TestBrokenBackendsFileIsNeitherLostNorFatal(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]string{
		"cut off": `{"backends":[{"name":"precious","url":"http://10.0.0.5/mcp","transport":"http","ena`,
		"garbage": "\x00\xffnot json precious", "wrong shape": `{"backends":"precious"}`, "empty": ``,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
			g := startGateway(t)
			g.kill()
			writeFile(t, g.config, broken)
			g.start(t) // not fatal
			if _, _, body := g.api(t, "GET", "/api/health", ""); broken != "" && !strings.Contains(string(body), "backends.json") {
				t.Errorf("/api/health does not name the broken file: %s", body)
			}
			if broken != "" && !strings.Contains(g.output(), filepath.Base(g.config)) {
				t.Error("the log does not name the broken file")
			}
			if text, _ := os.ReadFile(g.config); string(text) != broken {
				t.Errorf("the broken file was touched before anybody registered anything: %q", text)
			}
			g.connect(t, "fresh", s.url, "http")
			if broken != "" {
				kept, _ := filepath.Glob(g.config + ".broken-*")
				if len(kept) != 1 {
					t.Fatalf("kept copies of the broken file: got %v, want one", kept)
				}
				if text, _ := os.ReadFile(kept[0]); string(text) != broken {
					t.Errorf("the kept copy is %q, want %q", text, broken)
				}
			}
			g.kill()
			g.start(t)
			g.awaitStatus(t, "fresh", "connected")
		})
	}
}

// writeFile replaces a file in one step, as an editor does.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}
