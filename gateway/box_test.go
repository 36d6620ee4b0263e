package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"mcp-gw/gateway/wire"
)

// box is a backend whose lists the test writes by hand, in one of the two eras.
type box struct {
	url    string
	modern bool

	mu         sync.Mutex // guards what follows
	lists      map[string]string
	streams    map[chan string]string // with the ids of the subscriptions they serve
	subscribed []string               // URIs, in the order in which they were asked for
	opened     int                    // handshakes
}

// newBox serves a box with one tool, one prompt, one resource and one template.
func newBox(t testing.TB, modern bool) *box {
	b := &box{modern: modern, streams: map[chan string]string{}, lists: map[string]string{
		"tools":             `{"name":"echo","inputSchema":{"type":"object"}}`,
		"prompts":           `{"name":"greet"}`,
		"resources":         `{"uri":"file:///a","name":"a"}`,
		"resourceTemplates": `{"uriTemplate":"file:///{+path}","name":"t"}`,
	}}
	b.url = serve(t, b).URL
	return b
}

// set replaces a list, whose elements are JSON with commas between, without a word.
func (b *box) set(kind, elements string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lists[kind] = elements
}

// tell sends a notification on every open stream.
func (b *box) tell(method, params string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for stream, id := range b.streams {
		meta := ""
		if id != "" {
			meta = `"_meta":{"io.modelcontextprotocol/subscriptionId":` + id + `}`
			if params != "" {
				meta += ","
			}
		}
		stream <- `{"jsonrpc":"2.0","method":"` + method + `","params":{` + meta + params + `}}`
	}
}

// listening reports whether the gateway has n streams open.
func (b *box) listening(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.streams) >= n
}

func (b *box) asked() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.subscribed, " ")
}

func (b *box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && !b.modern {
		b.stream(w, r, "", "")
		return
	}
	body, _ := io.ReadAll(r.Body)
	var m wire.Message
	if r.Method != http.MethodPost || m.Scan(body) != nil || m.ID.In(body) == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	id, tail := string(m.ID.In(body)), ""
	const capabilities = `"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true}}`
	if b.modern {
		tail = `,"resultType":"complete","ttlMs":0,"cacheScope":"public"`
	}
	reply := func(status int, member string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, id, member)
	}
	switch kind := strings.TrimSuffix(m.Method, "/list"); {
	case (m.Method == "server/discover") != b.modern && (m.Method == "server/discover" || m.Method == "initialize"):
		reply(http.StatusBadRequest, `"error":{"code":-32601,"message":"Method not found"}`)
	case m.Method == "server/discover":
		b.handshake()
		reply(200, `"result":{"supportedVersions":["2026-07-28"],`+capabilities+tail+`}`)
	case m.Method == "initialize":
		b.handshake()
		w.Header().Set("Mcp-Session-Id", "s")
		reply(200, `"result":{"protocolVersion":"2025-11-25",`+capabilities+`,"serverInfo":{"name":"box","version":"1"}}`)
	case m.Method == "resources/templates/list":
		b.list(reply, "resourceTemplates", tail)
	case kind != m.Method:
		b.list(reply, kind, tail)
	case m.Method == "resources/subscribe":
		b.subscribe(m.URI.In(body))
		reply(200, `"result":{}`)
	case m.Method == "subscriptions/listen":
		uris := wire.Member(m.Notifications.In(body), "resourceSubscriptions")
		_ = wire.Elements(uris, func(uri []byte) error { b.subscribe(uri); return nil })
		b.stream(w, r, id, `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":`+
			string(m.Notifications.In(body))+`,"_meta":{"io.modelcontextprotocol/subscriptionId":`+id+`}}}`)
	case m.Method == "tools/call":
		reply(200, `"result":{"content":[{"type":"text","text":"called `+m.Method+`"}]`+tail+`}`)
	default:
		reply(200, `"result":{}`)
	}
}

func (b *box) handshake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
}

func (b *box) list(reply func(int, string), kind, tail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	reply(200, `"result":{"`+kind+`":[`+b.lists[kind]+`]`+tail+`}`)
}

func (b *box) subscribe(quoted []byte) {
	uri, _ := wire.Unquote(quoted)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subscribed = append(b.subscribed, uri)
}

func (b *box) stream(w http.ResponseWriter, r *http.Request, id, first string) {
	messages := make(chan string, 64)
	if first != "" {
		messages <- first
	}
	b.mu.Lock()
	b.streams[messages] = id
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.streams, messages)
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
