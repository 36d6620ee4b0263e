package catalog

import "testing"

func tools(backend string, off map[string]bool, names ...string) Source {
	src := Source{Backend: backend, Off: off}
	for _, name := range names {
		src.Items[Tools] = append(src.Items[Tools], Item{Name: name, Raw: []byte(`{"name":"` + name + `","inputSchema":{"type":"object"}}`)})
	}
	return src
}

func exposed(entries []Entry) (names []string) {
	for _, e := range entries {
		names = append(names, e.Exposed)
	}
	return names
}

// A tool that is switched off is in no list and cannot be looked up, and what it was
// called still means it: no other tool takes the name.
func TestWhatIsOffKeepsItsName(t *testing.T) {
	for _, plain := range []bool{false, true} {
		build := func(off map[string]bool) *Snapshot {
			src := tools("b", off, "keep", "gone", "other")
			src.Renamed = map[string]string{"other": "gone"}
			return Build([]Source{src}, Options{Plain: plain})
		}
		on, off := build(nil), build(map[string]bool{"gone": true})
		name := Expose("b", "gone")
		if plain {
			name = "gone"
		}
		if e, ok := on.Lookup(Tools, name); !ok || e.Name != "gone" || on.IsOff(name) {
			t.Fatalf("on: %v %v", e, ok)
		}
		if e, ok := off.Lookup(Tools, name); ok || !off.IsOff(name) {
			t.Errorf("%s is off, and leads to %q", name, e.Name)
		}
		items, _, _ := off.Page(Tools, "", false)
		if want := len(on.Entries(Tools)) - 1; len(off.Entries(Tools)) != want {
			t.Errorf("%d are listed, want %d: %s", len(off.Entries(Tools)), want, items)
		}
		if got := off.Off(); len(got) != 1 || got[0].Exposed != name || got[0].Name != "gone" {
			t.Errorf("off are %v", exposed(got))
		}
		for _, e := range off.Entries(Tools) {
			if was, ok := on.Lookup(Tools, e.Exposed); !ok || was.Name != e.Name {
				t.Errorf("%s was %q, and is %q now", e.Exposed, was.Name, e.Name)
			}
		}
		if on.Hash(Tools) == off.Hash(Tools) {
			t.Error("the lists differ, and their hashes do not")
		}
	}
}

func TestNothingIsListedWhenAllIsOff(t *testing.T) {
	s := Build([]Source{tools("b", map[string]bool{"x": true, "y": true}, "x", "y")}, Options{})
	items, next, err := s.Page(Tools, "", true)
	if len(items) != 0 || next != "" || err != nil || len(s.Off()) != 2 {
		t.Errorf("%q %q %v, off %v", items, next, err, exposed(s.Off()))
	}
}

// A cursor may name what was switched off since: the list begins anew, it does not fail
// in another way.
func TestACursorOfWhatIsOffIsGone(t *testing.T) {
	many := make([]string, PageSize+5)
	for i := range many {
		many[i] = "t" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
	}
	on := Build([]Source{tools("b", nil, many...)}, Options{})
	_, next, err := on.Page(Tools, "", false)
	if err != nil || next == "" {
		t.Fatal(err)
	}
	off := Build([]Source{tools("b", map[string]bool{many[PageSize-1]: true}, many...)}, Options{})
	if _, _, err := off.Page(Tools, next, false); err == nil {
		t.Error("the cursor was taken")
	}
}

func TestDoublesAreNamed(t *testing.T) {
	s := Build([]Source{tools("b", nil, "x", "x", "x", "y")}, Options{})
	if got := exposed(s.Doubles()); len(got) != 2 || got[0] != "b__x#2" || got[1] != "b__x#3" {
		t.Errorf("doubles: %v", got)
	}
}
