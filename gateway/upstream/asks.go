package upstream

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// maxAnswers is how many answers of clients are on their way to one backend at once.
// What is beyond is dropped: the backend does not take what it asked for.
const maxAnswers = 256

// answer is the reply to one request of a backend, which its client owes.
type answer struct {
	link    *link
	session session
	open    *atomic.Int32 // counts those that are owed
	after   func()        // told when it was given
	given   atomic.Bool
}

func (l *link) replyTo(s session, open *atomic.Int32, after func()) *answer {
	open.Add(1)
	return &answer{link: l, session: s, open: open, after: after}
}

// send is a Reply.
func (r *answer) send(response []byte) {
	if !r.given.CompareAndSwap(false, true) {
		return
	}
	r.after()
	r.open.Add(-1)
	if r.session.over() {
		return
	}
	body := getBuffer()
	body.b = append(body.b, response...)
	r.link.send(r.session, body, r.link.answers)
}

// forget takes it back: nobody will answer.
func (r *answer) forget() {
	if r.given.CompareAndSwap(false, true) {
		r.open.Add(-1)
	}
}

// send posts body, which it takes over, in a goroutine of its own: who reads the
// backend's stream must not wait for a server that may itself be waiting for its
// reader. What becomes of it is no matter of any call. room bounds how many are on
// their way; what finds none is dropped.
func (l *link) send(s session, body *buffer, room chan struct{}) {
	select {
	case room <- struct{}{}:
	default:
		body.release()
		return
	}
	if !l.endpoint.work.start(func() {
		defer func() { body.release(); <-room }()
		ctx, cancel := context.WithTimeout(l.ctx, l.cfg.ConnectTimeout)
		defer cancel()
		_ = s.notify(ctx, body)
	}) {
		body.release()
		<-room
	}
}

// reply answers a request of the backend's by the gateway itself: a ping is
// fulfilled, anything else is declined.
func (l *link) reply(s session, m *wire.Message) {
	body := getBuffer()
	body.b = appendReply(body.b, m)
	l.send(s, body, l.endpoint.replies)
}

// replyAsSelf answers a request in the gateway's own session.
func (l *link) replyAsSelf(s session, m *wire.Message) {
	body := getBuffer()
	body.b = appendOwnReply(body.b, m)
	l.send(s, body, l.endpoint.replies)
}

func isPing(m *wire.Message) bool { return m.Method == string(mcp.MethodPing) }

// appendReply appends the answer to a request that nobody can be asked.
func appendReply(dst []byte, m *wire.Message) []byte {
	if isPing(m) {
		return append(appendID(dst, m), `,"result":{}}`...)
	}
	return appendDecline(dst, m, mcp.METHOD_NOT_FOUND, "nobody here can answer "+m.Method+
		": the client did not declare the capability, or has no stream to be asked on")
}

// ownCapabilities are declared in the gateway's own session, because servers offer
// tools by what a client can do. Clients' calls never run in it, so that nothing that
// needs a client is asked there for a good reason.
const ownCapabilities = `{"roots":{"listChanged":true},"sampling":{},"elicitation":{"form":{},"url":{}},` +
	`"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`

// appendOwnReply appends the gateway's own answer: it has no roots, and declines as a
// person may who is asked.
func appendOwnReply(dst []byte, m *wire.Message) []byte {
	switch m.Method {
	case string(mcp.MethodListRoots):
		return append(appendID(dst, m), `,"result":{"roots":[]}}`...)
	case string(mcp.MethodElicitationCreate):
		return append(appendID(dst, m), `,"result":{"action":"decline"}}`...)
	case string(mcp.MethodSamplingCreateMessage):
		return appendDecline(dst, m, -1, "User rejected sampling request: "+
			"this session is the gateway's own and has no model; ask in the session of the client that calls")
	}
	return appendReply(dst, m)
}

func appendID(dst []byte, m *wire.Message) []byte {
	return append(append(dst, `{"jsonrpc":"2.0","id":`...), m.ID.In(m.Raw)...)
}

func appendDecline(dst []byte, m *wire.Message, code int, why string) []byte {
	object, _ := json.Marshal(mcp.JSONRPCErrorDetails{Code: code, Message: why})
	return append(append(append(appendID(dst, m), `,"error":`...), object...), '}')
}
