package compose

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
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
