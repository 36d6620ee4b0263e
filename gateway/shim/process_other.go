//go:build !unix

package shim

import (
	"context"
	"os"
	"os/exec"
)

func lead(*exec.Cmd) {}

func terminateAll(cmd *exec.Cmd) { killAll(cmd) }
func killAll(cmd *exec.Cmd)      { _ = cmd.Process.Kill() } // it may be gone

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

// reap has nothing to do where parents do not take the end of their children.
func (c *command) reap(context.Context) {}
