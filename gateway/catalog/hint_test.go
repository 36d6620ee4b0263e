package catalog

import "testing"

func TestHint(t *testing.T) {
	hinted := func(legacy bool, h Hint) Source {
		src := Source{Legacy: legacy}
		src.Hints[Prompts] = h
		return src
	}
	public, private := hinted(false, Hint{TTL: 5000, Private: false, Known: true}), hinted(false, Hint{TTL: 9000, Private: true, Known: true})
	tests := []struct {
		name    string
		sources []Source
		want    Hint
	}{
		{"nobody", nil, Hint{}},
		{"one", []Source{public}, Hint{TTL: 5000, Private: false, Known: true}},
		{"two", []Source{public, private}, Hint{TTL: 5000, Private: true, Known: true}},
		{"two, the other way round", []Source{private, public}, Hint{TTL: 5000, Private: true, Known: true}},
		{"unknown", []Source{public, hinted(false, Hint{})}, Hint{TTL: 0, Private: false, Known: false}},
		{"legacy", []Source{hinted(true, Hint{TTL: 9000, Private: false, Known: true}), private}, Hint{TTL: 0, Private: true, Known: false}},
		{"less than nothing", []Source{hinted(false, Hint{TTL: -1, Private: false, Known: true}), public}, Hint{TTL: 0, Private: false, Known: true}},
	}
	for _, tt := range tests {
		if got := Build(tt.sources, Options{}).Hint(Prompts); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	// A hint is part of what clients see, of its own kind alone.
	one, two := Build([]Source{public}, Options{}), Build([]Source{private}, Options{})
	if one.Hash(Prompts) == two.Hash(Prompts) {
		t.Error("Hash overlooks the hint")
	}
	if one.Hash(Resources) != two.Hash(Resources) {
		t.Error("the hint of one kind changes the hash of another")
	}
}
