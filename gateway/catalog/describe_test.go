package catalog

import (
	"encoding/json"
	"strings"
	"testing"
)

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
	s := Build([]Source{offers("b", Tools, tool(t, `{"name":"t","description":"d","inputSchema":{"type":"object"}}`))}, Options{Describe: PrefixDescription})
	if got, _ := page(t, s, Tools, "", true); got != `{"name":"b__t","description":"[b] d","inputSchema":{"type":"object"}}` {
		t.Errorf("got %s", got)
	}
	if e, _ := s.Lookup(Tools, "b__t"); strings.Contains(string(e.Raw), "[b]") {
		t.Error("the backend's own object was changed")
	}
}
