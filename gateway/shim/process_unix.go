//go:build unix

package shim

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lead makes the process the first of a group, so that what it starts can be ended
// with it: npx and sh start the server as a child of theirs.
func lead(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminateAll(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) } // it may be gone
func killAll(cmd *exec.Cmd)      { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// exitCode is what a shell makes of how a process ended.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// reap takes the end of processes whose parents are gone, which are the first
// process's to take: in a container that is this one, and where nobody does, they are
// kept by the kernel for ever.
func (c *command) reap(ctx context.Context) {
	if os.Getpid() != 1 {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			c.reapOnce()
		}
	}
}

// reapOnce leaves the command's own processes to who waits for them.
func (c *command) reapOnce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := map[int]bool{}
	for p := range c.live {
		own[p.cmd.Process.Pid] = true
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, stat := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil || own[pid] || !isZombie(stat) {
			continue
		}
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // another's child, most likely
	}
}

// isZombie reads a line such as "12 (name) Z 1 …"; the name may have anything in it.
func isZombie(stat string) bool {
	line, err := os.ReadFile(stat)
	if err != nil {
		return false // gone meanwhile
	}
	_, rest, _ := strings.Cut(string(line[max(0, strings.LastIndexByte(string(line), ')')):]), " ")
	return strings.HasPrefix(rest, "Z ")
}
