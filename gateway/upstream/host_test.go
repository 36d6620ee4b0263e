package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/server"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// guard refuses every Host header but one, as frameworks do against DNS rebinding.
type guard struct {
	allowed string // no port, as in a list of names
	refuse  func(http.ResponseWriter)
	next    http.Handler

	refused, passed atomic.Int64
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if host := (&url.URL{Host: r.Host}).Hostname(); host != g.allowed {
		g.refused.Add(1)
		g.refuse(w)
		return
	}
	g.passed.Add(1)
	g.next.ServeHTTP(w, r)
}

// The refusals of servers that are in use.
func pythonRefusal(w http.ResponseWriter) {
	http.Error(w, "Invalid Host header", http.StatusMisdirectedRequest)
}

func typescriptRefusal(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprint(w, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Invalid Host: 127.0.0.1"},"id":null}`)
}

func goRefusal(w http.ResponseWriter) {
	http.Error(w, `Forbidden: invalid Host header "demo"`, http.StatusForbidden)
}

func endpointOf(t *testing.T, u *Upstream) *endpoint {
	t.Helper()
	return awaitReady(t, u).link.endpoint
}

func TestHostThatIsRefused(t *testing.T) {
	for name, refuse := range map[string]func(http.ResponseWriter){"421": pythonRefusal, "403 JSON": typescriptRefusal, "403 text": goRefusal} {
		t.Run(name, func(t *testing.T) {
			g := &guard{allowed: "localhost", refuse: refuse, next: newBackend(t)}
			s := serve(t, g)
			u := start(t, at(s.URL), quick())
			e := endpointOf(t, u)
			mustCall(t, u, "one", "echo", "done")
			mustCall(t, u, "two", "echo", "done")
			if n := g.refused.Load(); n != 1 {
				t.Errorf("asked %d times by the name that is refused, want 1", n)
			}
			port := s.Listener.Addr().(*net.TCPAddr).Port
			remark, ok := e.hostRemark()
			if !e.localHost() || !ok {
				t.Fatal("nothing tells of it")
			}
			want := fmt.Sprintf(`the server refuses the Host header "127.0.0.1:%[1]d" (%[2]s): the gateway calls it with Host: localhost:%[1]d`, port, name[:3])
			if remark.Code != "H001" || remark.Severity != discovery.SeverityInfo || remark.Message != want || remark.Suggestion == "" {
				t.Errorf("remark %+v, want message %q", remark, want)
			}
			// Another connection asks anew: the server may have been told better.
			u.Reconnect()
			awaitState(t, u, "another connection", func(s *State) bool { return isReady(s) && s.link.endpoint != e })
			if n := g.refused.Load(); n != 2 {
				t.Errorf("asked %d times by the name that is refused, want 2", n)
			}
		})
	}
}

// The streams of both transports, and what is posted beside them, need the name too.
func TestHostThatIsRefusedOnStreams(t *testing.T) {
	t.Run("http", func(t *testing.T) {
		b := newBackend(t)
		opened := make(chan struct{}, 10)
		b.handle("GET", func(w http.ResponseWriter, q *question) {
			stream(w)
			opened <- struct{}{}
			hang(w, q)
		})
		awaitReady(t, start(t, at(serve(t, &guard{allowed: "localhost", refuse: pythonRefusal, next: b}).URL), quick()))
		<-opened
	})
	t.Run("sse", func(t *testing.T) {
		b := server.NewMCPServer("old", "1", server.WithToolCapabilities(true))
		sse := server.NewSSEServer(b, server.WithUseFullURLForMessageEndpoint(false))
		g := &guard{allowed: "localhost", refuse: typescriptRefusal, next: sse}
		want := at(serve(t, g).URL + "/sse")
		want.Transport = discovery.TransportSSE
		u := start(t, want, quick())
		if e := endpointOf(t, u); !e.localHost() || g.refused.Load() != 1 {
			t.Errorf("localhost %v, refused %d times", e.localHost(), g.refused.Load())
		}
	})
}

// Where localhost is refused as well, the first refusal is the answer, and later
// requests are not sent twice.
func TestHostThatIsRefusedAltogether(t *testing.T) {
	g := &guard{allowed: "demo.internal", refuse: typescriptRefusal, next: newBackend(t)}
	e := newTestEndpoint(t, serve(t, g).URL)
	for range 3 {
		_, err := postTo(t, e, "{}")
		var status *statusError
		if !errors.As(err, &status) || status.status != http.StatusForbidden || !strings.Contains(status.body, "Invalid Host") {
			t.Fatalf("answered %v", err)
		}
	}
	if n := g.refused.Load(); n != 4 {
		t.Errorf("asked %d times, want 4", n)
	}
	if _, ok := e.hostRemark(); ok || e.localHost() {
		t.Error("a remark on what did not help")
	}
}

func newTestEndpoint(t *testing.T, address string) *endpoint {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	e := newEndpoint(t.Context(), to, nil, quick())
	t.Cleanup(e.close)
	return e
}

// postTo posts text and answers what came back as the answer to request 1.
func postTo(t *testing.T, e *endpoint, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body := getBuffer()
	defer body.release()
	body.b = append(body.b, text...)
	answer := ""
	_, err := e.post(ctx, http.Header{}, body, 1, func(m *wire.Message) error {
		answer = string(m.Raw)
		return nil
	})
	return answer, err
}

// What else a server answers to the first attempt, or to the second.
func TestHostRefusals(t *testing.T) {
	text := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status); fmt.Fprint(w, body) }
	}
	const answer = `{"jsonrpc":"2.0","id":1,"result":{}}`
	for _, tt := range []struct {
		name          string
		by, localhost func(http.ResponseWriter)
		status        int // of the error; 0 for an answer
		body          string
		requests      int // for two posts
		remembered    bool
	}{
		{"taken", text(200, answer), text(500, ""), 0, answer, 2, false},
		{"403 for another reason", text(403, "missing scope"), text(200, answer), 403, "missing scope", 2, false},
		{"403 without a word", text(403, ""), text(200, answer), 403, "", 2, false},
		{"404 that speaks of the host", text(404, "no such host"), text(200, answer), 404, "no such host", 2, false},
		{"421 without a word", text(421, ""), text(200, answer), 0, answer, 3, true},
		{"403 in capitals", text(403, "INVALID HOST"), text(200, answer), 0, answer, 3, true},
		{"past the guard, and in need of a token", text(421, ""), text(401, ""), 401, "", 3, true},
		{"past the guard, and forbidden", text(421, ""), text(403, "missing scope"), 403, "missing scope", 3, true},
		{"past the guard, and failing", text(421, ""), text(500, "oops"), 500, "oops", 4, false},
		{"a host too far", text(403, strings.Repeat(" ", 64<<10)+"host"), text(200, answer), 403, strings.Repeat(" ", 512), 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int64
			var bodies atomic.Value
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				sent, _ := io.ReadAll(r.Body)
				bodies.Store(string(sent))
				if strings.HasPrefix(r.Host, "localhost:") {
					tt.localhost(w)
				} else {
					tt.by(w)
				}
			}))
			e := newTestEndpoint(t, s.URL)
			for range 2 {
				got, err := postTo(t, e, `{"x":1}`)
				var status *statusError
				if tt.status == 0 && (err != nil || got != tt.body) {
					t.Errorf("answered %q, %v", got, err)
				}
				if tt.status != 0 && (!errors.As(err, &status) || status.status != tt.status || status.body != tt.body) {
					t.Errorf("answered %q, %v; want %d %.40q", got, err, tt.status, tt.body)
				}
				if sent := bodies.Load(); sent != `{"x":1}` {
					t.Errorf("sent %q", sent)
				}
			}
			if n := requests.Load(); n != int64(tt.requests) || e.localHost() != tt.remembered {
				t.Errorf("%d requests, localhost %v; want %d, %v", n, e.localHost(), tt.requests, tt.remembered)
			}
		})
	}
}

// Many requests at once may all be refused before one has found out.
func TestHostThatIsRefusedToManyAtOnce(t *testing.T) {
	g := &guard{allowed: "localhost", refuse: goRefusal, next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	})}
	e := newTestEndpoint(t, serve(t, g).URL)
	errs := make(chan error)
	const many = 20
	for range many {
		go func() {
			_, err := postTo(t, e, "{}")
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := g.passed.Load(); n != many || !e.localHost() {
		t.Errorf("%d of %d passed, localhost %v", n, many, e.localHost())
	}
}

// The guards of the Go servers, which take nothing but localhost on a loopback
// address.
func TestHostGuardsOfRealServers(t *testing.T) {
	sdk := mcp.NewServer(&mcp.Implementation{Name: "go-sdk", Version: "1"}, nil)
	t.Cleanup(func() {
		for s := range sdk.Sessions() {
			_ = s.Close()
		}
	})
	for name, h := range map[string]http.Handler{
		"mcp-go": server.NewStreamableHTTPServer(server.NewMCPServer("mcp-go", "1")),
		"go-sdk": mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return sdk }, nil),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, h)
			e := newTestEndpoint(t, "http://demo:8080/mcp")
			dial := e.transport.DialContext
			e.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dial(ctx, network, s.Listener.Addr().String())
			}
			got, err := postTo(t, e, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
			if err != nil || !json.Valid([]byte(got)) || !strings.Contains(got, `"serverInfo"`) {
				t.Fatalf("answered %q, %v", got, err)
			}
			remark, ok := e.hostRemark()
			if want := `the server refuses the Host header "demo:8080" (403): the gateway calls it with Host: localhost:8080`; !ok || remark.Message != want {
				t.Errorf("remark %+v, want %q", remark, want)
			}
			if want := `add "demo:8080" to the server's allowed hosts to make this unnecessary`; remark.Suggestion != want {
				t.Errorf("suggestion %q, want %q", remark.Suggestion, want)
			}
		})
	}
}

func TestHostNames(t *testing.T) {
	for address, want := range map[string]string{
		"http://demo:8080/mcp": "localhost:8080", "https://demo/mcp": "localhost", "http://[fd00::1]:80/": "localhost:80",
	} {
		to, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if c := newCarrier(&http.Transport{}, to); c.local != want || c.name != to.Host {
			t.Errorf("%s: %s, %s", address, c.name, c.local)
		}
	}
	if d := hostRemark("[fd00::1]:80", "localhost:80", 403); strings.Contains(d.Suggestion, "fd00") {
		t.Errorf("an address of a day is to be allowed: %s", d.Suggestion)
	}
}

// labels.md promises that it explains every code.
func TestLabelsFileExplainsTheHostRemark(t *testing.T) {
	text, err := os.ReadFile("../../labels.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n| "+codeLocalHost+" | info |") {
		t.Errorf("labels.md does not explain %s", codeLocalHost)
	}
}
