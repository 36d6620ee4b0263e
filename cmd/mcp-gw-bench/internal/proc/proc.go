// Package proc starts the programs that a measurement consists of, and leaves
// none behind.
package proc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// patience is how long a program may take to end once it was asked to.
const patience = 10 * time.Second

// Process is a program that runs until Stop is called, its context ends, or it
// gives up.
type Process struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // readable once done is closed
	log    string
}

// Start runs path with args. Its output goes to the file log. The environment
// is this process's own, and env on top of it.
func Start(ctx context.Context, log, path string, args, env []string) (*Process, error) {
	return start(ctx, log, path, args, env, nil)
}

func start(ctx context.Context, log, path string, args, env []string, stdout io.Writer) (*Process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the child has its own
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stdout, cmd.Stderr = file, file
	if stdout != nil {
		cmd.Stdout = stdout
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	p := &Process{cmd: cmd, cancel: cancel, done: make(chan struct{}), log: log}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// ready is what one of this program's servers says on its standard output when
// it listens.
type ready struct {
	URLs []string `json:"urls"`
}

// Announce tells the process that started this one where it listens.
func Announce(w io.Writer, urls []string) error {
	return json.NewEncoder(w).Encode(ready{urls})
}

// Serve runs this very program with args, one of its servers, and returns the
// addresses that it announces.
func Serve(ctx context.Context, log string, args ...string) (*Process, []string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	p, err := start(ctx, log, self, args, nil, w)
	w.Close()
	if err != nil {
		return nil, nil, err
	}
	var said ready
	err = r.SetReadDeadline(time.Now().Add(patience))
	if err == nil {
		var line []byte
		line, err = bufio.NewReader(r).ReadBytes('\n')
		err = errors.Join(err, json.Unmarshal(line, &said))
	}
	if err == nil && len(said.URLs) == 0 {
		err = errors.New("it announced no address")
	}
	if err != nil {
		p.Stop()
		return nil, nil, fmt.Errorf("start %s: %w%s", args[0], err, p.Tail())
	}
	return p, said.URLs, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended returns an error if the process has ended, nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %s%s", p.cmd.Path, p.cmd.ProcessState, p.Tail())
	default:
		return nil
	}
}

// Stop asks the process to end, kills it if it does not, and waits. It may be
// called more than once.
func (p *Process) Stop() {
	p.cancel()
	<-p.done
}

// Tail is the end of the process's log, for error messages.
func (p *Process) Tail() string {
	const most = 2000
	b, err := os.ReadFile(p.log)
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\n" + string(b[max(0, len(b)-most):])
}
