package upstream

import (
	"net/http"
	"sync/atomic"

	"mcp-gw/gateway/wire"
)

// Exchange is one request on its way to a backend and back. Its methods are called
// by one goroutine at a time, and never after Call has returned; when the backend
// provably never ran the request, Encode is called again for another attempt.
type Exchange interface {
	// Lane says whose request it is. It may be nil only for requests of nobody.
	Lane() *Lane
	// Encode appends the request to dst, under the id given, as to wants it.
	Encode(dst []byte, id int64, to Peer) []byte
	// Header adds what to wants in the HTTP header.
	Header(h http.Header, to Peer)
	// Receive takes each message that belongs to the request, the response last.
	// The message is valid only during the call. An error ends the exchange.
	Receive(m *wire.Message, from Peer) error
	// Ask takes a request of the backend's (sampling, elicitation, roots …) that came
	// with the exchange, or that can only have to do with it. m is valid only during
	// the call. Ask does not wait for the client: reply sends the response, later,
	// once, from any goroutine. False means that nobody here can answer; the backend
	// is told so.
	Ask(m *wire.Message, reply Reply) bool
}

// Observer is an Exchange that wants to know which of several processes gets it.
type Observer interface {
	Exchange
	// At names the process, for people, before the request goes there.
	At(process string)
}

// Reply sends response, a whole JSON-RPC response that carries the id of the
// backend's request, to the backend. Only the first call counts, and none after the
// session is gone. It copies response.
type Reply func(response []byte)

// Lane is one client as a backend that keeps sessions has to know it. It must not be
// copied, nor changed while it is in use, but for its level.
type Lane struct {
	// Key is what sessions are kept by. Lanes with the same key are the same client.
	Key string
	// Modern is a client of 2026-07-28: a backend that speaks that and older revisions
	// is spoken to as the client speaks.
	Modern bool
	// Version is the protocol revision to ask for; empty means the newest that has
	// sessions.
	Version string
	// Capabilities are the client's, a raw JSON object; empty means {}.
	Capabilities []byte
	// Info is the client's Implementation, raw JSON; empty means the gateway's own.
	Info []byte
	// Exclusive tells that requests of different callers share the key: modern clients
	// with equal capabilities. Each session of the lane carries one request at a time
	// then, so that what a backend asks outside of a request's own stream can only
	// belong to that one.
	Exclusive bool
	// Inbox takes what the backend sends outside of calls; it may be nil.
	Inbox Inbox

	level   atomic.Pointer[string]
	watched watched
	gone    atomic.Bool // its client left
}

// stays tells that sessions of the lane are kept until its client leaves.
func (l *Lane) stays() bool { return l.Inbox != nil && !l.gone.Load() }

// SetLevel notes the level from which on the client wants log messages. Sessions are
// told with the next request, or by SyncLevel.
func (l *Lane) SetLevel(level string) { l.level.Store(&level) }

// Level is what SetLevel noted, empty when the client said nothing.
func (l *Lane) Level() string {
	if level := l.level.Load(); level != nil {
		return *level
	}
	return ""
}

// Inbox takes what a backend sends a client outside of its calls. Messages are valid
// only during the call, which must not block long: the stream waits for it.
type Inbox interface {
	// Notified takes a notification.
	Notified(backend string, m *wire.Message)
	// Asked takes a request; see Exchange.Ask. False means that the client has no
	// stream to be asked on.
	Asked(backend string, m *wire.Message, reply Reply) bool
}
