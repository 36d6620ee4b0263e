package catalog

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

var legalName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

func TestExpose(t *testing.T) {
	tests := []struct{ backend, name, want string }{
		{"github", "create_issue", "github__create_issue"},
		{"a", "B-2", "a__B-2"},
		{"a", "b__c", "a__b__c"},
		{"a", strings.Repeat("n", 47), "a__" + strings.Repeat("n", 47)},
		// The rest was worked out once: such a name must never change again, for
		// clients keep permissions under it.
		{"a", strings.Repeat("n", 48), "a__" + strings.Repeat("n", 40) + "_c764ad"},
		{"a", "b.c", "a__b_c_ad8a94"},
		{"a", "é", "a_____e7308e"},
		{"a_", "b", "a___b_a00766"},
	}
	for _, tt := range tests {
		if got := Expose(tt.backend, tt.name); got != tt.want {
			t.Errorf("Expose(%q, %q) = %s, want %s", tt.backend, tt.name, got, tt.want)
		}
	}
}

// FuzzExpose: what clients see is legal, short, always the same, and another for
// another tool.
func FuzzExpose(f *testing.F) {
	long := strings.Repeat("x", 80)
	f.Add("a", "b", "a", "c")
	f.Add("a", "_b", "a_", "b")
	f.Add("my.server", "x", "my-server", "x")
	f.Add("a", long+"1", "a", long+"2")
	f.Add("日本", "語", "日本", "本")
	f.Add("", "", long, "\x00\xff")
	f.Fuzz(func(t *testing.T, backend1, name1, backend2, name2 string) {
		one, two := Expose(backend1, name1), Expose(backend2, name2)
		if !legalName.MatchString(one) {
			t.Fatalf("Expose(%q, %q) = %q", backend1, name1, one)
		}
		if again := Expose(backend1, name1); again != one {
			t.Fatalf("Expose(%q, %q) = %q, then %q", backend1, name1, one, again)
		}
		// No backend's name has "__" or NUL; discovery sees to that.
		if strings.ContainsAny(backend1+backend2, "\x00") || strings.Contains(backend1, "__") || strings.Contains(backend2, "__") {
			return
		}
		if backend1 == backend2 && name1 == name2 {
			return
		}
		plain := one == backend1+separator+name1 && two == backend2+separator+name2
		if plain && one == two {
			t.Fatalf("%q/%q and %q/%q are both %q", backend1, name1, backend2, name2, one)
		}
		if name1 == "" || name2 == "" {
			return
		}
		// Six digits of a hash can meet, and a tool can be named after one: the
		// catalogue keeps both apart all the same.
		for _, k := range []Kind{Tools, Prompts} {
			s := Build([]Source{offers(backend1, k, rawNamed(name1)), offers(backend2, k, rawNamed(name2))}, Options{})
			if e := s.Entries(k); len(e) != 2 || e[0].Exposed == e[1].Exposed {
				t.Fatalf("%q/%q and %q/%q become %+v", backend1, name1, backend2, name2, e)
			}
			items, _, err := s.Page(k, "", true)
			if err != nil || !json.Valid([]byte("["+string(items)+"]")) {
				t.Fatalf("list %q, %v", items, err)
			}
		}
	})
}

func rawNamed(name string) Item {
	raw, _ := json.Marshal(map[string]any{"name": name, "inputSchema": map[string]any{"type": "object"}})
	return Item{Name: name, Raw: raw}
}
