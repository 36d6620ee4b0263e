package downstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestModernShapes(t *testing.T) {
	h := start(t, nil)
	const server = `"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"mcp-gateway","version":"9.9.9"}}`
	for method, want := range map[string]string{
		"server/discover": `{"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"capabilities":{` + everything + `},"resultType":"complete","ttlMs":0,"cacheScope":"public",` + server + `}`,
		"tools/list":      `{"tools":[{"name":"b__echo","inputSchema":{"type":"object"}}],"resultType":"complete","ttlMs":0,"cacheScope":"public",` + server + `}`,
	} {
		// A session's header means nothing here, and none is made.
		a := h.post(t, modernCall(`"server-discover-probe-1"`, method, ""), append(modernHeader(method, ""), "Mcp-Session-Id", "whatever", "Last-Event-ID", "7")...)
		if body := `{"jsonrpc":"2.0","id":"server-discover-probe-1","result":` + want + `}`; a.status != 200 || a.body != body || a.header.Get("Mcp-Session-Id") != "" {
			t.Errorf("%s: %d\n%s\nwant\n%s", method, a.status, a.body, body)
		}
	}
	a := h.post(t, modernCall("0", "tools/call", `"name":"b__echo"`), modernHeader("tools/call", "b__echo")...)
	if want := `{"jsonrpc":"2.0","id":0,"result":{"resultType":"complete","content":[],"text":"done"}}`; a.status != 200 || a.body != want {
		t.Errorf("call: %d %s", a.status, a.body)
	}
}

// Every check of protocol revision 2026-07-28 that a server has to make, with its
// code and status.
func TestModernValidation(t *testing.T) {
	h := start(t, nil)
	const ok = `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`
	const caps = `"io.modelcontextprotocol/clientCapabilities":{}`
	call := func(meta string) string {
		return `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"b__echo","_meta":{` + meta + `}}}`
	}
	full := call(ok + "," + caps)
	header := func(pairs ...string) []string { return append(modernHeader("tools/call", "b__echo"), pairs...) }
	for name, test := range map[string]struct {
		body   string
		header []string
		status int
		code   int
	}{
		"all well":                      {full, header(), 200, 0},
		"version missing in the header": {full, header("MCP-Protocol-Version", "-"), 400, -32020},
		"version differs":               {full, header("MCP-Protocol-Version", "2025-11-25"), 400, -32020},
		"version missing in the body":   {call(caps), header(), 400, -32602},
		"no _meta":                      {`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"b__echo"}}`, header(), 400, -32602},
		"no params":                     {`{"jsonrpc":"2.0","id":5,"method":"tools/list"}`, modernHeader("tools/list", ""), 400, -32602},
		"version no string":             {call(`"io.modelcontextprotocol/protocolVersion":20260728,` + caps), header(), 400, -32602},
		"version of the future":         {call(`"io.modelcontextprotocol/protocolVersion":"2999-01-01",` + caps), header("MCP-Protocol-Version", "2999-01-01"), 400, -32022},
		"version of sessions":           {call(`"io.modelcontextprotocol/protocolVersion":"2025-11-25",` + caps), header("MCP-Protocol-Version", "2025-11-25"), 400, -32022},
		"version garbage":               {call(`"io.modelcontextprotocol/protocolVersion":"1900-01-01",` + caps), header("MCP-Protocol-Version", "1900-01-01"), 400, -32022},
		"no capabilities":               {call(ok), header(), 400, -32602},
		"capabilities no object":        {call(ok + `,"io.modelcontextprotocol/clientCapabilities":[]`), header(), 400, -32602},
		"method missing in the header":  {full, header("Mcp-Method", "-"), 400, -32020},
		"method differs":                {full, header("Mcp-Method", "tools/list"), 400, -32020},
		"method differs in case":        {full, header("Mcp-Method", "Tools/Call"), 400, -32020},
		"name missing in the header":    {full, header("Mcp-Name", "-"), 400, -32020},
		"name differs":                  {full, header("Mcp-Name", "b__other"), 400, -32020},
		"name in base64":                {full, header("Mcp-Name", "=?base64?Yl9fZWNobw==?="), 200, 0},
		"name in bad base64":            {full, header("Mcp-Name", "=?base64?Yl9fZWNobw?="), 400, -32020},
		"name in base64 differs":        {full, header("Mcp-Name", "=?base64?Yg==?="), 400, -32020},
		"name of a prompt missing":      {`{"jsonrpc":"2.0","id":5,"method":"prompts/get","params":{"name":"p","_meta":{` + ok + "," + caps + `}}}`, modernHeader("prompts/get", ""), 400, -32020},
		"uri of a resource differs":     {`{"jsonrpc":"2.0","id":5,"method":"resources/read","params":{"uri":"a:b","_meta":{` + ok + "," + caps + `}}}`, modernHeader("resources/read", "a:c"), 400, -32020},
		"unknown method":                {modernCall("5", "no/such", ""), modernHeader("no/such", ""), 404, -32601},
		"initialize":                    {modernCall("5", "initialize", ""), modernHeader("initialize", ""), 404, -32601},
		"ping":                          {modernCall("5", "ping", ""), modernHeader("ping", ""), 404, -32601},
		"logging/setLevel":              {modernCall("5", "logging/setLevel", ""), modernHeader("logging/setLevel", ""), 404, -32601},
		"unknown tool":                  {modernCall("5", "tools/call", `"name":"b__x"`), modernHeader("tools/call", "b__x"), 400, -32602},
		"no name at all":                {modernCall("5", "tools/call", ""), append(modernHeader("tools/call", ""), "Mcp-Name", ""), 400, -32602},
		"wrong cursor":                  {modernCall("5", "tools/list", `"cursor":"x"`), modernHeader("tools/list", ""), 400, -32602},
		"listen without a filter":       {modernCall("5", "subscriptions/listen", ""), modernHeader("subscriptions/listen", ""), 400, -32602},
		"absent backend":                {modernCall("5", "tools/call", `"name":"dead__x"`), modernHeader("tools/call", "dead__x"), 200, 0},
	} {
		a := h.post(t, test.body, test.header...)
		want := `{"jsonrpc":"2.0","id":5,"result":`
		if test.code != 0 {
			want = fmt.Sprintf(`{"jsonrpc":"2.0","id":5,"error":{"code":%d,`, test.code)
		}
		if a.status != test.status || !strings.HasPrefix(a.body, want) || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s; want %d and code %d", name, a.status, a.body, test.status, test.code)
		}
		if test.code == -32022 && (!strings.Contains(a.body, `"supported":["2026-07-28",`) || !strings.Contains(a.body, `"requested":"`)) {
			t.Errorf("%s: no data in %s", name, a.body)
		}
	}
	if n := h.sessions.count(); n != 0 {
		t.Errorf("%d sessions were opened", n)
	}
}

func TestModernHasNoSessions(t *testing.T) {
	h := start(t, nil)
	for _, verb := range []string{"GET", "DELETE"} {
		if a := h.do(t, verb, "", "MCP-Protocol-Version", "2026-07-28"); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
			t.Errorf("%s: %+v", verb, a)
		}
	}
	if a := h.post(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, "MCP-Protocol-Version", "2026-07-28"); a.status != http.StatusAccepted || a.body != "" {
		t.Errorf("notification: %+v", a)
	}
	if a := h.post(t, `{"jsonrpc":"2.0","id":1,"result":{}}`, "MCP-Protocol-Version", "2026-07-28"); a.status != http.StatusBadRequest {
		t.Errorf("response: %+v", a)
	}
}

// An error of a legacy backend comes with the status that belongs to its code in this
// era, where it must have one, and with 200 in the other.
func TestStatusOfBackendErrors(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	for code, status := range map[int]int{-32601: 404, -32602: 200, -32600: 200, -32700: 200, -32020: 400, -32021: 400, -32022: 400, -32603: 200, -32000: 200, 4242: 200} {
		body := fmt.Sprintf(`"error":{"code":%d,"message":"x","data":{"a":1e400}}`, code)
		h.show(map[string]tool{"fail": fixed(body)})
		a := h.post(t, modernCall("1", "tools/call", `"name":"b__fail"`), modernHeader("tools/call", "b__fail")...)
		if a.status != status || a.body != `{"jsonrpc":"2.0","id":1,`+body+`}` {
			t.Errorf("code %d, modern: %d %s, want %d", code, a.status, a.body, status)
		}
		a = h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__fail"}}`, s...)
		if a.status != 200 || a.body != `{"jsonrpc":"2.0","id":1,`+body+`}` {
			t.Errorf("code %d, legacy: %d %s", code, a.status, a.body)
		}
	}
}

// Both eras page a list that is too long for one answer, and lose nothing.
func TestPaging(t *testing.T) {
	h := start(t, nil)
	const total = 2345
	var names []string
	for i := range total {
		names = append(names, fmt.Sprintf("tool%04d", i))
	}
	h.show(nil, names...)
	s := h.initialize(t)
	ask := map[string]func(cursor string) answer{
		"legacy": func(cursor string) answer {
			return h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+cursor+`}}`, s...)
		},
		"modern": func(cursor string) answer {
			return h.post(t, modernCall("1", "tools/list", cursor), modernHeader("tools/list", "")...)
		},
	}
	for era, list := range ask {
		seen, pages, cursor := map[string]bool{}, 0, ""
		for {
			a := list(cursor)
			var page struct {
				Result struct {
					Tools      []struct{ Name string }
					NextCursor *string
					ResultType string
				}
			}
			decode(t, a.body, &page)
			for _, tool := range page.Result.Tools {
				seen[tool.Name] = true
			}
			if pages++; (page.Result.ResultType != "") != (era == "modern") {
				t.Errorf("%s: resultType %q", era, page.Result.ResultType)
			}
			if page.Result.NextCursor == nil {
				break
			}
			cursor = fmt.Sprintf(`"cursor":%q`, *page.Result.NextCursor)
		}
		if len(seen) != total || pages != 3 {
			t.Errorf("%s: %d tools on %d pages", era, len(seen), pages)
		}
	}
}
