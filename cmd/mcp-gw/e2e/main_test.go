// Package e2e runs the real mcp-gw binary between real MCP clients and real MCP
// servers: raw ones that compare bytes, and the official SDKs. It knows nothing
// of the gateway's packages: what it sees is what a user sees.
//
// The peers in the folder peers need Node and npm; what needs them is skipped
// where they are absent, and fails there when CI=true.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// scratch holds what is built for this run: removed at its end.
var scratch string

// gatewayBinary is the program under test.
var gatewayBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mcp-gw-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	if gatewayBinary, err = build("mcp-gw", "mcp-gw/cmd/mcp-gw"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

// build compiles a command of this module or of one of its dependencies. Under
// the race detector the gateway is built with it too, so that its races fail
// these tests as well.
func build(name, pkg string) (string, error) {
	out := filepath.Join(scratch, name)
	args := []string{"build", "-o", out}
	if raceEnabled && name == "mcp-gw" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, pkg)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// missing skips t because something of the machine is missing, except in CI,
// where nothing may be.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI=true allows no skipping", what)
	}
	t.Skip(what)
}
