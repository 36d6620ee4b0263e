package catalog

import (
	"strings"
	"testing"
)

// The URI of an app goes with the resource's, wherever a tool names it, and
// nothing else of the tool changes.
func TestAppURIs(t *testing.T) {
	const (
		schema = `"inputSchema":{"type":"object","properties":{"resourceUri":{"const":"ui://x"}}}`
		both   = `{"name":"t","_meta":{"a":[1.0], "ui":{"resourceUri" : "ui:\/\/x","visibility":["app"]},"ui/resourceUri":"ui://x"},` + schema + `}`
		esc    = `{"name":"t","_meta":{"ui":{"resource\u0055ri":"ui://x"}},"inputSchema":{"type":"object"}}`
		odd    = `{"name":"t","_meta":{"ui":["ui://x"],"ui/resourceUri":{"resourceUri":"ui://x"},"resourceUri":"ui://x"},` + schema + `}`
	)
	one := func(backend, raw string, uris ...string) Source {
		src := has(t, backend, uris...)
		src.Items[Tools] = []Item{tool(t, raw)}
		return src
	}
	toolsOf := func(sources ...Source) string {
		items, _ := page(t, Build(sources, Options{}), Tools, "", true)
		return items
	}
	if got, want := toolsOf(one("a", both, "ui://x")), strings.Replace(both, `"t"`, `"a__t"`, 1); got != want {
		t.Errorf("alone: got %s, want %s", got, want)
	}
	written := func(backend, raw string) string {
		raw = strings.Replace(raw, `"t"`, `"`+backend+`__t"`, 1)
		meta, rest, found := strings.Cut(raw, schema)
		meta = strings.ReplaceAll(meta, `"ui:\/\/x"`, `"ui://x"`)
		meta = strings.ReplaceAll(meta, `"ui://x"`, `"ui://`+backend+`/x"`)
		if found {
			meta += schema
		}
		return meta + rest
	}
	if got, want := toolsOf(one("a", both, "ui://x"), one("b", esc, "ui://x")), written("a", both)+","+written("b", esc); got != want {
		t.Errorf("two lists: got\n%s, want\n%s", got, want)
	}
	// Hosts read what no list has, too.
	if got, want := toolsOf(one("a", both), one("b", both)), written("a", both)+","+written("b", both); got != want {
		t.Errorf("no list: got\n%s, want\n%s", got, want)
	}
	s := Build([]Source{one("a", both), one("b", strings.ReplaceAll(both, "x\"", "y\""))}, Options{})
	if backend, uri, ok := s.Origin("ui://y"); !ok || backend != "b" || uri != "ui://y" {
		t.Errorf("Origin of an app that only its tool names: %q, %q, %t", backend, uri, ok)
	}
	if len(s.Entries(Resources)) != 0 {
		t.Errorf("a tool's app is listed: %+v", s.Entries(Resources))
	}
	want := strings.Replace(odd, `"t"`, `"a__t"`, 1) + "," + written("b", both)
	if got := toolsOf(one("a", odd, "ui://x"), one("b", both, "ui://x")); got != want {
		t.Errorf("other members: got\n%s, want\n%s", got, want)
	}
	// What the template makes is rewritten as well; the backend's own object is not.
	s = Build([]Source{one("a", both, "ui://{x}"), has(t, "b", "ui://{x}")}, Options{})
	if e, _ := s.Lookup(Tools, "a__t"); string(e.Raw) != both {
		t.Errorf("the backend's own object was changed: %s", e.Raw)
	}
	if got, ok := s.Rewrites("a").Expose("ui://y"); !ok || got != "ui://a/y" {
		t.Errorf("got %q, %t", got, ok)
	}
	if got, ok := s.Rewrites("a").Expose("ui://x"); ok {
		t.Errorf("an app that is its backend's alone becomes %q", got)
	}
	const relative = `{"name":"t","_meta":{"ui/resourceUri":"x"},"inputSchema":{"type":"object"}}`
	if got, want := toolsOf(one("a", relative), one("b", relative)), written("a", relative)+","+written("b", relative); got != want {
		t.Errorf("no URI: got\n%s, want\n%s", got, want)
	}
	got, _ := page(t, Build([]Source{one("a", both, "ui://x")}, Options{Plain: true}), Tools, "", true)
	if got != both {
		t.Errorf("plain: got %s", got)
	}
}
