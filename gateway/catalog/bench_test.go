package catalog

import (
	"fmt"
	"strings"
	"testing"
)

// fleet answers n tools of 600 bytes or so, fifty a backend, one backend in five
// legacy with an execution member.
func fleet(b *testing.B, n int) (sources []Source) {
	for len(sources)*50 < n {
		src := Source{Backend: fmt.Sprintf("backend-%d", len(sources)), Legacy: len(sources)%5 == 4}
		for i := range 50 {
			execution := ""
			if src.Legacy {
				execution = `"execution":{"taskSupport":"forbidden"},`
			}
			src.Items[Tools] = append(src.Items[Tools], tool(b, fmt.Sprintf(`{"name":"tool_%d",%s"description":"Looks up one thing in the store, by its key, and answers it with all that is known of it.","inputSchema":{"type":"object","properties":{"key":{"type":"string","description":"The key of the thing, as list_things answers it."},"depth":{"type":"integer","minimum":0,"maximum":10,"default":1},"fields":{"type":"array","items":{"type":"string"},"description":"Which fields to answer; all when left out."}},"required":["key"],"additionalProperties":false},"annotations":{"readOnlyHint":true}}`, i, execution)))
		}
		sources = append(sources, src)
	}
	return sources
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sources := fleet(b, n)
			b.ReportAllocs()
			for b.Loop() {
				Build(sources, Options{})
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	s := Build(fleet(b, 5000), Options{})
	_, cursor, _ := s.Page(Tools, "", true)
	for name, at := range map[string]string{"first": "", "next": cursor} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Page(Tools, at, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseTool(b *testing.B) {
	raw := fleet(b, 50)[0].Items[Tools][0].Raw
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(Tools, raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuildURIs(b *testing.B) {
	for name, form := range map[string]string{"apart": "file:///%[1]d/%[2]d", "shared": "file:///%[2]d"} {
		var sources []Source
		for i := range 100 {
			src := Source{Backend: fmt.Sprintf("backend-%d", i)}
			for j := range 48 {
				src.Items[Resources] = append(src.Items[Resources], named(b, Resources, fmt.Sprintf(form, i, j)))
			}
			for j := range 2 {
				src.Items[Templates] = append(src.Items[Templates], named(b, Templates, fmt.Sprintf(form, i, j)+"/{id}"))
			}
			sources = append(sources, src)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Build(sources, Options{})
			}
		})
	}
}

// BenchmarkBuildHostile: one backend lists, within what a list may hold, URIs that
// look like those of another and are dear to match.
func BenchmarkBuildHostile(b *testing.B) {
	victim := has(b, "victim", "x:1")
	for i := range 20 {
		victim.Items[Templates] = append(victim.Items[Templates], named(b, Templates, fmt.Sprintf("x:{+a}a{+b}a{+c}%d", i)))
	}
	hostile := has(b, "hostile", "x:1")
	for i := range 5000 {
		hostile.Items[Resources] = append(hostile.Items[Resources], named(b, Resources, "mcp-gw+victim+x:"+strings.Repeat("a", 1900)+fmt.Sprint(i)))
	}
	for b.Loop() {
		Build([]Source{victim, hostile}, Options{})
	}
}

// The worst that a template within the bounds can cost grows with the length of
// the URI and no faster.
func BenchmarkTemplateWorst(b *testing.B) {
	c, ok := compile("b", "a:"+strings.Repeat("{+x}a", maxExpressions-1)+"b{x}")
	if !ok {
		b.Fatal("does not compile")
	}
	for _, n := range []int{512, 1 << 10, 2 << 10} {
		uri := "a:" + strings.Repeat("a", n-2)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.match(uri) {
					b.Fatal("matches")
				}
			}
		})
	}
}

// BenchmarkOrigin looks for URIs that are in no list among two thousand templates.
func BenchmarkOrigin(b *testing.B) {
	for name, form := range map[string]string{"apart": "backend-%d-%d://{table}/rows/{id}", "alike": "https://example.com/{a}/%d/%d/{id}"} {
		var sources []Source
		for i := range 40 {
			src := Source{Backend: fmt.Sprintf("b%d", i)}
			for j := range 50 {
				src.Items[Templates] = append(src.Items[Templates], named(b, Templates, fmt.Sprintf(form, i, j)))
			}
			sources = append(sources, src)
		}
		s := Build(sources, Options{})
		found := strings.NewReplacer("{table}", "t", "{a}", "t", "{id}", "1").Replace(fmt.Sprintf(form, 20, 20))
		if backend, _, ok := s.Origin(found); !ok || backend != "b20" {
			b.Fatalf("%s is of %s", found, backend)
		}
		for which, uri := range map[string]string{"found": found, "not": found + "/x"} {
			b.Run(name+"/"+which, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.Origin(uri)
				}
			})
		}
	}
}
