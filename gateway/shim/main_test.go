package shim

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

// This program is also the server that the tests run.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "-server" {
		os.Exit(serve(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// serve is a stdio server that has state, and faults on demand.
func serve(mode string) int {
	switch mode {
	case "broken":
		return 7
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	}
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	count, asker := 0, ""
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if mode == "stubborn" {
				time.Sleep(time.Hour)
			}
			return 0
		}
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				Name string
				Meta struct{ ProgressToken json.RawMessage } `json:"_meta"`
			}
			Result json.RawMessage
		}
		if json.Unmarshal([]byte(line), &m) != nil {
			return 1
		}
		text := func(id, s string) {
			say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%q}]}}`, id, s)
		}
		switch {
		case m.Method == "initialize":
			say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hello"}}`)
			say(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"helper","version":"1"}}}`, m.ID)
		case m.Method == "ping":
			say(`{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID)
		case m.Method == "tools/list":
			var tools []string
			for _, name := range []string{"pid", "count", "ask", "progress", "exit"} {
				tools = append(tools, fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"}}`, name))
			}
			say(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[%s]}}`, m.ID, strings.Join(tools, ","))
		case m.Method == "" && string(m.ID) == `"question"`:
			text(asker, "told: "+string(m.Result))
		case m.Method != "tools/call":
		case m.Params.Name == "pid":
			text(string(m.ID), strconv.Itoa(os.Getpid()))
		case m.Params.Name == "count":
			count++
			text(string(m.ID), strconv.Itoa(count))
		case m.Params.Name == "ask":
			asker = string(m.ID)
			say(`{"jsonrpc":"2.0","id":"question","method":"sampling/createMessage","params":{}}`)
		case m.Params.Name == "progress":
			for i := range 3 {
				say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d}}`, m.Params.Meta.ProgressToken, i)
			}
			text(string(m.ID), "done")
		case m.Params.Name == "exit":
			return 3
		}
	}
}

// running is a shim that serves a test.
type running struct {
	*Shim
	url   string
	stop  func()
	ended chan error // what Run returned
}

func start(t *testing.T, mode string, cfg Config) *running {
	t.Helper()
	cfg.Command, cfg.Stderr = []string{os.Args[0], "-server", mode}, io.Discard
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Shim: s, stop: cancel, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() { defer close(done); r.ended <- s.Run(ctx) }()
	web := httptest.NewServer(s)
	r.url = web.URL
	t.Cleanup(func() {
		s.EndStreams()
		cancel()
		<-done
		web.CloseClientConnections()
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

// caller is a client, with a session from dial on.
type caller struct {
	t       *testing.T
	url     string
	session string
	ids     int
}

func (r *running) dial(t *testing.T) *caller {
	t.Helper()
	c := &caller{t: t, url: r.url + "/mcp"}
	status, body, header := c.post(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"sampling":{}},"clientInfo":{"name":"t","version":"1"}}}`)
	if c.session = header.Get(headerSession); status != http.StatusOK || c.session == "" {
		t.Fatalf("initialize: got HTTP %d %s", status, body)
	}
	c.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return c
}

func (c *caller) send(method, body string) *http.Response {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.session != "" {
		req.Header.Set(headerSession, c.session)
		req.Header.Set("MCP-Protocol-Version", "2025-06-18")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

func (c *caller) post(body string) (status int, text string, header http.Header) {
	c.t.Helper()
	resp := c.send(http.MethodPost, body)
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Error(err)
	}
	return resp.StatusCode, string(all), resp.Header
}

// call calls a tool and answers the body, a stream or not.
func (c *caller) call(tool string) (status int, body string) {
	c.t.Helper()
	c.ids++
	status, body, _ = c.post(callBody(c.ids, tool))
	return status, body
}

func callBody(id int, tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{},"_meta":{"progressToken":"p%d"}}}`, id, tool, id)
}

// number calls a tool whose text is a number.
func (c *caller) number(tool string) int {
	c.t.Helper()
	status, body := c.call(tool)
	_, rest, _ := strings.Cut(body, `"text":"`)
	digits, _, _ := strings.Cut(rest, `"`)
	n, err := strconv.Atoi(digits)
	if err != nil {
		c.t.Fatalf("%s: got HTTP %d %s", tool, status, body)
	}
	return n
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
