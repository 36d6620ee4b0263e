package downstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// elements are the members of a JSON array, sorted: a batch has no order.
func elements(t *testing.T, text string) []string {
	t.Helper()
	var all []json.RawMessage
	decode(t, text, &all)
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = string(e)
	}
	slices.Sort(out)
	return out
}

// A client of 2025-03-26 may send several messages at once.
func TestBatch(t *testing.T) {
	h := start(t, nil)
	h.show(map[string]tool{"echo": fixed(`"result":{"text":1e400}`)})
	s := h.hello(t, "2025-03-26", `{}`)
	a := h.post(t, ` [ {"jsonrpc":"2.0","id":1,"method":"ping"},
		{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"b__echo"}},
		{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}, {"jsonrpc":"2.0","id":9,"result":{}},
		{"jsonrpc":"2.0","id":3,"method":"tools/list"}, {"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"x"}},
		{"jsonrpc":"2.0","id":5,"method":"initialize","params":{"protocolVersion":"2025-03-26"}},
		7, {"id":6,"method":"ping"}, [] , {"jsonrpc":"2.0","id":null,"method":"ping"} ] `, s...)
	want := []string{
		`{"jsonrpc":"2.0","id":1,"result":{}}`,
		`{"jsonrpc":"2.0","id":"two","result":{"text":1e400}}`,
		`{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"b__echo","inputSchema":{"type":"object"}}]}}`,
		`{"jsonrpc":"2.0","id":4,"result":{"content":[{"type":"text","text":"Error: Invalid tool name (missing \"__\" prefix): x"}],"isError":true}}`,
		`{"jsonrpc":"2.0","id":5,"error":{"code":-32600,"message":"initialize cannot be part of a batch"}}`,
	}
	got := elements(t, a.body)
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" || len(got) != 9 {
		t.Fatalf("%+v", a)
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s is missing in\n%s", w, strings.Join(got, "\n"))
		}
	}
	if n := strings.Count(a.body, `"id":null,"error":{"code":-32600,`); n != 4 {
		t.Errorf("%d elements were refused: %s", n, a.body)
	}
	if told := h.noted(&h.told); len(told) != 1 || !strings.Contains(told[0], "roots/list_changed") {
		t.Errorf("told %q", told)
	}
	// Without a request there is nothing to say.
	if a := h.post(t, `[{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":1,"result":{}}]`, s...); a.status != http.StatusAccepted || a.body != "" {
		t.Errorf("no requests: %+v", a)
	}
}

func TestBatchRefused(t *testing.T) {
	h := start(t, nil)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	s := h.hello(t, "2025-03-26", `{}`)
	most := "[" + strings.Repeat(ping+",", maxBatch-1) + ping + "]"
	if a := h.post(t, most, s...); a.status != 200 || len(elements(t, a.body)) != maxBatch {
		t.Errorf("%d pings: %d, %d bytes", maxBatch, a.status, len(a.body))
	}
	for name, test := range map[string]struct{ body, want string }{
		"empty": {`[]`, "the batch is empty"}, "empty with spaces": {" [ \n ] ", "the batch is empty"},
		"too long":   {"[" + strings.Repeat(ping+",", maxBatch) + ping + "]", "a batch may have 1000 messages at most"},
		"too long 7": {"[" + strings.Repeat("7,", maxBatch) + "7]", "a batch may have 1000 messages at most"},
		"cut off":    {`[` + ping, `"code":-32700`}, "two": {`[` + ping + `][` + ping + `]`, `"code":-32700`}, "rubbish behind": {`[` + ping + `]x`, `"code":-32700`},
		"comma": {`[` + ping + `,]`, `"code":-32700`}, "broken": {`[{"jsonrpc":]`, `"code":-32700`},
	} {
		if a := h.post(t, test.body, s...); a.status != 400 || !strings.Contains(a.body, test.want) || !strings.HasPrefix(a.body, `{"jsonrpc":"2.0","id":null,"error"`) {
			t.Errorf("%s: %d %.300s", name, a.status, a.body)
		}
	}
	for _, version := range []string{"2024-11-05", "2025-06-18", "2025-11-25"} {
		if a := h.post(t, `[`+ping+`]`, h.hello(t, version, `{}`)...); a.status != 400 || !strings.Contains(a.body, "batches are only of revision 2025-03-26, and this session is of "+version+": send each message in a request of its own") {
			t.Errorf("%s: %+v", version, a)
		}
	}
	if a := h.post(t, `[`+ping+`]`, "MCP-Protocol-Version", "2026-07-28"); a.status != 400 || !strings.Contains(a.body, `"error"`) {
		t.Errorf("modern: %+v", a)
	}
	if a := h.post(t, `[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}]`); a.status != 400 || a.header.Get("Mcp-Session-Id") != "" {
		t.Errorf("initialize alone: %+v", a)
	}
}

// As soon as one of its requests says something before its answer, a batch is a
// stream; a client that takes none goes without.
func TestBatchThatStreams(t *testing.T) {
	h := start(t, nil)
	h.show(map[string]tool{"chatty": chatty, "plain": fixed(`"result":{"text":"plain"}`)})
	s := h.hello(t, "2025-03-26", `{}`)
	var parts []string
	for i := range 40 {
		name := "plain"
		if i%4 == 0 {
			name = "chatty"
		}
		parts = append(parts, strings.Replace(callOf(name), `"id":1`, fmt.Sprintf(`"id":%d`, i), 1))
	}
	a := h.post(t, "["+strings.Join(parts, ",")+"]", s...)
	got := messages(a.body)
	answers := map[int]bool{}
	for _, text := range got {
		var m struct {
			ID     *int
			Result json.RawMessage
		}
		decode(t, text, &m)
		if m.ID != nil && m.Result != nil {
			answers[*m.ID] = true
		}
	}
	if a.header.Get("Content-Type") != "text/event-stream" || len(got) != 60 || len(answers) != 40 {
		t.Errorf("%d messages, %d answers", len(got), len(answers))
	}
	a = h.post(t, "["+strings.Join(parts, ",")+"]", append(s, "Accept", "application/json")...)
	if a.header.Get("Content-Type") != "application/json" || len(elements(t, a.body)) != 40 {
		t.Errorf("without streams: %.500s", a.body)
	}
}

// A batch does not run all at once.
func TestBatchIsServedInParts(t *testing.T) {
	h := start(t, nil)
	var now, most atomic.Int64
	h.show(map[string]tool{"t": func(context.Context, string, func(string)) string {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer now.Add(-1)
		return `"result":{}`
	}})
	s := h.hello(t, "2025-03-26", `{}`)
	call := strings.Replace(callOf("t"), `,"_meta":{"progressToken":"p"}`, "", 1)
	a := h.post(t, "["+strings.Repeat(call+",", 200)+call+"]", s...)
	if len(elements(t, a.body)) != 201 || most.Load() > atOnce {
		t.Errorf("%d at once", most.Load())
	}
}
