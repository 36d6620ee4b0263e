package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"mcp-gw/discovery"
)

func frame(output byte, text string) []byte {
	b := []byte{output, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[4:], uint32(len(text)))
	return append(b, text...)
}

func streamOf(b []byte) *stdio {
	ours, theirs := net.Pipe()
	_ = theirs.Close()
	return &stdio{conn: types.HijackedResponse{Conn: ours, Reader: bufio.NewReaderSize(bytes.NewReader(b), 16)}, errs: make(chan string, errorLines)}
}

// Frames are no lines: what they hold goes on in the next one, and errors may come
// between two halves.
func TestStdioFrames(t *testing.T) {
	long := strings.Repeat("x", 3*maxErrorLine)
	all := bytes.Join([][]byte{frame(1, `{"a":`), frame(2, "one\ntw"), frame(1, ""), frame(1, "1}\n"), frame(2, "o\r\n"+long+"\nthree")}, nil)
	for name, tt := range map[string]struct {
		in   []byte
		out  string
		err  error
		errs []string
	}{
		"whole":        {all, "{\"a\":1}\n", nil, []string{"one", "two", long[:maxErrorLine], "three"}},
		"cut in frame": {append(bytes.Clone(all), frame(1, "half")[:10]...), "{\"a\":1}\nha", io.ErrUnexpectedEOF, []string{"one", "two", long[:maxErrorLine], "three"}},
		"cut in head":  {frame(1, "a")[:5], "", io.ErrUnexpectedEOF, nil},
		"no frame":     {frame(7, "a"), "", errors.New("the output 7"), nil},
	} {
		s := streamOf(tt.in)
		out, err := io.ReadAll(s)
		if string(out) != tt.out || (err == nil) != (tt.err == nil) || err != nil && !errors.Is(err, tt.err) && !strings.Contains(err.Error(), tt.err.Error()) {
			t.Errorf("%s: %q, %v; want %q, %v", name, out, err, tt.out, tt.err)
		}
		var errs []string
		for line := range s.ErrorLines() {
			errs = append(errs, line)
		}
		if strings.Join(errs, "|") != strings.Join(tt.errs, "|") {
			t.Errorf("%s: errors %.100q", name, errs)
		}
	}
}

func FuzzStdioFrames(f *testing.F) {
	f.Add(frame(1, "a\n"))
	f.Add(append(frame(2, "oops"), frame(1, "b")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := streamOf(b)
		out, _ := io.ReadAll(s)
		if len(out) > len(b) {
			t.Errorf("%d bytes out of %d", len(out), len(b))
		}
		for line := range s.ErrorLines() { // it must end
			if len(line) > maxErrorLine {
				t.Errorf("an error of %d bytes", len(line))
			}
		}
	})
}

// open opens the stdio backend of the latest set.
func open(t *testing.T, r *recorder) (io.ReadWriteCloser, error) {
	t.Helper()
	set, _ := r.set()
	if len(set) != 1 || set[0].Open == nil || set[0].Transport != discovery.TransportStdio || set[0].URL != "" {
		t.Fatalf("no stdio backend: %+v", set)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return set[0].Open(ctx)
}

func mustOpen(t *testing.T, r *recorder) (io.ReadWriteCloser, *bufio.Reader) {
	t.Helper()
	s, err := open(t, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, bufio.NewReader(s)
}

// said writes a line and reads until it comes back.
func said(t *testing.T, s io.Writer, from *bufio.Reader, line string) {
	t.Helper()
	if _, err := io.WriteString(s, line+"\n"); err != nil {
		t.Fatal(err)
	}
	for {
		got, err := from.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %d bytes", err, len(got))
		}
		if got == line+"\n" {
			return
		}
	}
}

func stdioLabel() map[string]string {
	return map[string]string{"mcp-gw.name": "echo", "mcp-gw.transport": "stdio"}
}

func TestF44Stdio(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: stdioLabel(), cmd: []string{"stdio"}, stdin: true})
	_, r := l.watch(Config{})
	r.awaitNames(t, "echo")

	s, from := mustOpen(t, r)
	said(t, s, from, "hello")
	// The two outputs come in no order, and are read together.
	for heard, deadline := false, time.Now().Add(patience); !heard; {
		select {
		case line := <-s.(discovery.ErrorOutput).ErrorLines():
			if heard = true; !strings.HasSuffix(line, " bytes") {
				t.Errorf("standard error: %q", line)
			}
		default:
			if time.Now().After(deadline) {
				t.Fatal("nothing came on standard error")
			}
			said(t, s, from, "more")
		}
	}
	t.Run("8 MB line", func(t *testing.T) { said(t, s, from, strings.Repeat("x", 8<<20)) })

	t.Run("half line of a dead client", func(*testing.T) { // the new stream is for what follows, too
		if _, err := io.WriteString(s, `{"half":`); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		s, from = mustOpen(t, r)
		said(t, s, from, `{"id":1}`)
	})

	t.Run("paused", func(t *testing.T) {
		l.must("pause", l.cli.ContainerPause(t.Context(), id))
		if s, err := open(t, r); err == nil || !strings.Contains(err.Error(), "docker unpause") {
			if s != nil {
				_ = s.Close()
			}
			t.Errorf("opened: %v", err)
		}
		l.must("unpause", l.cli.ContainerUnpause(t.Context(), id))
	})

	t.Run("restart", func(t *testing.T) {
		before, _ := r.set()
		old := before[0].Open
		zero := 0
		l.must("restart", l.cli.ContainerRestart(t.Context(), id, container.StopOptions{Timeout: &zero}))
		if _, err := io.Copy(io.Discard, from); err != nil {
			t.Errorf("the old stream ended with %v, want its end", err)
		}
		generation := before[0].Generation
		r.await(t, "the next process", func(set []discovery.Backend) bool {
			return len(set) == 1 && set[0].Generation != generation && !set[0].Held
		})
		if s, err := old(t.Context()); err == nil || !strings.Contains(err.Error(), "started anew") {
			if s != nil {
				_ = s.Close()
			}
			t.Errorf("the old process was opened: %v", err)
		}
		s, from := mustOpen(t, r)
		said(t, s, from, "again")
	})
}

// What cannot be spoken to is said, with the fix, and not registered.
func TestF44StdioThatCannotBe(t *testing.T) {
	l := newLab(t)
	for name, w := range map[string]want{
		"no stdin_open": {labels: stdioLabel(), cmd: []string{"8080"}},
		"tty":           {labels: map[string]string{"mcp-gw.name": "tty", "mcp-gw.transport": "stdio"}, cmd: []string{"stdio"}, stdin: true, tty: true},
	} {
		t.Run(name, func(t *testing.T) {
			id := l.start(w)
			p, r := l.watch(Config{})
			r.awaitNames(t)
			for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
				for _, o := range p.Report().Containers {
					if o.ID != id || o.State != "running" {
						continue
					}
					fix := map[string]string{"no stdin_open": "stdin_open: true", "tty": "without tty: true"}[name]
					if o.Verdict != verdictStdio || !strings.Contains(o.Fix, fix) {
						t.Errorf("%s: %s, fix %q", o.Verdict, o.Reason, o.Fix)
					}
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("not seen: %+v", p.Report())
				}
			}
		})
	}
}
