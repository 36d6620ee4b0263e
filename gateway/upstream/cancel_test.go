package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/gateway/wire"
)

func TestSilenceEndsACall(t *testing.T) {
	b := newBackend(t)
	want := at(b.URL)
	want.CallTimeout = 100 * time.Millisecond
	u := start(t, want, quick())
	awaitReady(t, u)
	b.handle("tools/call", hang)
	if _, err := call(t, u, "a", "echo"); err == nil || !strings.Contains(err.Error(), "timed out after 100ms of silence") {
		t.Errorf("call: %v", err)
	}
	// The backend hears that nobody waits any more.
	await(t, "cancelling", func() bool { return len(b.asked("notifications/cancelled")) == 1 })
	if c, asked := b.asked("notifications/cancelled")[0], b.asked("tools/call")[0]; !strings.Contains(c.body, `"requestId":`+asked.id) || c.session != asked.session {
		t.Errorf("cancelled %s in %s, want %s in %s", c.body, c.session, asked.id, asked.session)
	}
}

// Progress is a sign of life: a call may last as long as it makes some.
func TestProgressKeepsACallAlive(t *testing.T) {
	b := newBackend(t)
	want := at(b.URL)
	want.CallTimeout = 1500 * time.Millisecond // far more than a pause takes on a busy machine
	u := start(t, want, quick())
	awaitReady(t, u)
	began := time.Now()
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		for i := range 10 {
			time.Sleep(want.CallTimeout / 8)
			send(w, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d}}`, q.id, i)
		}
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[],"text":"done"}}`, q.id)
	})
	a := &ask{lane: "a", tool: "echo"}
	if err := u.Call(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if _, progress := a.got(); len(progress) != 10 || time.Since(began) < want.CallTimeout {
		t.Errorf("%d notifications in %v", len(progress), time.Since(began))
	}
}

// A caller that gives up is heard by real servers of each era and transport.
func TestCancellationReachesTheBackend(t *testing.T) {
	for _, name := range []string{"legacy", "modern", "sse"} {
		t.Run(name, func(t *testing.T) {
			s := echoServer()
			arrived, ended := make(chan struct{}), make(chan struct{})
			s.AddTool(mcp.NewTool("wait"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				close(arrived)
				<-ctx.Done()
				close(ended)
				return nil, ctx.Err()
			})
			b := at("")
			switch name {
			case "legacy":
				b.URL = serve(t, server.NewStreamableHTTPServer(s, server.WithStateful(true), server.WithStreamableHTTPProtocolVersions("2025-11-25"))).URL
			case "modern":
				b.URL = serve(t, server.NewStreamableHTTPServer(s)).URL
			case "sse":
				b.URL = realSSE(t, s).URL + "/sse"
			}
			u := start(t, b, quick())
			awaitReady(t, u)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() { done <- u.Call(ctx, &ask{lane: "a", tool: "wait"}) }()
			<-arrived
			cancel()
			if err := <-done; err == nil {
				t.Error("the cancelled call succeeded")
			}
			select {
			case <-ended:
			case <-time.After(patience):
				t.Error("the backend did not hear of it")
			}
			mustCall(t, u, "a", "echo", "done")
		})
	}
}

// A call that was answered is not cancelled afterwards.
func TestAnsweredCallIsNotCancelled(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	ctx, cancel := context.WithCancel(context.Background())
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		send(w, `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		send(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, q.id)
	})
	a := &lateCancel{ask: ask{lane: "a", tool: "echo"}, cancel: cancel}
	if err := u.Call(ctx, a); err != nil {
		t.Errorf("call: %v", err)
	}
	mustCall(t, u, "a", "echo", "result")
	if n := len(b.asked("notifications/cancelled")); n > 0 {
		t.Errorf("cancelled %d calls", n)
	}
}

// lateCancel gives up when it has the answer.
type lateCancel struct {
	ask
	cancel func()
}

func (c *lateCancel) Receive(m *wire.Message, from Peer) error {
	err := c.ask.Receive(m, from)
	if answer, _ := c.got(); answer != "" {
		c.cancel()
	}
	return err
}

// No message of a backend may take more memory than allowed.
func TestHugeMessages(t *testing.T) {
	pad := strings.Repeat("x", 2<<20)
	for name, answer := range map[string]func(http.ResponseWriter, *question){
		"of known length": func(w http.ResponseWriter, q *question) {
			w.Header().Set("Content-Length", strconv.Itoa(len(pad)))
			fmt.Fprint(w, pad)
		},
		"of unknown length": func(w http.ResponseWriter, q *question) { reply(w, q, `{"text":"`+pad+`"}`) },
		"as one event":      func(w http.ResponseWriter, q *question) { stream(w); send(w, "%s", pad) },
		"as a refusal":      func(w http.ResponseWriter, q *question) { w.WriteHeader(500); fmt.Fprint(w, pad) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			b.handle("tools/call", answer)
			if _, err := call(t, u, "a", "echo"); err == nil || !strings.Contains(err.Error(), "larger than allowed") {
				t.Errorf("call: %.300v", err)
			}
			b.handle("tools/call", nil)
			mustCall(t, u, "a", "echo", "done")
		})
	}
}

// An error that names the request is the answer to it, whatever its code and status.
func TestErrorsAreRelayed(t *testing.T) {
	for _, modern := range []bool{false, true} {
		b := newBackend(t)
		b.modern = modern
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		for _, status := range []int{200, 400, 404, 500} {
			for _, code := range []int{-32601, -32602, -32603, -32000, -32019, 4242} {
				if status == http.StatusNotFound && !modern {
					continue // a lost session
				}
				member := fmt.Sprintf(`"error":{"code":%d,"message":"quota","data":{"a":1e400}}`, code)
				b.handle("tools/call", func(w http.ResponseWriter, q *question) {
					w.WriteHeader(status)
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, q.id, member)
				})
				mustCall(t, u, "a", "echo", member)
			}
		}
	}
}

// What is not the answer to the call is not taken for it.
func TestForeignAnswers(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		stream(w)
		send(w, `{"jsonrpc":"2.0","id":1,"result":{"text":"foreign"}}`)
		send(w, `{"jsonrpc":"2.0","id":"%s","result":{"text":"foreign"}}`, q.id)
		send(w, `no JSON`)
		fmt.Fprint(w, "event: other\ndata: {}\n\n: comment\r\n\r\n")
		send(w, `{"jsonrpc":"2.0",`+"\ndata: "+`"id":%s,"result":{"text":"done"}}`, q.id)
	})
	mustCall(t, u, "a", "echo", "done")
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{"text":"foreign"}}`)
	})
	if _, err := call(t, u, "a", "echo"); err == nil || !strings.Contains(err.Error(), "instead of") {
		t.Errorf("call: %v", err)
	}
}
