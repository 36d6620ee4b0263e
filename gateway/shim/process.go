package shim

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A process that is to end is told so by the end of its input, which is how MCP ends
// stdio servers, then by SIGTERM, then by SIGKILL.
const (
	eofPatience  = time.Second
	termPatience = 2 * time.Second
	// writePatience is how long a process may take to read one message.
	writePatience = 30 * time.Second
)

// command is what is run, and what runs of it.
type command struct {
	argv   []string
	stderr io.Writer
	log    *slog.Logger

	work sync.WaitGroup // what waits for processes

	mu     sync.Mutex // guards what follows, and that a child is not reaped before it is known
	live   map[*process]struct{}
	ending bool
}

func newCommand(argv []string, stderr io.Writer, log *slog.Logger) (*command, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, &EndedError{Code: 127, Reason: "there is no command to run"}
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, cannotStart(argv[0], err)
	}
	return &command{argv: argv, stderr: stderr, log: log, live: map[*process]struct{}{}}, nil
}

// cannotStart says so with the exit code that shells have for it.
func cannotStart(name string, err error) *EndedError {
	code := 127
	if errors.Is(err, fs.ErrPermission) {
		code = 126
	}
	var what *exec.Error
	if errors.As(err, &what) {
		err = what.Err
	}
	return &EndedError{Code: code, Reason: fmt.Sprintf("%q cannot be started: %v", name, err)}
}

var errEnding = errors.New("the shim is ending")

// process is one run of the command: Write types into its input, Read takes its
// output.
type process struct {
	command *command
	cmd     *exec.Cmd
	in, out *os.File
	started time.Time
	done    chan struct{} // closed when it has ended; ran is valid from then on
	ran     time.Duration
	closing sync.Once
}

// start runs the command once. The error is errEnding or an *EndedError.
func (c *command) start() (*process, error) {
	p := &process{command: c, cmd: exec.Command(c.argv[0], c.argv[1:]...), done: make(chan struct{})}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, cannotStart(c.argv[0], err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		childIn.Close()
		in.Close()
		return nil, cannotStart(c.argv[0], err)
	}
	p.in, p.out = in, out
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, c.stderr
	p.cmd.WaitDelay = eofPatience // for a standard error that others still hold
	lead(p.cmd)
	c.mu.Lock()
	defer c.mu.Unlock()
	err = errEnding
	if !c.ending {
		if err = p.cmd.Start(); err != nil {
			err = cannotStart(c.argv[0], err)
		}
	}
	childIn.Close()
	childOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	p.started = time.Now()
	c.live[p] = struct{}{}
	c.work.Go(p.wait)
	c.log.Info("started", "command", c.argv[0], "pid", p.cmd.Process.Pid)
	return p, nil
}

// wait notes the end of the process, and ends what it left behind: nobody speaks to
// that any more.
func (p *process) wait() {
	_ = p.cmd.Wait() // said by how
	killAll(p.cmd)
	c := p.command
	c.mu.Lock()
	delete(c.live, p)
	c.mu.Unlock()
	p.ran = time.Since(p.started)
	close(p.done)
	c.log.Info("ended", "pid", p.cmd.Process.Pid, "how", p.how(), "after", p.ran.Round(time.Millisecond))
}

// how is the way in which a process ended: "exit status 1".
func (p *process) how() string { return p.cmd.ProcessState.String() }

func (p *process) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *process) Write(b []byte) (int, error) { return p.in.Write(b) }

// Close ends the process, and does not wait for that.
func (p *process) Close() error {
	p.closing.Do(func() {
		p.in.Close()
		p.out.Close()
		c := p.command
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, runs := c.live[p]; !runs {
			return
		}
		c.work.Go(func() {
			for _, step := range []struct {
				patience time.Duration
				then     func(*exec.Cmd)
			}{{eofPatience, terminateAll}, {termPatience, killAll}} {
				select {
				case <-p.done:
					return
				case <-time.After(step.patience):
					step.then(p.cmd)
				}
			}
			<-p.done
		})
	})
	return nil
}

// running are the processes now.
func (c *command) running() []*process {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*process, 0, len(c.live))
	for p := range c.live {
		all = append(all, p)
	}
	return all
}

func (c *command) signal(sig os.Signal) {
	for _, p := range c.running() {
		if err := p.cmd.Process.Signal(sig); err != nil {
			c.log.Debug("a signal was not passed on", "signal", sig, "err", err)
		}
	}
}

// end ends all processes, waits for that, and lets no more begin.
func (c *command) end() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	for _, p := range c.running() {
		p.Close()
	}
	c.work.Wait()
}
