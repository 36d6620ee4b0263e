package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestScreenshots takes a picture of each page, for people to look at: 'make
// screenshots'.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		t.Skip("takes pictures into the folder SCREENSHOTS")
	}
	b := sharedBrowser(t)
	looks := map[string]look{
		"desktop-dark": {theme: "dark", width: 1440, height: 900}, "desktop-light": {theme: "light", width: 1440, height: 900},
		"phone-dark": {theme: "dark", width: 390, height: 844, touch: true}, "phone-light": {theme: "light", width: 390, height: 844, touch: true},
	}
	for _, n := range []int{0, 1, 7, 200} {
		r := openShowroom(t, n)
		r.visit(t)
		for name, l := range looks {
			to := filepath.Join(dir, fmt.Sprintf("%03d-backends", n), name)
			if err := os.MkdirAll(to, 0o755); err != nil {
				t.Fatal(err)
			}
			tb := b.open(t, r.url, "", l)
			shoot := func(file string) {
				time.Sleep(500 * time.Millisecond) // charts are drawn when they have their size
				tb.do(t, "shot", map[string]any{"path": filepath.Join(to, file+".png")})
			}
			for _, p := range pages {
				tb.goTo(t, p.hash)
				tb.heading(t, p)
				shoot(strings.ToLower(p.heading))
			}
			if n > 0 { // and what is behind them
				for file, hash := range map[string]string{"backend": "#/backends/github", "tool": "#/tools/github__search_issues", "run": "#/playground/github__search_issues"} {
					tb.goTo(t, hash)
					tb.says(t, "body", `(?i)search.issues`)
					shoot(file)
				}
				tb.goTo(t, "#/traffic/"+string(get(elements(t, get([]byte(body(t, r.url+"/api/calls")), "calls"))[0], "id")))
				tb.see(t, "role=dialog")
				shoot("call")
			}
			tb.close(t)
		}
		if err := r.terminate(patience); err != nil {
			t.Error(err)
		}
	}
}
