package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Client is who calls, as far as a backend may know it.
type Client struct {
	// Modern is 2026-07-28 and later, with everything in the request itself.
	Modern bool
	// Lane is the client towards backends that keep sessions: a legacy client's
	// own, or one for all modern clients that can do the same.
	Lane *upstream.Lane
	// Principal is who the client says it is; requests of one are never finished
	// by another.
	Principal string
	// Capabilities and Info are what a modern backend is told of a legacy client,
	// as raw JSON.
	Capabilities, Info []byte
	// Header is the HTTP header of the request.
	Header http.Header
}

// Answer takes what comes back, in the client's own terms.
type Answer interface {
	// Notify sends a notification that belongs to the call.
	Notify(message []byte) error
	// Ask sends m, a request of the backend's, to the client under an id of the
	// answer's own, and does not wait. reply gets the response under m's id, once,
	// unless the client never gives one. False: the client cannot be asked.
	Ask(backend string, m *wire.Message, reply upstream.Reply) bool
	// Unask tells the client that the backend does not want the answer any more to
	// what it asked under id.
	Unask(backend string, id []byte)
	// Note tells how the call fared, before Reply, or in its place when nobody waits for
	// an answer. f is valid only during the call.
	Note(f *journal.Fate)
	// Reply sends the response and ends the call. code is that of the error in
	// it, 0 when it is a result; Handled says that the error is of the backend's
	// own making, whatever its code.
	Reply(message []byte, code int) error
}

// Handled stands for the code of an error that a backend gave with a successful HTTP
// status, and that goes on with one.
const Handled = 1

// ErrCancelled is the cause with which a client's cancellation ends the context.
var ErrCancelled = errors.New("the client cancelled the call")

// call is one request on its way: an upstream.Exchange.
type call struct {
	route  *Route
	client Client
	method mcp.MCPMethod
	msg    *wire.Message // the client's request
	answer Answer
	id     int64 // under which the backend knows it
	buf    []byte
	end    journal.Outcome
	fate   journal.Fate
	done   bool
	// need is the result of a modern backend that asks for input of a legacy
	// client; given is what was answered, as members of the next request's params.
	need, given []byte
}

// Carry takes msg along route and answers it. It returns when the answer is
// complete, or when ctx has ended, which leaves the request unanswered: whoever
// ended it wants none.
func Carry(ctx context.Context, route *Route, client Client, msg *wire.Message, answer Answer) {
	c := calls.Get().(*call)
	*c = call{route: route, client: client, method: mcp.MCPMethod(msg.Method), msg: msg, answer: answer, buf: c.buf[:0]}
	defer c.recycle()
	c.fate.Meter = route.Meter
	record := route.Meter.Start(msg.Arguments.In(msg.Raw))
	err := route.Target.Call(ctx, c)
	for round := 1; err == nil && c.need != nil; round++ {
		if err = c.fulfil(ctx, round); err == nil {
			err = route.Target.Call(ctx, c)
		}
	}
	if err != nil && !c.done {
		c.end.Err = err.Error()
		c.fate.Kind, c.fate.Err = kindOf(ctx, err), c.end.Err
		if c.fate.Kind == journal.ErrCancelled {
			c.fate.Err = whyEnded(ctx)
		}
		c.answer.Note(&c.fate)
		if ctx.Err() == nil {
			c.fail(err)
		}
	}
	record.End(c.end)
}

// calls keeps the buffers of past calls; maxKept bounds each.
var calls = sync.Pool{New: func() any { return new(call) }}

const maxKept = 1 << 20

func (c *call) recycle() {
	buf := c.buf
	if cap(buf) > maxKept {
		buf = nil
	}
	*c = call{buf: buf}
	calls.Put(c)
}

// fail answers for a backend that did not. On tools/call that is a result with
// isError, which the model sees and can react to.
func (c *call) fail(err error) {
	id := c.msg.ID.In(c.msg.Raw)
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		_ = c.answer.Reply(RPCError(nil, id, refused.code, refused.message, refused.data), refused.code)
	case c.method == mcp.MethodToolsCall:
		_ = c.answer.Reply(ToolError(nil, id, c.client.Modern, "Error: "+err.Error()), 0)
	case c.route.Place == Nowhere && refusedHTTP(err):
		// Servers refuse a method that they do not know in HTTP already.
		text := fmt.Sprintf("method %.100q is not supported: %v", c.method, err)
		_ = c.answer.Reply(RPCError(nil, id, mcp.METHOD_NOT_FOUND, text, nil), mcp.METHOD_NOT_FOUND)
	default:
		data, _ := json.Marshal(map[string]string{"backend": c.route.Backend})
		_ = c.answer.Reply(RPCError(nil, id, mcp.INTERNAL_ERROR, err.Error(), data), mcp.INTERNAL_ERROR)
	}
}

// kindOf says whose fault it is that there is no answer.
func kindOf(ctx context.Context, err error) journal.ErrorKind {
	var refused *refusedError
	var lost *upstream.UnavailableError
	switch {
	case ctx.Err() != nil:
		return journal.ErrCancelled
	case errors.As(err, &refused):
		return journal.ErrGateway
	case errors.As(err, &lost) && lost.TimedOut():
		return journal.ErrTimeout
	}
	return journal.ErrTransport
}

// whyEnded says why nobody waits for a call any more.
func whyEnded(ctx context.Context) string {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return "the client left before there was an answer"
}

// At implements upstream.Observer.
func (c *call) At(process string) { c.fate.Replica = process }

// refusedHTTP reports whether the backend answered with an HTTP status that says the
// request is at fault.
func refusedHTTP(err error) bool {
	var refused interface{ HTTPStatus() int }
	return errors.As(err, &refused) && refused.HTTPStatus()/100 == 4
}

// refusedError is an answer of the gateway's own to a request that it cannot carry
// to its end.
type refusedError struct {
	code    int
	message string
	data    []byte
}

func (e *refusedError) Error() string { return e.message }

func (c *call) Lane() *upstream.Lane { return c.client.Lane }

// Ask passes a question of the backend's on to the client.
func (c *call) Ask(m *wire.Message, reply upstream.Reply) bool {
	if c.route.Tasks != "" {
		m, reply = ExposeAsk(c.route.Tasks, m, reply)
	}
	return c.answer.Ask(c.route.Backend, m, reply)
}
