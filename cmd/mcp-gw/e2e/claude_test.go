package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestClaudeCodeConnects(t *testing.T) {
	t.Parallel()
	claude := claudeCode(t)
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	claude("mcp", "add", "--transport", "http", "gw", g.mcp())
	if list := claude("mcp", "list"); !connected.MatchString(list) {
		t.Errorf("claude mcp list: got\n%s\nwant gw Connected", list)
	}
}

// With the header that the page Connect has it send it gets in, and without it does not.
func TestClaudeCodeShowsTheToken(t *testing.T) {
	t.Parallel()
	claude := claudeCode(t)
	g := startGateway(t, "MCP_GW_TOKEN="+theToken)
	claude("mcp", "add", "--transport", "http", "without", g.mcp())
	claude("mcp", "add", "--transport", "http", "--scope", "user", "gw", g.mcp(), "--header", "Authorization: Bearer "+theToken)
	list := claude("mcp", "list")
	if !connected.MatchString(list) || !regexp.MustCompile(`(?m)^without: .*Failed.*MCP_GW_TOKEN`).MatchString(list) {
		t.Errorf("claude mcp list: got\n%s\nwant gw Connected, and the other one told why it is not", list)
	}
}

var connected = regexp.MustCompile(`(?m)^gw: .*Connected`)

// claudeCode answers what runs the real client, with a home of its own.
func claudeCode(t *testing.T) func(args ...string) string {
	t.Helper()
	claude := filepath.Join(nodePeers(t), "node_modules", "@anthropic-ai", "claude-code", "cli-wrapper.cjs")
	home := t.TempDir()
	return func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", append([]string{claude}, args...)...)
		cmd.Dir = home
		cmd.Env = append(inherited(), "HOME="+home, "CLAUDE_CONFIG_DIR="+filepath.Join(home, ".claude"),
			"DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1")
		cmd.WaitDelay = time.Second
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("claude %q: %v\n%s", args, err, text)
		}
		t.Logf("claude %q: %s", args, text)
		return string(text)
	}
}
