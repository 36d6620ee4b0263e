package downstream

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// capture is the ResponseWriter of a message that has no HTTP response of its own:
// one of a batch, or of the transport of 2024-11-05. It keeps a body, and passes
// the events of a stream on as they are written, whole ones each time.
type capture struct {
	header http.Header
	body   bytes.Buffer
	frame  func(events []byte) error
	call   uint64 // the id of the call's record
}

func newCapture(frame func([]byte) error) *capture {
	return &capture{header: http.Header{}, frame: frame}
}

// Header implements http.ResponseWriter.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter. A message has no status.
func (c *capture) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (c *capture) Write(b []byte) (int, error) {
	if c.frame != nil && strings.HasPrefix(c.header.Get("Content-Type"), "text/event-stream") {
		return len(b), c.frame(b)
	}
	return c.body.Write(b)
}

// Flush implements http.Flusher.
func (c *capture) Flush() {}

// SetWriteDeadline is for http.ResponseController: the stream behind has its own.
func (c *capture) SetWriteDeadline(time.Time) error { return nil }
