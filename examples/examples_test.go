// Package examples holds nothing but the tests that run the examples, so that
// what people copy works.
package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestComposeFiles(t *testing.T) {
	need(t, "docker compose", "docker", "compose", "version")
	files, err := filepath.Glob("*/compose.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v: want a compose.yaml in each example", files, err)
	}
	for _, f := range files {
		t.Run(f, func(t *testing.T) { command(t, "docker", "compose", "-f", f, "config", "--quiet") })
	}
}

func TestEveryExampleIsListed(t *testing.T) {
	index := read(t, "README.md")
	folders, err := filepath.Glob("*/README.md")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, f := range append(folders, "demo/main.go") {
		if name := filepath.Dir(f); !strings.Contains(index, "["+name+"]("+name+")") {
			t.Errorf("README.md does not list %s", name)
		}
	}
}

func TestClaudeCode(t *testing.T) {
	file := read(t, "claude-code/.mcp.json")
	if shown := block(t, "claude-code/README.md", "json"); shown != file {
		t.Errorf("README.md shows\n%s\nand .mcp.json is\n%s", shown, file)
	}
	t.Run("claude mcp add", func(t *testing.T) {
		claude, err := filepath.Abs("../cmd/mcp-gw/e2e/peers/node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs")
		if err != nil {
			t.Fatal(err)
		}
		need(t, "Claude Code ('make peers')", "node", claude, "--version")
		var line []string
		for l := range strings.Lines(read(t, "claude-code/README.md")) {
			if f := strings.Fields(l); len(f) > 3 && f[0] == "claude" && f[2] == "add" {
				line = f[1:]
			}
		}
		if line == nil {
			t.Fatal("README.md has no line with claude mcp add")
		}
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "node", append([]string{claude}, line...)...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "HOME="+dir, "CLAUDE_CONFIG_DIR="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("claude %s: %v\n%s", strings.Join(line, " "), err, out)
		}
		if got, want := decode(t, read(t, filepath.Join(dir, ".mcp.json"))), decode(t, file); !reflect.DeepEqual(got, want) {
			t.Errorf("claude mcp add writes %v, ours is %v", got, want)
		}
	})
}

// block is the first fenced block of a language in a Markdown file.
func block(t *testing.T, file, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, file), "\n```"+language+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("%s has no block of %s", file, language)
	}
	return text
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// need skips the test unless the command succeeds. Where CI is set nothing is
// skipped: there, what is missing is a failure.
func need(t *testing.T, what string, probe ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), probe[0], probe[1:]...).CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: %v\n%s", what, err, out)
	}
	t.Skipf("needs %s: %v", what, err)
}

// command runs a program and returns its output.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	return commandIn(t, "", nil, name, args...)
}

func commandIn(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
