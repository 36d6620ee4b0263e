package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// starter starts a process for each opening.
type starter struct {
	t    *testing.T
	set  func(n int, p *process) // prepares the nth
	mu   sync.Mutex              // guards what follows
	all  []*process
	gone []bool // closed by the gateway
}

func (s *starter) open(ctx context.Context) (io.ReadWriteCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, p := len(s.all), newProcess(s.t)
	p.handle("tools/call", func(p *process, id, _ string) { p.answer(id, fmt.Sprintf(`{"text":"process %d"}`, n)) })
	if s.set != nil {
		s.set(n, p)
	}
	stream, err := p.open(ctx)
	s.all, s.gone = append(s.all, p), append(s.gone, false)
	of := stream.(*pipeStream)
	closing := of.close
	of.close = func() {
		s.mu.Lock()
		s.gone[n] = true
		s.mu.Unlock()
		closing()
	}
	return stream, err
}

func (s *starter) backend() discovery.Backend {
	return discovery.Backend{Name: "b", Source: discovery.SourceDocker, Transport: discovery.TransportStdio, Open: s.open, Generation: "g1", PerClient: true}
}

func (s *starter) process(n int) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[n]
}

// left are the processes that were started and not closed.
func (s *starter) left() (left []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, gone := range s.gone {
		if !gone {
			left = append(left, n)
		}
	}
	return left
}

func (s *starter) awaitLeft(t *testing.T, want ...int) {
	t.Helper()
	await(t, fmt.Sprintf("processes %v to be left, there are %v", want, s.left()), func() bool { return fmt.Sprint(s.left()) == fmt.Sprint(want) })
}

// Each client has a process of its own, introduced as that client, for as long as it
// stays; the gateway asks one of its own.
func TestStdioProcessEach(t *testing.T) {
	s := &starter{t: t}
	u := start(t, s.backend(), quick())
	awaitReady(t, u)
	for range 2 {
		mustCall(t, u, "one", "echo", "process 1")
		mustCall(t, u, "two", "echo", "process 2")
	}
	s.awaitLeft(t, 0, 1, 2)
	u.CloseLane("one")
	s.awaitLeft(t, 0, 2)
	mustCall(t, u, "two", "echo", "process 2")
	mustCall(t, u, "one", "echo", "process 3")
	if n := len(s.process(0).asked("tools/call")); n != 0 {
		t.Errorf("%d calls in the gateway's own process", n)
	}
	u.Stop()
	s.awaitLeft(t)
}

// The end of one process is its client's loss alone: the call under way fails, the next
// one has a new process, and nobody else notices.
func TestStdioProcessEachEnds(t *testing.T) {
	how := &discovery.EndError{How: `"srv" exited with code 3`}
	s := &starter{t: t, set: func(n int, p *process) {
		if n == 1 {
			p.handle("tools/call", func(p *process, _, _ string) { _ = p.out.CloseWithError(how) })
		}
	}}
	cfg := quick()
	cfg.CallTimeout = time.Hour
	u := start(t, s.backend(), cfg)
	awaitReady(t, u)
	_, err := call(t, u, "one", "echo")
	var lost *UnavailableError
	if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(err.Error(), how.How) {
		t.Errorf("call: %v, want it to say how the process ended", err)
	}
	mustCall(t, u, "two", "echo", "process 2")
	mustCall(t, u, "one", "echo", "process 3")
	// The gateway's own is replaced, and those of clients stay.
	_ = s.process(0).out.Close()
	await(t, "another process of the gateway's", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.all) == 5 })
	mustCall(t, u, "two", "echo", "process 2")
	if st := u.State(); st.Phase != PhaseReady {
		t.Errorf("phase %v: %s", st.Phase, st.Reason)
	}
	s.awaitLeft(t, 2, 3, 4)
}

// What a process asks goes to the client that it was started for.
func TestStdioProcessEachAsks(t *testing.T) {
	s := &starter{t: t, set: func(n int, p *process) {
		var waiting string
		p.handle("tools/call", func(p *process, id, _ string) {
			waiting = id
			p.print(`{"jsonrpc":"2.0","id":"s1","method":"elicitation/create","params":{}}`)
		})
		p.handle("", func(p *process, id, _ string) {
			if id == `"s1"` {
				p.answer(waiting, `{"text":"done"}`)
			}
		})
	}}
	u := start(t, s.backend(), quick())
	awaitReady(t, u)
	one := &Lane{Key: "one", Capabilities: []byte(`{"elicitation":{}}`)}
	a := &ask{as: one, tool: "echo", onAsk: func(_ *wire.Message, reply Reply) bool {
		reply([]byte(`{"jsonrpc":"2.0","id":"s1","result":{"action":"decline"}}`))
		return true
	}}
	if err := u.Call(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if answer, _ := a.got(); !strings.Contains(answer, "done") {
		t.Errorf("answer %s", answer)
	}
	if hello := s.process(1).input()[0]; !strings.Contains(hello, `"capabilities":{"elicitation":{}}`) {
		t.Errorf("its process was greeted with %s", hello)
	}
}

// There is a bound on processes: who did nothing for longest gives way.
func TestStdioProcessEachIsBounded(t *testing.T) {
	s := &starter{t: t}
	u := start(t, s.backend(), quick())
	awaitReady(t, u)
	for n := range maxProcesses + 3 {
		mustCall(t, u, fmt.Sprint("client", n), "echo", fmt.Sprintf("process %d", n+1))
	}
	await(t, "no more processes than allowed", func() bool { return len(s.left()) == maxProcesses+1 })
	mustCall(t, u, fmt.Sprint("client", maxProcesses+2), "echo", fmt.Sprintf("process %d", maxProcesses+3))
}
