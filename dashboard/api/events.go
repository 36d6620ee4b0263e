package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

const (
	// maxPages bounds how many pages are told of events at once.
	maxPages = 64
	// wakePatience is how long a page waits for the hub to wake.
	wakePatience = 5 * time.Second
)

// hello is the first event of each connection.
type hello struct {
	Boot      string       `json:"boot"`
	Version   string       `json:"version"`
	Now       string       `json:"now"`
	Redaction journal.Mode `json:"redaction"`
	ReadOnly  bool         `json:"readOnly"`
	// Auth says whether the gateway asks for its token.
	Auth bool `json:"auth"`
}

type ping struct {
	Now string `json:"now"`
}

// streamEvents tells a page of all that happens until it goes, or the server does, which
// ends the request's context. A page that comes back says what it saw last, and gets
// what it missed.
func (s *server) streamEvents(c echo.Context) error {
	select {
	case s.pages <- struct{}{}:
		defer func() { <-s.pages }()
	default:
		return fail(http.StatusServiceUnavailable, "%d pages are open already: close one", maxPages)
	}
	ctx := c.Request().Context()
	r, awake := s.hub.join()
	defer r.leave()
	patience := time.NewTimer(wakePatience)
	defer patience.Stop()
	select {
	case <-awake:
	case <-ctx.Done():
		return nil
	case <-patience.C:
		return fail(http.StatusServiceUnavailable, "the gateway is starting or shutting down")
	}
	since := c.Request().Header.Get("Last-Event-ID")
	if since == "" {
		since = c.QueryParam("since") // a fresh EventSource cannot set headers
	}
	at, lost := r.begin(since)

	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // or nginx keeps events back
	c.Response().WriteHeader(http.StatusOK)
	out := newStream(c.Response())
	defer out.close()
	first := line(at, "hello", hello{s.boot, s.Version, now(), s.Gateway.Journal().Traffic(), s.ReadOnly, s.Token != nil})
	if out.send(append(first, lost...)) != nil {
		return nil
	}
	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	for {
		var text []byte
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			text = line("", "ping", ping{now()})
		case <-r.ready:
			var ok bool
			if text, ok = r.next(); !ok {
				return nil // too slow; it may come back for what is still there
			}
		}
		if len(text) > 0 && out.send(text) != nil {
			return nil // the page has gone
		}
	}
}

// now is the time as events have it.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
