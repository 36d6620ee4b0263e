package catalog

import (
	"fmt"
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
			src.Tools = append(src.Tools, tool(b, fmt.Sprintf(`{"name":"tool_%d",%s"description":"Looks up one thing in the store, by its key, and answers it with all that is known of it.","inputSchema":{"type":"object","properties":{"key":{"type":"string","description":"The key of the thing, as list_things answers it."},"depth":{"type":"integer","minimum":0,"maximum":10,"default":1},"fields":{"type":"array","items":{"type":"string"},"description":"Which fields to answer; all when left out."}},"required":["key"],"additionalProperties":false},"annotations":{"readOnlyHint":true}}`, i, execution)))
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
				Build(sources, nil)
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	s := Build(fleet(b, 5000), nil)
	_, cursor, _ := s.Page("", true)
	for name, at := range map[string]string{"first": "", "next": cursor} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Page(at, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseTool(b *testing.B) {
	raw := fleet(b, 50)[0].Tools[0].Raw
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseTool(raw); err != nil {
			b.Fatal(err)
		}
	}
}
