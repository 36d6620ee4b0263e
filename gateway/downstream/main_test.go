package downstream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// tool plays a backend's tool: it answers the text of a `"result":…` or `"error":…`
// member, and may send messages before.
type tool func(ctx context.Context, id string, send func(message string)) string

// played is a bridge.Target made of a tool.
type played struct {
	f    tool
	next *atomic.Int64
}

var someLegacy = upstream.Peer{Version: "2025-11-25"}

func (p played) Call(ctx context.Context, x upstream.Exchange) error {
	id := p.next.Add(1)
	x.Encode(nil, id, someLegacy)
	send := func(text string) {
		var m wire.Message
		if err := m.Scan([]byte(text)); err != nil {
			panic(err)
		}
		_ = x.Receive(&m, someLegacy)
	}
	member := p.f(ctx, strconv.FormatInt(id, 10), send)
	if err := ctx.Err(); err != nil {
		return err
	}
	send(`{"jsonrpc":"2.0","id":` + strconv.FormatInt(id, 10) + `,` + member + `}`)
	return nil
}

// house is a Handler with what it needs around it. It is its own Core.
type house struct {
	*Handler
	url  string
	view atomic.Pointer[View]

	mu   sync.Mutex // guards what follows
	gone []string
}

func (h *house) View() *View { return h.view.Load() }

func (h *house) Left(lane string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = append(h.gone, lane)
}

func (h *house) left() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.gone...)
}

// show makes clients see the tools of the backend "b", and tells nobody.
func (h *house) show(tools map[string]tool, more ...string) {
	src := catalog.Source{Backend: "b", Legacy: true}
	var next atomic.Int64
	next.Store(100)
	add := func(name string) {
		src.Tools = append(src.Tools, catalog.Tool{Name: name, Raw: fmt.Appendf(nil, `{"name":%q,"inputSchema":{"type":"object"}}`, name)})
	}
	for name := range tools {
		add(name)
	}
	for _, name := range more {
		add(name)
	}
	v := &View{Snapshot: catalog.Build([]catalog.Source{src}, nil), Routes: map[string]*bridge.Route{}, Absent: map[string]string{"dead": "nothing listens there"}}
	if old := h.view.Load(); old != nil {
		v.Version = old.Version + 1
	}
	for _, e := range v.Entries() {
		v.Routes[e.Exposed] = bridge.NewRoute(e, nil, h.cfg.Journal.Meter(e.Backend, e.Name), played{tools[e.Name], &next})
	}
	h.view.Store(v)
}

// newHouse makes a Handler that no test has to wait for, without a server.
func newHouse(change func(*Config)) *house {
	h := new(house)
	cfg := Config{Log: slog.New(slog.DiscardHandler), Journal: journal.New(journal.Options{}), Version: "9.9.9",
		MaxBody: 1 << 20, MaxSessions: 100, SessionIdle: time.Hour, KeepAlive: time.Hour}
	if change != nil {
		change(&cfg)
	}
	h.Handler = New(cfg, h)
	h.show(map[string]tool{"echo": func(context.Context, string, func(string)) string { return `"result":{"content":[],"text":"done"}` }})
	return h
}

func start(t *testing.T, change func(*Config)) *house {
	t.Helper()
	h := newHouse(change)
	srv := httptest.NewServer(h)
	h.url = srv.URL + "/mcp"
	t.Cleanup(func() {
		h.EndStreams()
		srv.CloseClientConnections()
		srv.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return h
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
}

// last is the last message of the answer, whatever it came as.
func (a answer) last() string {
	if a.header.Get("Content-Type") != "text/event-stream" {
		return a.body
	}
	m := messages(a.body)
	if len(m) == 0 {
		return ""
	}
	return m[len(m)-1]
}

// messages are the data of all events in text.
func messages(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			all = append(all, strings.TrimSuffix(data, "\n"))
		}
	}
	return all
}

// request makes a request with the headers that clients send, changed by header:
// pairs of name and value; a value of "-" takes a header away.
func (h *house) request(ctx context.Context, t *testing.T, verb, body string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, verb, h.url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(header); i += 2 {
		switch {
		case header[i] == "Host":
			r.Host = header[i+1]
		case header[i+1] == "-":
			r.Header.Del(header[i])
		default:
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

func (h *house) do(t *testing.T, verb, body string, header ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	res, err := http.DefaultClient.Do(h.request(ctx, t, verb, body, header...))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func (h *house) post(t *testing.T, body string, header ...string) answer {
	t.Helper()
	return h.do(t, http.MethodPost, body, header...)
}

// initialize opens a session and answers its header.
func (h *house) initialize(t *testing.T) []string {
	t.Helper()
	a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)
	id := a.header.Get("Mcp-Session-Id")
	if a.status != http.StatusOK || id == "" {
		t.Fatalf("initialize: %+v", a)
	}
	return []string{"Mcp-Session-Id", id}
}

// meta is the envelope of a modern request.
const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// modernHeader is the header that goes with method and name.
func modernHeader(method, name string) []string {
	h := []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	if name != "" {
		h = append(h, "Mcp-Name", name)
	}
	return h
}

// modernCall is the body of a modern request; params are members, or "".
func modernCall(id, method, params string) string {
	if params != "" {
		params += ","
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{` + params + meta + `}}`
}

// lines is an open stream.
type lines struct {
	*bufio.Reader
	res *http.Response
}

// open begins a stream that ends with the test.
func (h *house) open(t *testing.T, verb, body string, header ...string) *lines {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	res, err := http.DefaultClient.Do(h.request(ctx, t, verb, body, header...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		t.Fatalf("%s: %d %v %s", verb, res.StatusCode, res.Header, b)
	}
	return &lines{bufio.NewReader(res.Body), res}
}

// next answers the next message, or the comment if want is ":", and "" at the end.
func (l *lines) next(t *testing.T, comment bool) string {
	t.Helper()
	timer := time.AfterFunc(patience, func() { l.res.Body.Close() })
	defer timer.Stop()
	for {
		line, err := l.ReadString('\n')
		if err == io.EOF {
			return ""
		}
		if err != nil {
			t.Fatalf("the stream is silent: %v", err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && !comment {
			return strings.TrimSuffix(data, "\n")
		}
		if comment && strings.HasPrefix(line, ":") {
			return strings.TrimSuffix(line, "\n")
		}
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s did not happen", what)
		}
	}
}
