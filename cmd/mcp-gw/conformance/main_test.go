// Package conformance runs the official MCP conformance suite against the real
// mcp-gw binary, on both of its sides: as the server that the suite's client
// talks to, and as the client that talks to the suite's server.
//
// The backends are the Go SDK's reference servers, one of each era. Each set of
// requirements is run against them directly as well, so that what they miss is
// told from what the gateway misses.
//
// The suite comes from npm: `make suite` installs it, and so does a run. Every miss must be in the
// lists of expected_test.go, with its reason; a listed one that passes fails the
// run too, so the lists stay true.
package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// scratch holds what is built and written by this run: removed at its end.
var scratch string

// bin are the programs of this run.
var bin struct{ gateway, server, client string }

func TestMain(m *testing.M) {
	// The suite starts this very binary as the client under test.
	if len(os.Args) > 1 && os.Args[1] == asClient {
		os.Exit(driveClient(os.Args[2:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mcp-gw-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	if text, err := exec.Command("make", "-C", "../../..", "--no-print-directory", "suite").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "conformance: install the suite: %v\n%s", err, text)
		return 1
	}
	for _, program := range []struct {
		path *string
		pkg  string
	}{
		{&bin.gateway, "mcp-gw/cmd/mcp-gw"},
		{&bin.server, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server"},
		{&bin.client, "github.com/modelcontextprotocol/go-sdk/conformance/everything-client"},
	} {
		if *program.path, err = build(program.pkg); err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
			return 1
		}
	}
	code := m.Run()
	printTable(os.Stdout)
	return code
}

// build compiles a command of this module or of one of its dependencies, as those of
// the images are. Under the race detector the gateway is built with it too.
func build(pkg string) (string, error) {
	out := filepath.Join(scratch, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out)
	if raceEnabled && filepath.Base(pkg) == "mcp-gw" {
		cmd.Args = append(cmd.Args, "-race")
	} else {
		cmd.Args, cmd.Env = append(cmd.Args, "-trimpath"), append(os.Environ(), "CGO_ENABLED=0")
	}
	cmd.Args = append(cmd.Args, pkg)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}
