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
	"sync"
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
	if gatewayBinary, err = buildGateway(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer closeBrowser()
	return m.Run()
}

// staticBinary is the gateway as it is in images, without the race detector.
var staticBinary = sync.OnceValues(func() (string, error) { return build("mcp-gw", "mcp-gw/cmd/mcp-gw") })

// demoBinary is the demo server as it is in images.
var demoBinary = sync.OnceValues(func() (string, error) { return build("demo", "mcp-gw/examples/demo") })

// buildGateway compiles the program under test, with the race detector where the tests
// have it, so that its races fail them as well.
func buildGateway() (string, error) {
	if !raceEnabled {
		return staticBinary()
	}
	out := filepath.Join(scratch, "race", "mcp-gw")
	return out, compile(exec.Command("go", "build", "-race", "-ldflags=-s -w", "-o", out, "mcp-gw/cmd/mcp-gw"))
}

// build compiles a command of this module or of one of its dependencies, as those of
// the images are.
func build(name, pkg string) (string, error) {
	out := filepath.Join(scratch, "static", name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return out, compile(cmd)
}

func compile(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, text)
	}
	return nil
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
