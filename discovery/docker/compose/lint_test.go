package compose

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden file")

func TestLint(t *testing.T) {
	const file, golden = "testdata/mistakes.yaml", "testdata/mistakes.golden"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found, err := Lint("mistakes.yaml", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%s:%d: %s %s: %s\n        fix: %s\n", f.File, f.Line, f.Severity, f.Code, f.Message, f.Fix)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	for _, f := range found {
		if f.Service == "good" || f.Service == "no-labels" || strings.HasPrefix(f.Service, "costs") {
			t.Errorf("a service without a mistake: %+v", f)
		}
	}
}

// labels.md promises that it explains every code.
func TestLabelsFileExplainsTheCodes(t *testing.T) {
	text, err := os.ReadFile("../../../labels.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, severity := range map[string]string{codeDeployLabels: "error", codeNotFollowed: "info"} {
		if !strings.Contains(string(text), "\n| "+code+" | "+severity+" |") {
			t.Errorf("labels.md does not explain %s", code)
		}
	}
}

// A file that multiplies, by aliases or by what refers to what, is read in the time of
// its size, or refused.
func TestLintIsBounded(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const net = "networks: {mcp-gw-net: {external: true}}\n"
	for name, test := range map[string]struct{ text, want string }{
		"aliases of aliases":  {"a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f]\nservices: {}\n", "aliases followed"},
		"labels of everybody": {"x: &x {" + many(5000, "l%d: a, ") + "}\nservices:\n" + many(5000, "  s%d: {labels: *x}\n"), "aliases followed"},
		"an alias of itself":  {"services: &s\n  a: *s\n", "itself"},
		"many networks":       {"services:\n" + many(20000, "  s%d: {labels: {mcp-gw.port: 80}, networks: [mcp-gw-net]}\n") + net + many(20000, "  n%d: {}\n"), ""},
		"many misspelt":       {net + "services:\n  a:\n    networks: [mcp-gw-net]\n    labels:\n" + many(60000, "      mcpgw.x%d: a\n"), ""},
		"many services":       {net + "services:\n" + many(30000, "  s%d: {labels: {mcp-gw.port: 80, mcp-gw.name: same}, networks: [mcp-gw-net]}\n"), ""},
	} {
		text := test.text
		if strings.HasPrefix(name, "many networks") {
			text = strings.Replace(text, "networks: {mcp-gw-net: {external: true}}\n", "networks:\n  mcp-gw-net: {external: true}\n", 1)
		}
		began := time.Now()
		_, err := Lint("x", []byte(text), Options{})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		t.Logf("%s: %d bytes in %v", name, len(text), time.Since(began))
		if d := time.Since(began); d > 20*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
	}
}

func TestLintOfWhatIsNoComposeFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "empty",
		"a: [":                     "line 1",
		"version: 3":               "no services",
		"services: [a]":            "no services",
		strings.Repeat("#", 5<<20): "larger",
	} {
		if _, err := Lint("x", []byte(text), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q in it", text, err, want)
		}
	}
}

func TestNetworksHaveTheirRealNames(t *testing.T) {
	for name, test := range map[string]struct {
		network, service, networks string
		bad                        bool
	}{
		"external":               {"", "[n]", "{n: {external: true, name: mcp-gw-net}}", false},
		"fixed name":             {"", "[n]", "{n: {name: mcp-gw-net}}", false},
		"old form":               {"", "[n]", "{n: {external: {name: mcp-gw-net}}}", false},
		"as a mapping":           {"", "{mcp-gw-net: {aliases: [x]}}", "{mcp-gw-net: {external: true}}", false},
		"made by this file":      {"", "[mcp-gw-net]", "{mcp-gw-net: {}}", false},
		"named after a setting":  {"tools", "[n]", "{n: {name: tools}}", false},
		"another":                {"tools", "[n]", "{n: {name: mcp-gw-net}}", true},
		"of the project":         {"", "[n]", "{n: {}}", true},
		"by the name of another": {"", "[n]", "{n: {name: web}}", true},
	} {
		text := fmt.Sprintf("services:\n  a:\n    labels: {mcp-gw.port: 80}\n    networks: %s\nnetworks: %s\n", test.service, test.networks)
		found, err := Lint("x", []byte(text), Options{Network: test.network})
		if err != nil || (len(found) > 0) != test.bad {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

// Whatever a file holds, it is read and told of, or refused: never more.
func FuzzLint(f *testing.F) {
	data, err := os.ReadFile("testdata/mistakes.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("a: &a [*a]\nservices: {x: {labels: *a, <<: *a}}"))
	f.Add([]byte("services: &s\n  <<: *s\n  x: {labels: [mcp-gw.port=${A:-${B}}], ports: [{target: 1-99999}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := Lint("x", data, Options{})
		if err != nil {
			return
		}
		for _, f := range found {
			if f.Line < 1 || f.Message == "" || f.Code == "" {
				t.Errorf("%+v", f)
			}
		}
	})
}
