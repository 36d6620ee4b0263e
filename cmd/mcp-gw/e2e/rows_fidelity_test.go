package e2e

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// row is one thing that a gateway could lose, and that this one must not: prepare
// makes the backends have it, run looks at what comes through.
type row struct {
	name    string
	prepare func(*rowsStub)
	run     func(*testing.T, *stage)
}

// TestFidelity has a test for each thing that passes through a gateway and that one
// that decodes, prefixes or multiplexes could spoil: on all ways between clients and
// backends of both eras, at /mcp and at /mcp/<backend>, byte for byte.
func TestFidelity(t *testing.T) {
	t.Parallel()
	rows := []row{
		{"numbers_beyond_2^53", prepareNumbers, runNumbers},
		{"JSON-RPC_id", prepareIDs, runIDs},
		{"unknown_fields_and__meta", prepareUnknown, runUnknown},
		{"structuredContent_any_JSON", prepareStructured, runStructured},
		{"content_of_all_types", prepareContent, runContent},
		{"isError_and_content_empty_null_absent", prepareEmpty, runEmpty},
		{"error_code_message_data", prepareErrors, runErrors},
		{"error_-32042_asks_for_input", prepareURLs, runURLs},
		{"error_-32002_and_-32602_by_era", prepareMissing, runMissing},
		{"HTTP_status_by_code", prepareStatus, runStatus},
		{"unicode_escapes_key_order_duplicate_keys", prepareText, runText},
		{"progressToken", prepareProgress, runProgress},
		{"notifications_message", prepareLogs, runLogs},
		{"tool_names", prepareToolNames, runToolNames},
		{"names_containing_two_underscores", prepareUnderscores, runUnderscores},
		{"tool_display", prepareDisplay, runDisplay},
		{"prompts", preparePrompts, runPrompts},
		{"resource_URIs", prepareURIs, runURIs},
		{"URIs_elsewhere", prepareURIsElsewhere, runURIsElsewhere},
		{"MCP_Apps", prepareApps, runApps},
		{"resource_subscribe", nil, runSubscribe},
		{"list_changed_storms", nil, runStorms},
		{"pagination", nil, runPagination},
		{"completion", prepareCompletion, runCompletion},
		{"tasks", prepareTasks, runTasks},
		{"capabilities", nil, runCapabilities},
		{"instructions", nil, runInstructions},
		{"SSE_peculiarities", prepareSSE, runSSE},
		{"compressed_backends", prepareCompressed, runCompressed},
		{"cancellation", prepareCancellation, runCancellation},
	}
	st := &stage{g: startGateway(t), clients: map[string]*rawClient{}, early: map[string]answer{}}
	for _, modern := range []bool{false, true} {
		st.early[eraName(modern)] = dial(t, st.g.mcp(), modern).hello
	}
	for _, modern := range []bool{false, true} {
		s := newRowsStub(t, eraName(modern), modern)
		s.says = rowsSays(modern)
		for _, r := range rows {
			if r.prepare != nil {
				r.prepare(s)
			}
		}
		st.stubs = append(st.stubs, s)
		st.g.connect(t, s.name, s.url, "http")
		if got := str(st.g.backend(t, s.name), "era"); got != s.name {
			t.Fatalf("backend %s: got era %q", s.name, got)
		}
		if got := get(st.g.backend(t, s.name), "diagnostics"); got != nil && string(got) != "[]" && string(got) != "null" {
			t.Errorf("backend %s: got the diagnostics %s, want none", s.name, got)
		}
	}
	for _, endpoint := range []string{"", "/legacy", "/modern"} {
		for _, modern := range []bool{false, true} {
			st.clients[endpoint+" "+eraName(modern)] = dial(t, st.g.mcp()+endpoint, modern)
		}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			r.run(t, st)
			for _, s := range st.stubs {
				s.check(t)
			}
		})
	}
}

// stage is what all rows share.
type stage struct {
	g       *gateway
	stubs   []*rowsStub           // legacy, modern
	clients map[string]*rawClient // by endpoint and era
	early   map[string]answer     // what the gateway said of itself before there was a backend, by era
}

// way is one way between a client and a backend.
type way struct {
	st     *stage
	s      *rowsStub
	c      *rawClient
	client bool // is modern
	plain  bool // at /mcp/<backend>
}

func (w *way) endpoint() string {
	if w.plain {
		return "/" + w.s.name
	}
	return ""
}

// everyWay runs f on each.
func (st *stage) everyWay(t *testing.T, f func(t *testing.T, w *way)) {
	for _, s := range st.stubs {
		for _, client := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				w := &way{st: st, s: s, client: client, plain: plain}
				w.c = st.clients[w.endpoint()+" "+eraName(client)]
				t.Run(eraName(client)+" client, "+s.name+" backend, /mcp"+w.endpoint(), func(t *testing.T) { f(t, w) })
			}
		}
	}
}

// dial opens another client for the same way.
func (w *way) dial(t *testing.T) *rawClient {
	t.Helper()
	return dial(t, w.st.g.mcp()+w.endpoint(), w.client)
}

// called is what the client calls a tool or prompt of the backend.
func (w *way) called(name string) string {
	if w.plain {
		return name
	}
	return w.s.name + "__" + name
}

// shared is how the client sees a URI that both backends have.
func (w *way) shared(uri string) string {
	switch rest, app := strings.CutPrefix(uri, "ui://"); {
	case w.plain:
		return uri
	case app:
		return "ui://" + w.s.name + "/" + rest
	}
	return "mcp-gw+" + w.s.name + "+" + uri
}

// list is what the client is listed, by name or URI.
func (w *way) list(t *testing.T, method string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, item := range elements(t, get(w.c.must(t, ask{method: method}).result(), listMember[method])) {
		for _, key := range []string{"uriTemplate", "uri", "name"} {
			if id := str(item, key); id != "" {
				found[id] = item
				break
			}
		}
	}
	return found
}

// listedAs holds one element of a list against what the backend lists: another name,
// and nothing else.
func (w *way) listedAs(t *testing.T, method, member, exposed, item string) {
	t.Helper()
	want := replace([]byte(item), member, strconv.Quote(exposed))
	if w.client && !w.s.modern && method == "tools/list" {
		want = without(want, "execution")
	}
	sameBytes(t, method+" "+exposed, w.list(t, method)[exposed], want)
}

// call asks for a tool of the backend.
func (w *way) call(tool, arguments string) ask { return callTool(w.called(tool), arguments) }

// read asks for a resource.
func read(uri string) ask {
	return ask{method: "resources/read", name: uri, params: `"uri":` + strconv.Quote(uri)}
}

// same holds the client's answer to a against the member that the backend sent. What
// 2026-07-28 requires of a result, and a legacy backend does not know, is added, and
// nothing else.
func (w *way) same(t *testing.T, a ask, got answer, member string) {
	t.Helper()
	sent := []byte("{" + member + "}")
	what := strings.TrimSpace(a.method + " " + a.name)
	if want := get(sent, "error"); want != nil {
		sameBytes(t, "error of "+what, get(got.final, "error"), want)
		return
	}
	result, want := got.result(), get(sent, "result")
	if w.client && !w.s.modern {
		added := map[string]string{"resultType": `"complete"`}
		if a.method == "resources/read" {
			added["ttlMs"], added["cacheScope"] = `0`, `"private"`
		}
		for name, value := range added {
			if get(want, name) != nil {
				continue
			}
			if has := string(get(result, name)); has != value {
				t.Errorf("%s: got %s %s, want %s, in %.300s", what, name, has, value, result)
			}
			result = without(result, name)
		}
	}
	sameBytes(t, "result of "+what, result, want)
}

// check asks and holds the answer against what the backend sent.
func (w *way) check(t *testing.T, a ask, member string) answer {
	t.Helper()
	got := w.c.tryCall(t, a)
	w.same(t, a, got, member)
	return got
}

// askEdited asks with a body whose text is changed first: for what rawClient does not
// say by itself. edits are old and new, in turns.
func (c *rawClient) askEdited(t *testing.T, a ask, edits ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if a.id == "" {
		a.id = strconv.FormatInt(c.ids.Add(1), 10)
	}
	resp, err := c.post(ctx, strings.NewReplacer(edits...).Replace(c.body(a, a.id)), &a)
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{id: a.id, resp: resp, cancel: cancel}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		x.stream = newSSEReader(resp.Body)
	}
	got, err := x.finish()
	if err != nil {
		t.Fatal(err)
	}
	return got
}
