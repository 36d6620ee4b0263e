package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

// Where a resource is not found, each era has a code of its own (2026-07-28,
// server/resources); all other codes are everybody's.
func TestNotFoundCodeByEra(t *testing.T) {
	for _, test := range []struct {
		method     string
		modern     bool
		from       upstream.Peer
		code, want int
	}{
		{"resources/read", true, legacyPeer, -32002, -32602},
		{"resources/read", false, modernPeer, -32602, -32002},
		{"resources/read", true, modernPeer, -32602, -32602},
		{"resources/read", true, modernPeer, -32002, -32002},
		{"resources/read", false, legacyPeer, -32002, -32002},
		{"resources/read", false, legacyPeer, -32602, -32602},
		{"resources/read", true, legacyPeer, -32603, -32603},
		{"resources/read", false, modernPeer, -32042, -32042},
		{"tools/call", true, legacyPeer, -32002, -32002},
		{"tools/call", false, modernPeer, -32602, -32602},
		{"prompts/get", false, modernPeer, -32602, -32602},
	} {
		text := `{"jsonrpc":"2.0","error":{"data":{"uri":"a:b","n":1e400},"code":` + num(test.code) + `,"message":"\u2028 gone"},"id":100}`
		got := relay(t, Client{Modern: test.modern}, strings.Replace(request("1", ""), "tools/call", test.method, 1), test.from, text)
		want := strings.NewReplacer(`"id":100`, `"id":1`, num(test.code), num(test.want)).Replace(text)
		if got.reply(t) != want || got.code != test.want && !(test.modern && got.code == Handled) {
			t.Errorf("%+v: code %d\ngot  %s\nwant %s", test, got.code, got.reply(t), want)
		}
	}
}

func num(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// The error with which 2025-11-25 asks for URLs to be visited is a question in the
// era after it, to those who can be asked.
func TestURLsToVisitFirst(t *testing.T) {
	const one, two = `{"mode":"url","elicitationId":"e1","url":"https://x/\u0041","message":"log in"}`, `{"mode":"url","elicitationId":"e2","url":"https://y","message":"pay"}`
	refusal := func(data string) string {
		return `{"jsonrpc":"2.0","id":100,"error":{"code":-32042,"message":"first","data":` + data + `}}`
	}
	full := refusal(`{"elicitations":[` + one + `,` + two + `]}`)
	modern := Client{Modern: true, Capabilities: []byte(`{"elicitation":{"url":{}}}`)}
	got := relay(t, modern, request(`"i"`, ""), legacyPeer, full)
	want := `{"jsonrpc":"2.0","id":"i","result":{"resultType":"input_required","inputRequests":{"mcpgw_visit_1":{"method":"elicitation/create","params":` + one + `},"mcpgw_visit_2":{"method":"elicitation/create","params":` + two + `}}}}`
	if got.reply(t) != want || got.code != 0 {
		t.Errorf("got  %s\nwant %s", got.reply(t), want)
	}
	for name, client := range map[string]Client{"legacy to legacy": {}, "modern without any": {Modern: true}} {
		for _, data := range []string{`{"elicitations":[]}`, `{}`, `7`, `{"elicitations":[7]}`, `{"elicitations":{}}`} {
			got := relay(t, client, request("1", ""), legacyPeer, refusal(data))
			if want := strings.Replace(refusal(data), "100", "1", 1); got.reply(t) != want || got.code != -32042 {
				t.Errorf("%s, %s: %s", name, data, got.reply(t))
			}
		}
	}
	if got := relay(t, Client{}, request("1", ""), legacyPeer, full); got.reply(t) != strings.Replace(full, "100", "1", 1) {
		t.Errorf("legacy: %s", got.reply(t))
	}
	// No server may ask what a client did not declare.
	for _, capabilities := range []string{``, `{}`, `{"sampling":{}}`} {
		got := relay(t, Client{Modern: true, Capabilities: []byte(capabilities)}, request("1", ""), legacyPeer, full)
		if got.code != -32021 || !strings.Contains(got.reply(t), `"data":{"requiredCapabilities":{"elicitation":{"url":{}}}}`) {
			t.Errorf("undeclared: %d %s", got.code, got.reply(t))
		}
	}
}

// What 2026-07-28 requires of a result is there, once, whatever the backend says.
func TestRequiredMembers(t *testing.T) {
	read := strings.Replace(request("1", ""), "tools/call", "resources/read", 1)
	for _, test := range []struct{ request, result, want string }{
		{read, `{"contents":[]}`, `{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[]}`},
		{read, `{"ttlMs":5,"contents":[]}`, `{"resultType":"complete","cacheScope":"private","ttlMs":5,"contents":[]}`},
		{read, `{"contents":[],"cacheScope":"public","ttlMs":1}`, `{"resultType":"complete","contents":[],"cacheScope":"public","ttlMs":1}`},
		{read, `{"resultType":"complete","contents":[]}`, `{"ttlMs":0,"cacheScope":"private","resultType":"complete","contents":[]}`},
		{read, `{"resultType":"complete","contents":[],"cacheScope":"public","ttlMs":1}`, `{"resultType":"complete","contents":[],"cacheScope":"public","ttlMs":1}`},
		{read, `{}`, `{"resultType":"complete","ttlMs":0,"cacheScope":"private"}`},
		{read, `[]`, `[]`}, {read, `null`, `null`}, {read, `"x"`, `"x"`},
		{request("1", ""), `{"ttlMs":5}`, `{"resultType":"complete","ttlMs":5}`},
		{request("1", ""), `{"inputRequests":{"k":{"method":"roots/list"}}}`, `{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}`},
		{read, `{"requestState":"s"}`, `{"resultType":"input_required","requestState":"s"}`},
		{read, `{"resultType":"input_required","requestState":"s"}`, `{"resultType":"input_required","requestState":"s"}`},
		{read, `{"contents":[],"contents":[{"ttlMs":1}]}`, `{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[],"contents":[{"ttlMs":1}]}`},
	} {
		got := relay(t, Client{Modern: true}, test.request, legacyPeer, `{"jsonrpc":"2.0","id":100,"result":`+test.result+`}`)
		if want := `{"jsonrpc":"2.0","id":1,"result":` + test.want + `}`; got.reply(t) != want {
			t.Errorf("got  %s\nwant %s", got.reply(t), want)
		}
		for _, pair := range []struct {
			client Client
			from   upstream.Peer
		}{{Client{}, legacyPeer}, {Client{Modern: true}, modernPeer}} {
			if !pair.client.Modern && strings.Contains(test.result, "input_required") {
				continue // which is fulfilled
			}
			got := relay(t, pair.client, test.request, pair.from, `{"jsonrpc":"2.0","id":100,"result":`+test.result+`}`)
			if want := `{"jsonrpc":"2.0","id":1,"result":` + test.result + `}`; got.reply(t) != want {
				t.Errorf("between equals: got  %s\nwant %s", got.reply(t), want)
			}
		}
	}
}

// A backend that did not answer: on tools/call the model hears of it, on all else
// the client does.
func TestFailureByMethod(t *testing.T) {
	gone := func(upstream.Exchange) error {
		return &upstream.UnavailableError{Backend: "b", Reason: "nothing listens there"}
	}
	for method, want := range map[string]string{
		"tools/call":          `"result":{"content":[{"type":"text","text":"Error: backend \"b\": nothing listens there"}],"isError":true}}`,
		"prompts/get":         `"error":{"code":-32603,"message":"backend \"b\": nothing listens there","data":{"backend":"b"}}}`,
		"resources/read":      `"error":{"code":-32603,"message":"backend \"b\": nothing listens there","data":{"backend":"b"}}}`,
		"completion/complete": `"error":{"code":-32603,"message":"backend \"b\": nothing listens there","data":{"backend":"b"}}}`,
	} {
		got := new(ledger)
		Carry(context.Background(), route("tool", journal.New(journal.Options{}), gone), Client{}, scan(t, strings.Replace(request("1", ""), "tools/call", method, 1)), got)
		if got.reply(t) != `{"jsonrpc":"2.0","id":1,`+want {
			t.Errorf("%s: %s", method, got.reply(t))
		}
	}
}

type httpRefusal int

func (httpRefusal) Error() string     { return "answered HTTP" }
func (r httpRefusal) HTTPStatus() int { return int(r) }

// Servers that refuse an unknown method in HTTP already, and not in JSON-RPC.
func TestUnknownMethodRefusedInHTTP(t *testing.T) {
	for status, code := range map[int]int{400: -32601, 404: -32601, 405: -32601, 500: -32603, 0: -32603} {
		r := &Route{Backend: "b", Meter: journal.New(journal.Options{}).Meter("b", "x"), Target: target(func(upstream.Exchange) error {
			return fmt.Errorf("it is refused: %w", httpRefusal(status))
		})}
		got := new(ledger)
		Carry(context.Background(), r.Prepare(nil), Client{}, scan(t, `{"jsonrpc":"2.0","id":1,"method":"x/y"}`), got)
		if got.code != code || !strings.Contains(got.reply(t), num(code)) {
			t.Errorf("status %d: %s", status, got.reply(t))
		}
		got = new(ledger)
		r.Place = AtName
		Carry(context.Background(), r.Prepare(nil), Client{}, scan(t, `{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"name":"n"}}`), got)
		if got.code != -32603 {
			t.Errorf("status %d, of a known thing: %s", status, got.reply(t))
		}
	}
}

// An error goes on with the HTTP status with which it came: in 2026-07-28 a server may
// say in either way that a request's content is wrong. From servers that know only
// success, those codes have a status that must have one.
func TestErrorsKeepTheirStatus(t *testing.T) {
	for name, test := range map[string]struct {
		from         upstream.Peer
		status, code int
		want         int
	}{
		"modern, with success":       {modernPeer, 0, -32602, Handled},
		"modern, refused":            {modernPeer, 400, -32602, -32602},
		"modern, not found":          {modernPeer, 404, -32601, -32601},
		"legacy, wrong content":      {legacyPeer, 0, -32602, Handled},
		"legacy, missing capability": {legacyPeer, 0, -32021, -32021},
		"legacy, unknown method":     {legacyPeer, 0, -32601, -32601},
	} {
		got := new(ledger)
		r := route("tool", journal.New(journal.Options{}), func(x upstream.Exchange) error {
			x.Encode(nil, 100, test.from)
			m := scan(t, `{"jsonrpc":"2.0","id":100,"error":{"code":`+num(test.code)+`,"message":"x"}}`)
			m.Status = test.status
			return x.Receive(m, test.from)
		})
		Carry(t.Context(), r, Client{Modern: true}, scan(t, request("1", "")), got)
		if got.code != test.want {
			t.Errorf("%s: code %d, want %d", name, got.code, test.want)
		}
	}
}
