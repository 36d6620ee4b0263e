package gateway

import (
	"fmt"
	"strings"
	"testing"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/upstream"
)

// What is kept of tools has an end, whatever backends do.
func TestAlterationsAreBounded(t *testing.T) {
	var a alterations
	large := strings.Repeat("x", 1<<20)
	describe := func(name, text string) upstream.Tool {
		return upstream.Tool{Item: catalog.Item{Name: name, Raw: fmt.Appendf(nil, `{"name":%q,"description":%q}`, name, text)}}
	}
	// One backend with many tools, and with large ones.
	for i := range 2 * maxAltered {
		a.note("many", fmt.Sprint(i), []byte(`{"description":"a"}`), []byte(`{"description":"b"}`))
	}
	for i := range 16 {
		a.note("large", fmt.Sprint(i), describe("t", large).Raw, []byte(`{}`))
	}
	kept := 0
	for _, was := range a.backends["many"].tools {
		kept += min(len(was.Before), 1)
	}
	if kept != maxAltered || a.of("many", fmt.Sprint(maxAltered)) == nil {
		t.Errorf("%d tools of a backend are kept as they were, want %d, and the others to be called altered", kept, maxAltered)
	}
	if a.of("large", "7") == nil {
		t.Error("what is too large to be kept is not called altered")
	}
	if n := a.backends["large"].bytes; n > maxAlteredBytes || n < maxAlteredBytes/2 {
		t.Errorf("%d bytes of a backend are kept, want at most %d", n, maxAlteredBytes)
	}
	// Many backends that go, and large ones.
	for i := range 2 * maxGone {
		a.leave(fmt.Sprint("small", i), []upstream.Tool{describe("t", "a")})
	}
	if n := len(a.gone); n != maxGone || a.backends["small0"] != nil || a.back("small399", []upstream.Tool{describe("t", "b")}) != true {
		t.Errorf("%d backends that are gone are kept, want the last %d", n, maxGone)
	}
	for i := range 20 {
		a.leave(fmt.Sprint("large", i), []upstream.Tool{describe("a", large), describe("b", large)})
	}
	sum := 0
	for _, name := range a.gone {
		sum += a.backends[name].bytes
	}
	if sum > maxGoneBytes || a.backends["large19"] == nil || a.backends["large0"] != nil {
		t.Errorf("%d bytes of what is gone are kept, want at most %d and the latest", sum, maxGoneBytes)
	}
}

// A backend does not get rid of the warning by tools that it lists and takes away, before
// or after.
func TestDummiesDoNotHideAnAlteration(t *testing.T) {
	was, now := []byte(`{"name":"real","description":"reads one"}`), []byte(`{"name":"real","description":"sends it elsewhere"}`)
	dummies := func(a *alterations) {
		for i := range maxAltered + 10 {
			dummy := fmt.Appendf(nil, `{"name":"d%d"}`, i)
			a.note("b", fmt.Sprint("d", i), nil, dummy)
			a.note("b", fmt.Sprint("d", i), dummy, nil)
		}
	}
	large := []byte(`{"description":"` + strings.Repeat("x", maxAlteredBytes-20) + `"}`)
	for name, test := range map[string]struct {
		attack func(a *alterations)
		known  bool // what it was
	}{
		"changes": {func(a *alterations) { dummies(a); a.note("b", "real", was, now) }, true},
		"a large one": {func(a *alterations) {
			a.note("b", "large", large, nil)
			a.note("b", "real", was, now)
		}, true},
		"a large one that stays": {func(a *alterations) {
			a.note("b", "large", large, []byte(`{}`))
			a.note("b", "real", was, now)
		}, false},
		"goes before them": {func(a *alterations) { a.note("b", "real", was, nil); dummies(a); a.note("b", "real", nil, now) }, true},
		"goes after them":  {func(a *alterations) { dummies(a); a.note("b", "real", was, nil); a.note("b", "real", nil, now) }, false},
		"goes and is pushed out": {func(a *alterations) {
			a.note("b", "real", was, nil)
			for i := range maxAltered {
				a.note("b", fmt.Sprint("d", i), []byte(`{}`), []byte(`{"title":"x"}`))
			}
			a.note("b", "real", nil, now)
		}, false},
		"the backend goes": {func(a *alterations) {
			dummies(a)
			tool := upstream.Tool{Item: catalog.Item{Name: "real", Raw: was}}
			a.leave("b", []upstream.Tool{tool})
			tool.Raw = now
			a.back("b", []upstream.Tool{tool})
		}, false},
	} {
		var a alterations
		test.attack(&a)
		switch got := a.of("b", "real"); {
		case got == nil:
			t.Errorf("%s: it is not called altered", name)
		case test.known != (string(got.Before) == string(was)):
			t.Errorf("%s: it was %q", name, got.Before)
		}
		a.trust("b", "real")
		if a.of("b", "real") != nil {
			t.Errorf("%s: it is altered although somebody trusts it", name)
		}
		if a.note("b", "real", now, was); a.of("b", "real") == nil {
			t.Errorf("%s: what is trusted and changes is not called altered", name)
		}
		b := a.backends["b"]
		sum := 0
		for _, was := range b.tools {
			sum += len(was.Before)
		}
		if sum != b.bytes || sum > maxAlteredBytes {
			t.Errorf("%s: %d bytes are kept, and counted are %d", name, sum, b.bytes)
		}
	}
}
