package catalog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func tool(t testing.TB, raw string) Tool {
	t.Helper()
	parsed, err := ParseTool([]byte(raw))
	if err != nil {
		t.Fatalf("ParseTool(%s): %v", raw, err)
	}
	return parsed
}

func named(t testing.TB, name string) Tool {
	t.Helper()
	quoted, _ := json.Marshal(name)
	return tool(t, `{"name":`+string(quoted)+`,"inputSchema":{"type":"object"}}`)
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

func page(t *testing.T, s *Snapshot, cursor string, modern bool) (string, string) {
	t.Helper()
	tools, next, err := s.Page(cursor, modern)
	if err != nil {
		t.Fatalf("Page(%q): %v", cursor, err)
	}
	return string(tools), next
}

func TestBuild(t *testing.T) {
	s := Build([]Source{
		{Backend: "b", Tools: []Tool{tool(t, `{ "inputSchema" : {"type":"object","properties":{"name":{}}},"x":9007199254740993, "name" : "t\u0031" }`)}},
		{Backend: "a", Tools: []Tool{named(t, "z"), named(t, "y")}},
	}, nil)
	got, next := page(t, s, "", true)
	want := `{"name":"a__z","inputSchema":{"type":"object"}},{"name":"a__y","inputSchema":{"type":"object"}},` +
		`{ "inputSchema" : {"type":"object","properties":{"name":{}}},"x":9007199254740993, "name" : "b__t1" }`
	if got != want || next != "" {
		t.Errorf("got %s (next %q), want %s", got, next, want)
	}
	e, ok := s.Lookup("b__t1")
	if !ok || e.Backend != "b" || e.Name != "t1" || e.Exposed != "b__t1" {
		t.Errorf("Lookup: got %+v, %t", e, ok)
	}
	if _, ok := s.Lookup("b__t2"); ok {
		t.Error("Lookup finds a tool that is not there")
	}
	if len(s.Entries()) != 3 || s.Entries()[1].Exposed != "a__y" {
		t.Errorf("entries: %+v", s.Entries())
	}
}

func TestBuildEmpty(t *testing.T) {
	s := Build(nil, nil)
	if got, next := page(t, s, "", false); got != "" || next != "" {
		t.Errorf("got %q, %q", got, next)
	}
	if s.Hash() != Build([]Source{{Backend: "a"}}, nil).Hash() {
		t.Error("a backend without tools changes the list")
	}
}

func TestBuildDoesNotDependOnOrder(t *testing.T) {
	var sources []Source
	for i := range 20 {
		sources = append(sources, Source{Backend: fmt.Sprintf("b%d", i), Tools: []Tool{named(t, "x"), named(t, "y")}})
	}
	first := Build(sources, nil)
	for range 5 {
		rand.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
		if Build(sources, nil).Hash() != first.Hash() {
			t.Fatal("another order of arrival gives another list")
		}
	}
}

// A backend that lists a tool twice has one tool; the names of two backends that
// run together stay two.
func TestBuildCollisions(t *testing.T) {
	s := Build([]Source{
		{Backend: "a", Tools: []Tool{named(t, "_b"), named(t, "dup"), named(t, "dup"), named(t, "é"), named(t, "è"), named(t, "é")}},
		{Backend: "a_", Tools: []Tool{named(t, "b")}},
	}, nil)
	seen := map[string]string{}
	for _, e := range s.Entries() {
		if other, ok := seen[e.Exposed]; ok {
			t.Errorf("%s names %s and %s/%s", e.Exposed, other, e.Backend, e.Name)
		}
		seen[e.Exposed] = e.Backend + "/" + e.Name
		if got, ok := s.Lookup(e.Exposed); !ok || got.Backend != e.Backend || got.Name != e.Name {
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
	s := Build([]Source{{Backend: "a", Tools: []Tool{named(t, squat), named(t, long)}}}, nil)
	entries := s.Entries()
	if len(entries) != 2 || entries[0].Exposed == entries[1].Exposed {
		t.Fatalf("got %+v", entries)
	}
	if name := entries[1].Exposed; len(name) > MaxName || !strings.HasPrefix(name, "a__nnn") {
		t.Errorf("got %s", name)
	}
}

func TestModernList(t *testing.T) {
	const with = `{"name":"t","execution":{"taskSupport":"optional"},"inputSchema":{"type":"object"}}`
	plain := Source{Backend: "a", Tools: []Tool{named(t, "t")}}
	s := Build([]Source{plain, {Backend: "b", Tools: []Tool{tool(t, with)}, Legacy: true}, {Backend: "c", Tools: []Tool{tool(t, with)}}}, nil)
	legacy, _ := page(t, s, "", false)
	modern, _ := page(t, s, "", true)
	const a, rest = `{"name":"a__t","inputSchema":{"type":"object"}},`, `"inputSchema":{"type":"object"}}`
	if want := a + `{"name":"b__t","execution":{"taskSupport":"optional"},` + rest + `,{"name":"c__t","execution":{"taskSupport":"optional"},` + rest; legacy != want {
		t.Errorf("legacy: got %s, want %s", legacy, want)
	}
	if want := a + `{"name":"b__t",` + rest + `,{"name":"c__t","execution":{"taskSupport":"optional"},` + rest; modern != want {
		t.Errorf("modern: got %s, want %s", modern, want)
	}
	// The same tools from a backend that changed its era: only modern clients see it.
	before := Build([]Source{{Backend: "b", Tools: []Tool{tool(t, with)}, Legacy: true}}, nil)
	after := Build([]Source{{Backend: "b", Tools: []Tool{tool(t, with)}}}, nil)
	if before.Hash() == after.Hash() {
		t.Error("Hash overlooks the modern list")
	}
}

func TestPage(t *testing.T) {
	var tools []Tool
	for i := range 2*PageSize + 1 {
		tools = append(tools, named(t, fmt.Sprintf("t%d", i)))
	}
	s := Build([]Source{{Backend: "b", Tools: tools}}, nil)
	var names []string
	cursor, pages := "", 0
	for {
		got, next := page(t, s, cursor, pages%2 == 0)
		names = append(names, listed(t, []byte(got))...)
		pages++
		if cursor = next; cursor == "" {
			break
		}
	}
	if pages != 3 || len(names) != len(tools) {
		t.Fatalf("got %d tools on %d pages", len(names), pages)
	}
	for i, name := range names {
		if name != fmt.Sprintf("b__t%d", i) {
			t.Fatalf("tool %d is %s", i, name)
		}
	}
	// A cursor stays good while its tool stays, and fails with a reason after.
	_, cursor = page(t, s, "", true)
	grown := Build([]Source{{Backend: "a", Tools: tools[:5]}, {Backend: "b", Tools: tools}}, nil)
	if got, _ := page(t, grown, cursor, true); listed(t, []byte(got))[0] != fmt.Sprintf("b__t%d", PageSize) {
		t.Errorf("the page behind the cursor begins with %.40s", got)
	}
	if got, next := page(t, Build([]Source{{Backend: "b", Tools: tools[:PageSize]}}, nil), cursor, true); got != "" || next != "" {
		t.Errorf("behind the last tool: got %q, %q", got, next)
	}
	for _, bad := range []string{cursor, "%", "AAAA", strings.Repeat("x", 1000)} {
		_, _, err := Build(nil, nil).Page(bad, true)
		if err == nil || !strings.Contains(err.Error(), "list again") || len(err.Error()) > 250 {
			t.Errorf("Page(%.20q): %v", bad, err)
		}
	}
}

func TestPrefixDescription(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"a","description":"does\u0020<it>"}`: `{"name":"a","description":"[b] does\u0020<it>"}`,
		`{"description":""}`:                          `{"description":"[b] "}`,
		`{"name":"a"}`:                                `{"name":"a"}`,
		`{"description":1}`:                           `{"description":1}`,
	} {
		if got := string(PrefixDescription("b", []byte(in))); got != want {
			t.Errorf("PrefixDescription(%s) = %s, want %s", in, got, want)
		}
	}
	if got := PrefixDescription("a\"\n", []byte(`{"description":"x"}`)); !json.Valid(got) {
		t.Errorf("got %s", got)
	}
	s := Build([]Source{{Backend: "b", Tools: []Tool{tool(t, `{"name":"t","description":"d","inputSchema":{"type":"object"}}`)}}}, PrefixDescription)
	if got, _ := page(t, s, "", true); got != `{"name":"b__t","description":"[b] d","inputSchema":{"type":"object"}}` {
		t.Errorf("got %s", got)
	}
	if e, _ := s.Lookup("b__t"); strings.Contains(string(e.Raw), "[b]") {
		t.Error("the backend's own object was changed")
	}
}
