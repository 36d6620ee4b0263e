package catalog

import (
	"fmt"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	var tools []Item
	for i := range 2*PageSize + 1 {
		tools = append(tools, named(t, Tools, fmt.Sprintf("t%d", i)))
	}
	s := Build([]Source{offers("b", Tools, tools...)}, Options{})
	var names []string
	cursor, pages := "", 0
	for {
		got, next := page(t, s, Tools, cursor, pages%2 == 0)
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
	_, cursor = page(t, s, Tools, "", true)
	grown := Build([]Source{offers("a", Tools, tools[:5]...), offers("b", Tools, tools...)}, Options{})
	if got, _ := page(t, grown, Tools, cursor, true); listed(t, []byte(got))[0] != fmt.Sprintf("b__t%d", PageSize) {
		t.Errorf("the page behind the cursor begins with %.40s", got)
	}
	if got, next := page(t, Build([]Source{offers("b", Tools, tools[:PageSize]...)}, Options{}), Tools, cursor, true); got != "" || next != "" {
		t.Errorf("behind the last tool: got %q, %q", got, next)
	}
	for _, bad := range []string{cursor, "%", "AAAA", strings.Repeat("x", 1000)} {
		_, _, err := Build(nil, Options{}).Page(Tools, bad, true)
		if err == nil || !strings.Contains(err.Error(), "list again") || len(err.Error()) > 250 {
			t.Errorf("Page(%.20q): %v", bad, err)
		}
	}
}

// Every kind has pages, URIs of any length that Parse allows included.
func TestPageOfKinds(t *testing.T) {
	tail := strings.Repeat("x", MaxID-10)
	for k, form := range map[Kind]string{Prompts: "p%d", Resources: "x:%d" + tail, Templates: "x:{v}%d"} {
		items := make([]Item, 0, PageSize+2)
		for i := range PageSize + 2 {
			name := fmt.Sprintf(form, i)
			if i != PageSize-1 { // the one that the cursor names is long
				name = strings.TrimSuffix(name, tail)
			}
			items = append(items, named(t, k, name))
		}
		for _, sources := range [][]Source{{offers("b", k, items...)}, {offers("b", k, items...), offers("c", k, items...)}} {
			s := Build(sources, Options{})
			seen, cursor, pages := 0, "", 0
			for {
				got, next := page(t, s, k, cursor, pages%2 == 0)
				seen += strings.Count(got, kinds[k].id+`":`)
				pages++
				if cursor = next; cursor == "" {
					break
				}
			}
			if want := len(items) * len(sources); seen != want || pages != want/PageSize+1 {
				t.Errorf("%v: got %d on %d pages, want %d", k, seen, pages, want)
			}
			_, cursor = page(t, s, k, "", true)
			if _, _, err := s.Page(Tools, cursor, true); err == nil {
				t.Errorf("a cursor of %v is good for tools", k)
			}
		}
	}
	if _, _, err := Build(nil, Options{}).Page(Resources, strings.Repeat("A", 1<<20), true); err == nil || len(err.Error()) > 250 {
		t.Errorf("an endless cursor: %v", err)
	}
}
