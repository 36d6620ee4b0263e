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
	"strings"
	"sync"
	"time"
)

// execPatience is how long a command may take to answer at its start, where no label
// says it: package runners load the server first.
const execPatience = time.Minute

// maxCommands bounds the commands that run at a time in one container for one backend,
// those that are about to end among them.
const maxCommands = 128

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
	enders enders
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
		code, err := c.enders.run(ctx, e, o.id, "KILL", owner+".", owner+"."+c.run+".")
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
