package manual

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-gw/discovery"
)

// wall is a Switcher that remembers what it was told.
type wall struct {
	mu   sync.Mutex // guards told
	told []discovery.Switches
}

func (w *wall) Switch(s discovery.Switches) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, s)
}

// last is what is off, as "backend backend/tool", and how often it was told.
func (w *wall) last() (string, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.told) == 0 {
		return "", 0
	}
	s := w.told[len(w.told)-1]
	if s.All {
		return "all", len(w.told)
	}
	out := slices.Collect(maps.Keys(s.Backends))
	for backend, off := range s.Tools {
		for name := range off {
			out = append(out, backend+"/"+name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " "), len(w.told)
}

func wantOff(t *testing.T, w *wall, want string) {
	t.Helper()
	if got, _ := w.last(); got != want {
		t.Errorf("off are %q, want %q", got, want)
	}
}

func startBoard(t *testing.T, path string) (*Switchboard, *wall) {
	t.Helper()
	w := &wall{}
	s := NewSwitchboard(path, slog.New(slog.DiscardHandler), w)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return s, w
}

func TestSwitchesAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config", "switches.json")
	s, w := startBoard(t, path)
	wantOff(t, w, "")
	if changed, err := s.Backend(t.Context(), "b", false); !changed || err != nil {
		t.Errorf("%v %v", changed, err)
	}
	if n, err := s.Tools(t.Context(), map[string][]string{"g": {"x", "y", "x"}, "b": {"z"}}, false); n != 3 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	wantOff(t, w, "b b/z g/x g/y")
	want := `{
  "disabledBackends": [
    "b"
  ],
  "disabledTools": {
    "b": [
      "z"
    ],
    "g": [
      "x",
      "y"
    ]
  }
}
`
	if got := read(t, path); got != want {
		t.Errorf("saved is\n%s", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	_, told := w.last()
	if changed, err := s.Backend(t.Context(), "b", false); changed || err != nil {
		t.Errorf("%v %v", changed, err)
	}
	if n, err := s.Tools(t.Context(), map[string][]string{"g": {"x"}}, false); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, now := w.last(); now != told {
		t.Error("told of nothing")
	}

	// Another process knows it before it does anything else.
	_, w2 := startBoard(t, path)
	wantOff(t, w2, "b b/z g/x g/y")

	if n, err := s.Tools(t.Context(), map[string][]string{"g": {"x", "y"}, "b": {"z"}}, true); n != 3 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if changed, err := s.Backend(t.Context(), "b", true); !changed || err != nil {
		t.Errorf("%v %v", changed, err)
	}
	wantOff(t, w, "")
}

func TestWhatIsHandedOutDoesNotChange(t *testing.T) {
	s, w := startBoard(t, filepath.Join(t.TempDir(), "switches.json"))
	if _, err := s.Tools(t.Context(), map[string][]string{"g": {"x"}}, false); err != nil {
		t.Fatal(err)
	}
	first := w.told[len(w.told)-1]
	if _, err := s.Tools(t.Context(), map[string][]string{"g": {"y"}}, false); err != nil {
		t.Fatal(err)
	}
	if len(first.Tools["g"]) != 1 {
		t.Errorf("it has become %v", first)
	}
}

// Changes by hand are taken up, and what we do not know stays where it was.
func TestSwitchesAreChangedByHand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "switches.json")
	s, w := startBoard(t, path)
	write(t, path, `{"note":"why","disabledBackends":["b","b"],"later":{"x":1}}`)
	eventually(t, "the change", func() bool { got, _ := w.last(); return got == "b" })
	if _, err := s.Tools(t.Context(), map[string][]string{"g": {"<x>"}}, false); err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	for _, want := range []string{`"note": "why"`, `"later": {`, `"<x>"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is lost:\n%s", want, got)
		}
	}
	if strings.Index(got, "note") > strings.Index(got, "disabledBackends") || strings.Count(got, `"b"`) != 1 {
		t.Errorf("order or doubles:\n%s", got)
	}
}

var brokenBoards = map[string]string{
	"cut off":        `{"disabledBackends":["b`,
	"no object":      `["b"]`,
	"backends":       `{"disabledBackends":{"b":true}}`,
	"a number":       `{"disabledBackends":[5]}`,
	"tools":          `{"disabledTools":["x"]}`,
	"twice":          `{"disabledTools":{},"disabledTools":{}}`,
	"too many":       `{"disabledTools":{"b":[` + strings.TrimSuffix(many(maxSwitches+1), ",") + `]}}`,
	"something more": `{"disabledBackends":["b"]} x`,
}

// What a file switches off that cannot be read at the start may be dangerous: until it
// can be read, all is off, and no switch is thrown over it.
func TestABrokenFileOfSwitchesKeepsAllOff(t *testing.T) {
	for name, text := range brokenBoards {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "switches.json")
			write(t, path, text)
			s, w := startBoard(t, path)
			wantOff(t, w, "all")
			if got := s.Problems(); len(got) != 1 || !strings.Contains(got[0], "cannot be used") || !strings.Contains(got[0], "every backend is switched off") || !strings.Contains(got[0], "remove it") {
				t.Errorf("problems: %.300q", got)
			}
			var refused *InvalidError
			if _, err := s.Backend(t.Context(), "c", true); !errors.As(err, &refused) || !strings.Contains(err.Error(), "mend it, or remove it") {
				t.Errorf("switching a backend on: %v", err)
			}
			if _, err := s.Tools(t.Context(), map[string][]string{"c": {"x"}}, false); !errors.As(err, &refused) {
				t.Errorf("switching a tool off: %v", err)
			}
			if read(t, path) != text {
				t.Error("the file was changed")
			}
			write(t, path, `{"disabledBackends":["b"]}`)
			eventually(t, "the mended file", func() bool { got, _ := w.last(); return got == "b" })
			if got := s.Problems(); len(got) != 0 {
				t.Errorf("problems remain: %v", got)
			}
		})
	}
	t.Run("removed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "switches.json")
		write(t, path, "{")
		_, w := startBoard(t, path)
		wantOff(t, w, "all")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		eventually(t, "everything to be on", func() bool { got, _ := w.last(); return got == "" })
	})
}

func TestAFileOfSwitchesThatBreaksIsKept(t *testing.T) {
	for name, text := range brokenBoards {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "switches.json")
			s, w := startBoard(t, path)
			wantOff(t, w, "")
			write(t, path, text)
			eventually(t, "the problem", func() bool { return len(s.Problems()) == 1 })
			if got := s.Problems()[0]; !strings.Contains(got, "cannot be used") || !strings.Contains(got, "nothing is switched off, as before") {
				t.Errorf("problem: %.300q", got)
			}
			if _, err := s.Backend(t.Context(), "c", true); err != nil || read(t, path) != text {
				t.Errorf("switching on what was on changed the file: %v", err)
			}
			if _, err := s.Backend(t.Context(), "c", false); err != nil {
				t.Fatal(err)
			}
			wantOff(t, w, "c")
			if kept := broken(t, path); len(kept) != 1 || read(t, kept[0]) != text {
				t.Errorf("kept: %v", kept)
			}
			if got := s.Problems(); len(got) != 0 {
				t.Errorf("problems remain: %v", got)
			}
			write(t, path, text)
			eventually(t, "the problem", func() bool { return len(s.Problems()) == 1 })
			if got := s.Problems()[0]; !strings.Contains(got, "what it had switched off stays so (1)") {
				t.Errorf("problem: %.300q", got)
			}
			wantOff(t, w, "c")
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\"t%d\",", i)
	}
	return b.String()
}

func TestSwitchesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "switches.json")
	s, w := startBoard(t, path)
	var names []string
	for i := range maxSwitches + 1 {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	if n, err := s.Tools(t.Context(), map[string][]string{"b": names}, false); err == nil || n != 0 {
		t.Errorf("%d were taken", n)
	}
	wantOff(t, w, "")
	if n, err := s.Tools(t.Context(), map[string][]string{"b": names[1:]}, false); err != nil || n != maxSwitches {
		t.Errorf("%d, %v", n, err)
	}
}

func TestEnable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, s, _ := start(t, path)
	r := reg("a", "http://a")
	r.Headers = map[string]string{"Authorization": "Bearer x"}
	register(t, p, r)
	if found, err := p.Enable(t.Context(), "a", false); !found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	if now, _ := p.Lookup("a"); now.Enabled || now.Headers["Authorization"] != "Bearer x" {
		t.Errorf("%+v", now)
	}
	_, puts := s.last()
	if found, err := p.Enable(t.Context(), "a", false); !found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	if _, now := s.last(); now != puts {
		t.Error("put for nothing")
	}
	if found, err := p.Enable(t.Context(), "x", true); found || err != nil {
		t.Errorf("%v %v", found, err)
	}
}
