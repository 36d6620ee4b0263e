package docker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"mcp-gw/discovery"
)

const (
	// greetTimeout bounds the first write to a process that may not read its input.
	greetTimeout = 2 * time.Second
	// maxErrorLine cuts what a process writes to its standard error without a line
	// break; errorLines are kept for who takes them, further ones are lost.
	maxErrorLine = 4 << 10
	errorLines   = 200
)

// openable answers the set with what opens its stdio backends. The set itself stays
// comparable: two functions never are.
func (p *Provider) openable(set []discovery.Backend) []discovery.Backend {
	out := set
	for i, b := range set {
		if b.Transport != discovery.TransportStdio || b.Container == nil {
			continue
		}
		if &out[0] == &set[0] {
			out = slices.Clone(set)
		}
		out[i].Open = p.opener(b.Name, b.Container.ID, b.Generation)
		out[i].Replicas = slices.Clone(b.Replicas)
		for j, r := range b.Replicas {
			out[i].Replicas[j].Open = p.opener(b.Name, r.Container.ID, r.Generation)
		}
	}
	return out
}

// opener answers what opens one run of a container as its labels say. Each opening has
// a connection of its own to the engine: the provider throws its own away whenever the
// event stream ends.
func (p *Provider) opener(backend, id, generation string) discovery.Opener {
	commands := p.commands
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		e, err := dial(ctx, p.cfg)
		if err != nil {
			return nil, fmt.Errorf("the engine cannot be asked: %w", err)
		}
		s, err := e.open(ctx, commands, backend, id, generation)
		if err != nil {
			e.close()
			if errors.As(err, new(errOutdated)) {
				ring(p.outdated) // its events were lost, or are about to come
			}
			return nil, err
		}
		return s, nil
	}
}

// open connects to a process of the container, if it still is the run of that
// generation: the one that it has, or one that is started for it.
func (e *engine) open(ctx context.Context, commands *commands, backend, id, generation string) (io.ReadWriteCloser, error) {
	o, err := e.standing(ctx, id, generation)
	if err != nil {
		return nil, err
	}
	command := execCommand(commands.cfg.LabelPrefix, o.labels, backend)
	if command == nil {
		return e.attach(ctx, o)
	}
	return commands.start(ctx, e, o, backend, command)
}

// errOutdated says that a container is not what the set has it for.
type errOutdated struct{ error }

// standing answers the container, if it runs and still is that generation.
func (e *engine) standing(ctx context.Context, id, generation string) (observation, error) {
	o, err := e.inspect(ctx, id)
	switch {
	case errors.Is(err, errGone):
		return o, errOutdated{fmt.Errorf("container %s is not there any more", short(id))}
	case err != nil:
		return o, err
	case o.status == "paused":
		return o, fmt.Errorf("%q is paused: docker unpause %s", o.name, o.name)
	case o.status != "running":
		return o, errOutdated{fmt.Errorf("%q is not running (%s): docker start %s", o.name, o.status, o.name)}
	case o.partial:
		_, why := e.limits.text()
		return o, fmt.Errorf("%q cannot be attached to, because it cannot be inspected: %s", o.name, why)
	case o.generation() != generation:
		return o, errOutdated{fmt.Errorf("%q was started anew", o.name)}
	}
	return o, nil
}

// attach connects to the container's own process, if it can be spoken to: to one with
// its input closed everything could be written, and nothing would arrive.
func (e *engine) attach(ctx context.Context, o observation) (*stdio, error) {
	switch {
	case o.tty:
		return nil, fmt.Errorf("%q has a terminal: start it without tty: true", o.name)
	case !o.openStdin:
		return nil, fmt.Errorf("%q has its input closed: start it with stdin_open: true", o.name)
	}
	conn, err := e.cli.ContainerAttach(ctx, o.id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, fmt.Errorf("attach to %q: %w", o.name, err)
	}
	s := &stdio{engine: e, conn: conn, errs: make(chan string, errorLines)}
	// Half a line of whoever was attached before may stand in the pipe. A line of its
	// own is no message, and nobody minds an empty one.
	err = conn.Conn.SetWriteDeadline(time.Now().Add(greetTimeout))
	if err == nil {
		_, err = conn.Conn.Write([]byte("\n"))
	}
	if err == nil {
		err = conn.Conn.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%q does not read its input: %w", o.name, err)
	}
	return s, nil
}

// stdio is an attached process. The engine sends frames of both outputs over one
// connection, which are no lines; and it stops the process when nobody reads them, so
// that whoever has one reads always.
type stdio struct {
	engine *engine
	conn   types.HijackedResponse
	close  sync.Once
	errs   chan string

	// Of the reader:
	left  int    // bytes of the frame of standard output that are still to come
	line  []byte // of standard error, so far
	cut   bool   // the rest of the line is passed over
	ended error
}

// Frames begin with the output's number, three zeros and the length
// (Engine API, ContainerAttach, stream format).
const (
	frameHead   = 8
	frameStdout = 1
	frameStderr = 2
)

// Read takes standard output. What comes on standard error meanwhile goes to
// ErrorLines.
func (s *stdio) Read(p []byte) (int, error) {
	for s.ended == nil && s.left == 0 && len(p) > 0 {
		s.end(s.next())
	}
	if s.ended != nil || len(p) == 0 {
		return 0, s.ended
	}
	n, err := s.conn.Reader.Read(p[:min(len(p), s.left)])
	s.left -= n
	if err != nil {
		s.end(broken(err))
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.ended
}

// next reads the head of a frame, and all of one of standard error.
func (s *stdio) next() error {
	var head [frameHead]byte
	if _, err := io.ReadFull(s.conn.Reader, head[:]); err != nil {
		return err // io.EOF between two frames is the end of the process
	}
	size := int64(binary.BigEndian.Uint32(head[4:]))
	switch head[0] {
	case frameStdout:
		s.left = int(size)
		return nil
	case frameStderr:
		_, err := io.CopyN(errorWriter{s}, s.conn.Reader, size)
		return broken(err)
	}
	return fmt.Errorf("the engine sent a frame of the output %d, which there is not", head[0])
}

// broken tells the end of a connection in the middle of a frame from the end of the
// process.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// end notes the end of the stream, once.
func (s *stdio) end(err error) {
	if err == nil || s.ended != nil {
		return
	}
	s.ended = err
	if errors.Is(err, net.ErrClosed) {
		s.ended = net.ErrClosed
	}
	if len(s.line) > 0 {
		s.tell()
	}
	close(s.errs)
}

// errorWriter makes lines of standard error.
type errorWriter struct{ s *stdio }

func (w errorWriter) Write(p []byte) (int, error) {
	s, n := w.s, len(p)
	for len(p) > 0 {
		text, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := maxErrorLine - len(s.line); !s.cut {
			s.line = append(s.line, text[:min(len(text), room)]...)
			s.cut = len(text) > room
		}
		if whole {
			s.tell()
		}
		p = rest
	}
	return n, nil
}

func (s *stdio) tell() {
	select {
	case s.errs <- string(bytes.TrimSuffix(s.line, []byte("\r"))):
	default: // nobody waits for who takes them
	}
	s.line, s.cut = s.line[:0], false
}

func (s *stdio) Write(p []byte) (int, error) { return s.conn.Conn.Write(p) }

// ErrorLines implements discovery.ErrorOutput.
func (s *stdio) ErrorLines() <-chan string { return s.errs }

// Close ends the connection, and not the process's input: the engine would close the
// output with it, and the process would not hear of it.
func (s *stdio) Close() error {
	s.close.Do(func() {
		s.conn.Close()
		s.engine.close()
	})
	return nil
}
