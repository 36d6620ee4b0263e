package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newOldStub is a stub that speaks the HTTP+SSE transport of 2024: one stream
// for all answers, on /sse, which names the address to post to.
func newOldStub(t *testing.T) *stub {
	t.Helper()
	s := newStub(t, false, false)
	s.old = true
	s.url = s.url[:len(s.url)-len("/mcp")] + "/sse"
	return s
}

// transport is what the REST API calls the stub's.
func (s *stub) transport() string {
	if s.old {
		return "sse"
	}
	return "http"
}

func (s *stub) serveOld(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method == http.MethodGet {
		session, inbox := rand.Text(), make(chan string, 1024)
		s.mu.Lock()
		s.sessions[session], s.inboxes[session], s.streams[inbox] = true, inbox, ""
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(s.sessions, session)
			delete(s.inboxes, session)
			delete(s.streams, inbox)
			s.mu.Unlock()
		}()
		openStream(w)
		fmt.Fprintf(w, "event: endpoint\ndata: /message?session=%s\n\n", session)
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case m := <-inbox:
				writeEvent(w, m)
			case <-r.Context().Done():
				return
			}
		}
	}
	session := r.URL.Query().Get("session")
	s.mu.Lock()
	s.bodies, s.headers = append(s.bodies, body), append(s.headers, r.Header.Clone())
	known := s.sessions[session]
	s.mu.Unlock()
	if !known {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	// The rest is that of a session over streamable HTTP, but the answer takes
	// the stream.
	inner := r.Clone(s.ctx)
	inner.Header.Set("Mcp-Session-Id", session)
	s.work.Go(func() {
		answer := httptest.NewRecorder()
		s.postLegacy(answer, inner, body)
		if answer.Body.Len() > 0 {
			s.deliver(session, answer.Body.String())
		}
	})
}

// deliver puts a message on the stream of an old session; without one it is
// lost, like every message for which there is no stream.
func (s *stub) deliver(session, message string) {
	s.mu.Lock()
	inbox := s.inboxes[session]
	s.mu.Unlock()
	if inbox == nil {
		return
	}
	select {
	case inbox <- message:
	case <-s.ctx.Done():
	}
}
