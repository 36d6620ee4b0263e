package upstream

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// answering is a server that answers every request the same way.
func answering(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(func() { shut(s) })
	return s.URL
}

// raw is a port that sends text to whoever connects, and hangs up; with "" it only
// hangs up after it was asked.
func raw(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			// Read to its end: what is closed with something unread takes its answer along.
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// How far a connect came has one stable word, whatever the sentence says.
func TestFailureOfAConnect(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // our refusals
	secure.StartTLS()
	t.Cleanup(secure.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	status := func(code int, text string) string {
		return answering(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, code) })
	}
	scripted := func(method, answer string) string {
		b := newBackend(t)
		b.handle(method, func(w http.ResponseWriter, q *question) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, q.id, answer)
		})
		return b.URL
	}
	short := quick()
	short.ConnectTimeout = 200 * time.Millisecond
	for name, test := range map[string]struct {
		url      string
		want     Failure
		sentence string
	}{
		"nothing listens":   {closed.URL, FailureRefused, "bind 0.0.0.0"},
		"unknown name":      {"http://nobody.invalid/mcp", FailureDNS, "nobody.invalid"},
		"bad certificate":   {secure.URL, FailureTLS, "mcp-gw.tls.ca"},
		"TLS to plain HTTP": {strings.Replace(status(404, ""), "http", "https", 1), FailureTLS, "mcp-gw.scheme=http"},
		"silent": {answering(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not see that its client leaves
			<-r.Context().Done()
		}),
			FailureNoAnswer, "did not answer within"},
		"hangs up":          {raw(t, ""), FailureClosed, "closed"},
		"another protocol":  {raw(t, "SSH-2.0-OpenSSH_9.6\r\n"), FailureNotMCP, "does not speak HTTP"},
		"wrong path":        {status(404, "not found"), FailureHTTPStatus, "404 at /mcp, 404 at /"},
		"wants credentials": {status(401, ""), FailureAuth, "mcp-gw.auth.secret"},
		"broken":            {status(500, "oops"), FailureHTTPStatus, "500 at /mcp"},
		"a web page": {answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html>")
		}), FailureNotMCP, "another kind of answer"},
		"revision of nobody": {scripted("initialize", `"result":{"protocolVersion":"1999-01-01","capabilities":{},"serverInfo":{"name":"x","version":"1"}}`),
			FailureProtocol, "1999-01-01"},
		"error to initialize": {scripted("initialize", `"error":{"code":-32603,"message":"no database"}`), FailureProtocol, "no database"},
		"no list":             {scripted("tools/list", `"error":{"code":-32603,"message":"no database"}`), FailureList, "its tools cannot be listed: tools/list: answered error -32603: no database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := quick()
			if test.want == FailureNoAnswer {
				cfg = short
			}
			b := discovery.Backend{Name: "b", Source: discovery.SourceDocker, URL: test.url, Transport: discovery.TransportAuto}
			if strings.HasPrefix(test.url, "http://127") {
				b.URL, b.Alternatives = test.url+"/mcp", []string{test.url + "/"}
			}
			s := awaitState(t, start(t, b, cfg), "a failed attempt", func(s *State) bool { return s.Reason != "" })
			if s.Failure != test.want || !strings.Contains(s.Reason, test.sentence) {
				t.Errorf("failure %q, reason %q; want %q and %q in it", s.Failure, s.Reason, test.want, test.sentence)
			}
			shown := map[string]string{"a web page": "<!doctype html>", "wrong path": "not found", "broken": "oops"}
			if s.Answer != shown[name] {
				t.Errorf("answered was %q, want %q", s.Answer, shown[name])
			}
		})
	}
}

// Who chose a transport that the server does not speak is told so, and not only to
// look at the path.
func TestAWrongTransportIsNamed(t *testing.T) {
	here := answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	for transport, want := range map[discovery.Transport]string{
		discovery.TransportSSE: "answered 404 to transport sse: does it speak another (mcp-gw.transport=auto", discovery.TransportHTTP: "404 to transport http",
		discovery.TransportAuto: "answered 404: is the path right",
	} {
		b := discovery.Backend{Name: "b", Source: discovery.SourceDocker, URL: here + "/x", Transport: transport}
		s := awaitState(t, start(t, b, quick()), "a failed attempt", func(s *State) bool { return s.Reason != "" })
		if s.Failure != FailureHTTPStatus || !strings.Contains(s.Reason, want) {
			t.Errorf("%s: failure %q, reason %q; want %q in it", transport, s.Failure, s.Reason, want)
		}
	}
}

// What failed once is no failure any more when it works, nor when it is lost later.
func TestFailureEndsWithAConnection(t *testing.T) {
	b := newBackend(t)
	b.handle("initialize", func(w http.ResponseWriter, _ *question) { w.WriteHeader(http.StatusUnauthorized) })
	u := start(t, at(b.URL), quick())
	awaitState(t, u, "the failure", func(s *State) bool { return s.Failure == FailureAuth })
	b.handle("initialize", nil)
	if s := awaitReady(t, u); s.Failure != "" {
		t.Errorf("connected with failure %q", s.Failure)
	}
}
