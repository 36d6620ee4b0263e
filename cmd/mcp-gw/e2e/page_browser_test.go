package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a Chromium: see peers/browser.mjs for its commands.
type browser struct{ *script }

// chromiums is the browser that the tests share: it takes seconds to start, and each tab
// has a profile of its own. One that has ended is replaced.
var chromiums struct {
	sync.Mutex
	last      *browser
	dashboard bool // the gateway is known to have one
}

const chromium = "/usr/bin/chromium"

// sharedBrowser needs Chromium and a gateway that was built with its dashboard.
func sharedBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a browser")
	}
	if _, err := os.Stat(chromium); err != nil {
		missing(t, "no "+chromium+", which the dashboard's tests drive: install Debian's package")
	}
	chromiums.Lock()
	defer chromiums.Unlock()
	if !chromiums.dashboard {
		if status, _, _ := startGateway(t).api(t, http.MethodGet, "/", ""); status != http.StatusOK {
			missing(t, "the dashboard is not built, and so not in the gateway: make dashboard")
		}
		chromiums.dashboard = true
	}
	if chromiums.last == nil || chromiums.last.ended() {
		c := newScript("browser", func([]byte) {})
		var err error
		if c.process, err = runProcess(c.what, nil, c.line, "node", filepath.Join(nodePeers(t), "browser.mjs")); err != nil {
			t.Fatalf("start the browser: %v", err)
		}
		chromiums.last = &browser{c}
	}
	b := chromiums.last
	t.Cleanup(func() {
		if t.Failed() {
			said := b.output() // that of earlier tests as well
			t.Logf("last output of the browser:\n%s", said[max(0, len(said)-8000):])
		}
	})
	return b
}

// closeBrowser ends the browser when all tests have.
func closeBrowser() {
	chromiums.Lock()
	defer chromiums.Unlock()
	if chromiums.last != nil {
		_ = chromiums.last.stdin.Close() // which takes its own processes along
		select {
		case <-chromiums.last.exited:
		case <-time.After(patience):
			chromiums.last.kill()
		}
	}
}

// tab is a tab with a profile of its own.
type tab struct {
	browser *browser
	name    string
	url     string // of the page, without a hash
	closed  bool
}

// look says how a tab sees a page. The zero value is a dark desktop.
type look struct {
	theme         string // dark (the default) or light
	width, height int    // 1280 × 800 by default
	touch         bool
	// lax takes the page's policy away, which axe cannot work with.
	lax bool
	// slips lets a test put the page's clock forward: window.ahead, in ms.
	slips bool
}

// open opens the dashboard of g. Its end closes the tab, and fails the test when the
// page has complained of anything that was not taken by problems.
func (b *browser) open(t *testing.T, url, hash string, l look) *tab {
	t.Helper()
	b.mu.Lock()
	b.next++
	tb := &tab{browser: b, name: fmt.Sprintf("tab%d", b.next), url: strings.TrimSuffix(url, "/") + "/"}
	b.mu.Unlock()
	fields := map[string]any{"url": tb.url + hash, "theme": "dark", "touch": l.touch, "lax": l.lax, "slips": l.slips}
	if l.theme != "" {
		fields["theme"] = l.theme
	}
	if l.width != 0 {
		fields["width"], fields["height"] = l.width, l.height
	}
	tb.do(t, "open", fields)
	t.Cleanup(func() { tb.close(t) })
	return tb
}

// close ends the tab, once.
func (tb *tab) close(t *testing.T) {
	t.Helper()
	if tb.closed {
		return
	}
	tb.closed = true
	if t.Failed() {
		tb.try("shot", map[string]any{"path": failureShot(t)})
	}
	for _, p := range tb.problems(t) {
		t.Errorf("the page complained: %s", p)
	}
	tb.try("close", nil)
}

// do gives the tab a command that must succeed.
func (tb *tab) do(t *testing.T, op string, fields map[string]any) []byte {
	t.Helper()
	value, failure := tb.try(op, fields)
	if failure != nil {
		t.Fatalf("%s %v: %s", op, fields, str(failure, "message"))
	}
	return value
}

// try gives the tab a command, and waits longer than the browser does.
func (tb *tab) try(op string, fields map[string]any) (value, failure []byte) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["as"] = tb.name
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Appendf(nil, `{"message":%q}`, err)
	}
	_, answer, err := tb.browser.post(op, strings.TrimSuffix(string(text[1:]), "}"))
	if err != nil {
		return nil, fmt.Appendf(nil, `{"message":%q}`, err)
	}
	select {
	case line := <-answer:
		return get(line, "value"), get(line, "error")
	case <-tb.browser.exited:
		return nil, fmt.Appendf(nil, `{"message":%q}`, "the browser has ended: "+tb.browser.output())
	case <-time.After(4 * patience):
		return nil, fmt.Appendf(nil, `{"message":%q}`, "the browser does not answer")
	}
}

func (tb *tab) goTo(t *testing.T, hash string) {
	t.Helper()
	tb.do(t, "go", map[string]any{"url": tb.url + hash})
}

func (tb *tab) click(t *testing.T, on string) {
	t.Helper()
	tb.do(t, "click", map[string]any{"on": on})
}

func (tb *tab) fill(t *testing.T, on, text string) {
	t.Helper()
	tb.do(t, "fill", map[string]any{"on": on, "text": text})
}

func (tb *tab) press(t *testing.T, keys string) {
	t.Helper()
	tb.do(t, "press", map[string]any{"keys": keys})
}

// see waits until something is there to be seen, and returns its text.
func (tb *tab) see(t *testing.T, on string) string {
	t.Helper()
	return valueOf[string](t, tb.do(t, "see", map[string]any{"on": on}))
}

func (tb *tab) gone(t *testing.T, on string) { t.Helper(); tb.do(t, "gone", map[string]any{"on": on}) }

// says waits until the text of something matches pattern, and returns that text.
func (tb *tab) says(t *testing.T, on, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var last string
	for deadline := time.Now().Add(patience); !re.MatchString(last); time.Sleep(20 * time.Millisecond) {
		if value, failure := tb.try("text", map[string]any{"on": on, "within": 1000}); failure == nil {
			last = valueOf[string](t, value)
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s to say %s; it says:\n%.3000s", patience, on, pattern, last)
		}
	}
	return last
}

// evaluate runs an expression in the page.
func evaluate[T any](t *testing.T, tb *tab, script string) T {
	t.Helper()
	return valueOf[T](t, tb.do(t, "run", map[string]any{"script": script}))
}

func (tb *tab) size(t *testing.T, width, height int) {
	t.Helper()
	tb.do(t, "size", map[string]any{"width": width, "height": height})
}

// problems takes what the console and the policy complained of.
func (tb *tab) problems(t *testing.T) []string {
	t.Helper()
	value, failure := tb.try("problems", nil)
	if failure != nil {
		return []string{string(failure)}
	}
	return slices.DeleteFunc(valueOf[[]string](t, value), func(p string) bool {
		// Containers of this machine come and go, and its networks with them.
		return strings.Contains(p, "ERR_NETWORK_CHANGED")
	})
}

// axe holds the page against WCAG 2.2 AA and good practice.
func (tb *tab) axe(t *testing.T, where string) {
	t.Helper()
	found := valueOf[struct {
		Passes     int
		Violations []string
	}](t, tb.do(t, "axe", nil))
	for _, v := range found.Violations {
		t.Errorf("%s: axe: %s", where, v)
	}
	if found.Passes < 10 {
		t.Errorf("%s: axe found only %d rules to check: is that a page?", where, found.Passes)
	}
}

// fits fails when the page can be scrolled sideways.
func (tb *tab) fits(t *testing.T, where string) {
	t.Helper()
	var over int
	// What was just resized, or whose stylesheet is tried again, settles in a moment.
	for limit := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if over = evaluate[int](t, tb, "document.documentElement.scrollWidth - innerWidth"); over <= 0 {
			return
		}
		if time.Now().After(limit) {
			break
		}
	}
	wide := evaluate[[]string](t, tb, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
		.map((e) => e.tagName.toLowerCase() + "." + e.className + " to " + Math.round(e.getBoundingClientRect().right)).slice(0, 6)`)
	t.Errorf("%s is %d px wider than its window: %q", where, over, wide)
}

func valueOf[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	return v
}

// failureShot is where the last look of a failed test is kept.
func failureShot(t *testing.T) string {
	t.Helper()
	return filepath.Join(buildFolder(t, "failures"), strings.NewReplacer("/", "-", " ", "_").Replace(t.Name())+".png")
}

// buildFolder is a folder below .build, made when it is not there.
func buildFolder(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", ".build", name))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
