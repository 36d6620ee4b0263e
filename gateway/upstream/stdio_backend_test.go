package upstream

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"mcp-gw/discovery"
)

// process is a scripted stdio server: one process, to which one stream at a time is
// attached. It outlives its streams, unless it is ended.
type process struct {
	t *testing.T

	mu     sync.Mutex // guards what follows
	on     map[string]func(p *process, id, params string)
	seen   []string // lines of its input
	ids    map[string][]string
	out    *io.PipeWriter
	in     *io.PipeReader
	opened int
	errs   chan string
	refuse error // what Open answers
	deaf   bool  // it does not read
}

func newProcess(t *testing.T) *process {
	p := &process{t: t, on: map[string]func(*process, string, string){}, ids: map[string][]string{}}
	p.on["initialize"] = func(p *process, id, _ string) {
		p.answer(id, `{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"p","version":"1"}}`)
	}
	p.on["tools/list"] = func(p *process, id, _ string) { p.answer(id, `{"tools":`+oneTool+`}`) }
	p.on["ping"] = func(p *process, id, _ string) { p.answer(id, `{}`) }
	p.on["tools/call"] = func(p *process, id, _ string) { p.answer(id, `{"text":"done"}`) }
	return p
}

func (p *process) handle(method string, f func(p *process, id, params string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on[method] = f
}

// pipeStream is the gateway's end.
type pipeStream struct {
	io.Reader
	io.Writer
	close func()
	errs  chan string
	last  func() // closes errs
}

func closeOnce(errs chan string) func() { return sync.OnceFunc(func() { close(errs) }) }

// Read ends the lines of standard error with the output: both come over one
// connection, and who reads it is the one to know that it has ended.
func (s *pipeStream) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil {
		s.last()
	}
	return n, err
}

func (s *pipeStream) Close() error              { s.close(); return nil }
func (s *pipeStream) ErrorLines() <-chan string { return s.errs }

func (p *process) open(context.Context) (io.ReadWriteCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return nil, p.refuse
	}
	fromServer, out := io.Pipe()
	in, toServer := io.Pipe()
	p.out, p.in, p.errs = out, in, make(chan string, 10)
	p.opened++
	if !p.deaf {
		go p.serve(in)
	}
	return &pipeStream{fromServer, toServer, func() { fromServer.Close(); toServer.Close(); in.Close() }, p.errs, closeOnce(p.errs)}, nil
}

func (p *process) serve(in io.Reader) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		var m struct {
			Method     string
			ID, Params json.RawMessage
		}
		_ = json.Unmarshal([]byte(line), &m)
		p.mu.Lock()
		p.seen = append(p.seen, line)
		p.ids[m.Method] = append(p.ids[m.Method], string(m.ID))
		do := p.on[m.Method]
		p.mu.Unlock()
		if do != nil {
			do(p, string(m.ID), string(m.Params))
		}
	}
}

func (p *process) print(format string, args ...any) {
	p.mu.Lock()
	out := p.out
	p.mu.Unlock()
	_, _ = fmt.Fprintf(out, format+"\n", args...)
}

func (p *process) answer(id, result string) {
	p.print(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result)
}

// exit ends the process: its output ends, its input takes anything.
func (p *process) exit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = errors.New("its container is not running")
	_ = p.out.Close()
	go func(in io.Reader) { _, _ = io.Copy(io.Discard, in) }(p.in)
}

func (p *process) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = nil
}

func (p *process) asked(method string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.ids[method]...)
}

// input answers the lines that came in.
func (p *process) input() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.seen...)
}

func (p *process) backend() discovery.Backend {
	return discovery.Backend{Name: "b", Source: discovery.SourceDocker, Transport: discovery.TransportStdio, Open: p.open, Generation: "g1"}
}

func startStdio(t *testing.T, p *process, cfg Config) *Upstream {
	t.Helper()
	u := start(t, p.backend(), cfg)
	awaitReady(t, u)
	return u
}
