// Package web is the dashboard as a browser gets it: the application that Vite
// makes of src in the folder dist, which is embedded here. It knows nothing of
// what the application shows.
//
// dist is not part of the repository, only a placeholder in it. So every go build
// works, and one without the application says in the browser how to make it.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Embedded is what was built into this program.
func Embedded() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return files
}

const (
	index = "index.html"
	// hashed is the folder of the files whose names hold a hash of their content.
	hashed = "assets/"
)

// policy is what the page may do: run and style what lies beside it, and talk to
// where it came from. Names, descriptions and results on it come from strangers;
// Trusted Types make the browser refuse any way to turn such text into markup but
// Svelte's own templates. Styles in attributes set positions, and can load nothing.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src-elem 'self'",
	"style-src-attr 'unsafe-inline'",
	"img-src 'self' data: blob:",
	"media-src blob: data:",
	"font-src 'self'",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types svelte-trusted-html",
}, "; ")

// types are the content types of what Vite writes, by the end of a file's name.
// The host's own table is not asked: it differs between machines, and a scratch
// image has none.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// Page serves the application, and in its place the way to build it where there is
// none.
type Page struct {
	files map[string]file // by path, without a leading slash
}

type file struct {
	kind, tag    string
	zipped       []byte // nil where it saves nothing
	body         []byte // nil where zipped is not: nearly everybody takes that
	keepsForEver bool
}

// New reads files once and compresses them once. Those whose name begins with a dot
// are left out.
func New(files fs.FS) (*Page, error) {
	p := &Page{files: map[string]file{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch hidden := strings.HasPrefix(d.Name(), ".") && name != "."; {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		kind, known := types[path.Ext(name)]
		if !known {
			kind = "application/octet-stream"
		}
		sum := sha256.Sum256(body)
		f := file{kind: kind, tag: hex.EncodeToString(sum[:8]), zipped: zip(body), keepsForEver: strings.HasPrefix(name, hashed)}
		if f.zipped == nil {
			f.body = body
		}
		p.files[name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the dashboard's files: %w", err)
	}
	return p, nil
}

// Built reports whether the application is there.
func (p *Page) Built() bool { _, there := p.files[index]; return there }

// Paths are all files besides the page itself, which is at "/".
func (p *Page) Paths() []string {
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if name != index {
			paths = append(paths, "/"+name)
		}
	}
	return paths
}

// ServeHTTP answers GET and HEAD of "/" and of Paths.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = index
	}
	f, ok := p.files[name]
	switch {
	case ok:
		f.serve(w, r)
	case name == index:
		h.Set("Content-Type", types[".html"])
		h.Set("Content-Length", strconv.Itoa(len(unbuilt)))
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		write(w, r, []byte(unbuilt))
	default:
		http.NotFound(w, r)
	}
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	body, tag := f.body, `"`+f.tag+`"`
	if f.zipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			body, tag = f.zipped, `"`+f.tag+`-gzip"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", tag)
	// The page names its files by their hashes: asked for anew each time, it brings a
	// newer version along, and the rest need never be asked for twice.
	h.Set("Cache-Control", "no-cache")
	if f.keepsForEver {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if known(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if body == nil {
		body = unzip(f.zipped)
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	write(w, r, body)
}

func write(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the browser has gone; nobody is left to tell
	}
}

// zip compresses a text; nil when that is not worth it, as for fonts and pictures.
func zip(body []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil // no such level; there is
	}
	if _, err := z.Write(body); err != nil {
		return nil // a buffer takes all
	}
	if err := z.Close(); err != nil || out.Len() > len(body)*9/10 {
		return nil
	}
	return bytes.Clone(out.Bytes())
}

// unzip is for what zip has made.
func unzip(zipped []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil
	}
	body, _ := io.ReadAll(z)
	return body
}

// takesGzip reads an Accept-Encoding header.
func takesGzip(accepted string) bool {
	for item := range strings.SplitSeq(accepted, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0 // no weight is a full one
		}
	}
	return false
}

// known reads an If-None-Match header.
func known(tags, tag string) bool {
	for item := range strings.SplitSeq(tags, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == tag || item == "*" {
			return true
		}
	}
	return false
}
