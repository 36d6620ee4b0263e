package downstream

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// Header values that responses share.
var (
	typeJSON   = []string{"application/json"}
	typeStream = []string{"text/event-stream"}
	noCache    = []string{"no-cache"}
	noBuffer   = []string{"no"}
)

// writeJSON answers with parts, one after the other, as one JSON body.
func writeJSON(w http.ResponseWriter, status int, parts ...[]byte) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	h := w.Header()
	h["Content-Type"] = typeJSON
	h["Content-Length"] = []string{strconv.Itoa(size)}
	w.WriteHeader(status)
	if size > socketBuffer {
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Now().Add(writePatience))
		defer endStream(w)
		defer func() { _ = rc.Flush() }() // or the rest would go without a deadline
	}
	for _, p := range parts {
		if len(p) > 0 {
			_, _ = w.Write(p) // a client that is gone needs no answer
		}
	}
}

// A client that does not read must not hold a goroutine for ever. What the kernel
// takes at once needs no deadline.
const (
	writePatience = time.Minute
	socketBuffer  = 256 << 10
)

// writeStream writes b to a stream now.
func writeStream(w http.ResponseWriter, b []byte) error {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(writePatience))
	if _, err := w.Write(b); err != nil {
		return err
	}
	return rc.Flush()
}

// endStream takes the deadline off again: it belongs to the connection, which the
// client's next request will use.
func endStream(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
}

// startStream begins an event stream. The header goes out at once: clients wait
// for it before they believe that they are connected.
func startStream(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = typeStream
	h["Cache-Control"] = noCache
	h["X-Accel-Buffering"] = noBuffer
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(writePatience))
	_ = rc.Flush()
}

// comment keeps a silent stream alive through proxies and time-outs.
var comment = []byte(": keep-alive\n\n")

// responder answers one call: as one JSON body when nothing comes before the
// response, as an event stream as soon as something does. It is a bridge.Answer.
type responder struct {
	w       http.ResponseWriter
	modern  bool
	json    bool // the client takes application/json
	events  bool // the client takes text/event-stream
	quiet   time.Duration
	timer   *time.Timer
	scratch []byte

	mu      sync.Mutex // guards w and what follows: the timer writes too
	started bool
	over    bool
}

func newResponder(w http.ResponseWriter, r *http.Request, modern bool, quiet time.Duration) *responder {
	a := &responder{w: w, modern: modern, quiet: quiet}
	a.json, a.events = accepts(r.Header["Accept"])
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
	a.begin()
	a.write(comment)
	a.timer.Reset(a.quiet)
}

func (a *responder) begin() {
	if !a.started {
		a.started = true
		startStream(a.w)
	}
}

func (a *responder) write(b []byte) {
	_ = writeStream(a.w, b) // what the client does not read is not the backend's fault
}

// Notify sends a notification. A client that takes no streams goes without.
func (a *responder) Notify(message []byte) error {
	if !a.events {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.begin()
		a.scratch = wire.AppendEvent(a.scratch[:0], message)
		a.write(a.scratch)
		a.timer.Reset(a.quiet)
	}
	return nil
}

// Reply sends the response.
func (a *responder) Reply(message []byte, code int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return nil
	}
	a.over = true
	if !a.started && a.json {
		writeJSON(a.w, a.status(code), message)
		return nil
	}
	a.begin()
	a.write(wire.AppendEvent(a.scratch[:0], message))
	return nil
}

// status is the HTTP status that goes with an error code. Legacy clients get 200:
// they would take a 404 for a lost session.
func (a *responder) status(code int) int {
	if !a.modern {
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.over = true
		a.begin()
	}
	if a.started {
		endStream(a.w)
	}
}
