package manual

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAWrongEntryHarmsNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	write(t, path, `{"backends":[
		{"name":"a","url":"http://a","transport":"http"},
		{"name":"Big","url":"http://x","transport":"http"},
		"what",
		{"name":"f","url":"ftp://x","transport":"http"},
		{"name":"n","url":5,"transport":"http"},
		{"name":"e","url":"http://e","transport":"http","enabled":"yes"},
		{"name":"a","url":"http://a2","transport":"http"},
		{"name":"z","url":"http://z","transport":"sse"}]}`)
	p, s, _ := start(t, path)
	wantLast(t, s, "a=http://a z=http://z")
	got := strings.ReplaceAll(strings.Join(p.Problems(), "\n"), path, "FILE")
	want := `FILE: backends[1] ("Big") is not served: name must be lowercase alphanumeric/dash/underscore
FILE: backends[2] is not served: it is no object
FILE: backends[3] ("f") is not served: url "ftp://x" must be absolute, http or https, as in http://10.0.0.5:8080/mcp
FILE: backends[4] ("n") is not served: url must be a string
FILE: backends[5] ("e") is not served: enabled must be true or false
FILE: backends[6] ("a") is not served: the name "a" is used by an earlier one`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	register(t, p, reg("f", "http://f"))
	wantLast(t, s, "a=http://a f=http://f z=http://z")
	register(t, p, reg("a", "http://one")) // takes the place of both
	wantLast(t, s, "a=http://one f=http://f z=http://z")
	if text := read(t, path); !strings.Contains(text, `"what"`) || !strings.Contains(text, `"Big"`) || strings.Contains(text, "http://a2") {
		t.Errorf("the wrong entries were not kept as they are:\n%s", text)
	}
	if got := len(p.Problems()); got != 4 {
		t.Errorf("%d problems are left, want 4: %v", got, p.Problems())
	}
}

func TestABrokenFileIsNeitherLostNorFatal(t *testing.T) {
	for name, text := range map[string]string{
		"cut off":       `{"backends":[{"name":"a","url":"http://a","tr`,
		"no object":     `[{"name":"a","url":"http://a","transport":"http"}]`,
		"no array":      `{"backends":{"a":1}}`,
		"twice":         `{"backends":[],"backends":[]}`,
		"more than one": `{"backends":[]}{"backends":[]}`,
		"too large":     `{"backends":[]}` + strings.Repeat(" ", maxFile),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "backends.json")
			write(t, path, text)
			p, s, _ := start(t, path)
			wantLast(t, s, "")
			if got := p.Problems(); len(got) != 1 || !strings.Contains(got[0], "its backends are not served") {
				t.Errorf("problems: %v", got)
			}
			if _, err := p.Remove(t.Context(), "a"); err != nil || read(t, path) != text {
				t.Errorf("removing an unknown name changed the broken file (%v)", err)
			}
			if err := p.Register(t.Context(), reg("Not Valid", "x")); err == nil || read(t, path) != text {
				t.Error("a refused registration changed the broken file")
			}
			register(t, p, reg("b", "http://b"))
			wantLast(t, s, "b=http://b")
			kept := broken(t, path)
			if len(kept) != 1 || read(t, kept[0]) != text {
				t.Fatalf("kept: %v", kept)
			}
			if got := p.Problems(); len(got) != 0 {
				t.Errorf("problems remain: %v", got)
			}
			register(t, p, reg("c", "http://c"))
			if kept := broken(t, path); len(kept) != 1 {
				t.Errorf("a file that was in order was kept as broken: %v", kept)
			}
		})
	}
}

func TestAFileThatBreaksLaterLeavesTheLastSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, s, _ := start(t, path)
	register(t, p, reg("a", "http://a"))
	write(t, path, `{"backends":[`)
	eventually(t, "the problem", func() bool { return len(p.Problems()) == 1 })
	if got := p.Problems()[0]; !strings.Contains(got, "line 1") || !strings.Contains(got, "the 1 it had before are served on") {
		t.Errorf("problem: %s", got)
	}
	wantLast(t, s, "a=http://a")
	register(t, p, reg("b", "http://b"))
	wantLast(t, s, "a=http://a b=http://b")

	write(t, path, `{"backends":[`)
	eventually(t, "the problem", func() bool { return len(p.Problems()) == 1 })
	write(t, path, `{"backends":[{"name":"c","url":"http://c","transport":"http"}]}`)
	eventually(t, "the mended file", func() bool { got, _ := s.last(); return got == "c=http://c" && len(p.Problems()) == 0 })
}

func TestADirectoryInThePlaceOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	p, _, _ := start(t, path)
	if got := p.Problems(); len(got) != 1 || !strings.Contains(got[0], "it is a directory, which Docker makes") {
		t.Errorf("problems: %v", got)
	}
	if err := p.Register(t.Context(), reg("a", "http://a")); err == nil {
		t.Error("a registration was saved into a directory")
	}
	if _, ok := p.Lookup("a"); ok {
		t.Error("a registration that was not saved is served")
	}
}

func TestAFailedSaveChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "")
	p, s, _ := start(t, filepath.Join(file, "backends.json")) // its directory is a file
	err := p.Register(t.Context(), reg("a", "http://a"))
	var wrong *InvalidError
	if err == nil || errors.As(err, &wrong) {
		t.Errorf("got %v, want an error that is not the caller's", err)
	}
	if _, ok := p.Lookup("a"); ok {
		t.Error("a registration that was not saved is served")
	}
	wantLast(t, s, "")
}

func TestTheNumberOfBackendsIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	var list []string
	for i := range maxBackends + 2 {
		list = append(list, fmt.Sprintf(`{"name":"b%d","url":"http://h","transport":"http"}`, i))
	}
	write(t, path, `{"backends":[`+strings.Join(list, ",")+`]}`)
	p, s, _ := start(t, path)
	if got := len(s.puts[0]); got != maxBackends {
		t.Errorf("%d are served", got)
	}
	if got := len(p.Problems()); got != 2 {
		t.Errorf("%d problems, want 2", got)
	}
	var wrong *InvalidError
	if err := p.Register(t.Context(), reg("one-more", "http://h")); !errors.As(err, &wrong) {
		t.Errorf("one more: got %v", err)
	}
	register(t, p, reg("b7", "http://other")) // replacing is no more
}

func TestSweepRemovesOnlyWhatAKilledSaveLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "backends.json")
	old := time.Now().Add(-2 * time.Hour)
	for name, when := range map[string]time.Time{
		".backends.json123": old, ".backends.json456": time.Now(), ".backends.json": old,
		".backends.json.swp": old, "backends.json123": old, ".backends.json12x": old,
	} {
		write(t, filepath.Join(dir, name), `{"backends":[{"half`)
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	_, s, _ := start(t, path)
	wantLast(t, s, "")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if slices.Contains(names, ".backends.json123") || len(names) != 5 {
		t.Errorf("left are %v", names)
	}
}
