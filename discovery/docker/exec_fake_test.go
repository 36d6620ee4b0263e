package docker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// execEngine makes the scripted engine start commands: those that the test names, and
// ender, which it acts out.
type execEngine struct {
	*fake
	run func(*execProcess) // a command, from its start

	mu        sync.Mutex // guards what follows
	noShell   bool
	created   []map[string]any
	processes map[string]*execProcess // by the engine's id
	signals   []string
	// How many ender there were, how many there are, and the most at a time.
	enders, ending, together int
}

// execProcess is one that was started.
type execProcess struct {
	in    *bufio.Reader
	out   io.Writer
	mark  string
	deaf  bool // to SIGTERM
	ended chan struct{}
	once  sync.Once
	code  int
}

func (p *execProcess) exit(code int) { p.once.Do(func() { p.code = code; close(p.ended) }) }

func (p *execProcess) say(output byte, text string) { _, _ = p.out.Write(frame(output, text)) }

// obey echoes lines, and exits with the end of its input.
func obey(p *execProcess) {
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.exit(0)
			return
		}
		p.say(2, "got a line\n")
		p.say(1, line)
	}
}

// ignore echoes lines, and goes on when its input ended.
func ignore(p *execProcess) {
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			<-p.ended
			return
		}
		p.say(1, line)
	}
}

func newExecEngine(t *testing.T, run func(*execProcess)) *execEngine {
	e := &execEngine{fake: newFake(t), run: run, processes: map[string]*execProcess{}}
	e.fault = e.answer
	return e
}

func (e *execEngine) answer(w http.ResponseWriter, r *http.Request) bool {
	parts := strings.Split(r.URL.Path, "/")
	switch last := parts[len(parts)-1]; {
	case last == "exec":
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		e.mu.Lock()
		e.created = append(e.created, body)
		id := fmt.Sprint("exec", len(e.created)-1)
		e.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]string{"Id": id})
	case last == "start":
		_, _ = io.Copy(io.Discard, r.Body)
		e.start(w, parts[len(parts)-2])
	case strings.Contains(r.URL.Path, "/exec/") && last == "json":
		e.mu.Lock()
		p := e.processes[parts[len(parts)-2]]
		e.mu.Unlock()
		running := true
		select {
		case <-p.ended:
			running = false
		default:
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ID": parts[len(parts)-2], "Running": running, "ExitCode": p.code})
	default:
		return false
	}
	return true
}

func (e *execEngine) start(w http.ResponseWriter, id string) {
	var n int
	_, _ = fmt.Sscanf(id, "exec%d", &n)
	conn, rw, _ := http.NewResponseController(w).Hijack()
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	e.mu.Lock()
	body := e.created[n]
	p := &execProcess{in: rw.Reader, out: conn, ended: make(chan struct{})}
	e.processes[id] = p
	var words []string
	for _, v := range body["Cmd"].([]any) {
		words = append(words, v.(string))
	}
	env := body["Env"].([]any)[0].(string)
	if env == enderVariable+"=1" {
		e.ending++
		e.together = max(e.together, e.ending)
		e.mu.Unlock()
		time.Sleep(time.Millisecond)
		e.mu.Lock()
		e.ending--
		p.exit(e.end(words[4], words[5], words[6:]))
	}
	mark, isCommand := strings.CutPrefix(env, execVariable+"=")
	p.mark = mark
	e.mu.Unlock()
	if isCommand {
		go e.run(p)
	}
	<-p.ended
}

// end acts out ender; e.mu is held.
func (e *execEngine) end(signal, except string, marks []string) int {
	e.enders++
	if e.noShell {
		return 127
	}
	code := 0
	for _, p := range e.processes {
		select {
		case <-p.ended:
			continue
		default:
		}
		wanted := slices.ContainsFunc(marks, func(mark string) bool { return strings.HasPrefix(p.mark, mark) })
		if !wanted || strings.HasPrefix(p.mark, except) {
			continue
		}
		code = enderSome
		e.signals = append(e.signals, signal)
		if signal == "KILL" || !p.deaf {
			p.exit(137)
		}
	}
	return code
}

func (e *execEngine) left() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.processes {
		select {
		case <-p.ended:
		default:
			n++
		}
	}
	return n
}

func (e *execEngine) sent() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.signals)
}

func execLabels(command string) func(*observation) {
	return labelled("mcp-gw.name", "echo", "mcp-gw.transport", "stdio", "mcp-gw.stdio.mode", "exec", "mcp-gw.stdio.command", command)
}

// watch runs a provider that may start commands, until the test or stop ends it.
func (e *execEngine) watch(t *testing.T) (r *recorder, stop func()) {
	t.Helper()
	p := New(Config{Host: e.host(), Network: "net", Log: testLog(t), Rules: Rules{AllowExec: true}})
	p.self = identity{}
	p.execPace = execPace{input: 100 * time.Millisecond, term: 100 * time.Millisecond, again: time.Millisecond, stop: 5 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	r, ended := newRecorder(), make(chan struct{})
	go func() { defer close(ended); _ = p.Run(ctx, r) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	r.awaitNames(t, "echo")
	return r, stop
}

func (e *execEngine) awaitLeft(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); e.left() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d commands are left, want %d; signals sent: %v", e.left(), want, e.sent())
		}
	}
}
