package catalog

import (
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	tests := []struct {
		backend, uri string
		n            int
		want         string
	}{
		{"memory", "note://1", 1, "mcp-gw+memory+note://1"},
		{"memory", "note://1", 2, "mcp-gw-2+memory+note://1"},
		{"memory", "urn:isbn:1", 1, "mcp-gw+memory+urn:isbn:1"},
		{"memory", "note://{id}{?q}", 1, "mcp-gw+memory+note://{id}{?q}"},
		{"memory", "{+uri}", 1, "mcp-gw+memory+{+uri}"},
		{"memory", "ui://x", 1, "ui://memory/x"},
		{"memory", "ui://x/y.html", 3, "ui://memory+3/x/y.html"},
		{"memory", "ui://{app}", 1, "ui://memory/{app}"},
		{"memory", "UI://x", 1, "mcp-gw+memory+UI://x"},
		{"my_Server.1", "a:b", 1, "mcp-gw+my.5f.53erver.2e1+a:b"},
		{"my_Server.1", "ui://x", 1, "ui://my.5f.53erver.2e1/x"},
		{"é", "a:b", 1, "mcp-gw+.c3.a9+a:b"},
	}
	for _, tt := range tests {
		r := Rewriter{backend: tt.backend}
		for f := range forms {
			r.fronts[f] = front(f, code(tt.backend), tt.n)
		}
		got := r.write(tt.uri)
		if got != tt.want {
			t.Errorf("%s of %s is written %s, want %s", tt.uri, tt.backend, got, tt.want)
		}
		if w, ok := read(got); !ok || w != (written{formOf(tt.uri), tt.n, code(tt.backend), tt.uri}) {
			t.Errorf("%s is read %+v, %t", got, w, ok)
		}
		if absolute(tt.uri) && !absolute(got) {
			t.Errorf("%s is not absolute", got)
		}
	}
	for _, uri := range []string{
		"", "note://1", "mcp-gw", "mcp-gw:x", "mcp-gw+", "mcp-gw+a", "mcp-gw+a+", "mcp-gw-+a+b:", "mcp-gw-1+a+b:", "mcp-gw-02+a+b:",
		"mcp-gw-2x+a+b:", "mcp-gwx+a+b:", "mcp-gw-9999999999+a+b:", "ui://", "ui://a", "ui://a+1/x", "ui://a+/x", "ui://a+b/x", "ui:/a/x",
	} {
		if w, ok := read(uri); ok {
			t.Errorf("%q is read %+v", uri, w)
		}
	}
}

func TestAbsolute(t *testing.T) {
	for uri, want := range map[string]bool{
		"a:": true, "file:///x": true, "mcp-gw+a.b+c://x": true, "Z9:x": true,
		"": false, ":x": false, "x": false, "/x": false, "9a:x": false, "foo_bar://x": false, "a b:c": false, "é:x": false, "{s}://x": false,
	} {
		if got := absolute(uri); got != want {
			t.Errorf("absolute(%q) = %t", uri, got)
		}
	}
}

// FuzzForms: what is written for two backends is never the same unless they and
// the URIs are, is read as it was written, and stays a URI.
func FuzzForms(f *testing.F) {
	f.Add("a", "note://1", "b", "note://1", uint8(1), uint8(1))
	f.Add("a_b", "ui://x", "a.5fb", "ui://x", uint8(2), uint8(1))
	f.Add("a+b", "ui://x/y", "a", "ui://b/x/y", uint8(1), uint8(1))
	f.Add("A", "mcp-gw+a+x:y", "a", "mcp-gw-2+A+x:y", uint8(1), uint8(2))
	f.Add("", "{+x}", "é/", "{x}", uint8(3), uint8(9))
	f.Fuzz(func(t *testing.T, backend1, uri1, backend2, uri2 string, n1, n2 uint8) {
		write := func(backend, uri string, n uint8) string {
			r := Rewriter{backend: backend}
			for f := range forms {
				r.fronts[f] = front(f, code(backend), int(n)+1)
			}
			exposed := r.write(uri)
			w, ok := read(exposed)
			if !ok || w.uri != uri || w.code != code(backend) || w.n != int(n)+1 {
				t.Fatalf("%q of %q: %q is read %+v, %t", uri, backend, exposed, w, ok)
			}
			if absolute(uri) && !absolute(exposed) {
				t.Fatalf("%q of %q: %q is no URI", uri, backend, exposed)
			}
			return exposed
		}
		if uri1 == "" || uri2 == "" {
			return
		}
		one, two := write(backend1, uri1, n1), write(backend2, uri2, n2)
		if one == two && (backend1 != backend2 || uri1 != uri2 || n1 != n2) {
			t.Fatalf("%q/%q and %q/%q are both %q", backend1, uri1, backend2, uri2, one)
		}
		for _, c := range strings.ToLower(code(backend1)) + code(backend1) {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
				t.Fatalf("code of %q is %q", backend1, code(backend1))
			}
		}
	})
}
