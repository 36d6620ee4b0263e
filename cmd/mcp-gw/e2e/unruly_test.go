package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// isFailure reports whether a call's answer tells of a failure.
func isFailure(a answer) bool {
	return get(a.final, "error", "message") != nil || string(get(a.result(), "isError")) == "true"
}

// Backends that answer nonsense: the call fails with a reason, soon; the next
// one and other backends work.
func TestNonsenseFromABackendFailsThatCallOnly(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_MAX_MESSAGE=256KiB", "MCP_GW_CALL_TIMEOUT=5s")
	page := func(status int, media, body string) func(http.ResponseWriter, []byte) {
		return func(w http.ResponseWriter, id []byte) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			fmt.Fprint(w, strings.ReplaceAll(body, "ID", string(id)))
		}
	}
	const js, sse = "application/json", "text/event-stream"
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
		s.raw = map[string]func(http.ResponseWriter, []byte){
			"html":          page(200, "text/html", "<html>sign in</html>"),
			"server_error":  page(500, "text/plain", "boom"),
			"unavailable":   page(503, js, `{"error":"later"}`),
			"forbidden":     page(403, "text/plain", "no"),
			"cut_off":       page(200, js, `{"jsonrpc":"2.0","id":ID,"result":{"content":[`),
			"not_json":      page(200, js, `nonsense`),
			"no_body":       page(200, js, ``),
			"accepted_only": page(202, js, ``),
			"array":         page(200, js, `[{"jsonrpc":"2.0","id":ID}]`),
			"neither":       page(200, js, `{"jsonrpc":"2.0","id":ID}`),
			"foreign_id":    page(200, js, `{"jsonrpc":"2.0","id":"foreign","result":{"content":[]}}`),
			"empty_stream":  page(200, sse, ``),
			"stream_noise":  page(200, sse, ": hello\n\nevent: message\ndata: nonsense\n\n"),
			"stream_cut":    page(200, sse, "data: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{"),
			"too_large":     page(200, js, `{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"`+strings.Repeat("x", 300<<10)+`"}]}}`),
			"large_event":   page(200, sse, `data: {"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"`+strings.Repeat("x", 300<<10)+"\"}]}}\n\n"),
			"hang_up": func(w http.ResponseWriter, _ []byte) {
				panic(http.ErrAbortHandler)
			},
		}
		for tool := range s.raw {
			s.tool(tool, nil)
		}
		g.connect(t, eraName(modern), s.url, "http")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			for tool := range s.raw {
				before := len(s.received("tools/call"))
				var got answer
				var err error
				d := took(func() { got, err = c.try(t.Context(), callTool(eraName(modern)+"__"+tool, `{}`)) })
				if err != nil || !isFailure(got) || got.status/100 == 5 && client == modern && got.status != 502 {
					t.Errorf("%s client, %s backend, %s: got %.400v %v, want an error in the answer", eraName(client), eraName(modern), tool, got, err)
				}
				if d > 4*time.Second {
					t.Errorf("%s client, %s backend, %s: answered after %v only", eraName(client), eraName(modern), tool, d)
				}
				if n := len(s.received("tools/call")) - before; n != 1 {
					t.Errorf("%s client, %s backend, %s: the backend got the call %d times, want once: it may have had its effect", eraName(client), eraName(modern), tool, n)
				}
				c.must(t, callTool(eraName(modern)+"__fine", `{}`))
			}
		}
		if n := len(s.received("initialize")); n > 1 {
			t.Logf("%s backend: %d handshakes", eraName(modern), n)
		}
	}
}

// Event streams as servers and proxies in the wild write them.
func TestEventStreamsOfAllManners(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const result = `{"content":[{"type":"text","text":"a\nb é"}],"resultType":"complete"}`
	streams := map[string]string{
		"plain":      "data: MSG\n\n",
		"no_space":   "data:MSG\n\n",
		"crlf":       "event: message\r\ndata: MSG\r\n\r\n",
		"cr":         "event: message\rdata: MSG\r\r",
		"primed":     "id: 1\nretry: 500\ndata:\n\nid: 2\ndata: MSG\n\n",
		"comments":   ": ping\n\n:\n\ndata: MSG\n: behind\n\n",
		"id_and_all": "retry: 10\nid: 7_x\nevent: message\nunknown: field\ndata: MSG\n\n",
		"bom":        "\ufeffdata: MSG\n\n",
		"other":      "event: other\ndata: {\"not\":\"for us\"}\n\ndata: MSG\n\n",
	}
	for _, modern := range []bool{false, true} {
		s := newStub(t, modern, false)
		s.raw = map[string]func(http.ResponseWriter, []byte){}
		for tool, text := range streams {
			s.tool(tool, nil)
			s.raw[tool] = func(w http.ResponseWriter, id []byte) {
				openStream(w)
				for _, b := range []byte(strings.ReplaceAll(text, "MSG", `{"jsonrpc":"2.0","id":`+string(id)+`,"result":`+result+`}`)) {
					_, _ = w.Write([]byte{b}) // byte by byte, as bad luck would have it
				}
			}
		}
		s.tool("lines", nil)
		s.raw["lines"] = func(w http.ResponseWriter, id []byte) {
			openStream(w)
			fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":%s,\ndata: \"result\":%s}\n\n", id, result)
		}
		s.tool("compressed", nil)
		s.raw["compressed"] = func(w http.ResponseWriter, id []byte) {
			w.Header().Set("Content-Type", "application/json")
			var body io.Writer = w
			if s.acceptsGzip() { // only when it was asked for
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				defer z.Close()
				body = z
			}
			fmt.Fprintf(body, `{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result)
		}
		g.connect(t, eraName(modern), s.url, "http")
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			for tool := range s.raw {
				got, err := c.try(t.Context(), callTool(eraName(modern)+"__"+tool, `{}`))
				if err != nil {
					t.Errorf("%s client, %s backend, %s: %v", eraName(client), eraName(modern), tool, err)
					continue
				}
				sameBytes(t, fmt.Sprintf("%s client, %s backend, %s: result", eraName(client), eraName(modern), tool), got.result(), []byte(result))
			}
		}
	}
}

// A 2025 backend may ask things of its client in the middle of a call, under an
// id that equals the call's. A ping is answered; what nobody can answer is
// refused; the call gets its result either way.
func TestRequestsOfABackendAreAnswered(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, kind := range stubKinds[:3] {
		s := kind.start(t)
		if kind.name == "json25" { // cannot ask anything
			continue
		}
		for tool, method := range map[string]string{"pings": "ping", "wants_roots": "roots/list", "invents": "made/up"} {
			s.tool(tool, func(c *stubCall) string {
				before := len(s.responses(string(c.id)))
				c.send(`{"jsonrpc":"2.0","id":` + string(c.id) + `,"method":"` + method + `"}`)
				for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
					if got := s.responses(string(c.id)); len(got) > before {
						return `"result":{"content":[],"response":` + string(got[len(got)-1]) + `}`
					}
				}
				return `"error":{"code":1,"message":"no response came"}`
			})
		}
		g.connect(t, kind.name, s.url, s.transport())
		for _, client := range []bool{false, true} {
			c := dial(t, g.mcp(), client)
			for tool, member := range map[string]string{"pings": "result", "wants_roots": "error", "invents": "error"} {
				got := c.must(t, callTool(kind.name+"__"+tool, `{}`))
				if get(got.result(), "response", member) == nil {
					t.Errorf("%s client, %s, %s: the backend's request was answered with %s, want a member %s", eraName(client), kind.name, tool, get(got.result(), "response"), member)
				}
				for _, m := range got.before {
					t.Errorf("%s client, %s, %s: the client was sent %s, for which it declared no capability", eraName(client), kind.name, tool, m)
				}
			}
		}
	}
}

// acceptsGzip reports whether the last request did.
func (s *stub) acceptsGzip() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.headers[len(s.headers)-1].Get("Accept-Encoding"), "gzip")
}

// responses returns the JSON-RPC responses that were posted for this id.
func (s *stub) responses(id string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list [][]byte
	for _, b := range s.bodies {
		if get(b, "method") == nil && string(get(b, "id")) == id {
			list = append(list, b)
		}
	}
	return list
}

// A session can be lost without a restart, and be told of in several ways. The
// call runs exactly once.
func TestLostSessionIsOpenedAgainOnce(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for name, how := range map[string]struct {
		status int
		member string
	}{
		"notfound": {404, `"error":{"code":-32001,"message":"Session not found"}`},
		"badreq":   {400, `"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}`},
		"unauth":   {401, `"error":{"code":-32000,"message":"Session expired"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
			s.lost = how.status
			s.lostMember = how.member
			g.connect(t, name, s.url, "http")
			legacy, modern := dialLegacy(t, g.mcp()), dialModern(t, g.mcp())
			for _, c := range []*rawClient{legacy, modern, legacy, modern} {
				s.mu.Lock()
				clear(s.sessions)
				s.ran = 0
				s.mu.Unlock()
				c.must(t, callTool(name+"__fine", `{}`))
				s.mu.Lock()
				if s.ran != 1 {
					t.Errorf("%s client: the call ran %d times, want once", eraName(c.modern), s.ran)
				}
				s.mu.Unlock()
			}
		})
	}
}
