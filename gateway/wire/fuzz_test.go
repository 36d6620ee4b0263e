package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// oracle decodes b, exact about numbers.
func oracle(t *testing.T, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %q: %v", b, err)
	}
	return v
}

// member answers what a path in decoded JSON leads to.
func member(v any, path ...string) (any, bool) {
	for _, name := range path {
		object, _ := v.(map[string]any)
		next, ok := object[name]
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, true
}

// paths says where in a message the value of each span stands.
var paths = map[string][]string{
	"id": {"id"}, "params": {"params"}, "result": {"result"}, "error": {"error"},
	"name": {"params", "name"}, "uri": {"params", "uri"}, "cursor": {"params", "cursor"},
	"arguments": {"params", "arguments"}, "requestId": {"params", "requestId"},
	"progressToken": {"params", "progressToken"}, "_meta": {"params", "_meta"},
	"notifications": {"params", "notifications"}, "ref": {"params", "ref"},
	"taskId": {"params", "taskId"}, "level": {"params", "level"},
	"requestState": {"params", "requestState"}, "inputResponses": {"params", "inputResponses"},
	"inputRequests": {"result", "inputRequests"}, "result.requestState": {"result", "requestState"},
	"_meta.progressToken": {"params", "_meta", "progressToken"},
	"_meta.version":       {"params", "_meta", metaVersion},
	"_meta.clientInfo":    {"params", "_meta", metaClientInfo},
	"_meta.capabilities":  {"params", "_meta", metaCapabilities},
	"_meta.logLevel":      {"params", "_meta", metaLogLevel},
	"_meta.subscription":  {"params", "_meta", metaSubscription},
	"resultType":          {"result", "resultType"}, "code": {"error", "code"},
}

var messages = []string{
	smallCall,
	`{"jsonrpc":"2.0","id":"x","result":{"isError":true,"content":[{"text":"\\\""}]}}`,
	`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}`,
	` {"jsonrpc" : "2.0" , "m\u0065thod":"notifications/progress","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1}, "progressToken":1e3}} `,
	`{"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{]}}`,
	`{"jsonrpc":"2.0","id":1,"method":"x","params":null,"y":[[[{"a":"]"}]]]}`,
	`{"jsonrpc":"2.0","id":-0.5E+7,"method":"initialize","Params":1}`,
	`[{"jsonrpc":"2.0","method":"x"}]`,
	`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"},"level":"info","taskId":"t","requestState":"s","inputResponses":{"k":{}}}}`,
	`{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list","params":{}}},"requestState":"s"}}`,
}

// FuzzScan holds Scan against encoding/json: each span has the value that json
// finds at its path, and what json refuses is accepted only for a fault inside of
// a value that Scan passes over.
func FuzzScan(f *testing.F) {
	corpus(f)
	for _, m := range messages {
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		err := m.Scan(b)
		if json.Valid(b) {
			agreeOnValid(t, b, &m, err)
		} else if err == nil {
			if s := skeleton(b, 0); !json.Valid(s) {
				t.Fatalf("Scan accepts %q, whose skeleton %q is not JSON", b, s)
			}
		}
		if err == nil && !m.ID.Present() && m.Kind != KindNotification {
			t.Fatalf("kind %d without an id: %q", m.Kind, b)
		}
	})
}

func agreeOnValid(t *testing.T, b []byte, m *Message, err error) {
	v := oracle(t, b)
	if err != nil {
		// Rules about how a name or the version is written show in no decoded value.
		text := err.Error()
		rule := strings.Contains(text, "twice") || strings.Contains(text, "must be written") || strings.Contains(text, `must be "2.0"`)
		if top, ok := v.(map[string]any); ok && !rule && sound(top) {
			t.Fatalf("Scan refuses %q: %v", b, err)
		}
		return
	}
	if method, _ := member(v, "method"); method != nil && method != m.Method {
		t.Fatalf("method: got %q, want %q", m.Method, method)
	}
	for name, span := range spans(m) {
		want, ok := member(v, paths[name]...)
		if ok != span.Present() {
			t.Fatalf("%s: present %t, want %t in %q", name, span.Present(), ok, b)
		}
		if ok && !reflect.DeepEqual(oracle(t, span.In(b)), want) {
			t.Fatalf("%s: got %q, want %v", name, span.In(b), want)
		}
	}
	want, _ := member(v, "result", "isError")
	if m.IsError != (want == true) {
		t.Fatalf("isError: got %t, want %v", m.IsError, want)
	}
}

// sound reports whether a decoded object is a message.
func sound(top map[string]any) bool {
	id, hasID := top["id"]
	switch id.(type) {
	case string, json.Number:
	default:
		hasID = hasID && id == nil && top["error"] != nil
		if _, has := top["id"]; has && !hasID {
			return false
		}
	}
	method, hasMethod := top["method"]
	_, isString := method.(string)
	_, result := top["result"]
	_, failure := top["error"]
	if hasMethod {
		return isString && !result && !failure
	}
	return hasID && result != failure
}

// skeleton is the object raw with null in place of each value that Scan passes
// over: all that a message has no field for, and containers that are not entered.
func skeleton(raw []byte, level int) []byte {
	entered := []map[string]int{
		{"params": 1, "result": 2, "error": 3}, {"_meta": 4}, {}, {}, {},
	}[level]
	read := []string{"jsonrpc id method", "name uri cursor requestId progressToken", "isError resultType", "code", "progressToken " + metaVersion + " " + metaLogLevel + " " + metaSubscription}[level]
	var edits []Edit
	if err := Members(raw, func(name []byte, value Span) error {
		v := value.In(raw)
		next, inside := entered[string(name)]
		switch {
		case inside && v[0] == '{':
			edits = append(edits, Edit{value, skeleton(v, next)})
		case !strings.Contains(" "+read+" ", " "+string(name)+" "), v[0] == '{', v[0] == '[':
			edits = append(edits, Edit{value, []byte("null")})
		}
		return nil
	}); err != nil {
		return nil
	}
	return Splice(nil, raw, edits...)
}

// FuzzSplice changes one value in a message, as relays do: the result is JSON and
// differs in that value alone.
func FuzzSplice(f *testing.F) {
	corpus(f)
	for i, m := range messages {
		f.Add([]byte(m), "new\n\"name\"", uint8(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, text string, which uint8) {
		var m Message
		if !json.Valid(b) || m.Scan(b) != nil {
			return
		}
		value, _ := json.Marshal(text)
		targets := []string{"id", "name", "_meta.progressToken", "cursor", "code", "_meta"}
		target := targets[int(which)%len(targets)]
		want := oracle(t, b)
		edits := []Edit{}
		if span := spans(&m)[target]; span.Present() {
			path := paths[target]
			parent, _ := member(want, path[:len(path)-1]...)
			parent.(map[string]any)[path[len(path)-1]] = oracle(t, value)
			edits = append(edits, Edit{span, value})
		}
		if target != "_meta" && m.Params.Present() {
			params, ok := want.(map[string]any)["params"].(map[string]any)
			if !ok {
				params = map[string]any{}
				want.(map[string]any)["params"] = params
			}
			params["\x00new"] = true
			edits = append(edits, Insert(b, m.Params, []byte(`"\u0000new":true`)))
		}
		got := Splice(nil, b, edits...)
		if !json.Valid(got) {
			t.Fatalf("splice of %s in %q gives %q", target, b, got)
		}
		if v := oracle(t, got); !reflect.DeepEqual(v, want) {
			t.Fatalf("splice of %s in %q gives %v, want %v", target, b, v, want)
		}
		if meta := m.Meta.In(b); meta != nil && meta[0] == '{' {
			clean := oracle(t, WithoutHop(meta)).(map[string]any)
			left := oracle(t, meta).(map[string]any)
			for _, name := range []string{metaVersion, metaClientInfo, metaCapabilities, metaLogLevel, metaSubscription} {
				delete(left, name)
			}
			if !reflect.DeepEqual(clean, left) {
				t.Fatalf("WithoutHop(%q) = %v, want %v", meta, clean, left)
			}
		}
	})
}

// FuzzUnquote holds Unquote against encoding/json on whatever has no space around.
func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`"a"`, `"\ud800"`, "\"\xff\"", `"\"`, `"a"b"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := Unquote(raw)
		var want string
		err := json.Unmarshal(raw, &want)
		wantOK := err == nil && raw[0] == '"' && raw[len(raw)-1] == '"'
		if ok != wantOK || ok && got != want {
			t.Fatalf("Unquote(%q) = %q, %t, want %q, %t", raw, got, ok, want, wantOK)
		}
	})
}
