package upstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-gw/discovery"
)

// echoServer is a real server with one tool.
func echoServer() *server.MCPServer {
	s := server.NewMCPServer("real", "1.2.3", server.WithToolCapabilities(true), server.WithInstructions("be kind"))
	s.AddTool(mcp.NewTool("echo", mcp.WithString("text")), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("done " + r.GetString("text", "")), nil
	})
	return s
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { shut(s) })
	return s
}

func realSSE(t *testing.T, s *server.MCPServer) *httptest.Server {
	t.Helper()
	srv := serve(t, nil)
	srv.Config.Handler = server.NewSSEServer(s, server.WithBaseURL(srv.URL))
	return srv
}

func TestEraOfRealServers(t *testing.T) {
	legacy := server.WithStreamableHTTPProtocolVersions("2025-11-25", "2025-06-18")
	for name, test := range map[string]struct {
		handler http.Handler
		want    Peer
		shared  bool // every client in one session
	}{
		"both eras":        {server.NewStreamableHTTPServer(echoServer(), server.WithStateful(true)), Peer{true, "2026-07-28"}, false},
		"legacy stateful":  {server.NewStreamableHTTPServer(echoServer(), server.WithStateful(true), legacy), Peer{false, "2025-11-25"}, false},
		"legacy stateless": {server.NewStreamableHTTPServer(echoServer(), server.WithStateLess(true), legacy), Peer{false, "2025-11-25"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, test.handler)
			u := start(t, at(srv.URL+"/mcp"), quick())
			s := awaitReady(t, u)
			if s.Peer != test.want || s.SSE || s.link.open == nil != test.shared {
				t.Errorf("peer %+v, sse %v, shared %v; want %+v, false, %v", s.Peer, s.SSE, s.link.open == nil, test.want, test.shared)
			}
			if s.Instructions != "be kind" || !strings.Contains(string(s.Server), `"1.2.3"`) {
				t.Errorf("instructions %q, server %s", s.Instructions, s.Server)
			}
			mustCall(t, u, "client", "echo", "done")
		})
	}
}

func TestSSEIsFoundByAsking(t *testing.T) {
	srv := realSSE(t, echoServer())
	for _, transport := range []discovery.Transport{discovery.TransportAuto, discovery.TransportSSE} {
		b := at(srv.URL + "/sse")
		b.Transport = transport
		u := start(t, b, quick())
		if s := awaitReady(t, u); !s.SSE || s.Peer.Modern || len(s.Tools) != 1 {
			t.Errorf("%s: %+v", transport, s)
		}
		mustCall(t, u, "", "echo", "done")
	}
}

// How a server of one era or the other may meet the gateway's questions.
func TestEraOfOddServers(t *testing.T) {
	for name, test := range map[string]struct {
		script func(*backend)
		modern bool
	}{
		"400 without a modern body": {func(*backend) {}, false},
		"a discovery that does not name 2026-07-28": {func(b *backend) {
			b.handle("server/discover", func(w http.ResponseWriter, q *question) {
				reply(w, q, `{"resultType":"complete","supportedVersions":["2025-11-25"],"capabilities":{}}`)
			})
		}, false},
		"404 for what it does not know": {func(b *backend) {
			b.handle("server/discover", func(w http.ResponseWriter, _ *question) { http.Error(w, "no", http.StatusNotFound) })
		}, false},
		"a discovery on a stream": {func(b *backend) {
			b.modern = true
			b.handle("server/discover", func(w http.ResponseWriter, q *question) {
				stream(w)
				fmt.Fprint(w, "id: 1\ndata:\n\n: hello\n\n") // a priming event, a comment
				send(w, `{"jsonrpc":"2.0","id":%s,"result":{"supportedVersions":["2026-07-28"]}}`, q.id)
			})
		}, true},
		"a discovery with members of other kinds than expected": {func(b *backend) {
			b.modern = true
			b.handle("server/discover", func(w http.ResponseWriter, q *question) {
				reply(w, q, `{"supportedVersions":["2027-01-01","2026-07-28"],"capabilities":[],"ttlMs":"0","instructions":7,"_meta":[]}`)
			})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			test.script(b)
			u := start(t, at(b.URL), quick())
			if s := awaitReady(t, u); s.Peer.Modern != test.modern {
				t.Errorf("modern %v, want %v", s.Peer.Modern, test.modern)
			}
			mustCall(t, u, "", "echo", "done")
		})
	}
}

func TestRedirectIsFollowedToTheSameServer(t *testing.T) {
	for name, transport := range map[string]discovery.Transport{"http": discovery.TransportHTTP, "sse": discovery.TransportSSE} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, nil)
			var inner http.Handler = server.NewStreamableHTTPServer(echoServer())
			if transport == discovery.TransportSSE {
				inner = server.NewSSEServer(echoServer(), server.WithBaseURL(srv.URL))
			}
			srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/mcp" {
					http.Redirect(w, r, "/mcp/", http.StatusTemporaryRedirect)
					return
				}
				if r.URL.Path == "/mcp/" && transport == discovery.TransportSSE {
					r.URL.Path = "/sse" // mcp-go takes no slash at the end
				}
				inner.ServeHTTP(w, r)
			})
			b := at(srv.URL + "/mcp")
			b.Transport = transport
			u := start(t, b, quick())
			if s := awaitReady(t, u); s.URL != srv.URL+"/mcp/" {
				t.Errorf("connected to %s", s.URL)
			}
			mustCall(t, u, "", "echo", "done")
		})
	}
}

func TestRedirectElsewhereIsNotFollowed(t *testing.T) {
	other := newBackend(t)
	srv := serve(t, http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	b := at(srv.URL)
	b.Headers = map[string]string{"Authorization": "Bearer secret"}
	u := start(t, b, quick())
	awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
	other.mu.Lock()
	defer other.mu.Unlock()
	if len(other.seen) > 0 {
		t.Errorf("the other server was asked: %v", other.seen)
	}
}

// A container that does not say where its endpoint is: the paths are tried in turn,
// whatever is at the wrong ones.
func TestAlternativesAreTried(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>hello</title>")
	}
	for name, wrong := range map[string]http.HandlerFunc{
		"404":       http.NotFound,
		"405":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
		"HTML page": page,
		"empty 200": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			inner := server.NewStreamableHTTPServer(echoServer())
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api" {
					inner.ServeHTTP(w, r)
					return
				}
				wrong(w, r)
			}))
			b := at(srv.URL + "/mcp")
			b.Alternatives = []string{srv.URL + "/", srv.URL + "/api"}
			if s := awaitReady(t, start(t, b, quick())); s.URL != srv.URL+"/api" {
				t.Errorf("connected to %s", s.URL)
			}
		})
	}
}

// What keeps a backend from being connected is said in words that help.
func TestReasonOfFailure(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"credentials":  {answer(401, "text/plain", "who are you?"), "needs credentials"},
		"wrong path":   {answer(404, "text/plain", "404 page not found"), "mcp-gw.path"},
		"refused host": {answer(421, "text/plain", "Invalid Host header"), "allowed Host list"},
		"HTML":         {answer(200, "text/html", "<!doctype html>"), "<!doctype html>"},
		"server error": {answer(500, "text/plain", "boom"), "HTTP 500: boom"},
		"hung":         {func(w http.ResponseWriter, r *http.Request) { hang(w, &question{Request: r}) }, "did not answer within"},
		"future":       {answer(200, "application/json", `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2999-01-01"}}`), "2999-01-01"},
		"rpc error":    {answer(200, "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"not today"}}`), "not today"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quick()
			cfg.ConnectTimeout = 200 * time.Millisecond
			u := start(t, at(serve(t, test.handler).URL), cfg)
			s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" })
			if !strings.Contains(s.Reason, test.want) || s.Status() != "error" || s.RetryAt.IsZero() {
				t.Errorf("reason %q, status %s; want %q", s.Reason, s.Status(), test.want)
			}
			if _, err := call(t, u, "", "echo"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("call: %v", err)
			}
		})
	}
	t.Run("dead", func(t *testing.T) {
		u := start(t, at("http://"+freeAddress(t)), quick())
		if s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" }); !strings.Contains(s.Reason, "nothing listens there") {
			t.Errorf("reason %q", s.Reason)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		u := start(t, at("http://no-such-host.invalid/"), quick())
		if s := awaitState(t, u, "failing", func(s *State) bool { return s.Reason != "" }); !strings.Contains(s.Reason, "cannot be resolved") {
			t.Errorf("reason %q", s.Reason)
		}
	})
}

// freeAddress answers an address that nothing listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
