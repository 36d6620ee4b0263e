package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLintExitsAsItFinds(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", "services:\n  a:\n    networks: [mcp-gw-net]\n    labels: {mcp-gw.port: 8080}\nnetworks: {mcp-gw-net: {external: true}}\n")
	bad := write("bad.yaml", "services:\n  a:\n    labels: {mcp-gw.port: 8080}\n")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{good}, 0, "0 errors, 0 warnings in 1 file."},
		{[]string{good, "--network=tools"}, 1, `not on "tools"`},
		{[]string{good, bad}, 1, bad + ":2: error N001:"},
		{[]string{bad, "--json"}, 1, `"line": 2`},
		{[]string{"nowhere.yaml"}, 2, "nowhere.yaml"},
		{[]string{write("none.yaml", "a: [")}, 2, "line 1"},
	} {
		var out bytes.Buffer
		code := run(context.Background(), append([]string{"lint"}, test.args...), nil, &out, &out)
		if code != test.code || !strings.Contains(out.String(), test.want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s", test.args, code, test.code, test.want, out.String())
		}
	}
}
