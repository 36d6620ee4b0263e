package e2e

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func quoted(text string) []byte {
	out, _ := json.Marshal(text)
	return out
}

// Texts about a task; TASK is its id, as whoever reads it knows it.
const (
	rowsTask       = `"taskId":"TASK","status":"working","statusMessage":"\u2028 <&>","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttl":9007199254740993,"pollInterval":1.0,"x-more":{"taskId":"not one"}`
	rowsRelated    = `"_meta":{"example.com/n":1.0,"io.modelcontextprotocol/related-task":{"taskId":"TASK","x":1.0}}`
	rowsTaskResult = `"result":{"content":[{"type":"text","text":"t-1"}],` + rowsRelated + `}`
)

// rowsCreated is how a task begins, rowsTaskAnswers what is said of it later.
func rowsCreated(modern bool) string {
	if modern {
		return `"result":{"resultType":"task",` + rowsTask + `}`
	}
	return `"result":{"task":{` + rowsTask + `},"_meta":{"n":1.0}}`
}

func rowsTaskAnswers(modern bool) map[string]string {
	if modern {
		return map[string]string{
			"tasks/get":    `"result":{"resultType":"complete",` + rowsTask + `,"result":{"content":[],"n":1.0}}`,
			"tasks/update": `"result":{"resultType":"complete","x":1.0}`,
			"tasks/cancel": `"result":{"resultType":"complete","x":1e400}`,
		}
	}
	return map[string]string{
		"tasks/get":    `"result":{` + rowsTask + `}`,
		"tasks/result": rowsTaskResult,
		"tasks/cancel": `"result":{` + rowsTask + `}`,
	}
}

func ofTask(text, id string) string { return strings.ReplaceAll(text, "TASK", id) }

func prepareTasks(s *rowsStub) {
	s.tool("task", func(c *rowsCall) string {
		if c.token() != "" {
			c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + c.token() + `,"progress":1.0,` + ofTask(rowsRelated, "t-1") + `}}`)
		}
		return ofTask(rowsCreated(s.modern), "t-1")
	})
	for method, member := range rowsTaskAnswers(s.modern) {
		s.on(method, answers(ofTask(member, "t-1")))
	}
	if !s.modern {
		s.on("tasks/list", func(c *rowsCall) string {
			if str(c.params, "cursor") == "" {
				return `"result":{"tasks":[{` + ofTask(rowsTask, "t-1") + `},{` + ofTask(rowsTask, "t-2") + `}],"nextCursor":"next \u2028\/"}`
			}
			return `"result":{"tasks":[{` + ofTask(rowsTask, "t-"+string(get(c.params, "n"))) + `}]}`
		})
	}
}

// A task's id says whose it is at /mcp, wherever it stands, and the backend gets its own
// back. Tasks pass within an era; the other era is not told of them.
func runTasks(t *testing.T, st *stage) {
	st.everyWay(t, func(t *testing.T, w *way) {
		if w.client != w.s.modern {
			capabilities := get(w.c.hello.result(), "capabilities")
			if w.plain && (get(capabilities, "tasks") != nil || get(capabilities, "extensions", "io.modelcontextprotocol/tasks") != nil) {
				t.Errorf("a client of the other era is told of tasks: %s", capabilities)
			}
			return
		}
		id := "t-1"
		if !w.plain {
			id = w.s.name + ".t-1"
		}
		c := w.dial(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var standing <-chan []byte
		if !w.client {
			standing = hears(ctx, t, c, "")
		}

		a := w.call("task", `{}`)
		a.params += `,"task":{"ttl":60000.0,"x":1}`
		a.meta = `"progressToken":"p"`
		got := c.tryCall(t, a)
		w.same(t, a, got, ofTask(rowsCreated(w.s.modern), id))
		if len(got.before) != 1 {
			t.Fatalf("got %d notifications, want one: %v", len(got.before), got)
		}
		sameBytes(t, "params of the report", get(got.before[0], "params"), []byte(`{"progressToken":"p","progress":1.0,`+ofTask(rowsRelated, id)+`}`))
		calls := w.s.requests("tools/call", "task")
		last := calls[len(calls)-1]
		sameBytes(t, "task at the backend", get(last.body, "params", "task"), []byte(`{"ttl":60000.0,"x":1}`))

		for method, member := range rowsTaskAnswers(w.s.modern) {
			a := ask{method: method, name: id, params: `"taskId":"` + id + `","inputResponses":{"k":{"n":1.0}}`, meta: `"io.modelcontextprotocol/related-task":{"x":1.0,"taskId":"` + id + `"}`}
			w.same(t, a, c.tryCall(t, a), ofTask(member, id))
			seen := get(w.s.last(t, method, "t-1"), "params")
			sameBytes(t, method+": inputResponses at the backend", get(seen, "inputResponses"), []byte(`{"k":{"n":1.0}}`))
			sameBytes(t, method+": related task at the backend", get(seen, "_meta", relatedTask), []byte(`{"x":1.0,"taskId":"t-1"}`))
		}
		if w.client {
			return
		}
		w.listTasks(t, c, id)
		eventually(t, "the backend to have a stream to the client's session", func() bool {
			return w.s.tell("notifications/tasks/status", ofTask(rowsTask, "t-1"), func(e rowsEar) bool { return e.session == last.session }) > 0
		})
		message := receive(t, "the task's status", standing)
		if str(message, "method") != "notifications/tasks/status" {
			t.Errorf("got %s, want the task's status", message)
		}
		sameBytes(t, "params of the status", get(message, "params"), []byte(`{`+ofTask(rowsTask, id)+`}`))
	})
	for _, client := range []bool{false, true} {
		got := st.clients[" "+eraName(client)].tryCall(t, ask{method: "tasks/get", name: "nobody.t-1", params: `"taskId":"nobody.t-1"`})
		if string(get(got.final, "error", "code")) != "-32602" {
			t.Errorf("%s client, a task of nobody: got %v, want -32602", eraName(client), got)
		}
	}
}

// listTasks reads both pages of the backend's tasks; t-1 is among them as id.
func (w *way) listTasks(t *testing.T, c *rawClient, id string) {
	t.Helper()
	another := strings.TrimSuffix(id, "1")
	first := c.must(t, ask{method: "tasks/list"}).result()
	sameBytes(t, "the first page of tasks", get(first, "tasks"), []byte(`[{`+ofTask(rowsTask, id)+`},{`+ofTask(rowsTask, another+"2")+`}]`))
	second := c.must(t, ask{method: "tasks/list", params: `"cursor":` + string(get(first, "nextCursor")) + `,"n":3`}).result()
	sameBytes(t, "the second page of tasks", second, []byte(`{"tasks":[{`+ofTask(rowsTask, another+"3")+`}]}`))
	if got := str(w.s.last(t, "tasks/list", ""), "params", "cursor"); got != "next \u2028/" {
		t.Errorf("cursor at the backend: got %s, want its own", strconv.Quote(got))
	}
}
