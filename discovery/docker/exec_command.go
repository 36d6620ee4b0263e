package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
)

// command is one that was started in a container, and its stream.
type command struct {
	*stdio    // nil when it was not known to start
	of        *commands
	engine    *engine
	container observation
	backend   string
	words     []string
	mark      string
	began     time.Time
	id        string // the engine's

	ctx    context.Context // ends with the interest in how it ended
	cancel context.CancelFunc

	reading sync.Mutex // by the one who has the stream, then by finish
	ended   error      // what Read answers from then on; guarded by reading
	head    []byte     // of the output; guarded by reading
	closed  atomic.Bool
	once    sync.Once
}

// Read answers, at the end of the command, how it ended.
func (c *command) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.ended != nil {
		return 0, c.ended
	}
	n, err := c.stdio.Read(p)
	c.head = append(c.head, p[:min(n, maxHead-len(c.head))]...)
	if err == nil {
		return n, nil
	}
	if c.closed.Load() {
		err = net.ErrClosed
	} else if errors.Is(err, io.EOF) {
		c.of.fell(c.container.id+" "+c.backend, time.Since(c.began))
		err = c.how()
	}
	c.ended = err
	return n, err
}

// Write, unlike one to an attached process, fails from Close on: the input is about
// to end.
func (c *command) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return c.stdio.Write(p)
}

// howTimeout bounds the question how a command ended.
const howTimeout = 2 * time.Second

// how says in words how the command ended whose output has.
func (c *command) how() error {
	ctx, cancel := context.WithTimeout(c.ctx, howTimeout)
	defer cancel()
	code, err := c.engine.exitCode(ctx, c.id)
	if err != nil {
		return io.EOF // its container ended, or it closed its output and goes on
	}
	return &discovery.EndError{How: exitWords(c.words[0], code, string(c.head))}
}

// maxHead is how much of a command's output is kept, for what the engine says there of
// one that it could not start.
const maxHead = 512

// exitWords say what an exit code means. 126 and 127 are most often the engine's own, and
// what it calls 126 may be a command that is not there: said is what it wrote.
func exitWords(name string, code int, said string) string {
	name = clip(oneLine(name))
	switch {
	case code == 127, code == 126 && containsAny(said, "executable file not found", "no such file or directory"):
		return fmt.Sprintf("%q is not in the container, or not where its PATH leads (exit code %d); see mcp-gw.stdio.command", name, code)
	case code == 126:
		return fmt.Sprintf("%q cannot be run in the container (exit code 126): is it a program, for this machine, and may the container's user run it? See mcp-gw.stdio.command", name)
	case code == 137:
		return fmt.Sprintf("%q was killed (exit code 137): by hand, or for want of memory", name)
	case code > 128 && code < 160:
		return fmt.Sprintf("%q was ended by signal %d (exit code %d)", name, code-128, code)
	}
	return fmt.Sprintf("%q exited with code %d", name, code)
}

// notStarted explains that the engine, or a proxy before it, starts no command.
func notStarted(o observation, words []string, err error) error {
	text := err.Error()
	switch {
	case len(words) > 0 && containsAny(text, "executable file not found", "no such file or directory"):
		return errors.New(exitWords(words[0], 127, ""))
	case len(words) > 0 && containsAny(text, "permission denied", "exec format error"):
		return errors.New(exitWords(words[0], 126, ""))
	case strings.Contains(text, "MCP_GW_ALLOW_EXEC"): // our own proxy's words
		return fmt.Errorf("docker-proxy starts no commands: set MCP_GW_ALLOW_EXEC=true on docker-proxy, as on the gateway (%w)", err)
	case containsAny(text, "403 Forbidden", "405 Method Not Allowed"):
		return fmt.Errorf("what guards the engine refuses POST /containers/{id}/exec, /exec/{id}/start or GET /exec/{id}/json for %q: permit them there (%w)", o.name, err)
	}
	return fmt.Errorf("no command can be started in %q: %w", o.name, err)
}

// Close ends the stream at once, and the command soon: see finish.
func (c *command) Close() error {
	c.once.Do(func() {
		c.closed.Store(true)
		c.cancel()
		_ = c.conn.Conn.SetDeadline(time.Now()) // ends a Read and a Write that wait
		go c.finish()
	})
	return nil
}

// finish ends the command, as MCP wants it: by the end of its input, and by signals
// where that is not enough. Whatever it started is ended with it. The owner of the
// goroutine is the commands that it is one of.
func (c *command) finish() {
	defer c.of.leave(c)
	defer c.engine.close()
	over := false
	if c.stdio != nil {
		defer c.conn.Close()
		c.reading.Lock() // a Read that waited has come back
		defer c.reading.Unlock()
		_ = c.conn.CloseWrite()
		over = c.drained(c.of.pace.input)
	}
	if !over {
		_, _ = c.of.enders.run(c.of.ctx, c.engine, c.container.id, "TERM", c.mark, enderNone) // what fails is tried again below
		if c.stdio != nil {
			c.drained(c.of.pace.term)
		}
	}
	pause := c.of.pace.again
	for try := 0; try < endTries; try++ {
		code, err := c.of.enders.run(c.of.ctx, c.engine, c.container.id, "KILL", c.mark, enderNone)
		if err == nil && code == 0 || err != nil && c.gone() {
			return
		}
		if !sleep(c.of.ctx, pause) {
			break
		}
		pause = min(2*pause, maxAgain)
	}
	c.of.log.Warn("a command in a container could not be ended; it ends with its container",
		"container", c.container.name, "backend", c.backend, "command", clip(oneLine(c.words[0])))
}

// drained waits until the output of the command has ended, and passes over what comes.
func (c *command) drained(patience time.Duration) bool {
	if c.of.ctx.Err() != nil || c.conn.Conn.SetReadDeadline(time.Now().Add(patience)) != nil {
		return false
	}
	_, err := io.Copy(io.Discard, c.conn.Reader)
	return err == nil
}

// gone reports whether the container has no such processes any more, because it ended.
func (c *command) gone() bool {
	o, err := c.engine.inspect(c.of.ctx, c.container.id)
	return errors.Is(err, errGone) || err == nil && !o.partial && (!o.up() || o.generation() != c.container.generation())
}
