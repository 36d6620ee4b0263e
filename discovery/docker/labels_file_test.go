package docker

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-gw/discovery"
)

var update = flag.Bool("update", false, "write the generated parts of labels.md")

const labelsFile = "../../labels.md"

// The tables of labels.md say what the code does.
func TestLabelsFile(t *testing.T) {
	old, err := os.ReadFile(labelsFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for name, content := range map[string]string{
		"labels": labelRows(), "ports": portRow(), "codes": codeRows(),
	} {
		text = replacePart(t, text, name, content)
	}
	if text == string(old) {
		return
	}
	if !*update {
		t.Fatal("labels.md and the code differ; run go test ./discovery/docker -run TestLabelsFile -update")
	}
	if err := os.WriteFile(labelsFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replacePart replaces what stands between the markers of a part.
func replacePart(t *testing.T, text, name, content string) string {
	t.Helper()
	part := regexp.MustCompile(`(?s)(<!-- begin ` + name + `\b[^>]*-->).*(<!-- end ` + name + ` -->)`)
	if !part.MatchString(text) {
		t.Fatalf("labels.md has no part %q", name)
	}
	return part.ReplaceAllString(text, "${1}"+strings.ReplaceAll(content, "$", "$$")+"${2}")
}

func labelRows() string {
	var b strings.Builder
	for _, g := range labelGroups {
		fmt.Fprintf(&b, "\n### %s\n\n| Label | Value | Default | Meaning | Example | A mistake says |\n|---|---|---|---|---|---|\n", g.title)
		for _, l := range g.rows {
			key := DefaultLabelPrefix + "." + l.key
			says := "not registered"
			if !l.strict {
				says = "the default applies"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s=%s` | `%s; %s` |\n", key+l.placeholder(), l.kind, l.fallback, l.doc, key+l.member, l.example, l.wrong, says)
		}
	}
	return b.String()
}

func portRow() string {
	words := make([]string, len(likelyPorts))
	for i, p := range likelyPorts {
		words[i] = strconv.Itoa(p)
	}
	return strings.Join(words, ", ")
}

func codeRows() string {
	var b strings.Builder
	b.WriteString("\n| Code | Name | Severity | Meaning | What to do |\n|---|---|---|---|---|\n")
	for _, c := range codeTable {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.code, c.title, c.severity, c.meaning, c.fix)
	}
	return b.String()
}

// Every code that the package can say is explained, once.
func TestCodesAreExplained(t *testing.T) {
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]int{}
	for _, c := range codeTable {
		explained[c.code]++
		if c.title == "" || c.meaning == "" || c.fix == "" || c.severity == "" {
			t.Errorf("%s is explained badly", c.code)
		}
	}
	declared := regexp.MustCompile(`= "([A-Z]\d{3})"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 || len(declared) != len(codeTable) {
		t.Errorf("%d codes declared, %d explained", len(declared), len(codeTable))
	}
	for _, m := range declared {
		if explained[m[1]] != 1 {
			t.Errorf("%s is explained %d times", m[1], explained[m[1]])
		}
	}
}

// What labels.md says a mistake says is what it does say, and does.
func TestLabelsFileMistakes(t *testing.T) {
	mistakes := map[string]string{
		"enable": "maybe", "name": "My Server", "title": strings.Repeat("a", 81), "description": strings.Repeat("a", 501), "instance": "A b",
		"transport": "websocket", "port": "http", "path": "mcp", "scheme": "ftp", "url": "search", "network": "a b", "protocol": "1999-01-01", "headers.": "x",
		"tls.verify": "maybe", "tls.server-name": "-", "tls.ca": "ca.pem",
		"tools.include": "[", "tools.exclude": "[", "tools.rename.": "a b", "tools.prefix": "a b", "tools.read-only": "maybe", "prompts": "maybe", "resources": "maybe",
		"groups": "A b", "depends-on": "A b", "priority": "first",
		"auth": "digest", "auth.secret": "A/b", "secret-headers.": "A/b",
		"timeout.connect": "3", "timeout.init": "30", "timeout.call": "30", "timeout.idle": "30", "startup-timeout": "60", "max-concurrency": "many",
		"health": "good", "health.interval": "30", "removal-grace": "5",
		"stdio.mode": "shell", "stdio.command": "npx", "stdio.session": "mine", "weight": "heavy", "balance": "random",
	}
	for _, l := range labelTable {
		value, ok := mistakes[l.key]
		if !ok {
			t.Errorf("no mistake with %s is known here", l.key)
			continue
		}
		member := l.member
		if l.key == "headers." {
			member = "bad name" // its value may be any
		}
		key, says, severity := DefaultLabelPrefix+"."+l.key+member, "; the default applies", discovery.SeverityWarning
		if l.strict {
			says, severity = "; not registered", discovery.SeverityError
		}
		p := parseLabels(DefaultLabelPrefix, map[string]string{key: value})
		i := slices.IndexFunc(p.diagnostics, func(d discovery.Diagnostic) bool { return d.Code == codeBadValue })
		if i < 0 {
			t.Errorf("%s=%s: no mistake: %+v", key, value, p.diagnostics)
			continue
		}
		if d := p.diagnostics[i]; !strings.Contains(d.Message, l.wrong) || !strings.HasSuffix(d.Message, says) || d.Severity != severity || !strings.HasPrefix(d.Suggestion, DefaultLabelPrefix+"."+l.key) {
			t.Errorf("%s=%s: %s %q, fix %q; want %q and %q", key, value, d.Severity, d.Message, d.Suggestion, l.wrong, says)
		}
	}
}

// The examples of labels.md are good ones.
func TestLabelsFileExamples(t *testing.T) {
	text, err := os.ReadFile(labelsFile)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?m)(mcp-gw\.[a-zA-Z.-]+)(?:=|: )(?:"([^"\n]+)"|([^\s"`+"`"+`][^\s`+"`"+`]*))`).FindAllStringSubmatch(string(text), -1)
	if len(examples) < len(labelTable) {
		t.Fatalf("found only %d examples", len(examples))
	}
	for _, e := range examples {
		e[2] = strings.Trim(e[2]+e[3], "'") // in YAML
		p := parseLabels(DefaultLabelPrefix, map[string]string{e[1]: e[2]})
		if codes(p.diagnostics) != "" || len(p.several) > 0 && codes(p.several[0].diagnostics) != "" {
			t.Errorf("%s=%s: %+v", e[1], e[2], p.diagnostics)
		}
	}
}
