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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
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

var (
	someLegacy = upstream.Peer{Version: "2025-11-25"}
	someModern = upstream.Peer{Modern: true, Version: "2026-07-28"}
)

// request is one request as a player gets it.
type request struct {
	*wire.Message
	header   http.Header
	exchange upstream.Exchange
	peer     upstream.Peer
}

// id is the id of the request, as JSON.
func (r request) id() string { return string(r.ID.In(r.Raw)) }

// send sends a message that belongs to the request.
func (r request) send(text string) {
	var m wire.Message
	if err := m.Scan([]byte(text)); err != nil {
		panic(err)
	}
	_ = r.exchange.Receive(&m, r.peer)
}

// ask asks the client something, and answers its response; "" when it cannot be
// asked, or ctx has ended.
func (r request) ask(ctx context.Context, text string) string {
	var m wire.Message
	if err := m.Scan([]byte(text)); err != nil {
		panic(err)
	}
	came := make(chan string, 1)
	if !r.exchange.Ask(&m, func(response []byte) { came <- string(response) }) {
		return ""
	}
	select {
	case response := <-came:
		return response
	case <-ctx.Done():
		return ""
	}
}

// player plays a backend: it answers the text of a `"result":…` or `"error":…`
// member. It is a bridge.Target.
type player struct {
	name                                 string
	modern                               bool
	capabilities, server, instructions   string
	tools, prompts, resources, templates []string
	schemas                              map[string]string // of tools that have another than an object
	mirrors                              map[string]*mcp.Tool
	hints                                [catalog.Kinds]catalog.Hint
	answer                               func(ctx context.Context, r request) string
	next                                 atomic.Int64
}

func (p *player) Call(ctx context.Context, x upstream.Exchange) error {
	id := strconv.FormatInt(p.next.Add(1)+100, 10)
	r := request{Message: new(wire.Message), header: http.Header{}, exchange: x, peer: someLegacy}
	if p.modern {
		r.peer = someModern
	}
	number, _ := strconv.ParseInt(id, 10, 64)
	if err := r.Scan(x.Encode(nil, number, r.peer)); err != nil {
		return fmt.Errorf("the request cannot be read: %w", err)
	}
	x.Header(r.header, r.peer)
	member := p.answer(ctx, r)
	if err := ctx.Err(); err != nil {
		return err
	}
	r.send(`{"jsonrpc":"2.0","id":` + id + `,` + member + `}`)
	return nil
}

func (p *player) source() catalog.Source {
	src := catalog.Source{Backend: p.name, Legacy: !p.modern, Hints: p.hints}
	add := func(k catalog.Kind, name, raw string) {
		src.Items[k] = append(src.Items[k], catalog.Item{Name: name, Raw: []byte(raw)})
	}
	for _, name := range p.tools {
		schema := `{"type":"object"}`
		if other := p.schemas[name]; other != "" {
			schema = other
		}
		add(catalog.Tools, name, fmt.Sprintf(`{"name":%q,"inputSchema":%s}`, name, schema))
	}
	for _, name := range p.prompts {
		add(catalog.Prompts, name, fmt.Sprintf(`{"name":%q}`, name))
	}
	for _, uri := range p.resources {
		add(catalog.Resources, uri, fmt.Sprintf(`{"uri":%q,"name":"r"}`, uri))
	}
	for _, uri := range p.templates {
		add(catalog.Templates, uri, fmt.Sprintf(`{"uriTemplate":%q,"name":"t"}`, uri))
	}
	return src
}

// house is a Handler with what it needs around it. It is its own Core.
type house struct {
	*Handler
	url  string
	view atomic.Pointer[View]

	mu        sync.Mutex // guards what follows
	gone      []string
	watched   []string // subscriptions, one "+backend uri" or "-backend uri" each
	told      []string // "backend lane message"
	levels    []string
	subscribe func(ctx context.Context, backend, uri string) error
	own       bool // clients with sessions subscribe in their own
}

func (h *house) View() *View { return h.view.Load() }

func (h *house) Left(lane string) { h.note(&h.gone, lane) }

func (h *house) Subscribe(ctx context.Context, backend, uri string, lane *upstream.Lane) (own bool, err error) {
	h.mu.Lock()
	refuse := h.subscribe
	h.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx, backend, uri); err != nil {
			return false, err
		}
	}
	h.note(&h.watched, "+"+backend+" "+uri)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.own && lane != nil, nil
}

func (h *house) Unsubscribe(backend, uri string, _ *upstream.Lane) {
	h.note(&h.watched, "-"+backend+" "+uri)
}

// watching are the URIs of a backend that are watched, sorted.
func (h *house) watching(backend string) (uris []string) {
	for _, w := range h.Watched(backend) {
		uris = append(uris, w.URI)
	}
	slices.Sort(uris)
	return uris
}

func (h *house) Tell(backend, lane string, message []byte) {
	h.note(&h.told, backend+" "+lane+" "+string(message))
}

func (h *house) SyncLevel(lane string) { h.note(&h.levels, lane) }

func (h *house) note(where *[]string, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*where = append(*where, what)
}

func (h *house) noted(where *[]string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), *where...)
}

func (h *house) left() []string { return h.noted(&h.gone) }

// tag is the short name of the session whose header s is.
func (h *house) tag(t *testing.T, s []string) string {
	t.Helper()
	tag, _, ok := h.sessions.read(s[1])
	if !ok {
		t.Fatalf("session id %q cannot be read", s[1])
	}
	return tag
}

// there reports whether the session is in memory.
func (h *house) there(s *session) bool {
	h.sessions.mu.RLock()
	defer h.sessions.mu.RUnlock()
	return h.sessions.byID[s.id] == s
}

// stage makes clients see these backends at /mcp, and each of them alone at its own
// endpoint, and tells nobody.
func (h *house) stage(players ...*player) {
	v := &View{Scopes: map[string]*Scope{}, Absent: map[string]string{"dead": "nothing listens there"}}
	v.Scopes[""] = h.scopeOf("", false, players)
	for _, p := range players {
		v.Scopes[p.name] = h.scopeOf(p.name, true, []*player{p})
	}
	h.view.Store(v)
}

func (h *house) scopeOf(name string, plain bool, players []*player) *Scope {
	s := &Scope{Name: name, Plain: plain, Tools: map[string]*bridge.Route{}, Prompts: map[string]*bridge.Route{}}
	var sources []catalog.Source
	for _, p := range players {
		sources = append(sources, p.source())
	}
	s.Snapshot = catalog.Build(sources, catalog.Options{Plain: plain})
	for _, p := range players {
		s.Backends = append(s.Backends, &Backend{Name: p.name, Legacy: !p.modern, Target: p, Capabilities: []byte(p.capabilities),
			Server: []byte(p.server), Instructions: p.instructions, URIs: s.Rewrites(p.name),
			Meter: func(what string) *journal.Meter { return h.cfg.Journal.Meter(p.name, what) }})
	}
	s.Identity = NewIdentity(h.cfg.Version, s.Backends, plain)
	for _, e := range s.Entries(catalog.Tools) {
		var mirror *mcp.Tool
		for _, p := range players {
			if p.name == e.Backend {
				mirror = p.mirrors[e.Name]
			}
		}
		s.Tools[e.Exposed] = s.Route(s.backend(e.Backend), e, e.Name).Prepare(mirror)
	}
	for _, e := range s.Entries(catalog.Prompts) {
		s.Prompts[e.Exposed] = s.Route(s.backend(e.Backend), e, "prompts/get "+e.Name).Prepare(nil)
	}
	if old := h.view.Load(); old != nil && old.Scopes[name] != nil {
		s.Versions = old.Scopes[name].Versions
	}
	s.Versions[catalog.Tools]++
	return s
}

// show makes clients see the tools of the legacy backend "b", and tells nobody.
func (h *house) show(tools map[string]tool, more ...string) {
	b := &player{name: "b", tools: more}
	for name := range tools {
		b.tools = append(b.tools, name)
	}
	slices.Sort(b.tools)
	b.answer = func(ctx context.Context, r request) string {
		name, _ := wire.Unquote(r.Name.In(r.Raw))
		if f := tools[name]; f != nil {
			return f(ctx, r.id(), r.send)
		}
		return `"error":{"code":-32601,"message":"the backend does not know it"}`
	}
	h.stage(b)
}

// newHouse makes a Handler that no test has to wait for, without a server.
func newHouse(change func(*Config)) *house {
	h := new(house)
	cfg := Config{Log: slog.New(slog.DiscardHandler), Journal: journal.New(journal.Options{}), Version: "9.9.9",
		MaxBody: 1 << 20, MaxSessions: 100, SessionIdle: time.Hour, KeepAlive: time.Hour, Key: [32]byte{1, 2, 3}}
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
		h.parking.Close()
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
// pairs of name and value; a value of "-" takes a header away, and Path and Query are no headers.
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
		case header[i] == "Path":
			r.URL.Path = header[i+1]
		case header[i] == "Query":
			r.URL.RawQuery = header[i+1]
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
	return h.hello(t, "2025-11-25", able)
}

// able is a client that answers whatever it is asked.
const able = `{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{"listChanged":true},"experimental":{}}`

// hello opens a session with a client of that revision and those capabilities, and
// answers its header.
func (h *house) hello(t *testing.T, version, capabilities string) []string {
	t.Helper()
	a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"`+version+`","capabilities":`+capabilities+`,"clientInfo":{"name":"c","version":"1"}}}`)
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
