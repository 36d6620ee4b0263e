package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func ask(j *Journal, method, name, message string) Recording {
	return j.Begin(&Request{Method: method, Name: name, Message: []byte(message), Protocol: strings.HasSuffix(method, "/list")})
}

func answer(r Recording, text string) { r.End(&Fate{}, []byte(text), len(text)) }

func ids(all []Call) (out []uint64) {
	for _, c := range all {
		out = append(out, c.ID)
	}
	return out
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestACallFromItsStartToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{})
		who := j.Met(Facts{Session: "tag", Info: []byte(`{"name":"Claude Code","version":"2.1"}`), Version: "2025-11-25", Address: "10.0.0.9:4711"}, nil)
		m := j.Meter("github", "search")
		for range minForPercents {
			m.Start(nil).End(Outcome{})
		}
		r := j.Begin(&Request{Client: who, Method: "tools/call", Name: "github__search", Original: "search", Backend: "github", Meter: m,
			Trace:   "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
			Message: []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"github__search","arguments":{"q":"x","password":"hunter2"}}}`)})
		time.Sleep(5 * time.Millisecond)
		got, there := j.CallByID(1)
		if !there || got.State != "running" || got.DurationMs != nil || got.Timing.TotalMs != 5 || r.ID() != 1 {
			t.Fatalf("while it runs: %v %s", there, jsonOf(t, got))
		}
		sent := time.Now()
		time.Sleep(10 * time.Millisecond)
		first := time.Now()
		time.Sleep(time.Millisecond)
		response := `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"token ghp_0123456789abcdefghij"}]}}`
		r.End(&Fate{Sent: sent, First: first, Replica: "github-2"}, []byte(response), len(response))
		got, _ = j.CallByID(1)
		const want = `{
 "id": 1,
 "at": "2000-01-01T00:00:00.000Z",
 "state": "ok",
 "method": "tools/call",
 "name": "github__search",
 "original": "search",
 "backend": "github",
 "client": {
  "id": "tag",
  "name": "Claude Code",
  "version": "2.1"
 },
 "era": "legacy",
 "protocolVersion": "2025-11-25",
 "durationMs": 16,
 "requestBytes": 124,
 "responseBytes": 103,
 "tokens": 26,
 "arguments": {
  "q": "x",
  "password": "•••• redacted, 7 chars"
 },
 "result": {
  "content": [
   {
    "type": "text",
    "text": "token •••• redacted, 24 chars"
   }
  ]
 },
 "timing": {
  "waitMs": 5,
  "firstByteMs": 15,
  "totalMs": 16
 },
 "usual": {
  "p50Ms": 0.05,
  "p95Ms": 0.095,
  "calls": 20
 },
 "raw": {
  "request": "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"github__search\",\"arguments\":{\"q\":\"x\",\"password\":\"•••• redacted, 7 chars\"}}}",
  "response": "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"token •••• redacted, 24 chars\"}]}}"
 },
 "session": "tag",
 "traceId": "0af7651916cd43dd8448eb211c80319c",
 "replica": "github-2"
}`
		if text := jsonOf(t, got); text != want {
			t.Errorf("got %s", text)
		}
	})
}

func TestCallsOfEachModeShow(t *testing.T) {
	const secret = "ghp_0123456789abcdefghij"
	for mode, want := range map[Mode]struct{ shown, kept, secret bool }{
		Redacted: {true, true, false}, Full: {true, true, true}, Metadata: {false, true, false}, Off: {},
	} {
		j := New(Options{Traffic: mode})
		r := ask(j, "tools/call", "t", `{"params":{"arguments":{"a":"`+secret+`"}}}`)
		message := `{"result":{"b":"` + secret + `"}}`
		r.End(&Fate{Kind: ErrTool, Err: "said " + secret}, []byte(message), len(message))
		list, _, kept := j.CallsBefore(1<<60, 10, false)
		got, there := j.CallByID(1)
		text := jsonOf(t, []any{list, got})
		if there != want.kept || kept != len(list) || (kept == 1) != want.kept {
			t.Errorf("%s: there %v, %d kept", mode, there, kept)
		}
		if shown := got.Arguments != nil && got.Result != nil && got.Raw != nil; shown != want.shown {
			t.Errorf("%s: %s", mode, text)
		}
		if strings.Contains(text, secret) != want.secret {
			t.Errorf("%s: %s", mode, text)
		}
		if got := j.Pulse(); got.Calls != 1 || got.Errors != 1 || got.Running != 0 {
			t.Errorf("%s does not count: %+v", mode, got)
		}
		m := j.Meter("b", "t")
		m.Start([]byte(`{"a":"x"}`)).End(Outcome{})
		if n := len(j.Entries(0)); n != map[bool]int{true: 2}[want.kept] {
			t.Errorf("%s: %d entries in the log", mode, n)
		}
		if log := shown(t, j.Entries(2)); strings.Contains(log, `"data"`) != mode.payloads() {
			t.Errorf("%s: the log has %s", mode, log)
		}
	}
}

func TestCallsArePagedAndListsHaveAPlaceOfTheirOwn(t *testing.T) {
	j := New(Options{Calls: 4})
	slow := ask(j, "tools/call", "slow", "{}") // 1
	for i := range 6 {
		answer(ask(j, "tools/list", "", "{}"), "{}") // 2, 4 … 12
		if i < 5 {
			answer(ask(j, "tools/call", "t", "{}"), "{}") // 3, 5 … 11
		}
	}
	for _, c := range []struct {
		before   uint64
		limit    int
		protocol bool
		want     string
	}{
		{100, 10, false, "[11 9 7 5 1]"}, // what still runs is there, however old
		{100, 2, false, "[11 9]"},
		{9, 2, false, "[7 5]"},
		{5, 2, false, "[1]"},
		{1, 2, false, "[]"},
		{100, 10, true, "[12 11 10 9 8 7 6 5 1]"},
		{8, 2, true, "[7 6]"},
	} {
		got, oldest, kept := j.CallsBefore(c.before, c.limit, c.protocol)
		if fmt.Sprint(ids(got)) != c.want || oldest != 5 || kept != map[bool]int{false: 4, true: 8}[c.protocol] {
			t.Errorf("%+v: got %v, oldest %d, kept %d", c, ids(got), oldest, kept)
		}
	}
	// Lists of long ago are older than a call that fell out of the other ring.
	young := New(Options{Calls: 2})
	answer(ask(young, "tools/list", "", "{}"), "{}") // 1
	ask(young, "tools/call", "slow", "{}")           // 2
	for range 2 {
		answer(ask(young, "tools/call", "t", "{}"), "{}") // 3, 4
	}
	if got, _, _ := young.CallsBefore(100, 10, true); fmt.Sprint(ids(got)) != "[4 3 2 1]" {
		t.Errorf("got %v", ids(got))
	}
	if got, _, _ := young.CallsBefore(3, 1, true); fmt.Sprint(ids(got)) != "[2]" {
		t.Errorf("got %v of a page", ids(got))
	}
	if _, there := j.CallByID(3); there {
		t.Error("call 3 is there still")
	}
	answer(slow, "{}")
	if got, there := j.CallByID(1); !there || got.State != "ok" {
		t.Errorf("who is told of the end of call 1 does not find it: %+v", got)
	}
	for range maxLate + 10 { // the late ones are bounded as well
		r := ask(j, "tools/call", "t", "{}")
		for range 4 {
			answer(ask(j, "tools/call", "t", "{}"), "{}")
		}
		answer(r, "{}")
	}
	if _, there := j.CallByID(1); there || len(j.calls.fallen) != maxLate {
		t.Errorf("%d calls are kept for late readers", len(j.calls.fallen))
	}
}

func TestMessagesThatAreLargeOrOldAreNotThere(t *testing.T) {
	j := New(Options{Payload: 1}) // one chunk
	large := `{"params":{"arguments":{"a":"` + strings.Repeat("x", maxPayload) + `"}}}`
	r := ask(j, "tools/call", "t", large)
	answer(r, `{"result":1}`)
	got, _ := j.CallByID(1)
	if got.Truncated == nil || got.Truncated.Arguments != len(large) || got.Arguments != nil || string(got.Result) != "1" || got.Dropped {
		t.Errorf("large arguments: %s", jsonOf(t, got))
	}
	answer(ask(j, "tools/call", "t", `{"params":{"arguments":{}}}`), `{"result":`+strings.Repeat(" ", maxPayload)+`1}`)
	got, _ = j.CallByID(2)
	if got.Truncated == nil || got.Truncated.Result <= maxPayload || string(got.Arguments) != "{}" {
		t.Errorf("a large result: %s", jsonOf(t, got))
	}
	for range chunk/maxPayload + 1 {
		answer(ask(j, "tools/call", "t", strings.Repeat(" ", maxPayload)), "{}")
	}
	if got, there := j.CallByID(2); !there || !got.Dropped || got.Arguments != nil || got.Truncated == nil {
		t.Errorf("given up for newer ones: %s", jsonOf(t, got))
	}
	r = ask(j, "tools/call", "t", "{}")
	if got, _ := j.CallByID(r.ID()); got.Dropped {
		t.Errorf("of what runs nothing is lost: %s", jsonOf(t, got))
	}
	answer(r, "{}")
	answer(ask(j, "tools/call", "t", `{"half":`), `nonsense`)
	if got, _ := j.CallByID(j.calls.last); got.Raw != nil || got.Arguments != nil {
		t.Errorf("what is no JSON: %s", jsonOf(t, got))
	}
}

// A client that asks for the list each second costs nobody what was said in a call.
func TestListsTakeNoRoomFromCalls(t *testing.T) {
	j := New(Options{Payload: 2 * protocolPayload})
	answer(ask(j, "tools/call", "t", `{"params":{"arguments":{"a":1}}}`), `{"result":7}`)
	list := `{"result":{"tools":[` + strings.Repeat(" ", maxPayload/2) + `]}}`
	for range 4 * protocolPayload / len(list) {
		answer(ask(j, "tools/list", "", "{}"), list)
	}
	if got, _ := j.CallByID(1); got.Dropped || string(got.Arguments) != `{"a":1}` || string(got.Result) != "7" {
		t.Errorf("the call: %s", jsonOf(t, got))
	}
	if got, _ := j.CallByID(2); !got.Dropped {
		t.Error("nothing was given up, so that nothing was tested")
	}
	if got, _ := j.CallByID(j.calls.last); got.Dropped || got.Result == nil {
		t.Errorf("the last list: %s", jsonOf(t, got))
	}
}

func TestArgumentsOfOtherMethods(t *testing.T) {
	j := New(Options{})
	for message, want := range map[string]string{
		`{"params":{"uri":"file:///a","_meta":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}}`: `{"uri":"file:///a"}`,
		`{"params":{"name":"greet","arguments":{"a":"b"}}}`:                                                                `{"a":"b"}`,
		`{"params":{"_meta":{}}}`: ``,
		`{}`:                      ``,
	} {
		r := ask(j, "resources/read", "x", message)
		got, _ := j.CallByID(r.ID())
		if string(got.Arguments) != want || strings.Contains(message, "traceparent") != (got.TraceID != "") {
			t.Errorf("%s: got %s, trace %q", message, got.Arguments, got.TraceID)
		}
	}
}

func TestStrangersTextsAreBounded(t *testing.T) {
	j := New(Options{})
	long := strings.Repeat("é", 5000)
	j.Begin(&Request{Method: long, Name: long, Original: long + "!", Trace: long, Client: j.Met(Facts{Info: []byte(`{"name":"` + long + `"}`), UserAgent: long}, []byte("k"))}).
		End(&Fate{Kind: ErrTransport, Err: long}, nil, -1)
	got, _ := j.CallByID(1)
	if len(got.Error) > maxErrorText+3 || len(got.Method) > maxFact+3 || len(got.Name) > maxNameOrURI+3 || len(got.Original) > maxNameOrURI+3 || len(got.Client.Name) > maxFact+3 || got.ResponseBytes != nil {
		t.Errorf("%d %d %d %d", len(got.Error), len(got.Method), len(got.Name), len(got.Client.Name))
	}
}

func TestAWatchIsToldOnceOfEachCall(t *testing.T) {
	j := New(Options{})
	answer(ask(j, "tools/call", "before", "{}"), "{}")
	w := j.Watch()
	defer w.Close()
	select {
	case <-w.Ready():
		t.Error("the bell rang for what was before")
	default:
	}
	r := ask(j, "tools/call", "slow", "{}")
	<-w.Ready()
	if got, missed := w.Calls(10); len(got) != 1 || got[0].State != "running" || missed != 0 {
		t.Fatalf("%v, missed %d", got, missed)
	}
	answer(ask(j, "tools/call", "quick", "{}"), "{}")
	answer(r, "{}")
	got, missed := w.Calls(10)
	if fmt.Sprint(ids(got)) != "[3 2]" && fmt.Sprint(ids(got)) != "[2 3]" || got[0].State != "ok" || got[1].State != "ok" || missed != 0 {
		t.Errorf("%v, missed %d", got, missed)
	}
	for range 30 {
		answer(ask(j, "tools/call", "t", "{}"), "{}")
	}
	if got, missed := w.Calls(10); len(got) != 10 || missed != 20 || got[9].ID != 33 {
		t.Errorf("%v, missed %d", ids(got), missed)
	}
	for range maxNotices {
		answer(ask(j, "tools/call", "t", "{}"), "{}")
	}
	if got, missed := w.Calls(10); len(got) != 10 || missed < maxNotices-10 {
		t.Errorf("%d calls, missed %d", len(got), missed)
	}
	if got, missed := w.Calls(10); len(got) != 0 || missed != 0 {
		t.Errorf("read twice: %v, %d", ids(got), missed)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	j := New(Options{Calls: 64, Payload: 1})
	w := j.Watch()
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				list, _, _ := j.CallsBefore(1<<60, 50, true)
				for _, c := range list {
					j.CallByID(c.ID)
				}
				w.Calls(20)
				w.Clients()
				j.Clients()
				j.Numbers(Range15m, "", "")
			}
		})
	}
	const calls = 300
	for n := range 4 {
		writers.Go(func() {
			m := j.Meter("b", "t")
			for i := range calls {
				who := j.Met(Facts{Address: "h:1"}, fmt.Append(nil, n, i%5))
				r := j.Begin(&Request{Client: who, Method: "tools/call", Meter: m, Message: []byte(`{"params":{"arguments":{"password":"x"}}}`)})
				closed := j.Streams(who)
				text := strings.Repeat(" ", i)
				r.End(&Fate{Kind: map[bool]ErrorKind{true: ErrTool}[n == 0]}, []byte(text), len(text))
				closed()
				j.Refused(Refusal{Address: "x", Reason: fmt.Sprint(i)})
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	p := j.Pulse()
	if p.Calls != 4*calls || p.Errors != calls || p.Running != 0 || p.Streams != 0 {
		t.Errorf("%+v", p)
	}
	if n := len(j.calls.free) + len(j.calls.fallen) + 64; n > 64+4+maxLate+8 {
		t.Errorf("%d calls are held for 64", n)
	}
}

func TestRecordingIsCheap(t *testing.T) {
	j := New(Options{Calls: 100, Payload: 1})
	who := j.Met(Facts{}, []byte("k"))
	m := j.Meter("b", "t")
	message := []byte(`{"params":{"arguments":{"query":"` + strings.Repeat("x", 88) + `"}}}`)
	record := func() {
		j.Begin(&Request{Client: who, Method: "tools/call", Name: "b__t", Meter: m, Message: message}).End(&Fate{}, message, len(message))
	}
	for range 2000 {
		record() // until all memory is there
	}
	if n := testing.AllocsPerRun(200, record); n > 0 {
		t.Errorf("a call costs %v allocations, want none", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{0, 100, 4096, 65536} {
		b.Run(fmt.Sprint(size, "B"), func(b *testing.B) {
			j := New(Options{})
			r := Request{Client: j.Met(Facts{}, []byte("k")), Method: "tools/call", Name: "b__t", Meter: j.Meter("b", "t"), Message: make([]byte, size)}
			answer := make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				j.Begin(&r).End(&Fate{}, answer, size)
			}
		})
	}
}

func BenchmarkRecordWatched(b *testing.B) {
	j := New(Options{})
	w := j.Watch()
	defer w.Close()
	r := Request{Client: j.Met(Facts{}, []byte("k")), Method: "tools/call", Name: "b__t", Meter: j.Meter("b", "t"), Message: make([]byte, 100)}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j.Begin(&r).End(&Fate{}, r.Message, len(r.Message))
		}
	})
}

// Who called a tool is told by program, the latest first, of the calls that are kept.
func TestCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{Calls: 4})
		as := func(session, name string) *Client {
			return j.Met(Facts{Session: session, Info: []byte(`{"name":"` + name + `","version":"1"}`)}, nil)
		}
		call := func(c *Client, backend, tool string, kind ErrorKind) {
			time.Sleep(time.Second)
			j.Begin(&Request{Client: c, Method: "tools/call", Name: backend + "__" + tool, Original: tool, Backend: backend}).End(&Fate{Kind: kind}, nil, 0)
		}
		if callers, since := j.Callers("b", "t"); len(callers) != 0 || since != "" {
			t.Errorf("before any call: %v since %q", callers, since)
		}
		call(as("1", "Cursor"), "b", "t", "")
		call(as("2", "Claude Code"), "b", "t", "")
		call(as("3", "Claude Code"), "b", "t", ErrTool)
		call(as("3", "Claude Code"), "b", "other", "")
		callers, since := j.Callers("b", "t")
		if want := []Caller{{"Claude Code", "1", 2, 1, "2000-01-01T00:00:03.000Z"}, {"Cursor", "1", 1, 0, "2000-01-01T00:00:01.000Z"}}; !slices.Equal(callers, want) || since != "2000-01-01T00:00:01.000Z" {
			t.Errorf("got %v since %s, want %v", callers, since, want)
		}
		call(as("1", "Cursor"), "c", "t", "") // the oldest call is not kept any more
		if callers, since := j.Callers("b", "t"); len(callers) != 1 || since != "2000-01-01T00:00:02.000Z" {
			t.Errorf("got %v since %s", callers, since)
		}
	})
}
