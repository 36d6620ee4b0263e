package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// request is one message of a client, with what the choir reads of it.
type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params struct {
		Name           string                     `json:"name"`
		URI            string                     `json:"uri"`
		Arguments      part                       `json:"arguments"`
		RequestID      json.RawMessage            `json:"requestId"`
		RequestState   string                     `json:"requestState"`
		InputResponses map[string]json.RawMessage `json:"inputResponses"`
		Notifications  json.RawMessage            `json:"notifications"`
		Meta           struct {
			Token    json.RawMessage `json:"progressToken"`
			LogLevel string          `json:"io.modelcontextprotocol/logLevel"`
			Version  string          `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	} `json:"params"`
}

const choirTool = `{"name":"sing","inputSchema":{"type":"object"}}`

func (c *choir) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	name := r.Header.Get("Mcp-Session-Id") + r.URL.Query().Get("session")
	c.mu.Lock()
	s, ctx := c.sessions[name], c.ctx
	c.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && c.kind == "sse":
		c.oldStream(w, r)
		return
	case r.Method == http.MethodGet && c.kind == "legacy" && s != nil:
		c.listen(w, r, choirEar{session: name}, nil)
		return
	case r.Method == http.MethodDelete && s != nil:
		c.forget(name)
		return
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var m request
	if err := json.Unmarshal(body, &m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if c.kind == "modern" {
		c.modern(w, r, &m)
		return
	}
	if m.Method == "initialize" && c.kind == "legacy" {
		name, s = rand.Text(), &choirSession{calls: map[string]context.CancelCauseFunc{}, watches: map[string]bool{}}
		c.mu.Lock()
		c.sessions[name] = s
		c.mu.Unlock()
		w.Header().Set("Mcp-Session-Id", name)
	}
	if s == nil {
		respond(w, http.StatusNotFound, m.ID, `"error":{"code":-32001,"message":"Session not found"}`)
		return
	}
	if c.kind == "legacy" {
		out := &choirOut{w: w}
		c.session(r.Context(), out, &m, s)
		out.end(m.ID)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	c.work.Go(func() {
		c.session(ctx, &choirOut{old: s.out}, &m, s)
	})
}

// choirOut writes what belongs to one request: over its own stream, or the one stream
// of HTTP+SSE.
type choirOut struct {
	w       http.ResponseWriter
	old     func([]byte)
	started bool
}

func (o *choirOut) send(message []byte) {
	if o.old != nil {
		o.old(message)
		return
	}
	if !o.started {
		o.started = true
		o.w.Header().Set("Content-Type", "text/event-stream")
	}
	_, _ = o.w.Write(append(append([]byte("data: "), message...), "\n\n"...))
	_ = http.NewResponseController(o.w).Flush()
}

// reply sends the response.
func (o *choirOut) reply(id json.RawMessage, member string) {
	if o.old == nil && !o.started {
		o.started = true
		respond(o.w, http.StatusOK, id, member)
		return
	}
	o.send([]byte(`{"jsonrpc":"2.0","id":` + string(id) + `,` + member + `}`))
}

// end accepts what got no response.
func (o *choirOut) end(id json.RawMessage) {
	if !o.started && id == nil {
		o.w.WriteHeader(http.StatusAccepted)
	}
}

const choirCapabilities = `"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"logging":{}}`

// session serves one message of the legacy era.
func (c *choir) session(ctx context.Context, out *choirOut, m *request, s *choirSession) {
	id := string(m.ID)
	switch m.Method {
	case "": // the answer to something that was asked
		c.mu.Lock()
		waits := c.asks[id]
		delete(c.asks, id)
		c.mu.Unlock()
		if waits != nil {
			waits <- m.Result
		}
		if out.old == nil {
			out.w.WriteHeader(http.StatusAccepted)
			out.started = true
		}
	case "initialize":
		out.reply(m.ID, `"result":{"protocolVersion":"2025-11-25",`+choirCapabilities+`,"serverInfo":{"name":"choir","version":"1"}}`)
	case "notifications/cancelled":
		c.mu.Lock()
		cancel := s.calls[string(m.Params.RequestID)]
		c.mu.Unlock()
		if cancel != nil {
			cancel(errCancelled)
		}
	case "resources/subscribe", "resources/unsubscribe":
		c.mu.Lock()
		s.watches[m.Params.URI] = m.Method == "resources/subscribe"
		c.mu.Unlock()
		out.reply(m.ID, `"result":{}`)
	case "tools/call":
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		c.mu.Lock()
		s.calls[id] = cancel
		c.mu.Unlock()
		c.sing(ctx, out, m, func(mark string) (string, bool) { return c.ask(ctx, out, mark) })
		c.mu.Lock()
		delete(s.calls, id)
		c.mu.Unlock()
	default:
		if m.ID != nil {
			out.reply(m.ID, c.other(m.Method, ""))
		}
	}
}

// other answers what is the same in both eras; tail are further members of a result.
func (c *choir) other(method, tail string) string {
	list := func(kind, elements string) string {
		if other, ok := c.lists[kind]; ok {
			elements = other
		}
		return `"result":{"` + kind + `":[` + elements + `]` + tail + `}`
	}
	switch method {
	case "tools/list":
		c.mu.Lock()
		c.listed++
		c.mu.Unlock()
		return list("tools", choirTool)
	case "prompts/list":
		return list("prompts", "")
	case "resources/list":
		return list("resources", `{"uri":"`+c.note()+`","name":"note"}`)
	case "resources/templates/list":
		return list("resourceTemplates", "")
	case "ping", "logging/setLevel":
		return `"result":{}`
	}
	return `"error":{"code":-32601,"message":"Method not found"}`
}

func (c *choir) modern(w http.ResponseWriter, r *http.Request, m *request) {
	const tail = `,"resultType":"complete","ttlMs":0,"cacheScope":"public"`
	switch {
	case m.Params.Meta.Version != modernVersion:
		respond(w, http.StatusBadRequest, m.ID, `"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"]}}`)
	case m.Method == "server/discover":
		respond(w, 200, m.ID, `"result":{"supportedVersions":["2026-07-28"],`+choirCapabilities+tail+`}`)
	case m.Method == "subscriptions/listen":
		c.listen(w, r, choirEar{subscription: string(m.ID), uris: string(m.Params.Notifications)},
			[]byte(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":`+string(m.Params.Notifications)+
				`,"_meta":{"io.modelcontextprotocol/subscriptionId":`+string(m.ID)+`}}}`))
	case m.Method == "tools/call":
		out := &choirOut{w: w}
		p := m.Params.Arguments
		c.sing(r.Context(), out, m, func(mark string) (string, bool) {
			if given, ok := m.Params.InputResponses["q"]; ok && m.Params.RequestState == p.Nonce {
				return saidTo(given), true
			}
			out.reply(m.ID, `"result":{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":`+question(mark)+`}},"requestState":`+strconv.Quote(p.Nonce)+`}`)
			return "", false
		})
	default:
		respond(w, 200, m.ID, c.other(m.Method, tail))
	}
}

// listen serves a GET or listen stream.
func (c *choir) listen(w http.ResponseWriter, r *http.Request, of choirEar, first []byte) {
	stream := make(chan []byte, 256)
	if first != nil {
		stream <- first
	}
	c.mu.Lock()
	c.listens[stream] = of
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.listens, stream)
		c.mu.Unlock()
	}()
	openStream(w)
	for {
		select {
		case m := <-stream:
			writeEvent(w, string(m))
		case <-r.Context().Done():
			return
		}
	}
}

// oldStream serves the stream of HTTP+SSE: with it begins and ends a session.
func (c *choir) oldStream(w http.ResponseWriter, r *http.Request) {
	name := rand.Text()
	messages := make(chan []byte, 64)
	updates := make(chan []byte, 256)
	s := &choirSession{calls: map[string]context.CancelCauseFunc{}, watches: map[string]bool{}, out: func(m []byte) {
		select {
		case messages <- slices.Clone(m):
		case <-r.Context().Done():
		}
	}}
	c.mu.Lock()
	c.sessions[name] = s
	c.listens[updates] = choirEar{session: name}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.listens, updates)
		c.mu.Unlock()
		c.forget(name)
	}()
	openStream(w)
	fmt.Fprintf(w, "event: endpoint\ndata: /message?session=%s\n\n", name)
	_ = http.NewResponseController(w).Flush()
	for {
		var m []byte
		select {
		case m = <-messages:
		case m = <-updates:
		case <-r.Context().Done():
			return
		}
		if _, err := w.Write(append(append([]byte("data: "), m...), "\n\n"...)); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

// forget ends a session and its calls.
func (c *choir) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[name]; s != nil {
		for _, cancel := range s.calls {
			cancel(errCancelled)
		}
	}
	delete(c.sessions, name)
}
