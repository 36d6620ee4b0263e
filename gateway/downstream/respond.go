package downstream

import (
	"net/http"
	"strconv"
	"time"
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
