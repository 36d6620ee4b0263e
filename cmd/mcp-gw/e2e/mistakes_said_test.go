package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// seen is a container in /api/discovery.
type seen struct {
	Name, Verdict, Reason, Fix string
	Ladder                     []struct{ Name, State string }
	Diagnostics                []struct{ Severity, Code, Message, Suggestion string }
}

func toldBy(o *seen) string {
	var b strings.Builder
	fmt.Fprintf(&b, "API: %s: %s\n     fix: %s\n", o.Verdict, o.Reason, o.Fix)
	for _, s := range o.Ladder {
		if s.State != "ok" {
			fmt.Fprintf(&b, "     stops at: %s (%s)\n", s.Name, s.State)
			break
		}
	}
	for _, d := range o.Diagnostics {
		if d.Message != o.Reason {
			fmt.Fprintf(&b, "     %s %s: %s → %s\n", d.Severity, d.Code, d.Message, d.Suggestion)
		}
	}
	return b.String()
}

func containerNamed(t *testing.T, g *gateway, name string) *seen {
	t.Helper()
	resp, err := http.Get(g.url + "/api/discovery/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var o seen
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&o) != nil {
		return nil
	}
	return &o
}

// logOf are the log's warnings about a container, or its backend; where there are
// none, the reasons that it gives.
func logOf(log, name, said string) string {
	var warnings, others strings.Builder
	about := regexp.MustCompile(`(container|backend)=` + regexp.QuoteMeta(name) + ` `)
	for line := range strings.Lines(log + "\n") {
		switch {
		case !about.MatchString(line), !strings.Contains(line, said):
		case strings.Contains(line, "level=WARN"):
			warnings.WriteString("     " + line)
		case strings.Contains(line, " reason="):
			others.WriteString("     " + line)
		}
	}
	if s := cmp.Or(warnings.String(), others.String()); s != "" {
		return s
	}
	return "     nothing\n"
}

// doctorOf is the doctor's paragraph on a container.
func doctorOf(out, name string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(out) {
		if words := strings.Fields(line); len(words) > 1 && !strings.HasPrefix(line, "        ") {
			inside = words[1] == name
		}
		if inside && strings.TrimSpace(line) != "" {
			b.WriteString("     " + line)
		}
	}
	return b.String()
}

var mistakeMasks = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`time=\S+ `), ""},
	{regexp.MustCompile(`(http://|[a-z_]+: )\d+\.\d+\.\d+\.\d+:`), "${1}ADDRESS:"},
	{regexp.MustCompile(`(level=.*)(; it last exited with code \d+)`), "$1"}, // as it happens
	{regexp.MustCompile(`retry_in=\S+`), "retry_in=…"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "ID"},
	{regexp.MustCompile(`(?m)^( +(?:ok|warn|FAIL|-) +mistake-\S+) +`), "$1  "}, // as wide as the longest name of the engine
	{regexp.MustCompile(`[ \t]+\n`), "\n"},
}

func maskMistakes(s string) string {
	for _, m := range mistakeMasks {
		s = m.find.ReplaceAllString(s, m.put)
	}
	return s
}

// composeOf is one compose file with what of some mistakes a file can hold.
func composeOf(mistakes []mistake) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: shop\nnetworks: {%s: {external: true}, web: }\nservices:\n", mistakesNet)
	for _, m := range mistakes {
		if m.compose != "" {
			fmt.Fprintf(&b, "  %s: {image: demo, %s}\n", m.name, m.compose)
		}
	}
	return b.String()
}

// lintMistakes is what lint says of each mistake.
func lintMistakes(t *testing.T, mistakes []mistake) map[string]string {
	t.Helper()
	out, code := runTool(t, composeOf(mistakes), "lint", "--network="+mistakesNet, "--json", "-")
	var found struct {
		Findings []struct{ Service, Severity, Code, Message, Fix string }
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != 1 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	said := map[string]string{}
	for _, f := range found.Findings {
		said[f.Service] += fmt.Sprintf("     %s %s: %s\n             fix: %s\n", f.Severity, f.Code, f.Message, f.Fix)
	}
	for _, m := range mistakes {
		switch {
		case m.compose == "":
			said[m.name] = "     a file does not tell\n"
		case said[m.name] == "":
			said[m.name] = "     nothing\n"
		}
	}
	return said
}

// section is all that a person sees of a mistake. made is how it was made.
func (m mistake) section(made, told, log, doctor string, lint map[string]string) string {
	name := "mistake-" + m.name
	return fmt.Sprintf("== %s\n   %s\n\n%s\nlog:\n%s\ndoctor:\n%s\nlint:\n%s\n", m.name, made, told, logOf(log, name, m.said), doctorOf(doctor, name), lint[m.name])
}

const mistakesGolden = "testdata/mistakes.golden"

// holdMistakes compares sections with those of the golden file, or writes them there.
func holdMistakes(t *testing.T, text string) {
	t.Helper()
	file, err := os.ReadFile(mistakesGolden)
	if err != nil {
		t.Fatal(err)
	}
	names, want := sections(string(file))
	got, sections := sections(maskMistakes(text))
	for _, name := range got {
		if !*updateMistakes && sections[name] != want[name] {
			t.Errorf("%s: another text than in %s (-update writes it):\n%s", name, mistakesGolden, sections[name])
		}
		if _, known := want[name]; !known {
			names = append(names, name)
		}
		want[name] = sections[name]
	}
	if *updateMistakes {
		var b strings.Builder
		for _, name := range names {
			b.WriteString(want[name])
		}
		if err := os.WriteFile(mistakesGolden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sections cuts a text before each line that begins with ==.
func sections(text string) (names []string, of map[string]string) {
	of = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "== "); ok {
			name = strings.TrimSpace(title)
			names = append(names, name)
		}
		of[name] += line
	}
	return names, of
}
