package docker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"mcp-gw/discovery"
)

// maxCommands bounds the commands that run at a time in one container for one backend,
// those that are about to end among them.
const maxCommands = 128

// An engine starts commands in a container and never ends one, nor does it say which
// of the container's processes they are: whoever closes the connection leaves them
// running. So each gets a variable of its own in its environment, which its children
// inherit, and by which a second command, ender, finds them all.
//
// Its value is three times 16 hexadecimal digits: of which gateway and backend it is,
// which run of the gateway, which command.
const (
	execVariable  = "MCP_GW_EXEC"
	enderVariable = "MCP_GW_ENDER"
)

// ender sends the signal $1 to the processes whose mark begins with $2, but not with
// $3. It ends with 0 when there was none, with enderSome when there were some, and with
// anything else when it cannot tell.
const ender = `see() { e=$(cat "/proc/$1/environ"); }
exec 2>/dev/null
see $$
case $e in *` + enderVariable + `=1*) ;; *) exit 5 ;; esac
some=0
for p in /proc/[0-9]*; do
  p=${p#/proc/}
  see "$p"
  case $e in
  *"` + execVariable + `=$3"*) ;;
  *"` + execVariable + `=$2"*) some=1; kill -"$1" "$p" ;;
  esac
done
exit $some`

const (
	enderSome = 1
	enderNone = "-" // no mark begins with it
)

func enderCommand(signal, mark, except string) []string {
	return []string{"sh", "-c", ender, "mcp-gw", signal, mark, except}
}

var (
	markForm   = regexp.MustCompile(`^[0-9a-f]{16}\.[0-9a-f]{16}\.[0-9a-f]{16}$`)
	endingForm = regexp.MustCompile(`^[0-9a-f]{16}\.([0-9a-f]{16}\.([0-9a-f]{16})?)?$`)
)

// MayExec reports whether the labels of a container ask for a command to be started
// in it: for the command itself, with its mark alone in its environment, or for what
// ends such commands.
func MayExec(prefix string, labels map[string]string, command, env []string) bool {
	asked := execCommands(prefix, labels)
	if len(asked) == 0 || len(env) != 1 {
		return false
	}
	if mark, ok := strings.CutPrefix(env[0], execVariable+"="); ok {
		return markForm.MatchString(mark) && slices.ContainsFunc(asked, func(c []string) bool { return slices.Equal(c, command) })
	}
	if env[0] != enderVariable+"=1" || len(command) != len(enderCommand("", "", "")) {
		return false
	}
	signal, mark, except := command[4], command[5], command[6]
	return slices.Equal(command, enderCommand(signal, mark, except)) && (signal == "TERM" || signal == "KILL") &&
		endingForm.MatchString(mark) && (except == enderNone || endingForm.MatchString(except))
}

// execSpecs are the backends of a container that a command is started for.
func execSpecs(prefix string, labels map[string]string) []spec {
	p := parseLabels(prefix, labels)
	specs := p.several
	if specs == nil {
		specs = []spec{p.spec}
	}
	if _, bad := firstError(p.diagnostics); bad {
		return nil
	}
	return slices.DeleteFunc(specs, func(s spec) bool {
		_, bad := firstError(s.diagnostics)
		return bad || s.transport != discovery.TransportStdio || s.stdioMode != stdioExec || s.stdioCommand == nil
	})
}

func execCommands(prefix string, labels map[string]string) (all [][]string) {
	for _, s := range execSpecs(prefix, labels) {
		all = append(all, s.stdioCommand)
	}
	return all
}

// execCommand is the command that is started for one backend of a container; nil where
// its own process is attached to. A container with one backend need not name it.
func execCommand(prefix string, labels map[string]string, backend string) []string {
	for _, s := range execSpecs(prefix, labels) {
		if s.name == backend || !strings.Contains(s.prefix, "."+severalKey) {
			return s.stdioCommand
		}
	}
	return nil
}

// commands are those that run in containers for the gateway. It owns them: when it is
// closed, none is left.
type commands struct {
	cfg  Config
	log  *slog.Logger
	pace execPace
	run  string // in the marks

	ctx    context.Context // ends when even those that are hard to end are left
	cancel context.CancelFunc

	mu   sync.Mutex        // guards what follows
	open map[*command]bool // true once it has a stream
	// By container and backend: the generation without leftovers, and the commands that
	// ended too soon, in a row.
	clean  map[string]string
	fallen map[string]fall
	closed bool

	ending sync.WaitGroup // one for each of open
}

// execPace is how long is waited for a command at its end; tests shorten it.
type execPace struct {
	input time.Duration // after its input ended, until SIGTERM
	term  time.Duration // until SIGKILL
	again time.Duration // until SIGKILL is sent again, or the engine asked again; it grows
	stop  time.Duration // for all of it, when the gateway ends
}

var usualExecPace = execPace{input: 2 * time.Second, term: time.Second, again: 50 * time.Millisecond, stop: 7 * time.Second}

const (
	// maxAgain is how long is waited at most between two attempts to end a command, and
	// endTries how many there are: some ten minutes, for an engine that is away.
	maxAgain = 30 * time.Second
	endTries = 30
)

func newCommands(cfg Config, log *slog.Logger) *commands {
	c := &commands{cfg: cfg, log: log, pace: usualExecPace, run: randomHex(), open: map[*command]bool{}, clean: map[string]string{}, fallen: map[string]fall{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// owner is in the marks of all commands that a gateway starts for a backend, over its
// restarts. Gateways with different MCP_GW_INSTANCE do not touch each other's.
func (c *commands) owner(backend string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{c.cfg.LabelPrefix, c.cfg.Network, c.cfg.Rules.Instance, backend}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// close ends all commands, and returns when that is done, or could not be in time.
func (c *commands) close() {
	c.mu.Lock()
	c.closed = true
	open := maps.Clone(c.open)
	c.mu.Unlock()
	for cmd, has := range open {
		if has { // else start sees to it
			_ = cmd.Close() // cannot fail
		}
	}
	defer c.cancel()
	defer time.AfterFunc(c.pace.stop, c.cancel).Stop()
	c.ending.Wait()
}

// start starts the command in a container, which stands, and answers its stream. e is
// the stream's then.
func (c *commands) start(ctx context.Context, e *engine, o observation, backend string, words []string) (io.ReadWriteCloser, error) {
	if !c.cfg.Rules.AllowExec {
		return nil, errors.New("this gateway starts no commands in containers: set MCP_GW_ALLOW_EXEC=true on it")
	}
	if !c.rest(ctx, o.id+" "+backend) {
		return nil, context.Cause(ctx)
	}
	owner := c.owner(backend)
	if err := c.sweep(ctx, e, o, backend, owner); err != nil {
		return nil, err
	}
	cmd := &command{of: c, engine: e, container: o, backend: backend, words: words, mark: owner + "." + c.run + "." + randomHex(), began: time.Now()}
	cmd.ctx, cmd.cancel = context.WithCancel(c.ctx)
	if err := c.admit(cmd); err != nil {
		return nil, err
	}
	conn, id, err := e.exec(ctx, o.id, words, execVariable+"="+cmd.mark)
	if err != nil {
		if id == "" {
			c.leave(cmd)
		} else {
			go cmd.finish() // it may have been started
		}
		return nil, notStarted(o, words, err)
	}
	cmd.id, cmd.stdio = id, &stdio{engine: e, conn: conn, errs: make(chan string, errorLines)}
	c.mu.Lock()
	stopping := c.closed
	c.open[cmd] = true
	c.mu.Unlock()
	if stopping {
		return nil, errors.Join(errStopping, cmd.Close())
	}
	return cmd, nil
}

var errStopping = errors.New("the gateway is stopping")

// admit notes a command that is about to start.
func (c *commands) admit(cmd *command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errStopping
	}
	n := 0
	for other := range c.open {
		if other.container.id == cmd.container.id && other.backend == cmd.backend {
			n++
		}
	}
	if n >= maxCommands {
		return fmt.Errorf("%d commands run in %q for it already, and no more may", n, cmd.container.name)
	}
	c.open[cmd] = false
	c.ending.Add(1)
	return nil
}

// leave notes that a command has ended, or will not be started.
func (c *commands) leave(cmd *command) {
	cmd.cancel()
	c.mu.Lock()
	delete(c.open, cmd)
	c.mu.Unlock()
	c.ending.Done()
}

// sweep ends what an earlier run of the gateway left in a container, one that was
// killed, and learns whether commands can be ended there at all.
func (c *commands) sweep(ctx context.Context, e *engine, o observation, backend, owner string) error {
	key := o.id + " " + backend
	c.mu.Lock()
	done := c.clean[key] == o.generation()
	c.mu.Unlock()
	if done {
		return nil
	}
	for try := 0; ; try++ {
		code, err := e.runEnder(ctx, o.id, "KILL", owner+".", owner+"."+c.run+".")
		switch {
		case err != nil:
			return notStarted(o, nil, err)
		case code == enderSome && try < endTries:
			if try == 0 {
				c.log.Info("ending what an earlier run of the gateway left in a container", "container", o.name, "backend", backend)
			}
			if !sleep(ctx, c.pace.again) {
				return context.Cause(ctx)
			}
			continue
		case code == enderSome:
			return fmt.Errorf("commands that an earlier run of the gateway left in %q cannot be ended: docker restart %s", o.name, o.name)
		case code != 0:
			return fmt.Errorf("%q has no sh and cat, with which commands that are started there are ended (exit code %d): "+
				"attach to its own process, or start the server under mcp-gw shim", o.name, code)
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.clean) > maxNoted {
		clear(c.clean) // to sweep again harms nothing
	}
	c.clean[key] = o.generation()
	return nil
}

// maxNoted bounds what is kept by container and backend.
const maxNoted = 4096

// fall is how often, and when last, a command ended by itself that had just started.
type fall struct {
	times int
	last  time.Time
}

// A command that has run for soon has stood. One that fell more often than freeFalls in
// a row is started again after a pause, which grows: the engine has others to serve.
const (
	soon      = 10 * time.Second
	freeFalls = 3
	maxRest   = 2 * time.Second
)

// fell notes that a command ended by itself, that long after its start.
func (c *commands) fell(key string, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if after > soon {
		delete(c.fallen, key)
		return
	}
	if len(c.fallen) > maxNoted {
		clear(c.fallen)
	}
	c.fallen[key] = fall{c.fallen[key].times + 1, time.Now()}
}

// rest waits until a command may be started again; false when ctx ended.
func (c *commands) rest(ctx context.Context, key string) bool {
	c.mu.Lock()
	f := c.fallen[key]
	c.mu.Unlock()
	if f.times <= freeFalls {
		return true
	}
	pause := min(100*time.Millisecond<<min(f.times-freeFalls, 10), maxRest)
	return sleep(ctx, pause-time.Since(f.last))
}

// exec starts a command in a container, never with a terminal, as the container's own
// user and with its environment, and joins its standard streams. With an error the id
// tells that it may have been started.
func (e *engine) exec(ctx context.Context, in string, words []string, env string) (conn types.HijackedResponse, id string, err error) {
	made, err := e.cli.ContainerExecCreate(ctx, in, container.ExecOptions{
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: words, Env: []string{env}})
	if err != nil {
		return conn, "", err
	}
	conn, err = e.cli.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	return conn, made.ID, err
}

// runEnder runs ender in a container, and answers its exit code.
func (e *engine) runEnder(ctx context.Context, id, signal, mark, except string) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, enderTimeout)
	defer cancel()
	conn, exec, err := e.exec(ctx, id, enderCommand(signal, mark, except), enderVariable+"=1")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	if _, err := io.Copy(io.Discard, conn.Reader); err != nil {
		return 0, fmt.Errorf("the command that ends others did not end within %v: %w", enderTimeout, err)
	}
	return e.exitCode(ctx, exec)
}

// enderTimeout bounds one run of ender, which looks at every process of a container.
const enderTimeout = 10 * time.Second

// exitCode answers that of a command whose output has ended. The engine hears of its
// end a moment later.
func (e *engine) exitCode(ctx context.Context, exec string) (int, error) {
	for {
		x, err := e.cli.ContainerExecInspect(ctx, exec)
		if err != nil || !x.Running {
			return x.ExitCode, err
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return 0, context.Cause(ctx)
		}
	}
}
