package pool

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Whatever the tests start must be over when they are.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

func quick() upstream.Config {
	return upstream.Config{Log: slog.New(slog.DiscardHandler), Record: journal.New(journal.Options{}), Version: "test",
		MaxMessage: 1 << 20, ConnectTimeout: 2 * time.Second, CallTimeout: 5 * time.Second,
		PingInterval: time.Hour, Hold: 3 * time.Second, LaneIdle: time.Hour, MaxLanes: 1000}
}

// process is one MCP server that can be killed and started again at its address.
type process struct {
	name    string
	address string
	modern  bool
	tools   string // in tools/list
	// during is called while a call runs, before it is answered. False: no answer.
	during func(call string) bool

	mu       sync.Mutex // guards what follows
	calls    []string   // that began to run
	sessions int
	watched  []string // session and URI
	told     map[string]string
	streams  map[string]chan string // by session
	server   *http.Server
}

func newProcess(t testing.TB, name string) *process {
	t.Helper()
	p := &process{name: name, tools: `{"name":"who","inputSchema":{"type":"object"}}`, told: map[string]string{}, streams: map[string]chan string{}}
	p.start(t)
	t.Cleanup(p.kill)
	return p
}

// start makes the process listen, at the address it had.
func (p *process) start(t testing.TB) {
	t.Helper()
	address := p.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	var l net.Listener
	var err error
	for limit := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if l, err = net.Listen("tcp", address); err == nil || time.Now().After(limit) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: p}
	p.mu.Lock()
	p.address, p.server = l.Addr().String(), server
	p.mu.Unlock()
	go func() { _ = server.Serve(l) }()
}

// kill ends it as SIGKILL does: the listener and all connections at once.
func (p *process) kill() {
	p.mu.Lock()
	server := p.server
	p.mu.Unlock()
	_ = server.Close()
}

func (p *process) ran() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}

func (p *process) watches() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.watched, " ")
}

func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := r.Header.Get("Mcp-Session-Id")
	if r.Method == http.MethodGet {
		p.stream(w, r, session)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var m wire.Message
	if r.Method != http.MethodPost || m.Scan(body) != nil || m.ID.In(body) == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	tail := ""
	if p.modern {
		tail = `,"resultType":"complete","ttlMs":0,"cacheScope":"public"`
	}
	reply := func(member string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, m.ID.In(body), member)
	}
	const capabilities = `"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}}`
	uri, _ := wire.Unquote(m.URI.In(body))
	switch m.Method {
	case "server/discover":
		if !p.modern {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		reply(`"result":{"supportedVersions":["2026-07-28"],` + capabilities + tail + `}`)
	case "initialize":
		if p.modern {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.sessions++
		id := fmt.Sprintf("%s-%d", p.name, p.sessions)
		p.mu.Unlock()
		w.Header().Set("Mcp-Session-Id", id)
		reply(`"result":{"protocolVersion":"2025-11-25",` + capabilities + `,"serverInfo":{"name":"demo","version":"1"}}`)
	case "tools/list":
		reply(`"result":{"tools":[` + p.tools + `]` + tail + `}`)
	case "resources/templates/list":
		reply(`"result":{"resourceTemplates":[]` + tail + `}`)
	case "resources/list":
		reply(`"result":{"resources":[]` + tail + `}`)
	case "resources/subscribe", "resources/unsubscribe":
		p.mu.Lock()
		if what := session + "=" + uri; m.Method == "resources/subscribe" {
			p.watched = append(p.watched, what)
		} else {
			p.watched = without(p.watched, what)
		}
		p.mu.Unlock()
		reply(`"result":{}`)
	case "logging/setLevel":
		level, _ := wire.Unquote(wire.Member(m.Params.In(body), "level"))
		p.mu.Lock()
		p.told[session] = level
		p.mu.Unlock()
		reply(`"result":{}`)
	case "tools/call":
		call, _ := wire.Unquote(wire.Member(m.Arguments.In(body), "call"))
		p.mu.Lock()
		p.calls = append(p.calls, call)
		p.mu.Unlock()
		if p.during != nil && !p.during(call) {
			panic(http.ErrAbortHandler)
		}
		reply(`"result":{"content":[{"type":"text","text":"` + p.name + `"}]` + tail + `}`)
	default:
		reply(`"result":{}`)
	}
}

func without(all []string, what string) (left []string) {
	for _, s := range all {
		if s != what {
			left = append(left, s)
		}
	}
	return left
}

func (p *process) stream(w http.ResponseWriter, r *http.Request, session string) {
	if session == "" || p.modern {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	messages := make(chan string, 16)
	p.mu.Lock()
	p.streams[session] = messages
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.streams, session)
		p.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for _ = rc.Flush(); ; _ = rc.Flush() {
		select {
		case m := <-messages:
			fmt.Fprintf(w, "data: %s\n\n", m)
		case <-r.Context().Done():
			return
		}
	}
}

// tell sends a message on all streams that clients have open.
func (p *process) tell(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stream := range p.streams {
		stream <- message
	}
}

// listening answers how many streams are open.
func (p *process) listening() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.streams)
}

// backend is what discovery says of the processes.
func backend(all ...*process) discovery.Backend {
	b := discovery.Backend{Name: "b", Source: discovery.SourceDocker, Transport: discovery.TransportHTTP}
	for i, p := range all {
		r := discovery.Replica{ReplicaRole: discovery.ReplicaRole{ID: "id-" + p.name, Weight: 1}, URL: "http://" + p.address + "/mcp",
			Generation: p.name, Container: &discovery.Container{ID: "id-" + p.name, Name: p.name}}
		if i > 0 {
			b.Replicas = append(b.Replicas, r)
			continue
		}
		b.Replica, b.URL, b.Generation, b.Container = r.ReplicaRole, r.URL, r.Generation, r.Container
	}
	return b
}

func start(t testing.TB, b discovery.Backend, cfg upstream.Config) *Pool {
	t.Helper()
	p := New(b, cfg, func() {})
	var work sync.WaitGroup
	p.Start(&work)
	t.Cleanup(func() {
		p.Stop()
		done := make(chan struct{})
		go func() { defer close(done); work.Wait() }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("it did not end after Stop")
		}
	})
	return p
}

// startReady waits until every replica is connected.
func startReady(t testing.TB, all ...*process) *Pool {
	t.Helper()
	p := start(t, backend(all...), quick())
	awaitAll(t, p, len(all))
	return p
}

func awaitAll(t testing.TB, p *Pool, n int) {
	t.Helper()
	await(t, fmt.Sprintf("connecting %d replicas", n), func() bool {
		ready := 0
		for _, e := range p.Endpoints() {
			if e.State.Phase == upstream.PhaseReady {
				ready++
			}
		}
		return ready == n && len(p.Endpoints()) == n
	})
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// ask is a call of who.
type ask struct {
	lane *upstream.Lane
	call string

	mu     sync.Mutex // guards answer
	answer string
}

func (a *ask) Lane() *upstream.Lane                   { return a.lane }
func (a *ask) Ask(*wire.Message, upstream.Reply) bool { return false }
func (a *ask) Header(h http.Header, to upstream.Peer) {
	if to.Modern {
		h["Mcp-Method"], h["Mcp-Name"] = []string{"tools/call"}, []string{"who"}
	}
}

func (a *ask) Encode(dst []byte, id int64, to upstream.Peer) []byte {
	meta := ""
	if to.Modern {
		meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	}
	return fmt.Appendf(dst, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"who","arguments":{"call":%q}%s}}`, id, a.call, meta)
}

func (a *ask) Receive(m *wire.Message, _ upstream.Peer) error {
	if m.Kind != wire.KindResponse {
		return nil
	}
	text := ""
	_ = wire.Elements(wire.Member(m.Result.In(m.Raw), "content"), func(raw []byte) error {
		text, _ = wire.Unquote(wire.Member(raw, "text"))
		return nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = text
	return nil
}

// who makes a call and answers which process took it.
func who(p *Pool, lane *upstream.Lane, call string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	a := &ask{lane: lane, call: call}
	err := p.Call(ctx, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answer, err
}

func mustWho(t testing.TB, p *Pool, lane *upstream.Lane, call string) string {
	t.Helper()
	name, err := who(p, lane, call)
	if err != nil {
		t.Fatalf("call %s: %v", call, err)
	}
	return name
}

// client is a lane whose client listens.
type client struct {
	mu    sync.Mutex // guards heard
	heard []string
}

func newClient(key string) (*upstream.Lane, *client) {
	c := &client{}
	return &upstream.Lane{Key: key, Version: "2025-11-25", Inbox: c}, c
}

func (c *client) Notified(_ string, m *wire.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, string(m.Raw))
}

func (c *client) Asked(string, *wire.Message, upstream.Reply) bool { return false }

func (c *client) count(text string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.heard {
		if strings.Contains(m, text) {
			n++
		}
	}
	return n
}
