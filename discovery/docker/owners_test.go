package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

func from(image string) func(*observation) { return func(o *observation) { o.image = image } }

// F24: with the policy owner, a name waits for who had it first. With first-live it
// goes to who is there.
func TestF24NamePolicy(t *testing.T) {
	first := running("a", labelled("mcp-gw.name", "x"), from("acme/search:1"))
	update := running("a2", labelled("mcp-gw.name", "x"), from("acme/search@sha256:1"))
	update.name = first.name
	foreign := running("b", labelled("mcp-gw.name", "x"), from("evil/search:1"))
	impostor := running("c", labelled("mcp-gw.name", "x"), from("evil/search:1"))
	impostor.name = first.name
	for _, tt := range []struct {
		policy string
		next   observation
		gets   bool
	}{
		{NamesFirstLive, foreign, true},
		{NamesOwner, foreign, false},
		{NamesOwner, impostor, false},
		{NamesOwner, update, true},
	} {
		b := newBench()
		b.names.exclusive = tt.policy == NamesOwner
		b.sees(first)
		b.expect(t, "the first", "x")
		b.misses("a")
		b.sees(tt.next)
		want := ""
		if tt.gets {
			want = "x"
		}
		b.expect(t, tt.policy+" "+tt.next.id, want)
		for _, o := range b.assemble(b.now).observed {
			if o.ID != tt.next.id || tt.gets {
				continue
			}
			if o.Verdict != verdictConflict || !strings.Contains(o.Reason, "belongs to c-a (image acme/search)") || !strings.Contains(o.Reason, "evil/search") ||
				!strings.Contains(o.Fix, `remove "x" from`) || codes(o.Diagnostics) == "" {
				t.Errorf("%s: %s: %s (%s)", o.ID, o.Verdict, o.Reason, o.Fix)
			}
		}
		if !tt.gets { // the operator takes the record away
			b.unsaved = false
			b.setDeeds(map[string]deed{})
			b.expect(t, "without the record", "x")
		}
	}
}

// A restart of the gateway gives the name to who had it, although the other started
// earlier by now.
func TestF24RestartOfTheGatewayChangesNoName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.json")
	f := newFake(t)
	x := labelled("mcp-gw.name", "x")
	owner, waits := fresh("a", x), fresh("b", x)
	waits.startedAt = owner.startedAt.Add(time.Second)
	f.set(owner)
	f.set(waits)
	life := func(name string) *recorder {
		var r *recorder
		t.Run(name, func(t *testing.T) {
			p := New(Config{Host: f.host(), Network: "net", NamesFile: path, Log: testLog(t)})
			p.self, p.pace.saving = identity{}, time.Millisecond
			_, r = runProvider(t, p)
			r.await(t, "a as x", func(set []discovery.Backend) bool { return len(set) == 1 && set[0].Container.ID == "a" })
			waitFor(t, "the file", func() bool { data, _ := os.ReadFile(path); return strings.Contains(string(data), `"container": "a"`) })
			owner = later(owner, owner.startedAt.Add(time.Hour))
			f.start(owner)
			r.await(t, "a anew", func(set []discovery.Backend) bool { return len(set) == 1 && set[0].Generation == owner.generation() })
		})
		return r
	}
	life("first")
	life("second")
	if s, err := os.Stat(path); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestNamesFile(t *testing.T) {
	dir := t.TempDir()
	if err := CheckNames(filepath.Join(dir, "none")); err != nil {
		t.Errorf("no file: %v", err)
	}
	for name, text := range map[string]string{"no JSON": "{", "another file": `{"backends": []}`, "long": strings.Repeat(" ", maxNamesFile+1)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckNames(path); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(dir, "names")
	want := map[string]deed{"x": {Owner: "shop/search", Image: "acme/search", Container: "1"}}
	if err := writeDeeds(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := readDeeds(path); err != nil || len(got) != 1 || got["x"] != want["x"] {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRepository(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "a:1": "a", "host:5000/a": "host:5000/a", "host:5000/a:1": "host:5000/a", "a@sha256:1": "a", "a:1@sha256:1": "a",
	} {
		if got := repository(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
