package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestForeignOriginsAndHostsAreRefused(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	port := g.url[strings.LastIndex(g.url, ":")+1:]
	c := newRawClient(t, g.mcp(), true)
	discover := c.body(ask{method: "server/discover"}, "1")
	mcp := and(jsonHeaders, "Mcp-Protocol-Version", modernVersion, "Mcp-Method", "server/discover")
	for _, target := range []struct {
		method, path, body string
		headers            map[string]string
	}{
		{"POST", "/mcp", discover, mcp}, {"GET", "/api/backends", "", nil}, {"GET", "/api/logs", "", nil},
		{"POST", "/api/backends", `{"name":"evil","url":"http://10.0.0.1/","transport":"http","enabled":false}`, jsonHeaders},
		{"DELETE", "/api/backends/x", "", map[string]string{"X-MCP-GW": "1"}}, // as pages must say that they mean it
	} {
		for _, bad := range [][]string{
			{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://127.0.0.1.evil.example:" + port},
			{"Origin", "http://localhost.evil.example"}, {"Origin", "garbage"},
			{"Host", "evil.example"}, {"Host", "evil.example:" + port}, {"Host", "127.0.0.1.evil.example:" + port},
		} {
			a := send(t, target.method, g.url+target.path, target.body, and(target.headers, bad...))
			if a.status != 403 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || get(a.final, "error") == nil {
				t.Errorf("%s %s with %v: got %v, want 403 and a JSON error", target.method, target.path, bad, a)
			}
		}
		for _, fine := range [][]string{
			{"Origin", g.url}, {"Host", "localhost:" + port}, {"Host", "[::1]:" + port},
			{"Host", "localhost:" + port, "Origin", "http://localhost:" + port},
		} {
			if a := send(t, target.method, g.url+target.path, target.body, and(target.headers, fine...)); a.status != 200 {
				t.Errorf("%s %s with %v: got %v, want 200", target.method, target.path, fine, a)
			}
		}
	}
	if g.backend(t, "evil") == nil {
		t.Error("the registration from an allowed origin is missing")
	}
}

func TestGarbageIsRefusedPolitely(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "MCP_GW_MAX_BODY=64KiB")
	s := newStub(t, false, false).tool("fine", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	session := dialLegacy(t, g.mcp())
	legacy := and(jsonHeaders, "Mcp-Session-Id", session.session, "Mcp-Protocol-Version", legacyVersion)
	modern := and(jsonHeaders, "Mcp-Protocol-Version", modernVersion, "Mcp-Method", "tools/call", "Mcp-Name", "b__fine")
	for _, body := range []string{
		``, ` `, `{`, `nonsense`, "\x00\x01\x02", "\xff\xfe", `"text"`, `5`, `null`, `true`, `[`, `[]`, `[[]]`, `[1]`,
		`{}`, `{"jsonrpc":"2.0"}`, `{"jsonrpc":"2.0","id":1}`, `{"jsonrpc":"1.0","id":1,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":{},"method":"tools/list"}`, `{"jsonrpc":"2.0","id":[1],"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":1,"method":5}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":5}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}{"x":1}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"} trailing`, `{"jsonrpc":"2.0","id":01,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list",}`, `{'jsonrpc':'2.0'}`, strings.Repeat(`[`, 20_000), strings.Repeat(`{"a":`, 10_000),
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + strings.Repeat(`[`, 20_000) + `}`,
	} {
		for _, headers := range []map[string]string{legacy, modern, jsonHeaders} {
			a := send(t, "POST", g.mcp(), body, headers)
			if a.status/100 == 5 || a.status/100 == 3 || a.status == 200 && get(a.final, "error") == nil || len(a.final) > 0 && !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
				t.Errorf("body %.60q: got %v, want a refusal in JSON", body, a)
			}
			if a.status != 202 && get(a.final, "error") == nil {
				t.Errorf("body %.60q: got %v, want an error in it", body, a)
			}
		}
	}

	// Batches were part of one old version, which the gateway may refuse.
	batch := `[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`
	if a := send(t, "POST", g.mcp(), batch, and(legacy, "Mcp-Protocol-Version", "2025-03-26")); a.status/100 == 5 || len(a.final) == 0 {
		t.Errorf("a batch: got %v, want its answers or a refusal", a)
	}
	if a := send(t, "POST", g.mcp(), session.body(ask{method: "tools/list"}, "1"), and(legacy, "Content-Type", "text/plain")); a.status != 415 && a.status != 400 {
		t.Errorf("text/plain: got %v, want 415 or 400: a page may send it without asking", a)
	}

	// Too large, with and without a declared length.
	large := session.body(callTool("b__fine", `{"x":"`+strings.Repeat("x", 70<<10)+`"}`), "1")
	wantRPCError(t, "a body over the limit", send(t, "POST", g.mcp(), large, legacy), 413, 0)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", g.mcp(), io.MultiReader(strings.NewReader(large))) // chunked
	for k, v := range legacy {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("a chunked body over the limit: got HTTP %d, want 413", resp.StatusCode)
	}
	session.must(t, callTool("b__fine", `{"x":"`+strings.Repeat("x", 60<<10)+`"}`)) // and below it, all is well
	if got := len(s.received("tools/call")); got != 1 {
		t.Errorf("calls at the backend: got %d, want only the last one", got)
	}
}
