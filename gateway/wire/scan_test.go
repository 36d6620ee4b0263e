package wire

import (
	"errors"
	"strings"
	"testing"
)

// spans names all spans of m, in the notation of the tables.
func spans(m *Message) map[string]Span {
	return map[string]Span{
		"id": m.ID, "params": m.Params, "result": m.Result, "error": m.Error,
		"name": m.Name, "uri": m.URI, "cursor": m.Cursor, "arguments": m.Arguments,
		"requestId": m.RequestID, "progressToken": m.ProgressToken, "_meta": m.Meta,
		"notifications": m.Notifications, "_meta.progressToken": m.MetaProgressToken,
		"_meta.version": m.MetaVersion, "_meta.clientInfo": m.MetaClientInfo,
		"_meta.capabilities": m.MetaCapabilities, "_meta.logLevel": m.MetaLogLevel,
		"_meta.subscription": m.MetaSubscription, "resultType": m.ResultType, "code": m.Code,
		"ref": m.Ref, "taskId": m.TaskID, "level": m.Level, "requestState": m.RequestState,
		"inputResponses": m.InputResponses, "inputRequests": m.InputRequests, "result.requestState": m.ResultState,
	}
}

func TestScan(t *testing.T) {
	tests := []struct {
		name, in string
		kind     Kind
		method   string
		want     map[string]string
		isError  bool
	}{
		{
			name: "call", in: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__b","arguments":{"name":"inner","_meta":{"progressToken":0}},"_meta":{"progressToken":"t"}}}`,
			kind: KindRequest, method: "tools/call",
			want: map[string]string{"id": "1", "name": `"a__b"`, "arguments": `{"name":"inner","_meta":{"progressToken":0}}`, "_meta": `{"progressToken":"t"}`, "_meta.progressToken": `"t"`,
				"params": `{"name":"a__b","arguments":{"name":"inner","_meta":{"progressToken":0}},"_meta":{"progressToken":"t"}}`},
		},
		{
			name: "members in another order and space everywhere",
			in:   " \t\r\n{ \"params\" : { \"cursor\" : \"c\" } , \"method\" : \"tools/list\" , \"id\" : \"x\" , \"jsonrpc\" : \"2.0\" } \n",
			kind: KindRequest, method: "tools/list", want: map[string]string{"id": `"x"`, "params": `{ "cursor" : "c" }`, "cursor": `"c"`},
		},
		{
			name: "escaped names are names", in: `{"jsonrpc":"2.0","\u0069d":9,"method":"\u0070ing","params":{"na\u006de":"n"}}`,
			kind: KindRequest, method: "ping", want: map[string]string{"id": "9", "params": `{"na\u006de":"n"}`, "name": `"n"`},
		},
		{
			name: "modern meta",
			in:   `{"jsonrpc":"2.0","id":-1.5e3,"method":"subscriptions/listen","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"v","io.modelcontextprotocol/clientInfo":{},"io.modelcontextprotocol/clientCapabilities":{ },"io.modelcontextprotocol/logLevel":"l","io.modelcontextprotocol/subscriptionId":7}}}`,
			kind: KindRequest, method: "subscriptions/listen",
			want: map[string]string{"id": "-1.5e3", "notifications": "{}", "_meta.version": `"v"`, "_meta.clientInfo": "{}", "_meta.capabilities": "{ }", "_meta.logLevel": `"l"`, "_meta.subscription": "7", "params": "*", "_meta": "*"},
		},
		{
			name: "an unknown reserved member", in: `{"jsonrpc":"2.0","method":"m","params":{"_meta":{"io.modelcontextprotocol/new":1}}}`,
			kind: KindNotification, method: "m", want: map[string]string{"params": "*", "_meta": "*"},
		},
		{
			name: "notifications", in: `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":12,"progressToken":"p","uri":"u"}}`,
			kind: KindNotification, method: "notifications/cancelled", want: map[string]string{"params": "*", "requestId": "12", "progressToken": `"p"`, "uri": `"u"`},
		},
		{
			name: "result", in: `{"jsonrpc":"2.0","id":1,"result":{"isError":true,"resultType":"complete","content":[{"isError":false,"text":"]}\"\\"}]}}`,
			kind: KindResponse, isError: true, want: map[string]string{"id": "1", "result": "*", "resultType": `"complete"`},
		},
		{name: "result of another kind", in: `{"jsonrpc":"2.0","id":1,"result":null}`, kind: KindResponse, want: map[string]string{"id": "1", "result": "null"}},
		{name: "error", in: `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m","data":{"code":1}}}`, kind: KindResponse, want: map[string]string{"id": "1", "error": "*", "code": "-32601"}},
		{name: "error of what nobody could read", in: `{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}`, kind: KindResponse, want: map[string]string{"id": "null", "error": "*", "code": "-32700"}},
		{name: "params null", in: `{"jsonrpc":"2.0","id":1,"method":"x","params":null}`, kind: KindRequest, method: "x", want: map[string]string{"id": "1", "params": "null"}},
		{name: "big id", in: `{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}`, kind: KindRequest, method: "x", want: map[string]string{"id": "9007199254740993"}},
		{name: "deep", in: `{"jsonrpc":"2.0","method":"x","d":` + strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6) + `}`, kind: KindNotification, method: "x", want: nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			if err := m.Scan([]byte(tt.in)); err != nil {
				t.Fatalf("Scan: %v", err)
			}
			if m.Kind != tt.kind || m.Method != tt.method || m.IsError != tt.isError {
				t.Errorf("got kind %d method %q isError %t", m.Kind, m.Method, m.IsError)
			}
			for name, span := range spans(&m) {
				got, want := string(span.In(m.Raw)), tt.want[name]
				if got != want && (want != "*" || got == "") {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestScanRefuses(t *testing.T) {
	const call = `{"jsonrpc":"2.0","id":1,"method":"m","params":`
	tests := []struct {
		name, in string
		want     error
		text     string
	}{
		{"nothing", "", ErrSyntax, "byte 0"},
		{"cut off", `{"jsonrpc":"2.0"`, ErrSyntax, "unterminated object at byte 16"},
		{"open string", `{"jsonrpc":"2.0`, ErrSyntax, "unterminated string"},
		{"comma at the end", `{"jsonrpc":"2.0","id":1,"method":"m",}`, ErrSyntax, "a string was expected"},
		{"two messages", `{"jsonrpc":"2.0","method":"m"}{}`, ErrSyntax, "more after the message"},
		{"array", `[]`, ErrInvalid, "an object was expected"},
		{"word", `true`, ErrInvalid, "an object was expected"},
		{"no version", `{"id":1,"method":"m"}`, ErrInvalid, `"jsonrpc" must be "2.0"`},
		{"number as version", `{"jsonrpc":2.0,"method":"m"}`, ErrInvalid, `"jsonrpc"`},
		{"object as id", `{"jsonrpc":"2.0","id":{},"method":"m"}`, ErrInvalid, `"id" must be`},
		{"null as id", `{"jsonrpc":"2.0","id":null,"method":"m"}`, ErrInvalid, `"id" must be`},
		{"null as id of a result", `{"jsonrpc":"2.0","id":null,"result":{}}`, ErrInvalid, `"id" must be`},
		{"request and answer", `{"jsonrpc":"2.0","id":null,"method":"m","error":{}}`, ErrInvalid, "an answer's"},
		{"result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`, ErrInvalid, "one of"},
		{"neither", `{"jsonrpc":"2.0","id":1}`, ErrInvalid, "it needs"},
		{"number as method", `{"jsonrpc":"2.0","method":1}`, ErrInvalid, `"method" must be a string`},
		{"leading zero", `{"jsonrpc":"2.0","id":01,"method":"m"}`, ErrSyntax, "byte"},
		{"bare minus", `{"jsonrpc":"2.0","id":-,"method":"m"}`, ErrSyntax, "a value was expected"},
		{"half a fraction", `{"jsonrpc":"2.0","id":1.,"method":"m"}`, ErrSyntax, "a value was expected"},
		{"half an exponent", `{"jsonrpc":"2.0","id":1e+,"method":"m"}`, ErrSyntax, "a value was expected"},
		{"bad word", `{"jsonrpc":"2.0","method":"m","x":nul}`, ErrSyntax, "an unknown word"},
		{"line end in a name", "{\"jsonrpc\":\"2.0\",\"a\nb\":1,\"method\":\"m\"}", ErrSyntax, "in a name"},
		{"line end in an id", "{\"jsonrpc\":\"2.0\",\"id\":\"a\nb\",\"method\":\"m\"}", ErrSyntax, "control character"},
		{"bad escape in a tool name", call + `{"name":"\x"}}`, ErrSyntax, "bad escape"},
		{"short escape in a token", call + `{"_meta":{"progressToken":"\u12"}}}`, ErrSyntax, "bad escape"},
		{"method twice", `{"jsonrpc":"2.0","method":"a","method":"b"}`, ErrInvalid, `"method" is there twice`},
		{"params twice", call + `{},"params":{}}`, ErrInvalid, `"params" is there twice`},
		{"name twice", call + `{"name":"a","name":"b"}}`, ErrInvalid, `"name" is there twice`},
		{"name twice, once escaped", call + `{"name":"a","n\u0061me":"b"}}`, ErrInvalid, `"name" is there twice`},
		{"arguments twice", call + `{"arguments":1,"arguments":2}}`, ErrInvalid, `"arguments" is there twice`},
		{"meta twice", call + `{"_meta":{},"_meta":{}}}`, ErrInvalid, `"_meta" is there twice`},
		{"isError twice", `{"jsonrpc":"2.0","id":1,"result":{"isError":false,"isError":true}}`, ErrInvalid, `"isError" is there twice`},
		{"a lookalike of method", `{"jsonrpc":"2.0","id":1,"method":"m","Method":"n"}`, ErrInvalid, `"Method" must be written "method"`},
		{"a lookalike of name", call + `{"name":"a","NAME":"b"}}`, ErrInvalid, `"NAME" must be written "name"`},
		{"a lookalike of arguments with a long s", call + `{"argumentſ":{}}}`, ErrInvalid, `must be written "arguments"`},
		{"a lookalike of a token with a Kelvin sign", call + `{"_meta":{"progressTo\u212aen":1}}}`, ErrInvalid, `must be written "progressToken"`},
		{"a lookalike of a reserved member", call + `{"_meta":{"io.modelcontextprotocol/LogLevel":1}}}`, ErrInvalid, `logLevel"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			err := m.Scan([]byte(tt.in))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Scan(%s) = %v, want %v with %q", tt.in, err, tt.want, tt.text)
			}
		})
	}
}

// What Scan costs a gateway is one pass; memory is none of it.
func TestScanAllocatesNothing(t *testing.T) {
	for _, in := range []string{smallCall, largeCall, `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`} {
		b := []byte(in)
		var m Message
		if n := testing.AllocsPerRun(100, func() {
			if err := m.Scan(b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Scan(%.60s…) allocates %v times", in, n)
		}
	}
}

func TestScanReuse(t *testing.T) {
	var m Message
	if err := m.Scan([]byte(smallCall)); err != nil {
		t.Fatal(err)
	}
	if err := m.Scan([]byte(`{"jsonrpc":"2.0","method":"x"}`)); err != nil {
		t.Fatal(err)
	}
	if m.ID.Present() || m.Name.Present() || m.Kind != KindNotification {
		t.Errorf("the message before shows through: %+v", m)
	}
}

func TestIsBatch(t *testing.T) {
	for in, want := range map[string]bool{"": false, " ": false, "{}": false, " \n[": true, "[]": true} {
		if got := IsBatch([]byte(in)); got != want {
			t.Errorf("IsBatch(%q) = %t, want %t", in, got, want)
		}
	}
}
