package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// byHand is a capable client whose every byte is the test's own. It speaks
// streamable HTTP in both eras, and HTTP+SSE.
type byHand struct {
	recorder
	http    *http.Client
	ctx     context.Context
	address string // of the stream
	post    string // where requests go
	modern  bool
	old     bool              // HTTP+SSE
	session string            // Mcp-Session-Id
	streams map[string]func() // what ends a stream of the 2026 era, by URI
	about   serverHello
	work    sync.WaitGroup // readers of streams, and answers under way

	next    int
	waiting sync.Mutex  // guards both below
	id      string      // of the request under way
	answer  chan []byte // where its response goes
}

func dialByHand(t *testing.T, address, transport string, modern bool) *byHand {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &byHand{http: newRawClient(t, address, modern).http, ctx: ctx, address: address, post: address, modern: modern, old: transport == "sse", streams: map[string]func(){}}
	t.Cleanup(func() { cancel(); c.work.Wait() })
	if modern {
		discover := step{method: "server/discover", params: "{}"}
		said := c.exchange(t, discover, discover.withMeta(c.reserved(""))).result
		c.about = serverHello{get(said, "_meta", "io.modelcontextprotocol/serverInfo"), get(said, "capabilities"), get(said, "instructions")}
		c.listen(t, "", `"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true`)
		return c
	}
	if c.old {
		c.follow(t)
	}
	said := c.exchange(t, step{method: "initialize"}, `{"protocolVersion":"`+legacyVersion+`","capabilities":`+theCapabilities+
		`,"clientInfo":{"name":"by hand","version":"1","title":"By hand"}}`).result
	c.about = serverHello{get(said, "serverInfo"), get(said, "capabilities"), get(said, "instructions")}
	c.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, step{})
	if !c.old {
		c.follow(t)
	}
	return c
}

func (c *byHand) hello() serverHello { return c.about }

// request is an HTTP request with the headers of the era; s names what they say.
func (c *byHand) request(method, address, body string, s step) *http.Request {
	req, _ := http.NewRequestWithContext(c.ctx, method, address, strings.NewReader(body))
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json, text/event-stream")
	switch {
	case c.modern:
		req.Header.Set("MCP-Protocol-Version", modernVersion)
		req.Header.Set("Mcp-Method", s.method)
		name := str([]byte(s.params), "name")
		if s.method == "resources/read" {
			name = str([]byte(s.params), "uri")
		}
		if name != "" {
			req.Header.Set("Mcp-Name", headerText(name))
		}
		for name, value := range s.headers {
			req.Header.Set(name, value)
		}
	case c.session != "":
		req.Header.Set("MCP-Protocol-Version", legacyVersion)
		req.Header.Set("Mcp-Session-Id", c.session)
	}
	return req
}

// follow reads the stream on which a server speaks unasked, until the test ends.
// That of HTTP+SSE says first where to post to.
func (c *byHand) follow(t *testing.T) {
	t.Helper()
	resp, err := c.http.Do(c.request(http.MethodGet, c.address, "", step{}))
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close() // a server may have no such stream
		return
	}
	stream := newSSEReader(resp.Body)
	if c.old {
		event, data, err := stream.next()
		base, _ := url.Parse(c.address)
		target, bad := base.Parse(string(data))
		if err != nil || event != "endpoint" || bad != nil {
			t.Fatalf("first event of %s: got %q %s (%v), want endpoint", c.address, event, data, err)
		}
		c.post = target.String()
	}
	c.work.Go(func() {
		defer resp.Body.Close()
		c.read(stream)
	})
}

func (c *byHand) read(stream *sseReader) {
	for {
		_, data, err := stream.next()
		if err != nil {
			return
		}
		c.handle(data)
	}
}

// handle takes one message of the server, from whatever stream.
func (c *byHand) handle(message []byte) {
	id, method := get(message, "id"), str(message, "method")
	switch {
	case method != "" && id != nil:
		params := get(message, "params")
		c.hear(true, method, params)
		c.work.Go(func() {
			body := `{"jsonrpc":"2.0","id":` + string(id) + `,"result":` + answerTo(method, params) + `}`
			if resp, err := c.http.Do(c.request(http.MethodPost, c.post, body, step{})); err == nil {
				resp.Body.Close()
			}
		})
	case method != "":
		c.hear(false, method, get(message, "params"))
	default:
		c.waiting.Lock()
		defer c.waiting.Unlock()
		// What a server could not read it answers without an id.
		if c.answer != nil && (string(id) == c.id || id == nil || string(id) == "null") {
			c.answer <- message
			c.answer = nil
		}
	}
}

// send posts a body, handles what comes back, and returns the HTTP status.
func (c *byHand) send(t *testing.T, body string, s step) int {
	t.Helper()
	resp, err := c.http.Do(c.request(http.MethodPost, c.post, body, s))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if s.method == "initialize" {
		c.session = resp.Header.Get("Mcp-Session-Id")
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		c.read(newSSEReader(resp.Body))
		return resp.StatusCode
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("HTTP %d, then %v", resp.StatusCode, err)
	}
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '{' {
		c.handle(text)
	}
	return resp.StatusCode
}

// exchange sends one request and returns its response.
func (c *byHand) exchange(t *testing.T, s step, params string) outcome {
	t.Helper()
	answer := make(chan []byte, 1)
	c.next++
	c.waiting.Lock()
	c.id, c.answer = fmt.Sprint(c.next), answer
	c.waiting.Unlock()
	var o outcome
	o.status = c.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, c.next, s.method, params), s)
	message := receive(t, fmt.Sprintf("the response to %s %s (HTTP %d)", s.method, params, o.status), answer)
	o.result, o.failure = get(message, "result"), get(message, "error")
	return o
}

// reserved is what _meta holds on each request of the 2026 era, and more.
func (c *byHand) reserved(more string) string {
	meta := `"io.modelcontextprotocol/protocolVersion":"` + modernVersion + `","io.modelcontextprotocol/clientCapabilities":` + theCapabilities +
		`,"io.modelcontextprotocol/clientInfo":{"name":"by hand","version":"1","title":"By hand"}`
	if more == "" {
		return meta
	}
	return meta + "," + more
}

func (c *byHand) do(t *testing.T, s step) outcome {
	t.Helper()
	var meta string
	if s.reports {
		meta = `"progressToken":"tok"`
	}
	if !c.modern {
		if s.level != "" {
			set := step{method: "logging/setLevel", params: fmt.Sprintf(`{"level":%q}`, s.level)}
			if o := c.exchange(t, set, set.params); o.failure != nil {
				t.Fatalf("logging/setLevel: %s", o.failure)
			}
		}
		c.begin()
		if s.method == rootsChanged {
			c.send(t, `{"jsonrpc":"2.0","method":"`+rootsChanged+`"}`, s)
			return c.end(t, s, outcome{})
		}
		params := s.params
		if meta != "" {
			params = s.withMeta(meta)
		}
		return c.end(t, s, c.exchange(t, s, params))
	}
	switch uri := str([]byte(s.params), "uri"); s.method {
	case "resources/subscribe":
		if !c.listen(t, uri, fmt.Sprintf(`"resourceSubscriptions":[%q]`, uri)) {
			t.Fatalf("no stream for changes of %s", uri)
		}
		return outcome{result: []byte("{}")}
	case "resources/unsubscribe":
		c.streams[uri]()
		return outcome{result: []byte("{}")}
	}
	if s.level != "" {
		meta = join(meta, fmt.Sprintf(`"io.modelcontextprotocol/logLevel":%q`, s.level))
	}
	c.begin()
	params := s.withMeta(c.reserved(meta))
	// The rounds in which a server asks for what it needs: as many as SDKs make.
	for range 10 {
		o := c.exchange(t, s, params)
		if str(o.result, "resultType") != "input_required" {
			return c.end(t, s, o)
		}
		again := s
		again.params = c.fulfil(s.params, o.result)
		params = again.withMeta(c.reserved(meta))
	}
	t.Fatalf("%s %s: still input_required after 10 rounds", s.method, s.params)
	return outcome{}
}

// fulfil answers what an input_required result asks for: the params to try again
// with.
func (c *byHand) fulfil(params string, result []byte) string {
	var responses string
	requests, _ := members(get(result, "inputRequests"))
	for _, r := range requests {
		method, asked := str(r.value, "method"), get(r.value, "params")
		c.hear(true, method, asked)
		responses = join(responses, fmt.Sprintf("%q:%s", r.key, answerTo(method, asked)))
	}
	more := `"inputResponses":{` + responses + `}`
	if state := get(result, "requestState"); state != nil {
		more = join(more, `"requestState":`+string(state))
	}
	return "{" + join(strings.TrimSuffix(strings.TrimPrefix(params, "{"), "}"), more) + "}"
}
