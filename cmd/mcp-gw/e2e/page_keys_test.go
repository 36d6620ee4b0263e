package e2e

import (
	"strings"
	"testing"
)

// What has the focus, by role or tag and name.
func (tb *tab) focus(t *testing.T) string {
	t.Helper()
	return evaluate[string](t, tb, `(() => { const e = document.activeElement; if (e === document.body) return "nowhere"; return (e.getAttribute("role") ?? e.tagName.toLowerCase()) + " " + (e.ariaLabel || e.textContent || e.placeholder || "").trim().slice(0, 60); })()`)
}

// The page without a mouse.
func TestPageByKeyboard(t *testing.T) {
	b := sharedBrowser(t)
	g := openShowroom(t, 1)
	tb := b.open(t, g.url, "#/", look{})
	tb.heading(t, pages[0])

	// The first stop leads past the rail.
	tb.press(t, "Tab")
	if at := tb.focus(t); !strings.Contains(strings.ToLower(at), "skip") {
		t.Errorf("the first stop is %q, want the link past the rail", at)
	}
	// g and a letter go to a page, and its heading has the focus.
	for i, key := range []string{"t", "l", "d", "p", "m", "c", "i", "o"} {
		p := pages[(i+1)%len(pages)]
		evaluate[any](t, tb, `document.activeElement.blur()`)
		tb.press(t, "g")
		tb.press(t, key)
		tb.heading(t, p)
		if at := tb.focus(t); !strings.HasPrefix(at, "h1") {
			t.Errorf("on %s the focus is at %q, want its heading", p.heading, at)
		}
	}
	// Letters typed into a field are letters.
	tb.goTo(t, "#/traffic")
	tb.heading(t, pages[1])
	evaluate[any](t, tb, `document.activeElement.blur()`)
	tb.press(t, "/")
	if at := tb.focus(t); !strings.HasPrefix(at, "input") && !strings.HasPrefix(at, "searchbox") && !strings.HasPrefix(at, "combobox") {
		t.Errorf("after / the focus is at %q, want the filter", at)
	}
	tb.press(t, "g")
	tb.press(t, "o")
	tb.heading(t, pages[1])

	// The palette opens, finds, goes, and gives the focus back when it closes.
	tb.goTo(t, "#/")
	tb.heading(t, pages[0])
	before := tb.focus(t)
	tb.press(t, "Control+k")
	tb.see(t, "role=dialog")
	tb.press(t, "Escape")
	tb.gone(t, "role=dialog")
	if after := tb.focus(t); after != before {
		t.Errorf("the palette was opened at %q, and left the focus at %q", before, after)
	}
	tb.press(t, "Control+k")
	tb.see(t, "role=dialog")
	for _, letter := range "Discov" {
		tb.press(t, string(letter))
	}
	tb.press(t, "Enter")
	tb.heading(t, pages[3])

	// A dialog keeps the focus, and gives it back to what opened it.
	tb.goTo(t, "#/")
	tb.heading(t, pages[0])
	opener := `role=button[name=/add a backend/i]`
	tb.do(t, "press", map[string]any{"on": opener, "keys": "Enter"})
	tb.see(t, "role=dialog")
	for i := range 40 {
		tb.press(t, "Tab")
		if !evaluate[bool](t, tb, `!!document.activeElement.closest("[role=dialog]")`) {
			t.Fatalf("after %d stops the focus has left the dialog: %s", i+1, tb.focus(t))
		}
	}
	tb.press(t, "Escape")
	tb.gone(t, "role=dialog")
	if at := tb.focus(t); !strings.Contains(strings.ToLower(at), "add a backend") {
		t.Errorf("the closed dialog leaves the focus at %q, want what opened it", at)
	}
}
