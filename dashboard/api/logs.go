package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

const (
	// maxLogs is how many entries GET /api/logs answers.
	maxLogs = 200
	// writePatience is how long a reader may keep us from writing to it.
	writePatience = 30 * time.Second
)

func (s *server) listLogs(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string][]journal.Entry{"entries": s.Gateway.Journal().Entries(maxLogs)})
}

// streamLogs follows the log as server-sent events until the reader goes, or the
// server does, which ends the request's context. A reader who comes back says
// what it saw last, and gets what it missed.
func (s *server) streamLogs(c echo.Context) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return fail(http.StatusServiceUnavailable, "%d log streams are open already: close one, or read GET /api/logs", maxStreams)
	}
	sub := s.subscribe(c.Request())
	defer sub.Close()

	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // or nginx keeps entries back
	c.Response().WriteHeader(http.StatusOK)
	out := newStream(c.Response())
	defer out.close()

	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	if out.send([]byte(": open\n\n")) != nil {
		return nil
	}
	for {
		var text []byte
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-beat.C:
			text = []byte(": alive\n\n")
		case <-sub.Ready():
			entries, ok := sub.Next()
			if !ok {
				return nil // too slow; it may come back for what is still there
			}
			text = s.events(entries)
		}
		if out.send(text) != nil {
			return nil // the reader has gone
		}
	}
}

// subscribe begins after what the reader saw last, else now. The id of another
// life means nothing to us: then the reader gets all there is.
func (s *server) subscribe(r *http.Request) *journal.Subscription {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("since") // a fresh EventSource cannot set headers
	}
	if last == "" {
		return s.Gateway.Journal().SubscribeNew()
	}
	boot, number, found := strings.Cut(last, "-")
	if !found {
		boot, number = s.boot, last
	}
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil || boot != s.boot {
		id = 0
	}
	return s.Gateway.Journal().Subscribe(id)
}

func (s *server) events(entries []journal.Entry) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		fmt.Fprintf(&b, "id: %s-%d\ndata: ", s.boot, e.ID)
		if err := enc.Encode(e); err != nil { // ends in one line break
			b.WriteString("{}\n")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// stream writes to one reader, who may have stopped to read.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w, http.NewResponseController(w)}
}

func (s *stream) send(text []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writePatience)) // where it can be set
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.control.Flush()
}

// close takes the deadline off the connection, which may serve another request.
func (s *stream) close() { _ = s.control.SetWriteDeadline(time.Time{}) }
