package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
)

// A real server that changes its tools says so on the stream of its era.
func TestChangeIsHeard(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *server.MCPServer) *httptest.Server{
		"modern": func(t *testing.T, s *server.MCPServer) *httptest.Server {
			return serve(t, server.NewStreamableHTTPServer(s, server.WithStateful(true)))
		},
		"legacy": func(t *testing.T, s *server.MCPServer) *httptest.Server {
			return serve(t, server.NewStreamableHTTPServer(s, server.WithStateful(true), server.WithStreamableHTTPProtocolVersions("2025-06-18")))
		},
		"sse": realSSE,
	} {
		t.Run(name, func(t *testing.T) {
			s := echoServer()
			srv := test(t, s)
			b := at(srv.URL)
			if name == "sse" {
				b.URL += "/sse"
			}
			u := start(t, b, quick()) // which pings once an hour
			awaitReady(t, u)
			for i := range 5 {
				s.AddTool(mcp.NewTool(fmt.Sprintf("more%d", i)), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
					return mcp.NewToolResultText("more"), nil
				})
			}
			awaitState(t, u, "hearing of five tools", func(s *State) bool { return len(s.Tools) == 6 })
			s.DeleteTools("echo", "more0")
			awaitState(t, u, "hearing of the loss", func(s *State) bool { return len(s.Tools) == 4 })
		})
	}
}

// A server that tells nothing is asked again with each ping, however it says that
// it has no stream, or without saying it.
func TestSilentBackendIsListedAgain(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *question) {
		return func(w http.ResponseWriter, _ *question) { http.Error(w, "Cannot GET /mcp", code) }
	}
	open := func(w http.ResponseWriter, q *question) { stream(w); hang(w, q) }
	for name, script := range map[string]func(*backend){
		"405": func(*backend) {},
		"404": func(b *backend) { b.handle("GET", status(404)) },
		"400": func(b *backend) { b.handle("GET", status(400)) },
		"400 for a session": func(b *backend) {
			b.handle("GET", func(w http.ResponseWriter, _ *question) { http.Error(w, "no session", 400) })
		},
		"502": func(b *backend) { b.handle("GET", status(502)) },
		"a page": func(b *backend) {
			b.handle("GET", func(w http.ResponseWriter, _ *question) { fmt.Fprint(w, "<html>") })
		},
		"nothing": func(b *backend) { b.handle("GET", hang) },
		"a broken stream": func(b *backend) {
			b.handle("GET", func(w http.ResponseWriter, _ *question) { panic(http.ErrAbortHandler) })
		},
		"no promise to tell": func(b *backend) {
			b.handle("GET", open)
			b.handle("initialize", func(w http.ResponseWriter, q *question) {
				b.mu.Lock()
				b.sessions["s"] = true
				b.mu.Unlock()
				w.Header().Set("Mcp-Session-Id", "s")
				reply(w, q, `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}`)
			})
		},
		"no listen": func(b *backend) { b.modern = true },
		"a listen that honours nothing": func(b *backend) {
			b.modern = true
			b.handle("subscriptions/listen", func(w http.ResponseWriter, q *question) {
				stream(w)
				send(w, `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{}}}`, q.id)
				hang(w, q)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			script(b)
			cfg := quick()
			cfg.PingInterval = 30 * time.Millisecond
			u := start(t, at(b.URL), cfg)
			awaitReady(t, u)
			// What a stream's opening and closing may cause is over before the change.
			before := len(b.asked("tools/list"))
			await(t, "two more listings", func() bool { return len(b.asked("tools/list")) >= before+2 })
			b.setTools(`[{"name":"a","inputSchema":{"type":"object"}},{"name":"b","inputSchema":{"type":"object"}}]`)
			awaitState(t, u, "listing again", func(s *State) bool { return len(s.Tools) == 2 })
			if s := u.State(); !isReady(s) {
				t.Errorf("phase %s", s.Phase)
			}
		})
	}
}

// A stream that tells is enough: the list is not fetched with each ping.
func TestAnnouncingBackendIsLeftAlone(t *testing.T) {
	b := newBackend(t)
	b.handle("GET", func(w http.ResponseWriter, q *question) { stream(w); hang(w, q) })
	cfg := quick()
	cfg.PingInterval = 10 * time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	await(t, "the stream", func() bool { return len(b.asked("GET")) == 1 })
	await(t, "some pings", func() bool { return len(b.asked("ping")) > 30 })
	// The first list; one more because the stream opened; one more for pings before it did.
	if n := len(b.asked("tools/list")); n > 3 {
		t.Errorf("listed %d times", n)
	}
}

// A storm of announcements is not a storm of lists.
func TestAnnouncementsAreCoalesced(t *testing.T) {
	b := newBackend(t)
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		stream(w)
		for range 1000 {
			send(w, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		}
		b.setTools(`[]`)
		send(w, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		hang(w, q)
	})
	u := start(t, at(b.URL), quick())
	awaitState(t, u, "hearing of the last change", func(s *State) bool { return isReady(s) && len(s.Tools) == 0 })
	if n := len(b.asked("tools/list")); n > 50 {
		t.Errorf("listed %d times", n)
	}
}

func TestPages(t *testing.T) {
	for name, test := range map[string]struct {
		next func(page int) string // the text behind a page's tools
		want int
		code string // of the diagnostic
		fail string
	}{
		"several":           {func(p int) string { return []string{`,"nextCursor":"a\"b"`, `,"nextCursor":""`, ""}[p] }, 3, "", ""},
		"null at the end":   {func(int) string { return `,"nextCursor":null` }, 1, "", ""},
		"a repeated cursor": {func(int) string { return `,"nextCursor":"again"` }, 2, "T002", ""},
		"without end":       {func(p int) string { return fmt.Sprintf(`,"nextCursor":"%d"`, p) }, 0, "", "more than 200 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			page := 0
			b.handle("tools/list", func(w http.ResponseWriter, q *question) {
				reply(w, q, fmt.Sprintf(`{"tools":[{"name":"t%d","inputSchema":{"type":"object"}}]%s}`, page, test.next(page)))
				page++
			})
			u := start(t, at(b.URL), quick())
			if test.fail != "" {
				s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
				if !strings.Contains(s.Reason, test.fail) {
					t.Errorf("reason %q", s.Reason)
				}
				return
			}
			s := awaitReady(t, u)
			u.Stop()
			if len(s.Tools) != test.want || test.code != "" && (len(s.Remarks) != 1 || s.Remarks[0].Code != test.code) {
				t.Errorf("%d tools, remarks %v; want %d, %s", len(s.Tools), s.Remarks, test.want, test.code)
			}
			if asked := b.asked("tools/list"); name == "several" && (!strings.Contains(asked[1].body, `"cursor":"a\"b"`) || !strings.Contains(asked[2].body, `"cursor":""`)) {
				t.Errorf("cursors: %s, %s", asked[1].body, asked[2].body)
			}
		})
	}
}

// One bad tool costs none of the others, and is named.
func TestBadToolIsLeftOutAlone(t *testing.T) {
	b := newBackend(t)
	b.setTools(`[{"name":"good","inputSchema":{"type":"object"},"unknown":1e400},
		{"name":"no schema"},
		{"name":"bad header","inputSchema":{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}},
		7,
		{"name":"mirrored","inputSchema":{"type":"object","properties":{"a":{"type":"integer","x-mcp-header":"A"}}}}]`)
	s := awaitReady(t, start(t, at(b.URL), quick()))
	if len(s.Tools) != 2 || s.Tools[0].Name != "good" || s.Tools[1].Name != "mirrored" || s.Tools[0].Mirror != nil || s.Tools[1].Mirror == nil {
		t.Errorf("tools: %+v", s.Tools)
	}
	if string(s.Tools[0].Raw) != `{"name":"good","inputSchema":{"type":"object"},"unknown":1e400}` {
		t.Errorf("raw: %s", s.Tools[0].Raw)
	}
	var said []string
	for _, r := range s.Remarks {
		if r.Code != "T001" || r.Severity != discovery.SeverityWarning {
			t.Errorf("remark %+v", r)
		}
		said = append(said, r.Message)
	}
	for i, name := range []string{"no schema", "bad header", "without a name"} {
		if i >= len(said) || !strings.Contains(said[i], name) {
			t.Errorf("remarks %q, want one on %s", said, name)
		}
	}
}

func TestRemarksAreBounded(t *testing.T) {
	b := newBackend(t)
	b.setTools("[" + strings.Repeat("0,", 99_999) + "0]")
	s := awaitReady(t, start(t, at(b.URL), quick()))
	if n := len(s.Remarks); n != maxRemarks+1 || !strings.Contains(s.Remarks[n-1].Message, "99950 more") {
		t.Errorf("%d remarks, the last: %+v", n, s.Remarks[len(s.Remarks)-1])
	}
}

func TestTooManyToolsAreRefused(t *testing.T) {
	b := newBackend(t)
	b.setTools("[" + strings.Repeat(oneTool[1:len(oneTool)-1]+",", maxItems) + oneTool[1:])
	s := awaitState(t, start(t, at(b.URL), quick()), "failing", func(s *State) bool { return s.Reason != "" })
	if !strings.Contains(s.Reason, "more than 5000 tools") {
		t.Errorf("reason %q", s.Reason)
	}
}

// A server without tools is no broken one.
func TestBackendWithoutTools(t *testing.T) {
	srv := serve(t, server.NewStreamableHTTPServer(server.NewMCPServer("none", "1"), server.WithStateful(true)))
	if s := awaitReady(t, start(t, at(srv.URL), quick())); len(s.Tools) != 0 {
		t.Errorf("tools: %v", s.Tools)
	}
}
