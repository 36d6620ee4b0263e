package downstream

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"mcp-gw/gateway/wire"
)

// lister answers tasks/list with two pages of tasks called after it.
func lister(name string) *player {
	return &player{name: name, capabilities: `{"tasks":{"list":{}}}`, answer: func(_ context.Context, r request) string {
		if cursor, more := wire.Unquote(r.Cursor.In(r.Raw)); more {
			if cursor != `second "page" of `+name {
				return `"error":{"code":-32602,"message":"whose cursor is that?"}`
			}
			return `"result":{"tasks":[{"taskId":"2"}]}`
		}
		if strings.Contains(string(r.Params.In(r.Raw)), "cursor") {
			return `"error":{"code":-32602,"message":"a cursor that is none"}`
		}
		return `"result":{"tasks":[{"taskId":"1"}],"nextCursor":"second \"page\" of ` + name + `"}`
	}}
}

// The lists of several backends' tasks follow each other, page by page.
func TestTasksOfSeveralBackends(t *testing.T) {
	h := start(t, nil)
	h.stage(lister("a"), &player{name: "b", capabilities: `{}`}, lister("c"),
		&player{name: "d", modern: true, capabilities: `{"extensions":{"io.modelcontextprotocol/tasks":{}}}`})
	ask := h.eras(t, "")["legacy"]
	var ids []string
	params := ""
	for range 10 {
		var got struct {
			Result struct {
				Tasks      []struct{ TaskID string }
				NextCursor *string
			}
		}
		a := ask(t, "tasks/list", params)
		if err := json.Unmarshal([]byte(a.last()), &got); err != nil || len(got.Result.Tasks) != 1 {
			t.Fatalf("%s: %v", a.last(), err)
		}
		ids = append(ids, got.Result.Tasks[0].TaskID)
		if got.Result.NextCursor == nil {
			break
		}
		params = `"cursor":` + string(wire.Quote(*got.Result.NextCursor))
	}
	if want := []string{"a.1", "a.2", "c.1", "c.2"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
	for _, cursor := range []string{`"x"`, `"eg"`, `7`, `""`, string(pageCursor("a", []byte(`7,"evil":1`))), string(pageCursor("z", nil))} {
		if a := ask(t, "tasks/list", `"cursor":`+cursor); !strings.Contains(a.last(), `"code":-32602`) {
			t.Errorf("cursor %s: %s", cursor, a.last())
		}
	}
	// The backend whose turn it was is gone: the next one's begins.
	if a := ask(t, "tasks/list", `"cursor":`+string(pageCursor("b", []byte(`"x"`)))); !strings.Contains(a.last(), `"taskId":"c.1"`) {
		t.Errorf("got %s", a.last())
	}
}

// Where nobody lists tasks, the method is nobody's, or the only backend's to answer.
func TestTasksOfNobody(t *testing.T) {
	h := start(t, nil)
	h.stage(&player{name: "a", capabilities: `{}`}, &player{name: "b", modern: true, capabilities: `{}`})
	if a := h.eras(t, "")["legacy"](t, "tasks/list", ""); !strings.Contains(a.last(), `"code":-32601`) {
		t.Errorf("got %s", a.last())
	}
	h.stage(&player{name: "a", capabilities: `{}`, answer: fixedAnswer(`"error":{"code":-32601,"message":"its own"}`)})
	if a := h.eras(t, "")["legacy"](t, "tasks/list", ""); !strings.Contains(a.last(), `"its own"`) {
		t.Errorf("got %s", a.last())
	}
}
