package downstream

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// responder answers one call: as one JSON body when nothing comes before the
// response, as an event stream as soon as something does. It is a bridge.Answer.
type responder struct {
	w       http.ResponseWriter
	scope   string
	session *session        // nil for modern clients
	client  context.Context // ends when the client's connection does
	json    bool            // the client takes application/json
	events  bool            // the client takes text/event-stream
	primes  bool            // the client may be sent an event without data
	quiet   time.Duration
	timer   *time.Timer
	scratch []byte
	record  journal.Recording

	mu      sync.Mutex // guards w and what follows: the timer writes too
	started bool
	over    bool
	fate    journal.Fate
	reel    *reel    // of a session's stream, once it began
	asked   []string // numbers of the questions that wait for the client's answer
}

func newResponder(w http.ResponseWriter, r *http.Request, s *session, scope string, quiet time.Duration) *responder {
	a := &responder{w: w, session: s, scope: scope, client: r.Context(), quiet: quiet}
	a.json, a.events = accepts(r.Header["Accept"])
	_, shared := w.(*capture) // a stream that is more than this answer cannot be taken up again
	a.primes = s != nil && s.Version >= mcp.ProtocolVersion20251125 && !shared
	if a.events {
		a.mu.Lock() // against the timer
		defer a.mu.Unlock()
		a.timer = time.AfterFunc(quiet, a.keepAlive)
	}
	return a
}

// accepts reads the Accept header. None, or a wildcard, means JSON.
func accepts(accept []string) (json, events bool) {
	if len(accept) == 0 {
		return true, false
	}
	if len(accept) == 1 && accept[0] == "application/json, text/event-stream" {
		return true, true
	}
	for _, a := range accept {
		json = json || strings.Contains(a, "application/json") || strings.Contains(a, "*/*") || strings.Contains(a, "application/*")
		events = events || strings.Contains(a, "text/event-stream") || strings.Contains(a, "text/*")
	}
	if !json && !events {
		return true, false
	}
	return json, events
}

// keepAlive turns a call that has been silent for long into a stream, and writes
// to it, so that nobody on the way takes the silence for death.
func (a *responder) keepAlive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	if !a.started {
		a.begin()
		if a.reel != nil && a.primes {
			a.write(a.reel.primer()) // older clients may not take an event without data
		}
	}
	a.write(comment)
	a.timer.Reset(a.quiet)
}

func (a *responder) begin() {
	if !a.started {
		a.started = true
		if a.session != nil {
			a.reel = a.session.newReel()
		}
		startStream(a.w)
	}
}

func (a *responder) write(b []byte) {
	if a.client.Err() == nil {
		_ = writeStream(a.w, b) // what the client does not read is not the backend's fault
	}
}

// send sends one message on the stream, and keeps it for a client that takes the
// stream up again.
func (a *responder) send(message []byte) {
	a.begin()
	if a.reel == nil {
		a.scratch = wire.AppendEvent(a.scratch[:0], message)
	} else {
		a.scratch = a.reel.appendEvent(a.scratch[:0], a.reel.add(message), message)
	}
	a.write(a.scratch)
}

// Notify sends a notification. A client that takes no streams goes without.
func (a *responder) Notify(message []byte) error {
	if !a.events {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.send(message)
		a.timer.Reset(a.quiet)
	}
	return nil
}

// Ask sends a backend's request to the client of a session. A modern client cannot
// be asked on a stream.
func (a *responder) Ask(backend string, m *wire.Message, reply upstream.Reply) bool {
	if a.session == nil || !a.events || !a.session.takes(m.Method) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return false
	}
	message, number, ok := a.session.asks.add(backend, m, reply)
	if ok {
		a.asked = append(a.asked, number)
		a.send(message)
		a.timer.Reset(a.quiet)
	}
	return ok
}

// Unask tells the client that nobody waits for its answer any more.
func (a *responder) Unask(backend string, id []byte) {
	if a.session == nil {
		return
	}
	if message, ok := a.session.asks.takeBack(backend, id); ok {
		_ = a.Notify(message)
	}
}

// Note keeps how the call fared for its record.
func (a *responder) Note(f *journal.Fate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fate = *f
}

// Reply sends the response.
func (a *responder) Reply(message []byte, code int) error {
	if fate, sent := a.respond(message, code); sent {
		a.record.End(&fate, message, len(message))
	}
	return nil
}

func (a *responder) respond(message []byte, code int) (fate journal.Fate, sent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return fate, false
	}
	a.over = true
	if !a.started && a.json {
		writeJSON(a.w, a.status(code), message)
	} else {
		a.send(message)
	}
	return a.fate, true
}

// status is the HTTP status that goes with an error code. Legacy clients get 200:
// they would take a 404 for a lost session.
func (a *responder) status(code int) int {
	if a.session != nil {
		return http.StatusOK
	}
	return modernStatus(code)
}

// modernStatus maps an error code to its HTTP status (2026-07-28, basic/transports).
func modernStatus(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.PARSE_ERROR, mcp.INVALID_REQUEST, mcp.INVALID_PARAMS,
		mcp.HEADER_MISMATCH, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, mcp.UNSUPPORTED_PROTOCOL_VERSION:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}

// finish ends the answer, whether or not there was a response: after it nothing
// is written any more. A call without one ends as an empty stream.
func (a *responder) finish() {
	if a.timer != nil {
		a.timer.Stop()
	}
	if fate, unanswered := a.close(); unanswered {
		if fate.Kind == "" {
			fate.Kind, fate.Err = journal.ErrCancelled, bridge.ErrCancelled.Error()
		}
		a.record.End(&fate, nil, -1)
	}
}

func (a *responder) close() (fate journal.Fate, unanswered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if unanswered = !a.over; unanswered {
		a.over = true
		a.begin()
	}
	if a.started {
		endStream(a.w)
	}
	if a.reel != nil {
		a.reel.end()
	}
	for _, number := range a.asked {
		a.session.asks.take(number)
	}
	return a.fate, unanswered
}
