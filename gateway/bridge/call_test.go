package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

const (
	version = `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`
	caps    = `"io.modelcontextprotocol/clientCapabilities":{}`
	info    = `"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}`
	// A modern client's own envelope, of which nothing may be lost between moderns.
	envelope = version + `,"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"io.modelcontextprotocol/logLevel":"info"`
)

// What no reader that decodes would keep.
const odd = `{"n":12345678901234567890, "f":1.0,"z":-0,"e":1e400,` + "\n\t" + `"s":"\u2028\/\u00e9 <&>","twice":1,"twice":{"name":"x","_meta":{}},"":null}`

func TestEncode(t *testing.T) {
	legacy, modern := Client{Info: []byte(`{"name":"c","version":"1"}`)}, Client{Modern: true}
	for name, test := range map[string]struct {
		client Client
		params string
		to     upstream.Peer
		want   string // of params
	}{
		"legacy to legacy": {legacy, `{"name":"b__tool","arguments":` + odd + `}`, legacyPeer, `{"name":"tool","arguments":` + odd + `}`},
		"legacy to legacy, other order and spaces": {legacy, ` { "arguments" : ` + odd + ` , "x":[] , "name" : "b__tool" } `, legacyPeer,
			` { "arguments" : ` + odd + ` , "x":[] , "name" : "tool" } `},
		"legacy to legacy, _meta kept":        {legacy, `{"name":"b__tool","_meta":{"claudecode/toolUseId":"x"}}`, legacyPeer, `{"name":"tool","_meta":{"claudecode/toolUseId":"x"}}`},
		"legacy to legacy, empty _meta":       {legacy, `{"name":"b__tool","_meta":{}}`, legacyPeer, `{"name":"tool","_meta":{}}`},
		"legacy to legacy, progress token":    {legacy, `{"_meta":{"a":1,"progressToken":"t"},"name":"b__tool"}`, legacyPeer, `{"_meta":{"a":1,"progressToken":100},"name":"tool"}`},
		"legacy to legacy, reserved":          {legacy, `{"_meta":{"a":1,"io.modelcontextprotocol/related-task":{"taskId":"t"},"progressToken":7},"name":"b__tool"}`, legacyPeer, `{"_meta":{"a":1,"io.modelcontextprotocol/related-task":{"taskId":"t"},"progressToken":100},"name":"tool"}`},
		"escaped name":                        {legacy, `{"n\u0061me":"b__t\u006fol"}`, legacyPeer, `{"n\u0061me":"tool"}`},
		"legacy to modern, no _meta":          {legacy, `{"name":"b__tool","arguments":` + odd + `}`, modernPeer, `{"_meta":{` + version + `,` + info + `,` + caps + `},"name":"tool","arguments":` + odd + `}`},
		"legacy to modern, empty _meta":       {legacy, `{"name":"b__tool","_meta":{}}`, modernPeer, `{"name":"tool","_meta":{` + version + `,` + info + `,` + caps + `}}`},
		"legacy to modern, _meta null":        {legacy, `{"name":"b__tool","_meta":null}`, modernPeer, `{"name":"tool","_meta":{` + version + `,` + info + `,` + caps + `}}`},
		"legacy to modern, _meta with token":  {legacy, `{"_meta":{"progressToken":0,"a":1e400},"name":"b__tool"}`, modernPeer, `{"_meta":{` + version + `,` + info + `,` + caps + `,"progressToken":100,"a":1e400},"name":"tool"}`},
		"legacy to modern, reserved replaced": {legacy, `{"_meta":{"io.modelcontextprotocol/logLevel":"debug","a":1},"name":"b__tool"}`, modernPeer, `{"_meta":{` + version + `,` + info + `,` + caps + `,"a":1},"name":"tool"}`},
		"legacy to modern, nothing known of the client": {Client{}, `{"name":"b__tool"}`, modernPeer,
			`{"_meta":{` + version + `,"io.modelcontextprotocol/clientInfo":{"name":"unknown","version":"0"},` + caps + `},"name":"tool"}`},
		"modern to legacy": {modern, `{"name":"b__tool","arguments":` + odd + `,"_meta":{` + envelope + `}}`, legacyPeer, `{"name":"tool","arguments":` + odd + `,"_meta":{}}`},
		"modern to legacy, rest of _meta kept": {modern, `{"_meta":{"a":1.0,` + envelope + `,"progressToken":"t","traceparent":"00-x"},"name":"b__tool"}`, legacyPeer,
			`{"_meta":{"a":1.0,"progressToken":100,"traceparent":"00-x"},"name":"tool"}`},
		"modern to modern": {modern, `{"name":"b__tool","arguments":` + odd + `,"_meta":{` + envelope + `,"traceparent":"00-x"},"requestState":"s","inputResponses":{"k":{}}}`, modernPeer,
			`{"name":"tool","arguments":` + odd + `,"_meta":{` + envelope + `,"traceparent":"00-x"},"requestState":"s","inputResponses":{"k":{}}}`},
		"modern to modern, progress token": {modern, `{"_meta":{"progressToken":1.5,` + envelope + `},"name":"b__tool"}`, modernPeer, `{"_meta":{"progressToken":100,` + envelope + `},"name":"tool"}`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, form := range []string{
				`{"jsonrpc":"2.0","id":%ID%,"method":"tools/call","params":%P%}`,
				`{"params":%P%,` + "\n" + `"x":1, "method" : "tools/call","id": %ID% ,"jsonrpc":"2.0"}`,
			} {
				for _, id := range []string{`0`, `"x\u0041"`, `123456789012345678901`, `-1.5`} {
					request := strings.NewReplacer("%ID%", id, "%P%", test.params).Replace(form)
					want := strings.NewReplacer("%ID%", "100", "%P%", test.want).Replace(form)
					if got := encode(t, "tool", test.client, request, test.to); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				}
			}
		})
	}
}

// The backend's own name may be anything that JSON can say.
func TestEncodeName(t *testing.T) {
	for _, name := range []string{`a__b`, `größe`, `with "quotes" \ and` + "\n", "\u2028<&>", "🎈"} {
		sent := encode(t, name, Client{}, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__tool"}}`, legacyPeer)
		var got struct{ Params struct{ Name string } }
		if err := json.Unmarshal([]byte(sent), &got); err != nil || got.Params.Name != name {
			t.Errorf("name %q arrives as %q: %s", name, got.Params.Name, sent)
		}
		h := header(t, route(name, journal.New(journal.Options{}), nil), Client{Modern: true}, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__tool"}}`, modernPeer)
		if back, ok := mcp.DecodeHeaderValue(h.Get("Mcp-Name")); !ok || back != name || strings.ContainsFunc(h.Get("Mcp-Name"), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("name %q has the header %q", name, h.Get("Mcp-Name"))
		}
	}
}

func TestHeader(t *testing.T) {
	mirror := &mcp.Tool{Name: "tool", RawInputSchema: json.RawMessage(`{"type":"object","properties":{
		"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"},
		"deep":{"type":"object","properties":{"on":{"type":"boolean","x-mcp-header":"On"}}}}}`)}
	r := route("tool", journal.New(journal.Options{}), nil).Prepare(mirror)
	request := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__tool","arguments":{"region":"zürich ","n":7,"deep":{"on":true}}}}`
	inbound := http.Header{"Mcp-Param-Region": {"as sent"}, "Mcp-Param-Unknown": {"x"}, "Mcp-Name": {"b__tool"},
		"Authorization": {"Bearer secret"}, "Cookie": {"c"}, "Mcp-Session-Id": {"s"}}
	for name, test := range map[string]struct {
		client Client
		to     upstream.Peer
		want   http.Header
	}{
		"legacy to legacy": {Client{Header: inbound}, legacyPeer, http.Header{}},
		"modern to legacy": {Client{Modern: true, Header: inbound}, legacyPeer, http.Header{}},
		"modern to modern": {Client{Modern: true, Header: inbound}, modernPeer, http.Header{"Mcp-Method": {"tools/call"}, "Mcp-Name": {"tool"},
			"Mcp-Param-Region": {"as sent"}, "Mcp-Param-Unknown": {"x"}}},
		"legacy to modern": {Client{Header: inbound}, modernPeer, http.Header{"Mcp-Method": {"tools/call"}, "Mcp-Name": {"tool"},
			"Mcp-Param-Region": {"=?base64?esO8cmljaCA=?="}, "Mcp-Param-N": {"7"}, "Mcp-Param-On": {"true"}}},
	} {
		if got := header(t, r, test.client, request, test.to); !maps.EqualFunc(got, test.want, func(a, b []string) bool { return a[0] == b[0] }) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// A call that the backend did not answer is answered for it, once, unless nobody
// waits.
func TestFailure(t *testing.T) {
	request := `{"jsonrpc":"2.0","id":"i","method":"tools/call","params":{"name":"b__tool"}}`
	for _, modern := range []bool{false, true} {
		got := new(ledger)
		r := route("tool", journal.New(journal.Options{}), func(upstream.Exchange) error { return errors.New(`it is "gone"`) })
		Carry(context.Background(), r, Client{Modern: modern}, scan(t, request), got)
		want := `{"jsonrpc":"2.0","id":"i","result":{"content":[{"type":"text","text":"Error: it is \"gone\""}],"isError":true}}`
		if modern {
			want = strings.Replace(want, `"result":{`, `"result":{"resultType":"complete",`, 1)
		}
		if got.reply(t) != want || got.code != 0 {
			t.Errorf("got  %s\nwant %s", got.reply(t), want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := new(ledger)
	Carry(ctx, route("tool", journal.New(journal.Options{}), func(upstream.Exchange) error { return ctx.Err() }), Client{}, scan(t, request), got)
	if len(got.replies) > 0 {
		t.Errorf("a cancelled call was answered: %q", got.replies)
	}
}

// A second attempt has another id, and progress under it.
func TestSecondAttempt(t *testing.T) {
	got := new(ledger)
	r := route("tool", journal.New(journal.Options{}), func(x upstream.Exchange) error {
		x.Encode(nil, 100, modernPeer)
		sent := string(x.Encode(nil, 101, legacyPeer))
		if !strings.Contains(sent, `"id":101`) || !strings.Contains(sent, `"progressToken":101`) || strings.Contains(sent, "io.model") {
			t.Errorf("sent %s", sent)
		}
		for _, token := range []string{"100", "101"} {
			if err := x.Receive(scan(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`+token+`}}`), legacyPeer); err != nil {
				return err
			}
		}
		return x.Receive(scan(t, `{"jsonrpc":"2.0","id":101,"result":{}}`), legacyPeer)
	})
	Carry(context.Background(), r, Client{}, scan(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__tool","_meta":{"progressToken":"p"}}}`), got)
	if len(got.notified) != 1 || got.reply(t) != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Errorf("notified %q, replied %q", got.notified, got.replies)
	}
}
