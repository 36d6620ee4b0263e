package catalog

import "testing"

func TestHint(t *testing.T) {
	hinted := func(legacy bool, h Hint) Source {
		src := Source{Legacy: legacy}
		src.Hints[Prompts] = h
		return src
	}
	public, private := hinted(false, Hint{5000, false, true}), hinted(false, Hint{9000, true, true})
	tests := []struct {
		name    string
		sources []Source
		want    Hint
	}{
		{"nobody", nil, Hint{}},
		{"one", []Source{public}, Hint{5000, false, true}},
		{"two", []Source{public, private}, Hint{5000, true, true}},
		{"two, the other way round", []Source{private, public}, Hint{5000, true, true}},
		{"unknown", []Source{public, hinted(false, Hint{})}, Hint{0, false, false}},
		{"legacy", []Source{hinted(true, Hint{9000, false, true}), private}, Hint{0, true, false}},
		{"less than nothing", []Source{hinted(false, Hint{-1, false, true}), public}, Hint{0, false, true}},
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
