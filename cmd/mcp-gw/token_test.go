package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodToken = "0123456789abcdef-_.~+/=="

func asks(c config, token string) bool {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return c.Token.Check(r) != nil
}

func TestToken(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, env := range [][]string{
		{"MCP_GW_TOKEN=" + goodToken},
		{"MCP_GW_TOKEN_FILE=" + file(goodToken)},
		{"MCP_GW_TOKEN_FILE=" + file(goodToken+"\r\n"), "MCP_GW_TOKEN="},
	} {
		c, err := loadConfig(nil, env)
		if err != nil || c.Token == nil || asks(c, goodToken) || !asks(c, goodToken+"x") {
			t.Errorf("%v: %v", env, err)
		}
	}
	if c, err := loadConfig(nil, nil); err != nil || c.Token != nil {
		t.Errorf("nothing set: %v, %v", c.Token, err)
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
		_, err := loadConfig(nil, env)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// Everybody on the machine can read command lines.
	if _, err := loadConfig([]string{"--token=" + goodToken}, nil); err == nil {
		t.Error("a flag takes the token")
	}
}
