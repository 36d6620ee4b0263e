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
	claude := filepath.Join(nodePeers(t), "node_modules", "@anthropic-ai", "claude-code", "cli-wrapper.cjs")
	g := startGateway(t)
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	home := t.TempDir()
	run := func(args ...string) string {
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
		return string(text)
	}
	run("mcp", "add", "--transport", "http", "gw", g.mcp())
	list := run("mcp", "list")
	if !regexp.MustCompile(`(?m)^gw: .*Connected`).MatchString(list) {
		t.Errorf("claude mcp list: got\n%s\nwant gw Connected", list)
	}
	t.Logf("%s", list)
}
