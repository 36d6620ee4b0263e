package catalog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// has answers a source with resources and, behind them, templates, by their URIs.
func has(t testing.TB, backend string, uris ...string) Source {
	t.Helper()
	src := Source{Backend: backend}
	for _, uri := range uris {
		k := Resources
		if strings.Contains(uri, "{") {
			k = Templates
		}
		src.Items[k] = append(src.Items[k], named(t, k, uri))
	}
	return src
}

// exposures answers what clients see of every URI, by backend and URI.
func exposures(s *Snapshot) map[[2]string]string {
	all := map[[2]string]string{}
	for _, k := range []Kind{Resources, Templates} {
		for _, e := range s.Entries(k) {
			all[[2]string{e.Backend, e.Name}] = e.Exposed
		}
	}
	return all
}

func TestRewrites(t *testing.T) {
	tests := []struct {
		name    string
		sources []Source
		want    map[[2]string]string // of those that are not as they were
	}{
		{"all different", []Source{has(t, "a", "x:1", "x:{y}"), has(t, "b", "x:2", "x:{z}")}, nil},
		{"twice in one list", []Source{has(t, "a", "x:1", "x:1", "x:{y}", "x:{y}")}, nil},
		{"a URI and a template without expressions", []Source{has(t, "a", "x:1"), offers("b", Templates, named(t, Templates, "x:1"))}, nil},
		{"one of two", []Source{has(t, "a", "x:1", "x:2"), has(t, "b", "x:1", "x:3"), has(t, "c", "x:4")}, map[[2]string]string{
			{"a", "x:1"}: "mcp-gw+a+x:1", {"b", "x:1"}: "mcp-gw+b+x:1",
		}},
		{"three, with apps and templates", []Source{has(t, "a", "ui://x", "n://{id}"), has(t, "b_", "ui://x", "n://{id}"), has(t, "C", "ui://x", "ui://{id}")}, map[[2]string]string{
			{"a", "ui://x"}: "ui://a/x", {"b_", "ui://x"}: "ui://b.5f/x", {"C", "ui://x"}: "ui://.43/x",
			{"a", "n://{id}"}: "mcp-gw+a+n://{id}", {"b_", "n://{id}"}: "mcp-gw+b.5f+n://{id}",
		}},
		{"an app under the backend's own name", []Source{has(t, "a", "ui://a/x"), has(t, "b", "ui://a/x")}, map[[2]string]string{
			{"a", "ui://a/x"}: "ui://a/a/x", {"b", "ui://a/x"}: "ui://b/a/x",
		}},
		{"somebody lists the first form", []Source{has(t, "a", "x:1"), has(t, "b", "x:1", "mcp-gw+a+x:1"), has(t, "c", "mcp-gw-3+a+x:1")}, map[[2]string]string{
			{"a", "x:1"}: "mcp-gw-2+a+x:1", {"b", "x:1"}: "mcp-gw+b+x:1",
		}},
		{"somebody lists an app of the first form", []Source{has(t, "a", "ui://x"), has(t, "b", "ui://x", "ui://a/x", "ui://a+2/x")}, map[[2]string]string{
			{"a", "ui://x"}: "ui://a+3/x", {"b", "ui://x"}: "ui://b/x",
		}},
		{"somebody lists what is long", []Source{has(t, "a", "x:1"), has(t, "b", "x:1", "mcp-gw+a+x:"+strings.Repeat("y", maxDoubted))}, map[[2]string]string{
			{"a", "x:1"}: "mcp-gw-2+a+x:1", {"b", "x:1"}: "mcp-gw+b+x:1",
		}},
		{"somebody lists what a template would make", []Source{has(t, "a", "ui://{x}"), has(t, "b", "ui://{x}"), has(t, "c", "ui://a/y")}, map[[2]string]string{
			{"a", "ui://{x}"}: "ui://a+2/{x}", {"b", "ui://{x}"}: "ui://b/{x}",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Build(tt.sources, Options{})
			for at, got := range exposures(s) {
				want := at[1]
				if changed, ok := tt.want[at]; ok {
					want = changed
				}
				if got != want {
					t.Errorf("%s of %s is shown as %s, want %s", at[1], at[0], got, want)
				}
			}
			for at := range tt.want {
				if s.Rewrites(at[0]) == nil {
					t.Errorf("nothing of %s is rewritten", at[0])
				}
			}
			for _, src := range tt.sources {
				some := false
				for at := range tt.want {
					some = some || at[0] == src.Backend
				}
				if r := s.Rewrites(src.Backend); r != nil && !some {
					t.Errorf("%s has a Rewriter: %+v", src.Backend, r)
				}
			}
			holds(t, tt.sources)
		})
	}
}

// holds checks what must be true of every catalogue.
func holds(t *testing.T, sources []Source) {
	t.Helper()
	s := Build(sources, Options{})
	again := slices.Clone(sources)
	slices.Reverse(again)
	plain := map[string]bool{}
	for _, src := range sources {
		for _, k := range []Kind{Resources, Templates} {
			for _, item := range src.Items[k] {
				plain[item.Name] = true
			}
		}
	}
	other := Build(again, Options{})
	for k := range Kinds {
		if s.Hash(k) != other.Hash(k) {
			t.Fatalf("another order of arrival gives other %v", k)
		}
	}
	for _, k := range []Kind{Resources, Templates} {
		seen := map[string]bool{}
		for _, e := range s.Entries(k) {
			if seen[e.Exposed] {
				t.Fatalf("%q is shown twice", e.Exposed)
			}
			seen[e.Exposed] = true
			if e.Exposed != e.Name && plain[e.Exposed] {
				t.Fatalf("%q of %q is shown as %q, which is listed as such", e.Name, e.Backend, e.Exposed)
			}
			r := s.Rewrites(e.Backend)
			if got, changed := r.Expose(e.Name); got != e.Exposed || changed != (e.Exposed != e.Name) {
				t.Fatalf("Expose(%q) of %q = %q, %t, listed is %q", e.Name, e.Backend, got, changed, e.Exposed)
			}
			// The same text may be a URI here and a template there: then the URI counts.
			backend, uri, ok := s.Origin(e.Exposed)
			if _, isResource := s.Lookup(Resources, e.Exposed); k == Templates && isResource {
				continue
			}
			if !ok || backend != e.Backend || uri != e.Name {
				t.Fatalf("Origin(%q) = %q, %q, %t, want %q, %q", e.Exposed, backend, uri, ok, e.Backend, e.Name)
			}
			if k == Templates && e.Exposed != e.Name {
				expands(t, s, e)
			}
		}
	}
	if items, _, err := s.Page(Resources, "", true); err != nil || !json.Valid([]byte("["+string(items)+"]")) {
		t.Fatalf("list %q, %v", items, err)
	}
}

var values = strings.NewReplacer("{id}", "7", "{+id}", "7/8", "{?id}", "?id=7", "{x}", "q", "{y}", "r")

// expands: what a client makes out of a rewritten template is what the backend's
// own URI becomes.
func expands(t *testing.T, s *Snapshot, e Entry) {
	t.Helper()
	own, exposed := values.Replace(e.Name), values.Replace(e.Exposed)
	if strings.Contains(own, "{") || s.uris.lists(e.Backend, own) || formOf(own) != formOf(e.Name) {
		return
	}
	if c, ok := compile(e.Backend, e.Name); !ok || !c.match(own) {
		return
	}
	if got, ok := s.Rewrites(e.Backend).Expose(own); !ok || got != exposed {
		t.Fatalf("%q of %q is shown as %q, clients make %q out of %q", own, e.Backend, got, exposed, e.Exposed)
	}
	if backend, uri, ok := s.Origin(exposed); !ok || backend != e.Backend || uri != own {
		t.Fatalf("Origin(%q) = %q, %q, %t, want %q, %q", exposed, backend, uri, ok, e.Backend, own)
	}
}

// Sets that are made of few backends and few URIs, some of which look like the
// gateway's own, collide in all ways.
func TestRewritesAtRandom(t *testing.T) {
	backends := []string{"a", "b", "a-2", "a_", "A", "a.5f", "ui", "gw"}
	bases := []string{"x:1", "x:7", "x:{id}", "x:{+id}", "x:{id}{?id}", "ui://x", "ui://a/x", "ui://{id}", "ui://a/{id}", "ui://a/7", "{+id}", "ui://b/7", "{x}:{y}", "ui://{x}/{y}"}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		uris := slices.Clone(bases)
		for range 4 { // forms of forms, too
			uri, backend := uris[rnd.IntN(len(uris))], backends[rnd.IntN(len(backends))]
			f := formOf(uri)
			uris = append(uris, front(f, code(backend), 1+rnd.IntN(3))+strings.TrimPrefix(uri, map[form]string{byHost: appPrefix}[f]))
		}
		var sources []Source
		for _, i := range rnd.Perm(len(backends))[:2+rnd.IntN(4)] {
			var own []string
			for range rnd.IntN(6) {
				own = append(own, uris[rnd.IntN(len(uris))])
			}
			sources = append(sources, has(t, backends[i], own...))
		}
		if holds(t, sources); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// FuzzRewrites: the same of what strangers write.
func FuzzRewrites(f *testing.F) {
	f.Add("a", "x:1\nx:{id}\nui://x", "b", "x:1\nx:{id}\nmcp-gw+a+x:1", "c", "ui://a/x\nui://x")
	f.Add("ui", "ui://ui/ui\nui://{x}", "u.69", "ui://{x}\nui://ui/x", "b", "ui://ui+2/q")
	f.Add("a", "{+id}", "b", "{+id}\nmcp-gw+a+7/8", "c", "x:\"\\\u2028<&>\n{{}}\n{")
	f.Fuzz(func(t *testing.T, b1, uris1, b2, uris2, b3, uris3 string) {
		var sources []Source
		for _, s := range [][2]string{{b1, uris1}, {b2, uris2}, {b3, uris3}} {
			if strings.ContainsRune(s[0], 0xFFFD) || slices.ContainsFunc(sources, func(o Source) bool { return o.Backend == s[0] }) {
				return
			}
			src := Source{Backend: s[0]}
			for _, uri := range strings.Split(s[1], "\n") {
				for _, k := range []Kind{Resources, Templates} {
					raw := fmt.Sprintf(`{"name":"n",%q:%s}`, kinds[k].id, quote(uri))
					if item, err := Parse(k, []byte(raw)); err == nil && (k == Templates) == strings.Contains(uri, "{") {
						src.Items[k] = append(src.Items[k], item)
					}
				}
			}
			sources = append(sources, src)
		}
		holds(t, sources)
	})
}
