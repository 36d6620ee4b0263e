package catalog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func item(t testing.TB, k Kind, raw string) Item {
	t.Helper()
	parsed, err := Parse(k, []byte(raw))
	if err != nil {
		t.Fatalf("Parse(%v, %s): %v", k, raw, err)
	}
	return parsed
}

func tool(t testing.TB, raw string) Item {
	t.Helper()
	return item(t, Tools, raw)
}

// named answers the least item of a kind with a name or URI.
func named(t testing.TB, k Kind, name string) Item {
	t.Helper()
	return item(t, k, map[Kind]string{
		Tools:     `{"name":` + string(quote(name)) + `,"inputSchema":{"type":"object"}}`,
		Prompts:   `{"name":` + string(quote(name)) + `}`,
		Resources: `{"uri":` + string(quote(name)) + `,"name":"n"}`,
		Templates: `{"uriTemplate":` + string(quote(name)) + `,"name":"n"}`,
	}[k])
}

// offers answers a source with items of one kind.
func offers(backend string, k Kind, items ...Item) Source {
	src := Source{Backend: backend}
	src.Items[k] = items
	return src
}

// listed answers the names on one page.
func listed(t *testing.T, page []byte) []string {
	t.Helper()
	var tools []struct{ Name string }
	if err := json.Unmarshal([]byte("["+string(page)+"]"), &tools); err != nil {
		t.Fatalf("page is not JSON: %v\n%s", err, page)
	}
	names := []string{}
	for _, tool := range tools {
		names = append(names, tool.Name)
	}
	return names
}

func page(t *testing.T, s *Snapshot, k Kind, cursor string, modern bool) (string, string) {
	t.Helper()
	tools, next, err := s.Page(k, cursor, modern)
	if err != nil {
		t.Fatalf("Page(%q): %v", cursor, err)
	}
	return string(tools), next
}

func TestBuild(t *testing.T) {
	s := Build([]Source{
		offers("b", Tools, tool(t, `{ "inputSchema" : {"type":"object","properties":{"name":{}}},"x":9007199254740993, "name" : "t\u0031" }`)),
		offers("a", Tools, named(t, Tools, "z"), named(t, Tools, "y")),
	}, Options{})
	got, next := page(t, s, Tools, "", true)
	want := `{"name":"a__z","inputSchema":{"type":"object"}},{"name":"a__y","inputSchema":{"type":"object"}},` +
		`{ "inputSchema" : {"type":"object","properties":{"name":{}}},"x":9007199254740993, "name" : "b__t1" }`
	if got != want || next != "" {
		t.Errorf("got %s (next %q), want %s", got, next, want)
	}
	e, ok := s.Lookup(Tools, "b__t1")
	if !ok || e.Backend != "b" || e.Name != "t1" || e.Exposed != "b__t1" {
		t.Errorf("Lookup: got %+v, %t", e, ok)
	}
	if _, ok := s.Lookup(Tools, "b__t2"); ok {
		t.Error("Lookup finds a tool that is not there")
	}
	if len(s.Entries(Tools)) != 3 || s.Entries(Tools)[1].Exposed != "a__y" {
		t.Errorf("entries: %+v", s.Entries(Tools))
	}
}

func TestBuildEmpty(t *testing.T) {
	s := Build(nil, Options{})
	if got, next := page(t, s, Tools, "", false); got != "" || next != "" {
		t.Errorf("got %q, %q", got, next)
	}
	if s.Hash(Tools) != Build([]Source{{Backend: "a"}}, Options{}).Hash(Tools) {
		t.Error("a backend without tools changes the list")
	}
}

func TestBuildDoesNotDependOnOrder(t *testing.T) {
	var sources []Source
	for i := range 20 {
		sources = append(sources, offers(fmt.Sprintf("b%d", i), Tools, named(t, Tools, "x"), named(t, Tools, "y")))
	}
	first := Build(sources, Options{})
	for range 5 {
		rand.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
		if Build(sources, Options{}).Hash(Tools) != first.Hash(Tools) {
			t.Fatal("another order of arrival gives another list")
		}
	}
}

// A backend that lists a tool twice has one tool; the names of two backends that
// run together stay two.
func TestBuildCollisions(t *testing.T) {
	s := Build([]Source{
		offers("a", Tools, named(t, Tools, "_b"), named(t, Tools, "dup"), named(t, Tools, "dup"), named(t, Tools, "é"), named(t, Tools, "è"), named(t, Tools, "é")),
		offers("a_", Tools, named(t, Tools, "b")),
	}, Options{})
	seen := map[string]string{}
	for _, e := range s.Entries(Tools) {
		if other, ok := seen[e.Exposed]; ok {
			t.Errorf("%s names %s and %s/%s", e.Exposed, other, e.Backend, e.Name)
		}
		seen[e.Exposed] = e.Backend + "/" + e.Name
		if got, ok := s.Lookup(Tools, e.Exposed); !ok || got.Backend != e.Backend || got.Name != e.Name {
			t.Errorf("Lookup(%s) = %+v", e.Exposed, got)
		}
	}
	if len(seen) != 5 || seen["a___b"] != "a/_b" {
		t.Errorf("got %v", seen)
	}
}

// A name that somebody chose to look like another's hashed one costs the other
// nothing but a longer hash.
func TestBuildSquatter(t *testing.T) {
	long := strings.Repeat("n", 60)
	squat := strings.TrimPrefix(Expose("a", long), "a__")
	s := Build([]Source{offers("a", Tools, named(t, Tools, squat), named(t, Tools, long))}, Options{})
	entries := s.Entries(Tools)
	if len(entries) != 2 || entries[0].Exposed == entries[1].Exposed {
		t.Fatalf("got %+v", entries)
	}
	if name := entries[1].Exposed; len(name) > MaxName || !strings.HasPrefix(name, "a__nnn") {
		t.Errorf("got %s", name)
	}
}

func TestModernList(t *testing.T) {
	const with = `{"name":"t","execution":{"taskSupport":"optional"},"inputSchema":{"type":"object"}}`
	plain := offers("a", Tools, named(t, Tools, "t"))
	legacyB := offers("b", Tools, tool(t, with))
	legacyB.Legacy = true
	s := Build([]Source{plain, legacyB, offers("c", Tools, tool(t, with))}, Options{})
	legacy, _ := page(t, s, Tools, "", false)
	modern, _ := page(t, s, Tools, "", true)
	const a, rest = `{"name":"a__t","inputSchema":{"type":"object"}},`, `"inputSchema":{"type":"object"}}`
	if want := a + `{"name":"b__t","execution":{"taskSupport":"optional"},` + rest + `,{"name":"c__t","execution":{"taskSupport":"optional"},` + rest; legacy != want {
		t.Errorf("legacy: got %s, want %s", legacy, want)
	}
	if want := a + `{"name":"b__t",` + rest + `,{"name":"c__t","execution":{"taskSupport":"optional"},` + rest; modern != want {
		t.Errorf("modern: got %s, want %s", modern, want)
	}
	// The same tools from a backend that changed its era: only modern clients see it.
	before := Build([]Source{legacyB}, Options{})
	after := Build([]Source{offers("b", Tools, tool(t, with))}, Options{})
	if before.Hash(Tools) == after.Hash(Tools) {
		t.Error("Hash overlooks the modern list")
	}
}
