package catalog

import (
	"fmt"
	"strings"
	"testing"
)

// The catalogue of one backend shows what the backend shows, byte for byte, save
// what it lists twice.
func TestPlain(t *testing.T) {
	src := has(t, "b", "x:1", "ui://x", "x:1", "x:{y}", "mcp-gw+b+x:1", "x:{y}")
	for _, name := range []string{"a.b", "é", "a__b", strings.Repeat("n", 99), "a.b"} {
		src.Items[Tools] = append(src.Items[Tools], named(t, Tools, name))
		src.Items[Prompts] = append(src.Items[Prompts], named(t, Prompts, name))
	}
	src.Items[Tools] = append(src.Items[Tools], tool(t, `{"name":"\u0074","execution":{},"inputSchema":{"type":"object"}}`))
	src.Legacy = true
	s := Build([]Source{src}, Options{Plain: true})
	for k := range Kinds {
		var want []string
		seen := map[string]bool{}
		for _, item := range src.Items[k] {
			if seen[item.Name] {
				continue
			}
			seen[item.Name] = true
			want = append(want, string(item.Raw))
			if e, ok := s.Lookup(k, item.Name); !ok || e.Exposed != item.Name || e.Name != item.Name || e.Backend != "b" {
				t.Errorf("Lookup(%v, %s) = %+v, %t", k, item.Name, e, ok)
			}
			if k.uris() {
				if backend, uri, ok := s.Origin(item.Name); !ok || backend != "b" || uri != item.Name {
					t.Errorf("Origin(%s) = %s, %s, %t", item.Name, backend, uri, ok)
				}
			}
		}
		if got, _ := page(t, s, k, "", false); got != strings.Join(want, ",") {
			t.Errorf("%v: got %s, want %s", k, got, want)
		}
	}
	if got, _ := page(t, s, Tools, "", true); strings.Contains(got, "execution") || !strings.Contains(got, `"\u0074"`) {
		t.Errorf("modern: %s", got)
	}
	if s.Rewrites("b") != nil {
		t.Error("a plain catalogue has a Rewriter")
	}
	if backend, uri, ok := s.Origin("x:9"); !ok || backend != "b" || uri != "x:9" {
		t.Errorf("by template: %s, %s, %t", backend, uri, ok)
	}
	if _, uri, ok := s.Origin("mcp-gw+b+other:1"); ok {
		t.Errorf("the gateway's own scheme is read as %s", uri)
	}
}

// Of several backends in a plain catalogue the first by name has what they share.
func TestPlainOfSeveral(t *testing.T) {
	s := Build([]Source{has(t, "b", "x:1", "x:2"), has(t, "a", "x:1")}, Options{Plain: true})
	e := s.Entries(Resources)
	if len(e) != 2 || e[0].Exposed != "x:1" || e[0].Backend != "a" || e[1].Exposed != "x:2" || s.Rewrites("a") != nil {
		t.Errorf("got %+v, %+v", e, s.Rewrites("a"))
	}
}

// What is done to tools is done to nothing else.
func TestToolsAlone(t *testing.T) {
	src := has(t, "b", "x:1")
	src.Legacy = true
	const prompt = `{"name":"p","description":"d","execution":{}}`
	src.Items[Prompts] = []Item{item(t, Prompts, prompt)}
	s := Build([]Source{src}, Options{Describe: PrefixDescription})
	for _, modern := range []bool{false, true} {
		if got, _ := page(t, s, Prompts, "", modern); got != strings.Replace(prompt, `"p"`, `"b__p"`, 1) {
			t.Errorf("modern %t: got %s", modern, got)
		}
	}
}

// Tools and prompts do not stand in each other's way, nor do the URIs.
func TestKindsApart(t *testing.T) {
	src := has(t, "b", "bt:1")
	for k := range Kinds {
		if !k.uris() {
			src.Items[k] = []Item{named(t, k, "t"), named(t, k, "t.t"), named(t, k, "t")}
		}
	}
	other := src
	other.Backend = "a"
	other.Items[Resources] = nil
	s := Build([]Source{src, other}, Options{})
	for _, k := range []Kind{Tools, Prompts} {
		var got []string
		for _, e := range s.Entries(k) {
			got = append(got, e.Exposed)
		}
		want := []string{"a__t", Expose("a", "t.t"), "b__t", Expose("b", "t.t")}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: got %v, want %v", k, got, want)
		}
		if items, _ := page(t, s, k, "", true); fmt.Sprint(listed(t, []byte(items))) != fmt.Sprint(want) {
			t.Errorf("%v are listed as %s", k, items)
		}
	}
	if _, ok := s.Lookup(Resources, "b__t"); ok {
		t.Error("a tool is a resource")
	}
	changed := src
	changed.Items[Prompts] = changed.Items[Prompts][:1]
	if after := Build([]Source{changed, other}, Options{}); after.Hash(Prompts) == s.Hash(Prompts) || after.Hash(Tools) != s.Hash(Tools) {
		t.Error("the hash of one kind tells of another")
	}
}

// Only the one member is changed, and what stands behind it stays.
func TestRewrittenObject(t *testing.T) {
	const a = `{ "name" : "n", "uri" : "x:\/\/\u00e9<&>" , "size":1.0, "_meta":{"uri":"x://"} }`
	s := Build([]Source{offers("a", Resources, item(t, Resources, a)), offers("b", Resources, item(t, Resources, a))}, Options{})
	got, _ := page(t, s, Resources, "", false)
	want := `{ "name" : "n", "uri" : "mcp-gw+a+x://é<&>" , "size":1.0, "_meta":{"uri":"x://"} }`
	if want += "," + strings.Replace(want, "+a+", "+b+", 1); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
