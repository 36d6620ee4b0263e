package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a condition may take before a test gives up on it. It is
// no claim about speed: these tests share two busy cores with others.
const patience = 20 * time.Second

// process is a child of the test. Its end is awaited before the test's end.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	// exited is closed when the process has ended and its output was read; err
	// is valid from then on.
	exited chan struct{}
	err    error

	mu   sync.Mutex // guards tail
	tail []string   // the last lines of both outputs
}

// tailLines bounds what is kept of a child's output.
const tailLines = 400

// startProcess runs argv with env added to a clean environment. onLine, when not
// nil, is called with each line of standard output, from one goroutine.
func startProcess(t *testing.T, name string, env []string, onLine func(string), argv ...string) *process {
	t.Helper()
	p, err := runProcess(name, env, onLine, argv...)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("last output of %s:\n%s", p.name, p.output())
		}
	})
	return p
}

// runProcess is startProcess for a child that outlives a test: whoever runs it kills it.
func runProcess(name string, env []string, onLine func(string), argv ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{})}
	p.cmd.Env = append(inherited(), env...)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.read(stdout, onLine) })
	readers.Go(func() { p.read(stderr, nil) })
	go func() {
		readers.Wait()
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// inherited is the test's own environment without what would configure a
// gateway, a Docker client or a proxy.
func inherited() []string {
	var env []string
	for _, kv := range os.Environ() {
		key, _, _ := strings.Cut(kv, "=")
		switch {
		case key == "PORT", key == "CONFIG_PATH", key == "NODE_OPTIONS",
			strings.HasPrefix(key, "MCP_GW_"), strings.HasPrefix(key, "DOCKER_"),
			strings.HasSuffix(strings.ToLower(key), "_proxy"):
		default:
			env = append(env, kv)
		}
	}
	return env
}

func (p *process) read(r io.Reader, onLine func(string)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		line := lines.Text()
		p.mu.Lock()
		p.tail = append(p.tail, line[:min(len(line), 2000)])
		if len(p.tail) > tailLines {
			p.tail = p.tail[1:]
		}
		p.mu.Unlock()
		if onLine != nil {
			onLine(line)
		}
	}
	// Whatever is left must still be read, or the child would block on writing.
	_, _ = io.Copy(io.Discard, r)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the process the hard way and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate asks the process to end, and returns how it did. The error names a
// process that had to be killed because it did not.
func (p *process) terminate(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		return p.err
	case <-time.After(within):
		p.kill()
		return fmt.Errorf("%s was still running %v after SIGTERM", p.name, within)
	}
}

// freePort returns a port of the loopback interface that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually polls until ok says yes. what completes the sentence "waited for".
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	eventuallyIn(t, patience, what, ok)
}

// eventuallyIn is eventually for what may take longer than most.
func eventuallyIn(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; {
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// receive takes the next value, or fails the test when none comes in time.
func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatalf("waited for %s: nothing more comes", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}
