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
	for i := range 8 {
		a.note("large", fmt.Sprint(i), describe("t", large).Raw, []byte(`{}`))
	}
	if n := len(a.backends["many"].tools); n != maxAltered {
		t.Errorf("%d tools of a backend are kept, want %d", n, maxAltered)
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
