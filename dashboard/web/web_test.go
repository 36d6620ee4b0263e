package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

var script = strings.Repeat("console.log('a page');\n", 200)

func newPage(t *testing.T, files fs.FS) *Page {
	t.Helper()
	p, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func built(t *testing.T) *Page {
	return newPage(t, fstest.MapFS{
		".gitkeep":                     {},
		"index.html":                   {Data: []byte("<!doctype html><script type=module src=./assets/index-a1.js></script>")},
		"assets/index-a1.js":           {Data: []byte(script)},
		"assets/inter-b2.woff2":        {Data: []byte{0x77, 0x4f, 0x46, 0x32, 1, 2, 3}},
		"assets/.vite/manifest.json":   {Data: []byte("{}")},
		"assets/strange-c3.unheard-of": {Data: []byte("?")},
		"favicon.svg":                  {Data: []byte("<svg/>")},
	})
}

func ask(p *Page, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestFilesAndTheirHeaders(t *testing.T) {
	p := built(t)
	const forEver, anew = "public, max-age=31536000, immutable", "no-cache"
	for _, c := range []struct{ path, kind, cache, begins string }{
		{"/", "text/html; charset=utf-8", anew, "<!doctype html>"},
		{"/assets/index-a1.js", "text/javascript; charset=utf-8", forEver, "console.log"},
		{"/assets/inter-b2.woff2", "font/woff2", forEver, "wOF2"},
		{"/assets/strange-c3.unheard-of", "application/octet-stream", forEver, "?"},
		{"/favicon.svg", "image/svg+xml", anew, "<svg/>"},
	} {
		resp := ask(p, "GET", c.path)
		body := text(t, resp)
		if resp.StatusCode != 200 || !strings.HasPrefix(body, c.begins) || resp.ContentLength != int64(len(body)) && resp.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("%s: %d, length %s, %.40q", c.path, resp.StatusCode, resp.Header.Get("Content-Length"), body)
		}
		for name, want := range map[string]string{"Content-Type": c.kind, "Cache-Control": c.cache, "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Content-Security-Policy": policy, "Content-Encoding": ""} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.path, name, got, want)
			}
		}
		// The same without its body, and once more when it is known.
		head := ask(p, "HEAD", c.path)
		if got := text(t, head); head.StatusCode != 200 || got != "" || head.Header.Get("Content-Length") != resp.Header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d, length %s, %q", c.path, head.StatusCode, head.Header.Get("Content-Length"), got)
		}
		again := ask(p, "GET", c.path, "If-None-Match", `"other", W/`+resp.Header.Get("ETag"))
		if got := text(t, again); again.StatusCode != 304 || got != "" || again.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s once more: %d %q", c.path, again.StatusCode, got)
		}
	}
	if got := p.Paths(); !slices.Equal(got, []string{"/assets/index-a1.js", "/assets/inter-b2.woff2", "/assets/strange-c3.unheard-of", "/favicon.svg"}) {
		t.Errorf("paths: %q", got)
	}
	for _, path := range []string{"/.gitkeep", "/assets", "/assets/", "/assets/gone.js", "/../web.go", "/assets/../index.html"} {
		if resp := ask(p, "GET", path); resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func TestCompression(t *testing.T) {
	p := built(t)
	for accepted, want := range map[string]string{"": "", "gzip": "gzip", "br, GZIP;q=0.5": "gzip", "gzip;q=0, br": "", "gzip; q=0.0": "", "deflate": "", "x-gzip": ""} {
		resp := ask(p, "GET", "/assets/index-a1.js", "Accept-Encoding", accepted)
		if got := resp.Header.Get("Content-Encoding"); got != want || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("accepting %q: sent as %q, vary %q", accepted, got, resp.Header.Get("Vary"))
		}
		if got := text(t, resp); got != script {
			t.Errorf("accepting %q: not the script: %.60q", accepted, got)
		}
	}
	plain, zipped := ask(p, "GET", "/assets/index-a1.js"), ask(p, "GET", "/assets/index-a1.js", "Accept-Encoding", "gzip")
	if plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
		t.Error("two bodies have the same tag")
	}
	if resp := ask(p, "GET", "/assets/inter-b2.woff2", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("a font is compressed twice")
	}
}

func TestWithoutTheApplicationThePageSaysHowToMakeIt(t *testing.T) {
	p := newPage(t, fstest.MapFS{".gitkeep": {}})
	resp := ask(p, "GET", "/")
	body := text(t, resp)
	if p.Built() || len(p.Paths()) != 0 || resp.StatusCode != 503 || !strings.Contains(body, "make build") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp.Header.Get("Content-Security-Policy") != policy || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", resp.Header)
	}
	if regexp.MustCompile(`<script|<style|<link|(src|href)="/|https?:`).MatchString(body) {
		t.Error("the page wants what its policy forbids, or leaves a sub-path")
	}
	if head := ask(p, "HEAD", "/"); head.StatusCode != 503 || text(t, head) != "" {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
}

// Whatever was built into this very program can be served: each type is known, and
// the page refers to nothing that it may not have.
func TestWhatIsEmbedded(t *testing.T) {
	p := newPage(t, Embedded())
	for name := range p.files {
		if types[path.Ext(name)] == "" {
			t.Errorf("%s: its type is not in the table", name)
		}
	}
	if !p.Built() {
		t.Log("built without the application")
		return
	}
	page := []byte(text(t, ask(p, "GET", "/")))
	if bytes.Contains(page, []byte("<style")) || regexp.MustCompile(`<script[^>]*>[^<]`).Match(page) {
		t.Errorf("the page has a script or a style inside, which the policy forbids:\n%s", page)
	}
	for _, ref := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(page, -1) {
		name, relative := strings.CutPrefix(string(ref[1]), "./")
		if _, there := p.files[name]; !relative || !there {
			t.Errorf("the page refers to %s, which is not beside it", ref[1])
		}
	}
}
