package downstream

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSessionLifecycle(t *testing.T) {
	h := start(t, nil)
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, verb := range []string{"POST", "GET", "DELETE"} {
		if a := h.do(t, verb, list, "Mcp-Session-Id", "unknown"); a.status != http.StatusNotFound || !strings.Contains(a.body, "-32001") || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s in an unknown session: %+v", verb, a)
		}
		if a := h.do(t, verb, list); a.status != http.StatusBadRequest || !strings.Contains(a.body, "Mcp-Session-Id header is missing") {
			t.Errorf("%s without a session: %+v", verb, a)
		}
	}
	s, other := h.initialize(t), h.initialize(t)
	if s[1] == other[1] || len(s[1]) < 20 {
		t.Errorf("session ids %q and %q", s[1], other[1])
	}
	if a := h.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, s...); a.status != http.StatusAccepted || a.body != "" {
		t.Errorf("notification: %+v", a)
	}
	if a := h.post(t, `{"jsonrpc":"2.0","id":7,"result":{}}`, s...); a.status != http.StatusAccepted {
		t.Errorf("response: %+v", a)
	}
	if a := h.do(t, "DELETE", "", s...); a.status != http.StatusNoContent {
		t.Errorf("DELETE: %+v", a)
	}
	if a := h.post(t, list, s...); a.status != http.StatusNotFound {
		t.Errorf("after DELETE: %+v", a)
	}
	if a := h.post(t, list, other...); a.status != http.StatusOK {
		t.Errorf("the other session after DELETE: %+v", a)
	}
	if left := h.left(); len(left) != 1 || left[0] != h.tag(t, s) {
		t.Errorf("told of %v", left)
	}
	for _, verb := range []string{"PUT", "PATCH", "OPTIONS"} {
		if a := h.do(t, verb, list, s...); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") == "" {
			t.Errorf("%s: %+v", verb, a)
		}
	}
}

func TestInitialize(t *testing.T) {
	h := start(t, nil)
	for asked, want := range map[string]string{"2025-11-25": "2025-11-25", "2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26",
		"2026-07-28": "2025-11-25", "2999-01-01": "2025-11-25", "rubbish": "2025-11-25"} {
		// A client that falls back may keep the header of its probe.
		a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"`+asked+`","capabilities":{}}}`, "MCP-Protocol-Version", "2026-07-28")
		if body := `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"` + want + `","capabilities":{` + everything + `},"serverInfo":{"name":"mcp-gateway","version":"9.9.9"}}}`; a.body != body || a.status != http.StatusOK {
			t.Errorf("%s: %d %s\nwant %s", asked, a.status, a.body, body)
		}
	}
	before := h.sessions.count()
	for _, params := range []string{``, `,"params":{}`, `,"params":{"protocolVersion":7}`, `,"params":null`} {
		if a := h.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize"`+params+`}`); !strings.Contains(a.body, `"code":-32602`) || a.header.Get("Mcp-Session-Id") != "" {
			t.Errorf("initialize with %q: %+v", params, a)
		}
	}
	if n := h.sessions.count(); n != before {
		t.Errorf("%d sessions for refused handshakes", n-before)
	}
}

// Ids come back as they were, byte for byte.
func TestIDs(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	for _, id := range []string{`0`, `-1`, `"0"`, `""`, `"x\u0041\/"`, `12345678901234567890123`, `1.0`, `1e2`} {
		for method, params := range map[string]string{"ping": `{}`, "tools/list": `{}`, "tools/call": `{"name":"b__echo"}`, "no/such": `{}`} {
			a := h.post(t, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":`+params+`}`, s...)
			if a.status != http.StatusOK || !strings.HasPrefix(a.last(), `{"jsonrpc":"2.0","id":`+id+`,`) {
				t.Errorf("id %s of %s: %d %s", id, method, a.status, a.body)
			}
		}
	}
}

func TestLegacyMethods(t *testing.T) {
	h := start(t, nil)
	s := h.initialize(t)
	for name, test := range map[string]struct{ request, want string }{
		"ping":                 {`"method":"ping"`, `"result":{}}`},
		"unknown":              {`"method":"no/such"`, `"error":{"code":-32601,"message":"the backend does not know it"}}`},
		"modern only":          {`"method":"server/discover"`, `"error":{"code":-32601,`},
		"list":                 {`"method":"tools/list"`, `"result":{"tools":[{"name":"b__echo","inputSchema":{"type":"object"}}]}}`},
		"list, null cursor":    {`"method":"tools/list","params":{"cursor":null}`, `"b__echo"`},
		"list, wrong cursor":   {`"method":"tools/list","params":{"cursor":"x"}`, `"code":-32602`},
		"list, no string":      {`"method":"tools/list","params":{"cursor":7}`, `"code":-32602`},
		"call":                 {`"method":"tools/call","params":{"name":"b__echo"}`, `"result":{"content":[],"text":"done"}}`},
		"call, escaped name":   {`"method":"tools/call","params":{"name":"b_\u005fecho"}`, `"text":"done"`},
		"call without a name":  {`"method":"tools/call","params":{}`, `"code":-32602`},
		"call, name no string": {`"method":"tools/call","params":{"name":7}`, `"code":-32602`},
		"call, unknown tool":   {`"method":"tools/call","params":{"name":"b__other"}`, `"error":{"code":-32602,"message":"Unknown tool: b__other"}`},
		"call, no prefix":      {`"method":"tools/call","params":{"name":"echo"}`, `"result":{"content":[{"type":"text","text":"Error: Invalid tool name (missing \"__\" prefix): echo"}],"isError":true}`},
		"call, absent backend": {`"method":"tools/call","params":{"name":"dead__x__y"}`, `"text":"Error: Backend \"dead\" is not connected: nothing listens there"}],"isError":true}`},
	} {
		if a := h.post(t, `{"jsonrpc":"2.0","id":1,`+test.request+`}`, s...); a.status != http.StatusOK || !strings.Contains(a.last(), test.want) {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, test.want)
		}
	}
	// The header names the session's era, if it is there at all.
	for version, status := range map[string]int{"2025-11-25": 200, "2024-11-05": 200, "1999-01-01": 400, "rubbish": 400} {
		if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, append(s, "MCP-Protocol-Version", version)...); a.status != status {
			t.Errorf("MCP-Protocol-Version %s: %+v", version, a)
		}
	}
}

// What is no single JSON-RPC message in a body of allowed size and type.
func TestRefusedBodies(t *testing.T) {
	h := start(t, func(c *Config) { c.MaxBody = 1000 })
	s := h.initialize(t)
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	pad := strings.Repeat(" ", 1000-len(ping))
	for name, test := range map[string]struct {
		body, header, value string
		status              int
		want                string
	}{
		"batch":                  {`[` + ping + `]`, "", "", 400, "batches are only of revision 2025-03-26, and this session is of 2025-11-25"},
		"empty batch":            {`[]`, "", "", 400, "batches are only of revision 2025-03-26, and this session is of 2025-11-25"},
		"nothing":                {``, "", "", 400, `"code":-32700`},
		"no JSON":                {`{"jsonrpc":`, "", "", 400, `"code":-32700`},
		"two":                    {ping + ping, "", "", 400, `"code":-32700`},
		"id null":                {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, "", "", 400, `"code":-32600`},
		"id object":              {`{"jsonrpc":"2.0","id":{},"method":"ping"}`, "", "", 400, `"code":-32600`},
		"wrong version":          {`{"jsonrpc":"1.0","id":1,"method":"ping"}`, "", "", 400, `"code":-32600`},
		"name twice":             {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__echo","name":"x"}}`, "", "", 400, `"code":-32600`},
		"largest":                {ping + pad, "", "", 200, `"result":{}`},
		"too large":              {ping + pad + " ", "", "", 413, "MCP_GW_MAX_BODY"},
		"no type":                {ping, "Content-Type", "-", 415, "application/json is required"},
		"text":                   {ping, "Content-Type", "text/plain", 415, "application/json is required"},
		"json of another kind":   {ping, "Content-Type", "application/json-seq", 415, "application/json is required"},
		"form":                   {ping, "Content-Type", "text/plain; x=application/json", 415, "application/json is required"},
		"type with charset":      {ping, "Content-Type", "application/json; charset=utf-8", 200, ""},
		"type with space":        {ping, "Content-Type", "Application/JSON ;charset=UTF-8", 200, ""},
		"type with an odd param": {ping, "Content-Type", "application/json; charset", 200, ""},
	} {
		header := s
		if test.header != "" {
			header = append([]string{test.header, test.value}, s...)
		}
		if a := h.post(t, test.body, header...); a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: %+v, want %d %s", name, a, test.status, test.want)
		}
	}
	// Of unknown length, it is read no further than allowed.
	r := h.request(t.Context(), t, "POST", "", s...)
	r.Body, r.ContentLength = http.NoBody, -1
	r.Body = struct {
		*endless
		closer
	}{}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("endless body: %d", res.StatusCode)
	}
}

type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type closer struct{}

func (closer) Close() error { return nil }

// A client that promises a body gets neither memory nor time for what it does not
// send.
func TestBodyThatDoesNotCome(t *testing.T) {
	h := start(t, func(c *Config) { c.MaxBody = 1 << 30 })
	h.patience = 50 * time.Millisecond
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), "/mcp"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", 1<<30)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", res.StatusCode)
	}
	var into bytes.Buffer
	r := &http.Request{ContentLength: 1 << 30, Body: http.NoBody}
	if err := readBody(&into, r, 1<<30); err != nil || into.Cap() > 2*maxPooled {
		t.Errorf("%v; %d bytes were set aside", err, into.Cap())
	}
}

// The deadline of a body does not end the call that it asks for.
func TestCallOutlivesTheBodysDeadline(t *testing.T) {
	h := start(t, nil)
	h.patience = 50 * time.Millisecond
	s := h.initialize(t)
	h.show(map[string]tool{"slow": slow(4 * h.patience)})
	if a := h.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__slow"}}`, s...); !strings.Contains(a.last(), "slept") {
		t.Errorf("legacy: %+v", a)
	}
	if a := h.post(t, modernCall("1", "tools/call", `"name":"b__slow"`), modernHeader("tools/call", "b__slow")...); !strings.Contains(a.last(), "slept") {
		t.Errorf("modern: %+v", a)
	}
}
