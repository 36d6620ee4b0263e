package e2e

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	legacyVersion = "2025-11-25"
	modernVersion = "2026-07-28"
)

// rawClient speaks MCP over streamable HTTP by hand, so that every byte sent and
// received is the test's own. Its methods may be called from any goroutine.
type rawClient struct {
	url     string
	http    *http.Client
	modern  bool
	session string // Mcp-Session-Id; legacy only
	hello   answer // of initialize, or of server/discover
	ids     atomic.Int64
}

// ask is one request. params and meta are the texts of an object's members.
type ask struct {
	method string
	name   string // of a tool, for the headers of the modern era
	params string
	meta   string
	id     string // text; a fresh number when empty
}

// callTool asks for a tool with the text of its arguments.
func callTool(name, arguments string) ask {
	return ask{method: "tools/call", name: name, params: `"name":` + strconv.Quote(name) + `,"arguments":` + arguments}
}

// answer is what came back for one request.
type answer struct {
	status int
	header http.Header
	final  []byte   // the JSON-RPC response, or the whole body where there is none
	before [][]byte // the messages that came ahead of it
}

func (a answer) result() []byte { return get(a.final, "result") }

func (a answer) String() string {
	return fmt.Sprintf("HTTP %d %s %.2000s", a.status, a.header.Get("Content-Type"), a.final)
}

// dialLegacy opens a session of the 2025 era.
func dialLegacy(t *testing.T, url string) *rawClient {
	t.Helper()
	return dialLegacyAs(t, url, "e2e", "1")
}

// dialLegacyAs opens a session under a name.
func dialLegacyAs(t *testing.T, url, name, version string) *rawClient {
	t.Helper()
	c := newRawClient(t, url, false)
	c.hello = c.must(t, ask{method: "initialize", params: fmt.Sprintf(`"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":%q,"version":%q}`,
		legacyVersion, name, version)})
	c.session = c.hello.header.Get("Mcp-Session-Id")
	resp, err := c.post(t.Context(), `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("notifications/initialized: got HTTP %d, want 202", resp.StatusCode)
	}
	return c
}

// dialModern asks who is there in the 2026 era; nothing stays open.
func dialModern(t *testing.T, url string) *rawClient {
	t.Helper()
	c := newRawClient(t, url, true)
	c.hello = c.must(t, ask{method: "server/discover"})
	return c
}

// dial opens a client of either era.
func dial(t *testing.T, url string, modern bool) *rawClient {
	t.Helper()
	if modern {
		return dialModern(t, url)
	}
	return dialLegacy(t, url)
}

func newRawClient(t *testing.T, url string, modern bool) *rawClient {
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &rawClient{url: url, modern: modern, http: &http.Client{Transport: transport}}
}

// body writes the request's text; id is the text of its JSON-RPC id.
func (c *rawClient) body(a ask, id string) string {
	meta := a.meta
	if c.modern {
		meta = join(meta, `"io.modelcontextprotocol/protocolVersion":"`+modernVersion+
			`","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"e2e","version":"1"}`)
	}
	params := a.params
	if meta != "" {
		params = join(params, `"_meta":{`+meta+`}`)
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + a.method + `","params":{` + params + `}}`
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

// post sends one body with the headers that belong to the era and to a.
func (c *rawClient) post(ctx context.Context, body string, a *ask) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.modern {
		req.Header.Set("MCP-Protocol-Version", modernVersion)
		if a != nil {
			req.Header.Set("Mcp-Method", a.method)
			if a.name != "" {
				req.Header.Set("Mcp-Name", a.name)
			}
		}
	} else if c.session != "" {
		req.Header.Set("MCP-Protocol-Version", legacyVersion)
		req.Header.Set("Mcp-Session-Id", c.session)
	}
	return c.http.Do(req)
}

// notify sends a notification of the legacy era and wants it accepted.
func (c *rawClient) notify(t *testing.T, method, params string) {
	t.Helper()
	resp, err := c.post(t.Context(), `{"jsonrpc":"2.0","method":"`+method+`","params":{`+params+`}}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: got HTTP %d, want 202", method, resp.StatusCode)
	}
}

// exchange is a request whose answer is being read.
type exchange struct {
	id     string
	resp   *http.Response
	cancel context.CancelFunc
	stream *sseReader // nil when the answer is one JSON body
	read   bool
}

// open sends a and returns once the answer's headers are there. Closing the
// exchange closes the connection's stream, which is how a modern client cancels.
func (c *rawClient) open(ctx context.Context, a ask) (*exchange, error) {
	id := a.id
	if id == "" {
		id = strconv.FormatInt(c.ids.Add(1), 10)
	}
	ctx, cancel := context.WithCancel(ctx)
	resp, err := c.post(ctx, c.body(a, id), &a)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s: %w", a.method, err)
	}
	x := &exchange{id: id, resp: resp, cancel: cancel}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "text/event-stream" {
		x.stream = newSSEReader(resp.Body)
	}
	return x, nil
}

func (x *exchange) close() {
	x.cancel()
	x.resp.Body.Close()
}

// next returns the next message, io.EOF behind the last.
func (x *exchange) next() ([]byte, error) {
	if x.stream != nil {
		_, data, err := x.stream.next()
		return data, err
	}
	if x.read {
		return nil, io.EOF
	}
	x.read = true
	return io.ReadAll(x.resp.Body)
}

// finish reads up to the response and closes the exchange.
func (x *exchange) finish() (answer, error) {
	defer x.close()
	a := answer{status: x.resp.StatusCode, header: x.resp.Header}
	for {
		message, err := x.next()
		if err != nil {
			return a, fmt.Errorf("the stream ended before the response to id %s, after %q: %w", x.id, a.before, err)
		}
		if x.stream == nil || get(message, "method") == nil {
			a.final = message
			return a, nil
		}
		a.before = append(a.before, message)
	}
}

// try sends a and waits for its response, at most patience.
func (c *rawClient) try(ctx context.Context, a ask) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	x, err := c.open(ctx, a)
	if err != nil {
		return answer{}, err
	}
	return x.finish()
}

// must sends a and fails the test unless a result comes back under its id.
func (c *rawClient) must(t *testing.T, a ask) answer {
	t.Helper()
	if a.id == "" {
		a.id = strconv.FormatInt(c.ids.Add(1), 10)
	}
	got, err := c.try(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if got.status != http.StatusOK || got.result() == nil {
		t.Fatalf("%s %s: got %v, want a result", a.method, a.name, got)
	}
	if id := get(got.final, "id"); string(id) != a.id {
		t.Fatalf("%s: sent id %s, got id %s", a.method, a.id, id)
	}
	return got
}

// tools returns the listed tool objects by name, over all pages.
func (c *rawClient) tools(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	cursor := ""
	for {
		list := c.must(t, ask{method: "tools/list", params: cursor}).result()
		for _, tool := range elements(t, get(list, "tools")) {
			found[str(tool, "name")] = tool
		}
		next := get(list, "nextCursor")
		if next == nil {
			return found
		}
		cursor = `"cursor":` + string(next)
	}
}
