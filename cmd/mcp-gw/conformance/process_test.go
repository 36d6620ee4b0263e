package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a condition may take before the run gives up on it. It is
// no claim about speed: the machine may be busy.
const patience = 20 * time.Second

// process is a child of this one. Whoever starts it stops it.
type process struct {
	name   string
	cmd    *exec.Cmd
	said   tail
	exited chan struct{} // closed when the process is gone
}

// start runs argv with env added to a clean environment.
func start(name string, env []string, argv ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{})}
	p.cmd.Env = append(inherited(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop asks the process to end, and ends it when it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// await polls until ok says yes. what completes the sentence "waited for".
func (p *process) await(what string, ok func() bool) error {
	for deadline := time.Now().Add(patience); ; {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended while this waited for %s:\n%s", p.name, what, p.said.String())
		default:
		}
		if ok() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v for %s; %s said:\n%s", patience, what, p.name, p.said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// answers says whether GET url has an answer with this status; 0 takes any.
func answers(url string, status int) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return status == 0 || resp.StatusCode == status
}

// inherited is this process's environment without what would configure a
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

// freePort returns a port of the loopback interface that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

const tailSize = 256 << 10

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept.Write(text)
	if over := t.kept.Len() - tailSize; over > 0 {
		t.kept.Next(over)
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}
