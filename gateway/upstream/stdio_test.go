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

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// Answers find their calls, in whatever order the one process gives them.
func TestStdioSharesOneProcess(t *testing.T) {
	p := newProcess(t)
	u := startStdio(t, p, quick())
	const calls = 100
	var mu sync.Mutex
	var waiting []string
	p.handle("tools/call", func(p *process, id, params string) {
		mu.Lock()
		waiting = append(waiting, id)
		all := len(waiting) == calls
		mu.Unlock()
		p.print(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, id)
		if all {
			for i := range waiting { // the last one first
				p.answer(waiting[calls-1-i], fmt.Sprintf(`{"text":"answer %s"}`, waiting[calls-1-i]))
			}
		}
	})
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			a := &ask{lane: fmt.Sprint("client", i%10), tool: "echo"}
			err := u.Call(t.Context(), a)
			answer, notified := a.got()
			if err != nil || !strings.Contains(answer, fmt.Sprintf(`"answer %d"`, a.ids[0])) || len(notified) != 1 {
				t.Errorf("call %d: %q, %d notifications, %v", a.ids[0], answer, len(notified), err)
			}
		})
	}
	wg.Wait()
	if s := u.State(); s.URL != stdioURL || s.Peer.Version != "2025-06-18" || p.opened != 1 {
		t.Errorf("url %q, version %q, opened %d times", s.URL, s.Peer.Version, p.opened)
	}
}

// A late answer of an earlier session of the same process, or one that another
// gateway asked for, is no answer to a call of this one.
func TestStdioIDsAreOfOneSession(t *testing.T) {
	p := newProcess(t)
	u := startStdio(t, p, quick())
	before := p.asked("initialize")[0]
	u.Reconnect()
	await(t, "a second session", func() bool { return len(p.asked("initialize")) == 2 && isReady(u.State()) })
	if again := p.asked("initialize")[1]; again == before {
		t.Errorf("both sessions begin with id %s", before)
	}
	p.handle("tools/call", func(p *process, id, _ string) {
		for n := range 2 * manyForeign {
			p.answer(fmt.Sprint(100+n), `{"text":"of another"}`)
		}
		p.answer(id, `{"text":"done"}`)
	})
	mustCall(t, u, "a", "echo", "done")
	awaitState(t, u, "the remark", func(s *State) bool { return hasCode(s.Remarks, codeForeign) })
}

func hasCode(remarks []discovery.Diagnostic, code string) bool {
	for _, r := range remarks {
		if r.Code == code {
			return true
		}
	}
	return false
}

// The end of the process fails the calls under way, at once and for good; the next
// call waits for its successor.
func TestStdioProcessEnds(t *testing.T) {
	p := newProcess(t)
	cfg := quick()
	cfg.CallTimeout = time.Hour
	u := startStdio(t, p, cfg)
	p.handle("tools/call", func(p *process, _, _ string) { p.exit() })
	_, err := call(t, u, "a", "echo")
	var lost *UnavailableError
	if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(err.Error(), "process ended") {
		t.Errorf("call: %v", err)
	}
	awaitState(t, u, "holding", func(s *State) bool { return s.Phase == PhaseHolding && len(s.Tools) == 1 })
	p.handle("tools/call", func(p *process, id, _ string) { p.answer(id, `{"text":"done"}`) })
	p.restart()
	mustCall(t, u, "a", "echo", "done")
	if n := len(p.asked("tools/call")); n != 2 {
		t.Errorf("%d calls arrived: the one that may have run was repeated", n)
	}
}

// An answer that came before the end counts.
func TestStdioAnswerBeforeTheEnd(t *testing.T) {
	p := newProcess(t)
	u := startStdio(t, p, quick())
	p.handle("tools/call", func(p *process, id, _ string) { p.answer(id, `{"text":"done"}`); p.exit(); p.restart() })
	for n := range 20 {
		mustCall(t, u, "a", "echo", "done")
		await(t, "connecting again", func() bool { return len(p.asked("notifications/initialized")) == n+2 && isReady(u.State()) })
	}
}

// A line that is no message is passed over, counted and shown, and nothing of it is
// mended; a line beyond the limit ends the session with its reason.
func TestStdioGarbage(t *testing.T) {
	p := newProcess(t)
	cfg := quick()
	u := startStdio(t, p, cfg)
	p.handle("tools/call", func(p *process, id, _ string) {
		for n := range 7 {
			p.print("Listening… 👩‍💻 %d", n)
		}
		p.print(`{"half":{"jsonrpc":"2.0","id":%s,"result":{}}`, id)
		p.answer(id, `{"text":"👩‍💻 done"}`)
	})
	mustCall(t, u, "a", "echo", "👩‍💻 done")
	s := awaitState(t, u, "the remark", func(s *State) bool { return hasCode(s.Remarks, codeGarbage) })
	if got := s.Remarks[0].Message; !strings.Contains(got, "Listening… 👩‍💻 0") || strings.Contains(got, "💻 6") {
		t.Errorf("remark: %s", got)
	}

	p.handle("tools/call", func(p *process, _, _ string) { p.print("%s", strings.Repeat("x", int(cfg.MaxMessage)+10)) })
	if _, err := call(t, u, "a", "echo"); err == nil || !strings.Contains(err.Error(), "MCP_GW_MAX_MESSAGE") {
		t.Errorf("call: %v", err)
	}
}

// What the process asks is nobody's to answer, whatever calls are under way; a ping
// is.
func TestStdioNobodyIsAsked(t *testing.T) {
	p := newProcess(t)
	u := startStdio(t, p, quick())
	p.handle("tools/call", func(p *process, id, _ string) {
		p.print(`{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{}}`)
		p.print(`{"jsonrpc":"2.0","id":"q2","method":"ping"}`)
		p.answer(id, `{"text":"done"}`)
	})
	asked := false
	a := &ask{lane: "a", tool: "echo", onAsk: func(*wire.Message, Reply) bool { asked = true; return false }}
	if err := u.Call(t.Context(), a); err != nil || asked {
		t.Fatalf("call: %v; a client was asked: %t", err, asked)
	}
	await(t, "two replies", func() bool {
		all := strings.Join(p.input(), "")
		return strings.Contains(all, `"id":"q1","error"`) && strings.Contains(all, `"id":"q2","result":{}`)
	})
	if strings.Contains(p.input()[0], "elicitation") || strings.Contains(p.input()[0], "sampling") {
		t.Errorf("declared what nobody can be asked for: %s", p.input()[0])
	}
}

// A client that takes nothing holds up nobody else's answers.
func TestF44SlowClient(t *testing.T) {
	p := newProcess(t)
	cfg := quick()
	u := startStdio(t, p, cfg)
	stuck, release := make(chan struct{}), make(chan struct{})
	p.handle("tools/call", func(p *process, id, params string) {
		if strings.Contains(params, "flood") {
			p.print(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":0}}`, id)
			<-stuck
			for n := range 3000 {
				p.print(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":"%s"}}`, id, n, strings.Repeat("x", 1000))
			}
		}
		p.answer(id, `{"text":"done"}`)
	})
	ended := make(chan error, 1)
	go func() {
		ended <- u.Call(context.Background(), &ask{lane: "slow", tool: "flood", onNotify: sync.OnceFunc(func() { close(stuck); <-release })})
	}()
	<-stuck
	for range 20 {
		mustCall(t, u, "quick", "echo", "done")
	}
	close(release)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "slowly") {
		t.Errorf("the slow client's call: %v", err)
	}
}

// A server that ends, or refuses everything, when it is asked anything before
// initialize works, and one of 2026-07-28 too.
func TestStdioEras(t *testing.T) {
	p := newProcess(t)
	startStdio(t, p, quick())
	if first := p.input()[0]; !strings.Contains(first, `"initialize"`) {
		t.Errorf("asked first: %s", first)
	}

	m := newProcess(t)
	m.handle("initialize", func(p *process, id, _ string) {
		p.print(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}`, id)
	})
	m.handle("server/discover", func(p *process, id, _ string) {
		p.answer(id, `{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}`)
	})
	u := startStdio(t, m, quick())
	if got := u.State().Peer; !got.Modern {
		t.Errorf("peer %+v", got)
	}
	mustCall(t, u, "a", "echo", "done")
}

// A process that takes no second greeting says so, with the fix.
func TestStdioRefusesASecondInitialize(t *testing.T) {
	p := newProcess(t)
	u := startStdio(t, p, quick())
	p.handle("initialize", func(p *process, id, _ string) {
		p.print(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32600,"message":"already initialized"}}`, id)
	})
	u.Reconnect()
	s := awaitState(t, u, "the refusal", func(s *State) bool { return hasCode(s.Remarks, codeRefused) })
	if !strings.Contains(s.Reason, "already initialized") || !strings.Contains(s.Reason, "docker restart") {
		t.Errorf("reason %q", s.Reason)
	}
}

// A process that does not read harms nobody: those who wait for their turn give up
// when they want, and no half message is left behind for the next one.
func TestStdioDoesNotRead(t *testing.T) {
	p := newProcess(t)
	cfg := quick()
	cfg.ConnectTimeout = 200 * time.Millisecond
	p.deaf = true
	u := start(t, p.backend(), cfg)
	s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
	if s.Phase == PhaseReady {
		t.Errorf("ready with a process that reads nothing")
	}
}

// Its standard error is shown to people, and a flood of it is counted.
func TestStdioErrorOutput(t *testing.T) {
	p := newProcess(t)
	cfg := quick()
	j := journal.New(journal.Options{})
	cfg.Record = j
	u := startStdio(t, p, cfg)
	p.mu.Lock()
	errs := p.errs
	p.mu.Unlock()
	errs <- "ready to serve"
	for n := range 500 {
		errs <- fmt.Sprint("noise ", n)
	}
	mustCall(t, u, "a", "echo", "done")
	count, ready := 0, false
	await(t, "the lines", func() bool {
		count, ready = 0, false
		for _, e := range j.Entries(1000) {
			if strings.HasPrefix(e.Message, "stderr: ") {
				count++
				ready = ready || strings.Contains(e.Message, "ready to serve")
			}
		}
		return ready && count >= maxErrorLines
	})
	if count > maxErrorLines+2 {
		t.Errorf("%d lines were noted", count)
	}
}

// mcp-go's own stdio server, over the same streams.
func TestStdioOfAnotherImplementation(t *testing.T) {
	s := server.NewMCPServer("go", "1", server.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("echo"), func(_ context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("done"), nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	fromServer, out := io.Pipe()
	in, toServer := io.Pipe()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.NewStdioServer(s).Listen(ctx, in, out); out.Close() }()
	t.Cleanup(func() { cancel(); in.Close(); out.Close(); <-ended })
	b := discovery.Backend{Name: "b", Source: discovery.SourceDocker, Transport: discovery.TransportStdio, Generation: "g1",
		Open: func(context.Context) (io.ReadWriteCloser, error) {
			errs := make(chan string)
			return &pipeStream{fromServer, toServer, func() { fromServer.Close(); toServer.Close() }, errs, closeOnce(errs)}, nil
		}}
	u := start(t, b, quick())
	awaitReady(t, u)
	for range 50 {
		mustCall(t, u, "a", "echo", "done")
	}
}
