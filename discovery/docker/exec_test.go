package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// A command gets its input, and its output and errors come apart; it is started without
// a terminal, as nobody else, and by the end of its session it has ended.
func TestF45CommandsEndWithTheirSession(t *testing.T) {
	for name, tt := range map[string]struct {
		run  func(*execProcess)
		sent []string
	}{
		"with its input": {obey, nil},
		"by SIGTERM":     {ignore, []string{"TERM"}},
		"by SIGKILL":     {func(p *execProcess) { p.deaf = true; ignore(p) }, []string{"TERM", "KILL"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExecEngine(t, tt.run)
			e.set(running("a", execLabels(`["srv","a b"]`)))
			r, _ := e.watch(t)
			s, from := mustOpen(t, r)
			said(t, s, from, "hello")
			waiting := make(chan error, 1)
			go func() { _, err := from.ReadByte(); waiting <- err }()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			select {
			case err := <-waiting:
				if err == nil || errors.Is(err, io.EOF) {
					t.Errorf("a Read that waited ended with %v", err)
				}
			case <-time.After(patience):
				t.Fatal("Close ended no Read")
			}
			if _, err := s.Write([]byte("more\n")); err == nil {
				t.Error("a Write after Close got through")
			}
			for range s.(discovery.ErrorOutput).ErrorLines() { // it must end
			}
			e.awaitLeft(t, 0)
			if sent := e.sent(); !slices.Equal(sent, tt.sent) {
				t.Errorf("signals %v, want %v", sent, tt.sent)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, c := range e.created {
				if c["Tty"] == true || c["Privileged"] == true || c["User"] != "" || c["WorkingDir"] != "" {
					t.Errorf("started as %v", c)
				}
			}
			if c := e.created[1]; fmt.Sprint(c["Cmd"]) != "[srv a b]" || !MayExec("mcp-gw", map[string]string{"mcp-gw.transport": "stdio", "mcp-gw.stdio.mode": "exec",
				"mcp-gw.stdio.command": `["srv","a b"]`}, []string{"srv", "a b"}, []string{c["Env"].([]any)[0].(string)}) {
				t.Errorf("started %v", c)
			}
		})
	}
}

// The provider ends with no command left, whoever still has a stream.
func TestF45NoCommandOutlivesTheGateway(t *testing.T) {
	e := newExecEngine(t, func(p *execProcess) { p.deaf = true; ignore(p) })
	e.set(running("a", execLabels(`["srv"]`)))
	r, stop := e.watch(t)
	for range 5 {
		s, from := mustOpen(t, r)
		said(t, s, from, "hello")
	}
	e.awaitLeft(t, 5)
	stop()
	e.awaitLeft(t, 0)
	if s, err := open(t, r); !errors.Is(err, errStopping) {
		t.Errorf("opened %v after the end: %v", s, err)
	}
}

// What an earlier run of the gateway left is ended before anything is started, and
// nothing else: not this run's, and not what others started.
func TestF45LeakSweep(t *testing.T) {
	e := newExecEngine(t, ignore)
	e.set(running("a", execLabels(`["srv"]`)))
	c := newCommands(Config{Network: "net", LabelPrefix: "mcp-gw"}, testLog(t))
	left := &execProcess{mark: c.owner("echo") + "." + randomHex() + "." + randomHex(), ended: make(chan struct{}), deaf: true}
	other := &execProcess{mark: c.owner("other") + "." + randomHex() + "." + randomHex(), ended: make(chan struct{})}
	e.processes["left"], e.processes["other"] = left, other
	r, stop := e.watch(t)
	for range 3 {
		s, from := mustOpen(t, r)
		said(t, s, from, "hello")
	}
	e.awaitLeft(t, 4)
	select {
	case <-left.ended:
	default:
		t.Error("what was left is still there")
	}
	if sent := e.sent(); !slices.Equal(sent, []string{"KILL"}) {
		t.Errorf("signals %v", sent)
	}
	stop()
	e.awaitLeft(t, 1)
	other.exit(0)
}

// How a command ended is said in words.
func TestF45ExitCodesInWords(t *testing.T) {
	for _, tt := range []struct {
		code       int
		says, want string
	}{{0, "bye", "exited with code 0"}, {3, "bye", "exited with code 3"}, {126, "bye", "cannot be run in the container"}, {127, "bye", "is not in the container"},
		{126, `OCI runtime exec failed: exec failed: unable to start container process: exec: "srv": executable file not found in $PATH: unknown`, "is not in the container"},
		{137, "bye", "was killed"}, {143, "bye", "signal 15"}} {
		code, want := tt.code, tt.want
		e := newExecEngine(t, func(p *execProcess) { p.say(1, tt.says+"\n"); p.exit(code) })
		e.set(running("a", execLabels(`["srv"]`)))
		r, _ := e.watch(t)
		s, from := mustOpen(t, r)
		_, _ = from.ReadString('\n')
		_, err := s.Read(make([]byte, 1))
		if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"srv"`) {
			t.Errorf("code %d: %v, want %q", code, err, want)
		}
		if _, again := s.Read(make([]byte, 1)); again != err {
			t.Errorf("code %d: then %v", code, again)
		}
	}
}

// A command that ends as soon as it starts is not started all the time.
func TestF45FallingCommandsRest(t *testing.T) {
	e := newExecEngine(t, func(p *execProcess) { p.exit(1) })
	e.set(running("a", execLabels(`["srv"]`)))
	r, _ := e.watch(t)
	began := time.Now()
	for range freeFalls + 3 {
		s, from := mustOpen(t, r)
		_, _ = from.ReadByte()
		_ = s.Close()
	}
	if took := time.Since(began); took < 500*time.Millisecond { // 200 ms and 400 ms
		t.Errorf("started again %d times in %v", freeFalls+3, took)
	}
}

// Where commands cannot be ended, none is started.
func TestF45NoCommandWithoutAnEnd(t *testing.T) {
	e := newExecEngine(t, obey)
	e.noShell = true
	e.set(running("a", execLabels(`["srv"]`)))
	r, _ := e.watch(t)
	if _, err := open(t, r); err == nil || !strings.Contains(err.Error(), "has no sh and cat") {
		t.Errorf("%v", err)
	}
	if len(e.created) != 1 {
		t.Errorf("%d commands were started", len(e.created))
	}
}

// An engine that is away, or a container that is paused, leaves nothing behind: it is
// asked again. One that ended took its processes along.
func TestF45EndingIsTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		status string
		left   int
	}{"paused": {"paused", 0}, "ended": {"exited", 1}} {
		t.Run(name, func(t *testing.T) {
			e := newExecEngine(t, ignore)
			o := running("a", execLabels(`["srv"]`))
			e.set(o)
			r, stop := e.watch(t)
			s, from := mustOpen(t, r)
			said(t, s, from, "hello")
			o.status = tt.status
			refused := make(chan struct{}, 1000)
			e.with(func() {
				e.containers["a"] = o
				e.fault = func(w http.ResponseWriter, r *http.Request) bool {
					if strings.HasSuffix(r.URL.Path, "/exec") {
						refused <- struct{}{}
						w.WriteHeader(http.StatusConflict)
						_, _ = io.WriteString(w, `{"message":"container a is not running"}`)
						return true
					}
					return e.answer(w, r)
				}
			})
			_ = s.Close()
			for range 2 {
				<-refused
			}
			if tt.status == "paused" {
				<-refused
				e.with(func() { e.fault = e.answer })
				e.awaitLeft(t, 0)
			}
			stop()
			if n := e.left(); n != tt.left {
				t.Errorf("%d left, want %d", n, tt.left)
			}
			for _, p := range e.processes {
				p.exit(137)
			}
		})
	}
}

// There is a bound on commands, and on what is not wanted any more nothing waits.
func TestF45CommandsAreBounded(t *testing.T) {
	e := newExecEngine(t, obey)
	e.set(running("a", execLabels(`["srv"]`)))
	r, _ := e.watch(t)
	var first io.Closer
	for n := range maxCommands {
		s, err := open(t, r)
		if err != nil {
			t.Fatalf("command %d: %v", n, err)
		}
		if first == nil {
			first = s
		}
	}
	if _, err := open(t, r); err == nil || !strings.Contains(err.Error(), "no more may") {
		t.Errorf("one more: %v", err)
	}
	_ = first.Close()
	e.awaitLeft(t, maxCommands-1)
}

// Commands that end together are looked for together, and never twice at once: each look
// is at all processes of the container.
func TestF45CommandsThatEndTogether(t *testing.T) {
	e := newExecEngine(t, ignore)
	e.set(running("a", execLabels(`["srv"]`)))
	r, stop := e.watch(t)
	const many = 100
	var all []io.Closer
	for range many {
		s, err := open(t, r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, s := range all {
		_ = s.Close()
	}
	e.awaitLeft(t, 0)
	stop() // and with it all that looks
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.together != 1 || e.enders > many/2 {
		t.Errorf("there were %d looks, %d at a time", e.enders, e.together)
	}
}

// What a proxy lets through is what the labels ask for, and nothing that looks like it.
func TestMayExec(t *testing.T) {
	labels := map[string]string{"mcp-gw.backends.a.transport": "stdio", "mcp-gw.backends.a.stdio.mode": "exec", "mcp-gw.backends.a.stdio.command": `["srv","x"]`,
		"mcp-gw.backends.b.transport": "stdio", "mcp-gw.backends.b.stdio.command": `["other"]`, "mcp-gw.backends.c.stdio.mode": "exec", "mcp-gw.backends.c.stdio.command": `["third"]`}
	mark := strings.Repeat("0123456789abcdef.", 3)[:50]
	run, end := []string{execVariable + "=" + mark}, []string{enderVariable + "=1"}
	changed := enderCommand("KILL", enderNone, mark)
	changed[2] += "; id"
	for n, tt := range []struct {
		labels       map[string]string
		command, env []string
		may          bool
	}{
		{labels, []string{"srv", "x"}, run, true},
		{labels, enderCommand("KILL", enderNone, mark), end, true},
		{labels, enderCommand("TERM", mark[:34], mark[:17]), end, true},
		{nil, []string{"srv", "x"}, run, false},
		{nil, enderCommand("KILL", enderNone, mark), end, false},
		{labels, []string{"srv"}, run, false},
		{labels, []string{"srv", "x", "y"}, run, false},
		{labels, []string{"other"}, run, false},
		{labels, []string{"third"}, run, false},
		{labels, nil, run, false},
		{labels, []string{"srv", "x"}, nil, false},
		{labels, []string{"srv", "x"}, end, false},
		{labels, []string{"srv", "x"}, append(slices.Clone(run), "LD_PRELOAD=/x"), false},
		{labels, []string{"srv", "x"}, []string{"LD_PRELOAD=/x"}, false},
		{labels, []string{"srv", "x"}, []string{run[0] + "\nLD_PRELOAD=/x"}, false},
		{labels, enderCommand("KILL", enderNone, mark), run, false},
		{labels, enderCommand("KILL", enderNone, ""), end, false},
		{labels, enderCommand("KILL", enderNone, "*"), end, false},
		{labels, enderCommand("HUP", enderNone, mark), end, false},
		{labels, enderCommand("KILL", "", mark), end, false},
		{labels, enderCommand("KILL", enderNone), end, false},
		{labels, enderCommand("KILL", enderNone, mark, mark[:17]), end, true},
		{labels, enderCommand("KILL", enderNone, mark, "*"), end, false},
		{labels, enderCommand("KILL", enderNone, slices.Repeat([]string{mark}, maxMarks+1)...), end, false},
		{labels, changed, end, false},
		{labels, []string{"sh", "-c", "id", "mcp-gw", "KILL", mark, enderNone}, end, false},
	} {
		if may := MayExec("mcp-gw", tt.labels, tt.command, tt.env); may != tt.may {
			t.Errorf("%d: %q with %q: %v", n, tt.command, tt.env, may)
		}
	}
}

// Whatever happens to commands, to their container and to the engine, and in whatever
// order: once it is quiet, those are left that somebody has a stream of, and at the end
// none is.
func TestF45NothingIsLeftBehind(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewSource(seed))
	kinds := []func(*execProcess){obey, ignore, func(p *execProcess) { p.deaf = true; ignore(p) },
		func(p *execProcess) { time.AfterFunc(10*time.Millisecond, func() { p.exit(1) }); ignore(p) }}
	for round := range 10 {
		var turn atomic.Int64
		e := newExecEngine(t, func(p *execProcess) { kinds[turn.Add(1)%int64(len(kinds))](p) })
		o := running("a", execLabels(`["srv"]`))
		e.set(o)
		r, stop := e.watch(t)
		var refusing atomic.Bool
		e.with(func() {
			e.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if refusing.Load() && strings.Contains(r.URL.Path, "/exec") {
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
				return e.answer(w, r)
			}
		})
		var streams []io.ReadWriteCloser
		var reading sync.WaitGroup
		for range 40 {
			switch n := dice.Intn(20); {
			case n < 9:
				if s, err := open(t, r); err == nil {
					streams = append(streams, s)
					reading.Go(func() { _, _ = io.Copy(io.Discard, s) })
					_, _ = io.WriteString(s, "hello\n") // it may have ended already
				}
			case n < 15 && len(streams) > 0:
				i := dice.Intn(len(streams))
				_ = streams[i].Close()
				streams = slices.Delete(streams, i, i+1)
			case n < 18:
				refusing.Store(!refusing.Load())
			case n < 19:
				o = later(o, o.startedAt.Add(time.Second))
				e.set(o)
				e.mu.Lock()
				for _, p := range e.processes {
					p.exit(137)
				}
				e.mu.Unlock()
				e.tell("container", "start", "a")
			default:
				time.Sleep(20 * time.Millisecond)
			}
		}
		refusing.Store(false)
		if dice.Intn(2) == 0 {
			for _, s := range streams {
				_ = s.Close()
			}
			e.awaitLeft(t, 0)
		}
		stop()
		if n := e.left(); n != 0 {
			t.Fatalf("round %d: %d commands are left", round, n)
		}
		reading.Wait() // streams end with the gateway, too
	}
}

// Who refuses to start a command is named first, with what to do.
func TestF45CommandsThatAreRefused(t *testing.T) {
	for said, want := range map[string]string{
		"403 Forbidden: docker-proxy does not pass \"POST\" \"/x\": set MCP_GW_ALLOW_EXEC=true on docker-proxy": "docker-proxy starts no commands: set MCP_GW_ALLOW_EXEC=true",
		"403 Forbidden: request denied": "what guards the engine refuses POST /containers/{id}/exec",
		"cannot do that":                `no command can be started in "c-a": `,
	} {
		e := newExecEngine(t, obey)
		e.set(running("a", execLabels(`["srv"]`)))
		e.with(func() {
			e.fault = func(w http.ResponseWriter, r *http.Request) bool {
				refused := strings.HasSuffix(r.URL.Path, "/exec")
				if refused {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusForbidden)
					_ = json.NewEncoder(w).Encode(map[string]string{"message": said})
				}
				return refused
			}
		})
		r, _ := e.watch(t)
		if _, err := open(t, r); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", said, err)
		}
	}
}
