package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// CallResult is how a call of Call went.
type CallResult struct {
	// ID is the call's in the journal; 0 when it is not there.
	ID   uint64
	Took time.Duration
	// Result is raw JSON, nil without one.
	Result json.RawMessage
	// Error says what went wrong, and Kind what kind of error it is; both empty when
	// nothing did.
	Error string
	Kind  journal.ErrorKind
}

// self is the client that the dashboard is to backends.
const self = "mcp-gw dashboard"

// Call calls a tool by the name that clients know, on the way of all calls, and waits
// for the result until ctx ends. arguments is a JSON object, or empty.
func (g *Gateway) Call(ctx context.Context, tool string, arguments []byte) CallResult {
	_, known := g.view.Load().Scopes[""].Tools[tool]
	start := time.Now()
	answer, id := g.handler.Call(ctx, self, tool, arguments)
	out := CallResult{ID: id, Took: time.Since(start)}
	var m wire.Message
	if err := m.Scan(answer); err != nil || m.Kind != wire.KindResponse {
		out.Kind, out.Error = journal.ErrCancelled, "the call was given up"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			out.Kind, out.Error = journal.ErrTimeout, fmt.Sprintf("no result within %v", out.Took.Round(time.Millisecond))
		}
		return out
	}
	if m.Error.Present() {
		out.Kind = journal.ErrRPC
		out.Error, _ = wire.Unquote(wire.Member(m.Error.In(answer), "message"))
	} else {
		out.Result = m.Result.In(answer)
		if string(wire.Member(out.Result, "isError")) == "true" {
			out.Kind, out.Error = journal.ErrTool, firstText(out.Result)
		}
	}
	if out.Kind == "" {
		return out
	}
	if kept, there := g.cfg.Journal.CallByID(id); there && kept.ErrorKind != "" {
		out.Kind = kept.ErrorKind // an answer does not tell who made it
	} else if !known {
		out.Kind = journal.ErrGateway
	}
	return out
}

// firstText is the first text of a result.
func firstText(result []byte) (text string) {
	_ = wire.Elements(wire.Member(result, "content"), func(block []byte) error {
		if kind, _ := wire.Unquote(wire.Member(block, "type")); text == "" && kind == "text" {
			text, _ = wire.Unquote(wire.Member(block, "text"))
		}
		return nil
	})
	if text == "" {
		text = "the result says that it is an error, and not which"
	}
	return text
}
