package manual

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHandEditsAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	p, s, _ := start(t, path)
	seen := func(what, want string) {
		t.Helper()
		eventually(t, what, func() bool { got, _ := s.last(); return got == want })
	}
	write(t, path, `{"backends":[{"name":"a","url":"http://a","transport":"http"}]}`)
	seen("a new file", "a=http://a")

	temporary := path + ".swp"
	write(t, temporary, `{"backends":[{"name":"b","url":"http://b","transport":"sse"}]}`)
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
	seen("a renamed file", "b=http://b")

	// An edit of this very moment is not overwritten by a registration.
	write(t, path, `{"backends":[{"name":"c","url":"http://c","transport":"sse"}]}`)
	register(t, p, reg("d", "http://d"))
	seen("both", "c=http://c d=http://d")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	seen("no file", "")
}

// An editor empties the file and then writes it: what is read between the two is not what
// somebody meant, and a change of that moment must not lose the rest.
func TestAFileThatIsBeingWrittenIsNotEmpty(t *testing.T) {
	const one, two = `{"backends":[{"name":"a","url":"http://a","transport":"http"}]}`, `{"backends":[{"name":"a","url":"http://a","transport":"http"},{"name":"b","url":"http://b","transport":"http"}]}`
	path := filepath.Join(t.TempDir(), "backends.json")
	write(t, path, one)
	o := &owner[document]{store: New(path, slog.New(slog.DiscardHandler)).store, put: func(document) {}}
	names := func() (out string) {
		for _, r := range o.doc.registrations() {
			out += r.Name
		}
		return out
	}
	o.load()
	for _, text := range []string{"", " \n"} {
		write(t, path, text)
		if o.load() || names() != "a" {
			t.Errorf("%q is believed at once", text)
		}
		write(t, path, one)
		if o.load() || !o.emptied.IsZero() {
			t.Error("what is as it was is a change")
		}
	}

	busy := 0
	for ; busy < 20; busy++ { // on a machine that is too busy the file is empty for longer than that
		write(t, path, "")
		before, done := time.Now(), make(chan error)
		go func() {
			done <- o.apply(func(d document) (document, error) { return d.with(reg("c", "http://c")), nil })
		}()
		time.Sleep(settle / 4)
		write(t, path, two)
		took := time.Since(before)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if took < settle {
			break
		}
		write(t, path, one)
		o.load()
	}
	if got := names(); busy < 20 && (got != "abc" || len(broken(t, path)) != 0) {
		t.Errorf("after the change there are %s", got)
	}

	write(t, path, "")
	o.load()
	time.Sleep(settle)
	if !o.load() || names() != "" {
		t.Error("a file that stays empty is not believed")
	}
}

func TestADirectoryThatComesLaterIsWatched(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	path := filepath.Join(dir, "backends.json")
	p, s, _ := start(t, path)
	register(t, p, reg("a", "http://a")) // makes the directory
	write(t, path, `{"backends":[]}`)
	eventually(t, "the edit", func() bool { got, _ := s.last(); return got == "" })
}

func TestUnknownFieldsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backends.json")
	write(t, path, "\xef\xbb\xbf"+`{"$schema":"x","backends":[
		{"note":"<mine> & yours","url":"http://a","name":"a","transport":"http","headers":{"X":"y"},"n":1e400},
		{"name":"b","url":"http://b","transport":"http","enabled":false}],"z":{"k":[1, 2]}}`)
	p, _, _ := start(t, path)
	register(t, p, reg("a", "http://new"))
	register(t, p, reg("c", "http://c"))
	want := `{
  "$schema": "x",
  "backends": [
    {
      "note": "<mine> & yours",
      "url": "http://new",
      "name": "a",
      "transport": "http",
      "n": 1e400,
      "enabled": true
    },
    {
      "name": "b",
      "url": "http://b",
      "transport": "http",
      "enabled": false
    },
    {
      "name": "c",
      "url": "http://c",
      "transport": "http",
      "enabled": true
    }
  ],
  "z": {
    "k": [
      1,
      2
    ]
  }
}
`
	if got := read(t, path); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestALinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target.json"), filepath.Join(dir, "backends.json")
	write(t, target, `{"backends":[]}`)
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	p, _, _ := start(t, path)
	register(t, p, reg("a", "http://a"))
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 || !strings.Contains(read(t, target), "http://a") {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
}
