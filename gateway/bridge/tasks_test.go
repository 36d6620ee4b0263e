package bridge

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// tasked is a route whose task ids are prefixed.
func tasked(f target) *Route {
	r := route("tool", journal.New(journal.Options{}), f)
	r.Tasks = TaskPrefix("b")
	return r
}

const related = `"io.modelcontextprotocol/related-task":{"taskId":`

// Every place of a result where a task's id may stand, and nothing else.
func TestTaskIDsInResults(t *testing.T) {
	for _, test := range []struct{ result, want string }{
		{`{"task":{"taskId":"x","status":"working"}}`, `{"task":{"taskId":"b.x","status":"working"}}`},
		{`{"taskId":"x","status":"working","n":1e400}`, `{"taskId":"b.x","status":"working","n":1e400}`},
		{`{"tasks":[{"taskId":"x"},{"status":"s","taskId":"b.y"},7,{},[{"taskId":"z"}]],"nextCursor":"c"}`, `{"tasks":[{"taskId":"b.x"},{"status":"s","taskId":"b.b.y"},7,{},[{"taskId":"z"}]],"nextCursor":"c"}`},
		{`{"content":[{"taskId":"x"}],"_meta":{"a":1,` + related + `"x"}}}`, `{"content":[{"taskId":"x"}],"_meta":{"a":1,` + related + `"b.x"}}}`},
		{`{"resultType":"task","taskId":"\u0078\/\"","_meta":{` + related + `"é"}}}`, `{"resultType":"task","taskId":"b.x/\"","_meta":{` + related + `"b.é"}}}`},
		{`{"taskId":7,"task":"taskId","tasks":{"taskId":"x"},"_meta":null}`, `{"taskId":7,"task":"taskId","tasks":{"taskId":"x"},"_meta":null}`},
		{`{"structuredContent":{"task":{"taskId":"x"},"taskId":"x"},"content":[]}`, `{"structuredContent":{"task":{"taskId":"x"},"taskId":"x"},"content":[]}`},
		{`[{"taskId":"x"}]`, `[{"taskId":"x"}]`}, {`"taskId"`, `"taskId"`},
	} {
		for _, pair := range []struct {
			client Client
			from   upstream.Peer
		}{{Client{}, legacyPeer}, {Client{Modern: true}, modernPeer}, {Client{}, modernPeer}} {
			got := new(ledger)
			Carry(context.Background(), tasked(func(x upstream.Exchange) error {
				x.Encode(nil, 100, pair.from)
				return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":`+test.result+`}`), pair.from)
			}), pair.client, scan(t, request("1", "")), got)
			if want := `{"jsonrpc":"2.0","id":1,"result":` + test.want + `}`; got.reply(t) != want {
				t.Errorf("got  %s\nwant %s", got.reply(t), want)
			}
		}
	}
	// Together with what the other era requires.
	got := new(ledger)
	Carry(context.Background(), tasked(func(x upstream.Exchange) error {
		x.Encode(nil, 100, legacyPeer)
		return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":{"taskId":"x"}}`), legacyPeer)
	}), Client{Modern: true}, scan(t, request("1", "")), got)
	if want := `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","taskId":"b.x"}}`; got.reply(t) != want {
		t.Errorf("got  %s\nwant %s", got.reply(t), want)
	}
	// And none where clients see one backend alone.
	plain := relay(t, Client{}, request("1", ""), legacyPeer, `{"jsonrpc":"2.0","id":100,"result":{"taskId":"x"}}`)
	if plain.reply(t) != `{"jsonrpc":"2.0","id":1,"result":{"taskId":"x"}}` {
		t.Errorf("plain: %s", plain.reply(t))
	}
}

func TestTaskIDsInNotifications(t *testing.T) {
	got := new(ledger)
	Carry(context.Background(), tasked(func(x upstream.Exchange) error {
		x.Encode(nil, 100, legacyPeer)
		for _, text := range []string{
			`{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"x","status":"working"}}`,
			`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"taskId":"x"},"_meta":{` + related + `"x"}}}}`,
			`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":100,"progress":1,"_meta":{` + related + `"x"}}}}`,
			`{"jsonrpc":"2.0","method":"notifications/custom"}`,
		} {
			if err := x.Receive(scan(t, text), legacyPeer); err != nil {
				return err
			}
		}
		return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":{}}`), legacyPeer)
	}), Client{}, scan(t, request("1", `"progressToken":"p"`)), got)
	want := []string{
		`{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"b.x","status":"working"}}`,
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"taskId":"x"},"_meta":{` + related + `"b.x"}}}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1,"_meta":{` + related + `"b.x"}}}}`,
		`{"jsonrpc":"2.0","method":"notifications/custom"}`,
	}
	if strings.Join(got.notified, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got.notified, "\n"), strings.Join(want, "\n"))
	}
}

// A question that belongs to a task, and its answer.
func TestTaskIDsInQuestions(t *testing.T) {
	for meta, want := range map[string]string{
		`,"params":{"_meta":{` + related + `"x"}},"message":"m"}`: `,"params":{"_meta":{` + related + `"b.x"}},"message":"m"}`,
		`,"params":{"message":"m"}`:                               `,"params":{"message":"m"}`,
		``:                                                        ``,
	} {
		for answer, wantBack := range map[string]string{
			`"result":{"action":"accept","_meta":{` + related + `"b.x"}}}`: `"result":{"action":"accept","_meta":{` + related + `"x"}}}`,
			`"result":{"action":"accept","_meta":{` + related + `"c.x"}}}`: `"result":{"action":"accept","_meta":{` + related + `"c.x"}}}`,
			`"result":{"n":1e400}`:             `"result":{"n":1e400}`,
			`"error":{"code":1,"message":"x"}`: `"error":{"code":1,"message":"x"}`,
		} {
			if !strings.Contains(meta, related) {
				wantBack = answer // of nothing that was changed
			}
			got := &ledger{answers: func(*wire.Message) string { return answer }}
			back := ""
			Carry(context.Background(), tasked(func(x upstream.Exchange) error {
				x.Encode(nil, 100, legacyPeer)
				x.Ask(scan(t, `{"jsonrpc":"2.0","id":"q","method":"elicitation/create"`+meta+`}`), func(b []byte) { back = string(b) })
				return x.Receive(scan(t, `{"jsonrpc":"2.0","id":100,"result":{}}`), legacyPeer)
			}), Client{}, scan(t, request("1", "")), got)
			if len(got.asked) != 1 || got.asked[0] != `{"jsonrpc":"2.0","id":"q","method":"elicitation/create"`+want+`}` {
				t.Errorf("asked %q, want %s", got.asked, want)
			}
			if back != `{"jsonrpc":"2.0","id":"q",`+wantBack+`}` {
				t.Errorf("answered %s, want %s", back, wantBack)
			}
		}
	}
}

// The way back: where a client names a task, the backend hears its own id, also when
// _meta is written anew for the other era.
func TestTaskIDsOfRequests(t *testing.T) {
	task := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":` + params + `}`
	}
	for _, test := range []struct {
		client Client
		params string
		to     upstream.Peer
		want   string
	}{
		{Client{}, `{"taskId":"b.x"}`, legacyPeer, `{"taskId":"x"}`},
		{Client{}, `{"taskId":"b.x","_meta":{"a":1,` + related + `"b.x"}}}`, legacyPeer, `{"taskId":"x","_meta":{"a":1,` + related + `"x"}}}`},
		{Client{}, `{"taskId":"b.x","_meta":{` + related + `"c.x"}}}`, legacyPeer, `{"taskId":"x","_meta":{` + related + `"c.x"}}}`},
		{Client{}, `{"taskId":"b.x","_meta":{` + related + `7}}}`, legacyPeer, `{"taskId":"x","_meta":{` + related + `7}}}`},
		{Client{Modern: true}, `{"_meta":{` + envelope + `,` + related + `"b.x"},"progressToken":"p"},"taskId":"b.x"}`, legacyPeer,
			`{"_meta":{` + related + `"x"},"progressToken":100},"taskId":"x"}`},
		{Client{Modern: true}, `{"_meta":{` + envelope + `,` + related + `"b.x"}},"taskId":"b.x"}`, modernPeer, `{"_meta":{` + envelope + `,` + related + `"x"}},"taskId":"x"}`},
	} {
		var sent string
		r := tasked(func(x upstream.Exchange) error { sent = string(x.Encode(nil, 100, test.to)); return nil })
		r.Name, r.Place = "x", AtTask
		Carry(context.Background(), r.Prepare(nil), test.client, scan(t, task(test.params)), new(ledger))
		if want := strings.Replace(task(test.want), `"id":1`, `"id":100`, 1); sent != want {
			t.Errorf("sent %s\nwant %s", sent, want)
		}
	}
	var sent string
	r := tasked(func(x upstream.Exchange) error { sent = string(x.Encode(nil, 100, modernPeer)); return nil })
	r.Name, r.Place = "x", AtTask
	Carry(context.Background(), r.Prepare(nil), Client{}, scan(t, task(`{"taskId":"b.x","_meta":{`+related+`"b.x"}}}`)), new(ledger))
	if m := scan(t, sent); string(m.TaskID.In(m.Raw)) != `"x"` || !strings.Contains(sent, related+`"x"`) || !m.MetaVersion.Present() {
		t.Errorf("legacy to modern: %s", sent)
	}
	h := header(t, r, Client{}, task(`{"taskId":"b.x"}`), modernPeer)
	if h.Get("Mcp-Name") != "x" || h.Get("Mcp-Method") != "tasks/get" {
		t.Errorf("header %v", h)
	}
}

func TestTaskID(t *testing.T) {
	for exposed, want := range map[string]string{"b.x": "x", "b.": "", "b.b.x": "b.x", "c.x": "-", "b": "-", "": "-", "bb.x": "-", "B.x": "-"} {
		got, ok := TaskID("b", exposed)
		if ok != (want != "-") || ok && got != want {
			t.Errorf("%s: %q %v", exposed, got, ok)
		}
	}
}

// Whatever a result looks like, it stays JSON, and only ids of tasks change.
func FuzzExposeTasks(f *testing.F) {
	for _, seed := range []string{`{"task":{"taskId":"x"}}`, `{"taskId":"x","tasks":[{"taskId":"y"}],"_meta":{` + related + `"z"}}}`, `{"taskId":"x","taskId":"y"}`,
		`{"task":{"taskId":"\ud800"}}`, `[]`, `{"tasks":[[[]]]}`, `{"t\u0061skId":"x"}`, `{"_meta":{"io.modelcontextprotocol/related-task":7}}`, `{"taskId":"x","task":{"taskId":"x"},"tasks":[{"taskId":"x"},{"taskId":"x"}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, result string) {
		text := `{"jsonrpc":"2.0","id":1,"result":` + result + `}`
		var m wire.Message
		if !json.Valid([]byte(result)) || m.Scan([]byte(text)) != nil {
			return
		}
		c := &call{route: tasked(nil)}
		out := wire.Splice(nil, m.Raw, c.exposeTasks(&m)...)
		if !json.Valid(out) {
			t.Fatalf("%s became %s", text, out)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(out, &after) != nil {
			return // numbers that Go cannot hold
		}
		if !onlyIDs(before, after) {
			t.Fatalf("%s became %s", text, out)
		}
	})
}

// onlyIDs reports whether two values differ in nothing but prefixed members taskId.
func onlyIDs(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for k, v := range a {
			text, isText := v.(string)
			if k == "taskId" && isText && other[k] == "b."+text {
				continue
			}
			if !onlyIDs(v, other[k]) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !onlyIDs(a[i], other[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}
