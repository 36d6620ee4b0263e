package bridge

import (
	"bytes"
	"strings"

	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Task ids are the backend's own, and two backends may give the same one. Where
// clients see several backends, an id has its backend's name in front; wherever
// one stands in a message, it is changed on the way.

// relatedTask is the member of _meta that says to which task a message belongs.
const relatedTask = "io.modelcontextprotocol/related-task"

// TaskPrefix is what stands in front of the ids of a backend's tasks.
func TaskPrefix(backend string) string { return backend + "." }

// TaskID is the backend's own id in an exposed one, and false when it has none
// of the backend's.
func TaskID(backend, exposed string) (string, bool) {
	return strings.CutPrefix(exposed, TaskPrefix(backend))
}

// at answers where the value of a path of members of the object at outer is.
func at(raw []byte, outer wire.Span, path ...string) wire.Span {
	for _, name := range path {
		if !outer.Present() || raw[outer.Start] != '{' {
			return wire.Span{}
		}
		inner := wire.Find(outer.In(raw), name)
		if !inner.Present() {
			return wire.Span{}
		}
		outer = wire.Span{Start: outer.Start + inner.Start, End: outer.Start + inner.End}
	}
	return outer
}

// plainTask adds the edit that gives the backend its own id of the task that the
// client's request belongs to. That of the whole _meta, if there is one, has it.
func (c *call) plainTask(m *wire.Message, edits []wire.Edit) []wire.Edit {
	span := at(m.Raw, m.Meta, relatedTask, "taskId")
	id, ok := wire.Unquote(span.In(m.Raw))
	if !ok {
		return edits
	}
	own, ok := TaskID(c.route.Backend, id)
	if !ok {
		return edits
	}
	quoted := wire.Quote(own)
	for i := range edits {
		if edits[i].Span == m.Meta { // written anew for the other era
			in := at(edits[i].New, wire.Span{Start: 0, End: len(edits[i].New)}, relatedTask, "taskId")
			if in.Present() {
				edits[i].New = wire.Splice(nil, edits[i].New, wire.Edit{Span: in, New: quoted})
			}
			return edits
		}
	}
	return append(edits, wire.Edit{Span: span, New: quoted})
}

// exposeTask answers the edits for a notification.
func (c *call) exposeTask(m *wire.Message) []wire.Edit { return ExposeTask(c.route.Tasks, m) }

// ExposeTask answers the edits that put prefix in front of the task ids in a
// notification's params.
func ExposeTask(prefix string, m *wire.Message) []wire.Edit {
	return prefixed(prefix, m.Raw, nil, m.TaskID, at(m.Raw, m.Meta, relatedTask, "taskId"))
}

// ExposeAsk is a backend's request that may belong to a task, as the client gets it,
// and where the client's response goes, which belongs to the same.
func ExposeAsk(prefix string, m *wire.Message, reply upstream.Reply) (*wire.Message, upstream.Reply) {
	edits := ExposeTask(prefix, m)
	exposed := new(wire.Message)
	if len(edits) == 0 || exposed.Scan(wire.Splice(nil, m.Raw, edits...)) != nil {
		return m, reply
	}
	return exposed, func(response []byte) {
		var r wire.Message
		if r.Scan(response) == nil {
			span := at(response, r.Result, "_meta", relatedTask, "taskId")
			if id, ok := wire.Unquote(span.In(response)); ok && strings.HasPrefix(id, prefix) {
				quoted := wire.Quote(strings.TrimPrefix(id, prefix))
				response = wire.Splice(nil, response, wire.Edit{Span: span, New: quoted})
			}
		}
		reply(response)
	}
}

// exposeTasks answers the edits for a result: one that is a task, is about one, or
// lists them.
func (c *call) exposeTasks(m *wire.Message) []wire.Edit {
	result := m.Result.In(m.Raw)
	if !bytes.Contains(result, []byte(`"taskId"`)) {
		return nil
	}
	edits := prefixed(c.route.Tasks, m.Raw, nil, at(m.Raw, m.Result, "taskId"), at(m.Raw, m.Result, "task", "taskId"),
		at(m.Raw, m.Result, "_meta", relatedTask, "taskId"))
	list := at(m.Raw, m.Result, "tasks")
	_ = wire.ElementSpans(list.In(m.Raw), func(e wire.Span) error {
		e = wire.Span{Start: list.Start + e.Start, End: list.Start + e.End}
		edits = prefixed(c.route.Tasks, m.Raw, edits, at(m.Raw, e, "taskId"))
		return nil
	})
	return edits
}

func prefixed(prefix string, raw []byte, edits []wire.Edit, spans ...wire.Span) []wire.Edit {
	for _, s := range spans {
		if id, ok := wire.Unquote(s.In(raw)); ok {
			quoted := wire.Quote(prefix + id)
			edits = append(edits, wire.Edit{Span: s, New: quoted})
		}
	}
	return edits
}
