package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodToken = "0123456789abcdef-_.~+/=="

func TestToken(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	load := func(env []string) (string, error) {
		c, err := loadConfig(nil, env)
		if err != nil {
			return "", err
		}
		return c.secret()
	}
	for _, env := range [][]string{
		{"MCP_GW_TOKEN=" + goodToken},
		{"MCP_GW_TOKEN_FILE=" + file(goodToken)},
		{"MCP_GW_TOKEN_FILE=" + file(goodToken+"\r\n"), "MCP_GW_TOKEN="},
	} {
		if got, err := load(env); err != nil || got != goodToken {
			t.Errorf("%v: %q, %v", env, got, err)
		}
	}
	if got, err := load(nil); err != nil || got != "" {
		t.Errorf("nothing set: %q, %v", got, err)
	}
	for want, env := range map[string][]string{
		"MCP_GW_TOKEN=…: expected 16 to 4096 letters": {"MCP_GW_TOKEN=hunter2"},
		"MCP_GW_TOKEN=…: expected 16 to 4096 ":        {"MCP_GW_TOKEN=hunter2 and sixteen more"},
		"MCP_GW_TOKEN=…: expected 16 to":              {"MCP_GW_TOKEN=hunter2" + strings.Repeat("x", maxToken)},
		"both set":                                    {"MCP_GW_TOKEN=" + goodToken, "MCP_GW_TOKEN_FILE=" + file(goodToken)},
		"no such file":                                {"MCP_GW_TOKEN_FILE=/nowhere/token"},
		"and it is empty":                             {"MCP_GW_TOKEN_FILE=" + file("\n")},
		": expected a file of 16 to 4096 letters":     {"MCP_GW_TOKEN_FILE=" + file("hunter2")},
		": expected a file of 16 to 4096 letters, digits and -._~+/, w": {"MCP_GW_TOKEN_FILE=" + file(goodToken+strings.Repeat("=", maxToken))},
	} {
		_, err := load(env)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// Who does not need it does not look for it.
	if _, err := loadConfig(nil, []string{"MCP_GW_TOKEN_FILE=/nowhere/token"}); err != nil {
		t.Errorf("a health check fails for a file that it does not need: %v", err)
	}
	// Everybody on the machine can read command lines.
	if _, err := loadConfig([]string{"--token=" + goodToken}, nil); err == nil {
		t.Error("a flag takes the token")
	}
}
