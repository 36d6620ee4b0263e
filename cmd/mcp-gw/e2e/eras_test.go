package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// send makes one HTTP request to the gateway, with nothing added but headers.
// A header named Host sets the request's Host.
func send(t *testing.T, method, url, body string, headers map[string]string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header[name] = []string{value}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: HTTP %d, then %v", method, url, resp.StatusCode, err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, final: text}
}

var jsonHeaders = map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

// and is base with more headers.
func and(base map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for k, v := range base {
		all[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// wantRPCError fails the test unless a is a JSON-RPC error with this status, and
// this code unless that is 0.
func wantRPCError(t *testing.T, what string, a answer, status, code int) {
	t.Helper()
	if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") ||
		get(a.final, "error", "message") == nil || code != 0 && string(get(a.final, "error", "code")) != strconv.Itoa(code) {
		t.Errorf("%s: got %v, want HTTP %d and a JSON-RPC error with code %d", what, a, status, code)
	}
}

func TestLegacySessions(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, method := range []string{"POST", "GET", "DELETE"} {
		for _, id := range []string{"unknown", "7c6f3b1e-0000-4000-8000-000000000000", strings.Repeat("x", 5000)} {
			a := send(t, method, g.mcp(), map[string]string{"POST": list}[method], and(jsonHeaders, "Mcp-Session-Id", id))
			if a.status != 404 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
				t.Errorf("%s with the unknown session %.40s: got %v, want 404 and JSON", method, id, a)
			}
		}
	}
	wantRPCError(t, "POST without session", send(t, "POST", g.mcp(), list, jsonHeaders), 400, 0)

	c := dialLegacy(t, g.mcp())
	if c.session == "" || str(c.hello.result(), "protocolVersion") != legacyVersion || get(c.hello.result(), "capabilities", "tools") == nil {
		t.Errorf("initialize: got session %q and %v", c.session, c.hello)
	}
	if got := string(c.must(t, ask{method: "ping"}).result()); got != "{}" {
		t.Errorf("ping: got %s, want {}", got)
	}
	// What a client posts that wants no answer is accepted.
	c.notify(t, "notifications/roots/list_changed", "")
	session := and(jsonHeaders, "Mcp-Session-Id", c.session)
	if a := send(t, "POST", g.mcp(), `{"jsonrpc":"2.0","id":9,"result":{}}`, session); a.status != 202 {
		t.Errorf("a response that nobody waits for: got %v, want 202", a)
	}
	// Some clients leave the Accept header out, or take JSON only.
	for _, accept := range []string{"", "*/*", "application/json"} {
		if a := send(t, "POST", g.mcp(), list, and(session, "Accept", accept)); a.status != 200 || get(a.final, "result", "tools") == nil {
			t.Errorf("tools/list with Accept %q: got %v", accept, a)
		}
	}
	messages, _ := c.listen(t)
	if a := send(t, "DELETE", g.mcp(), "", map[string]string{"Mcp-Session-Id": c.session}); a.status/100 != 2 {
		t.Errorf("DELETE of a session: got %v", a)
	}
	eventually(t, "the stream of the deleted session to end", func() bool {
		select {
		case _, more := <-messages:
			return !more
		default:
			return false
		}
	})
	wantRPCError(t, "POST after DELETE", send(t, "POST", g.mcp(), list, and(jsonHeaders, "Mcp-Session-Id", c.session)), 404, 0)

	for asked, want := range map[string]string{"2025-06-18": "2025-06-18", "2025-03-26": "2025-03-26", "2024-11-05": "2024-11-05", "1900-01-01": legacyVersion} {
		a := send(t, "POST", g.mcp(), `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"`+asked+`","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
			and(jsonHeaders, "Accept", "application/json"))
		if got := str(a.final, "result", "protocolVersion"); got != want {
			t.Errorf("initialize with %s: got %v, want version %s", asked, a, want)
		}
	}
}

func TestModernRequestsAreChecked(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, true, false).tool("fine", fixed(`"result":{"content":[],"resultType":"complete"}`))
	g.connect(t, "b", s.url, "http")
	c := dialModern(t, g.mcp())
	if c.hello.header.Get("Mcp-Session-Id") != "" || !bytes.Contains(get(c.hello.result(), "supportedVersions"), []byte(modernVersion)) ||
		get(c.hello.result(), "ttlMs") == nil || get(c.hello.result(), "cacheScope") == nil || str(c.hello.result(), "resultType") != "complete" {
		t.Errorf("server/discover: got %v", c.hello)
	}
	list := c.must(t, ask{method: "tools/list"}).result()
	if get(list, "ttlMs") == nil || get(list, "cacheScope") == nil || str(list, "resultType") != "complete" {
		t.Errorf("tools/list: got %s, want ttlMs, cacheScope and resultType", without(list, "tools"))
	}

	call := callTool("b__fine", `{}`)
	good := and(jsonHeaders, "Mcp-Protocol-Version", modernVersion, "Mcp-Method", "tools/call", "Mcp-Name", "b__fine")
	body := c.body(call, "1")
	for _, c := range []struct {
		what    string
		body    string
		headers map[string]string
		status  int
		code    int
	}{
		{"all is well", body, good, 200, 0},
		{"an encoded name", body, and(good, "Mcp-Name", "=?base64?"+base64.StdEncoding.EncodeToString([]byte("b__fine"))+"?="), 200, 0},
		{"a session id, which means nothing here", body, and(good, "Mcp-Session-Id", "whatever"), 200, 0},
		{"a Last-Event-ID, which means nothing here", body, and(good, "Last-Event-Id", "5"), 200, 0},
		{"no method header", body, lacking(good, "Mcp-Method"), 400, -32020},
		{"another method header", body, and(good, "Mcp-Method", "tools/list"), 400, -32020},
		{"no name header", body, lacking(good, "Mcp-Name"), 400, -32020},
		{"another name header", body, and(good, "Mcp-Name", "b__other"), 400, -32020},
		{"a malformed name header", body, and(good, "Mcp-Name", "=?base64?***?="), 400, -32020},
		{"another version header", body, and(good, "Mcp-Protocol-Version", "2025-11-25"), 400, -32020},
		{"no version in the body", strings.Replace(body, `"io.modelcontextprotocol/protocolVersion":"2026-07-28",`, "", 1), good, 400, -32602},
		{"no capabilities in the body", strings.Replace(body, `"io.modelcontextprotocol/clientCapabilities":{},`, "", 1), good, 400, -32602},
		{"an unknown version", strings.Replace(body, modernVersion, "2099-01-01", 1), and(good, "Mcp-Protocol-Version", "2099-01-01"), 400, -32022},
		{"an unknown method", strings.Replace(body, "tools/call", "tools/burn", 1), and(good, "Mcp-Method", "tools/burn"), 404, -32601},
		{"a method of the other era", strings.Replace(body, "tools/call", "ping", 1), and(good, "Mcp-Method", "ping"), 404, -32601},
		{"initialize in this era", strings.Replace(body, "tools/call", "initialize", 1), and(good, "Mcp-Method", "initialize"), 404, -32601},
	} {
		a := send(t, "POST", g.mcp(), c.body, c.headers)
		if c.code == 0 {
			if a.status != 200 || !bytes.Contains(a.final, []byte(`"content":[]`)) || a.header.Get("Mcp-Session-Id") != "" {
				t.Errorf("%s: got %v, want the tool's result", c.what, a)
			}
			continue
		}
		wantRPCError(t, c.what, a, c.status, c.code)
		if c.code == -32022 && !bytes.Contains(get(a.final, "error", "data", "supported"), []byte(modernVersion)) {
			t.Errorf("%s: got %v, want the supported versions in data", c.what, a)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		a := send(t, method, g.mcp(), "", map[string]string{"Mcp-Protocol-Version": modernVersion, "Accept": "text/event-stream"})
		if a.status != 405 || a.header.Get("Allow") == "" {
			t.Errorf("%s in the modern era: got %v, Allow %q, want 405 and Allow", method, a, a.header.Get("Allow"))
		}
	}
}

// lacking is headers without one.
func lacking(headers map[string]string, name string) map[string]string {
	all := and(headers)
	delete(all, name)
	return all
}
