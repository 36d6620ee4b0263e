// Package downstream serves MCP clients of every revision on one URL: it decides
// the era of each request, keeps the sessions of the legacy era and the listen
// streams of the modern one, answers lists from memory, and hands calls to bridge.
//
// It knows backends only as routes: whatever state they are in, a handshake or a
// list never waits for one.
package downstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/auth"
	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Core is the gateway as clients' requests need it.
type Core interface {
	// View answers what clients see now.
	View() *View
	// Left tells that the client with that lane is gone for good.
	Left(lane string)
	// Subscribe asks a backend to tell of changes of a resource, Unsubscribe takes
	// one such wish back. Of a client with sessions, lane is given; own says that it
	// subscribed in its own session with the backend, whose updates come by the
	// lane's Inbox. All others come by Updated.
	Subscribe(ctx context.Context, backend, uri string, lane *upstream.Lane) (own bool, err error)
	Unsubscribe(backend, uri string, lane *upstream.Lane)
	// Tell passes a client's notification on to a backend, or all with which it has
	// a session when backend is empty.
	Tell(backend, lane string, message []byte)
	// SyncLevel tells that the lane's logging level is another one now.
	SyncLevel(lane string)
}

// Config is what the handler may be told.
type Config struct {
	Log     *slog.Logger
	Journal *journal.Journal
	Version string
	// MaxBody bounds a request's body, in bytes.
	MaxBody int64
	// MaxSessions bounds the legacy sessions; the one unused longest gives way.
	MaxSessions int
	// SessionIdle is how long an unused session lives.
	SessionIdle time.Duration
	// KeepAlive is the time between two comments on a silent stream.
	KeepAlive time.Duration
	Access    Access
	// Token is what clients have to show; nil for nothing.
	Token *auth.Token
	// BasePath is what clients have before the endpoint's own paths, such as /gw;
	// empty for nothing.
	BasePath string
	// Instance is what this gateway's own requests have in upstream.HeaderInstance.
	Instance string
	// Settled is closed when the first lists are worth reading; nil when they are.
	Settled <-chan struct{}
	// Key seals what clients keep for the gateway: session ids, and the states of
	// calls that wait for input.
	Key [32]byte
}

// Handler is the MCP endpoint.
type Handler struct {
	cfg      Config
	core     Core
	sessions *sessions
	lanes    lanes
	parking  *bridge.Parking
	watches  watches
	found    found
	old      oldClients
	hub      hub
	ending   chan struct{} // closed when endless streams are to end
	endOnce  sync.Once
	patience time.Duration // for a client to send a body
}

// New makes the endpoint.
func New(cfg Config, core Core) *Handler {
	h := &Handler{cfg: cfg, core: core, ending: make(chan struct{}), patience: writePatience,
		parking: bridge.NewParking(cfg.Key), watches: watches{core: core}}
	h.sessions = newSessions(cfg.MaxSessions, core, bridge.NewSeal(cfg.Key, "session", ""), func(s *session) {
		s.end()
		for _, old := range s.unsubAll() {
			h.watches.leave(old)
		}
		s.free()
		core.Left(s.tag)
		cfg.Journal.Left(s.client.Load())
		cfg.Journal.System(journal.LevelInfo, fmt.Sprintf("MCP session closed: %s (%d active)", s.tag, h.sessions.count()))
	})
	h.sessions.resumed = func(s *session) {
		cfg.Journal.System(journal.LevelInfo, fmt.Sprintf("MCP session taken up again: %s (%d active)", s.tag, h.sessions.count()))
	}
	return h
}

// Changed tells everybody who listens to look at the view again.
func (h *Handler) Changed() { h.hub.ring() }

// EndStreams ends the streams that have no end of their own, so that a server
// that drains its connections is not kept waiting by them.
func (h *Handler) EndStreams() { h.endOnce.Do(func() { close(h.ending) }) }

// Run ends idle sessions until ctx does, and then the calls that wait for input.
func (h *Handler) Run(ctx context.Context) {
	defer h.parking.Close()
	tick := time.NewTicker(max(h.cfg.SessionIdle/10, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.sessions.sweep(time.Now().Add(-h.cfg.SessionIdle))
		case <-ctx.Done():
			return
		}
	}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.cfg.Access.Check(r); err != nil {
		word := "host"
		if errors.Is(err, errOrigin) {
			word = "origin"
		}
		h.turnAway(w, r, http.StatusForbidden, nil, mcp.INVALID_REQUEST, word, err.Error())
		return
	}
	if own := r.Header.Get(upstream.HeaderInstance); own != "" && own == h.cfg.Instance {
		h.turnAway(w, r, http.StatusLoopDetected, nil, mcp.INVALID_REQUEST, "loop", "this is the gateway itself, which is registered as a backend of its own: remove that registration, or the label")
		return
	}
	if err := h.cfg.Token.Check(r); err != nil {
		word := "token_missing"
		if errors.Is(err, auth.ErrWrong) {
			word = "token_wrong"
		}
		auth.Challenge(w.Header(), err)
		h.turnAway(w, r, http.StatusUnauthorized, nil, mcp.INVALID_REQUEST, word, err.Error())
		return
	}
	if h.cfg.Token != nil {
		// It has done its work. All clients have the same, so it tells none from another.
		r.Header.Del("Authorization")
	}
	h.serve(w, r)
}

// serve answers a request that may come in.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	door, scope, ok := endpoint(r.URL.Path)
	if !ok {
		h.turnAway(w, r, http.StatusNotFound, nil, mcp.INVALID_REQUEST, "endpoint", fmt.Sprintf("there is no such endpoint as %.200q: all backends are at /mcp, one of them at /mcp/<its name>", r.URL.Path))
		return
	}
	if door != "mcp" {
		h.oldTransport(w, r, door, scope)
		return
	}
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, scope)
	case http.MethodGet, http.MethodDelete:
		if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
			h.notAllowed(w, "POST")
			return
		}
		s, ok := h.session(w, r, nil, scope)
		if !ok {
			return
		}
		if r.Method == http.MethodDelete {
			h.sessions.end(s)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.stream(w, r, s)
	default:
		h.notAllowed(w, "GET, POST, DELETE")
	}
}

// endpoint reads a path: /mcp and /mcp/<scope>, likewise /sse, and /messages.
func endpoint(path string) (door, scope string, ok bool) {
	door, scope, _ = strings.Cut(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	switch door {
	case "mcp", "sse":
		return door, scope, !strings.Contains(scope, "/")
	case "messages":
		return door, "", scope == ""
	}
	return "", "", false
}

func (h *Handler) notAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	h.refuse(w, http.StatusMethodNotAllowed, nil, mcp.INVALID_REQUEST, "method not allowed; allowed: "+allow)
}

// bodies are the buffers that requests are read into.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooled = 1 << 20

func (h *Handler) post(w http.ResponseWriter, r *http.Request, scope string) {
	body := bodies.Get().(*bytes.Buffer)
	defer func() {
		if body.Cap() <= maxPooled {
			body.Reset()
			bodies.Put(body)
		}
	}()
	if !h.read(w, r, body) {
		return
	}
	var m wire.Message
	if err := m.Scan(body.Bytes()); err != nil {
		code := mcp.INVALID_REQUEST
		if wire.IsBatch(body.Bytes()) {
			h.batch(w, r, body.Bytes(), scope)
			return
		}
		if errors.Is(err, wire.ErrSyntax) {
			code = mcp.PARSE_ERROR
		}
		h.turnAway(w, r, http.StatusBadRequest, nil, code, "message", err.Error())
		return
	}
	// Clients that fall back to initialize may keep the header of their probe; the
	// body tells them apart from one that has the modern envelope.
	if m.MetaVersion.Present() ||
		m.Method != string(mcp.MethodInitialize) && mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		h.modern(w, r, &m, scope)
		return
	}
	h.legacy(w, r, &m, scope)
}

// read reads the body of a message, or has refused it.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, into *bytes.Buffer) bool {
	if ct := r.Header.Get("Content-Type"); !isJSON(ct) {
		h.turnAway(w, r, http.StatusUnsupportedMediaType, nil, mcp.INVALID_REQUEST, "content_type", fmt.Sprintf("Content-Type %.100q: application/json is required", ct))
		return false
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(h.patience)) // what is not read by then is not worth a goroutine
	if err := readBody(into, r, h.cfg.MaxBody); err != nil {
		h.turnAway(w, r, status(err), nil, mcp.INVALID_REQUEST, "body", err.Error())
		return false
	}
	_ = rc.SetReadDeadline(time.Time{})
	return true
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return t == "application/json" && (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter))
}

type bodyError struct {
	status int
	text   string
}

func (e *bodyError) Error() string { return e.text }

func status(err error) int {
	var b *bodyError
	if errors.As(err, &b) {
		return b.status
	}
	return http.StatusBadRequest
}

// readBody reads the whole request before anything is sent on: a relay that
// streams it may lose the answer of a backend that responds early.
func readBody(into *bytes.Buffer, r *http.Request, limit int64) error {
	tooLarge := &bodyError{http.StatusRequestEntityTooLarge,
		fmt.Sprintf("the body is larger than the %d bytes allowed (MCP_GW_MAX_BODY)", limit)}
	if r.ContentLength > limit {
		return tooLarge
	}
	if r.ContentLength > 0 { // which is a claim: memory for more comes with the bytes
		into.Grow(int(min(r.ContentLength, maxPooled)) + bytes.MinRead)
	}
	if _, err := into.ReadFrom(io.LimitReader(r.Body, limit+1)); err != nil {
		return &bodyError{http.StatusBadRequest, "the body could not be read"}
	}
	if int64(into.Len()) > limit {
		return tooLarge
	}
	return nil
}

// refuse answers with an error that belongs to no call of a backend.
func (h *Handler) refuse(w http.ResponseWriter, status int, id []byte, code int, message string) {
	h.refuseWith(w, status, id, code, message, nil)
}

func (h *Handler) refuseWith(w http.ResponseWriter, status int, id []byte, code int, message string, data []byte) {
	if n, noted := w.(*noted); noted {
		n.fate = journal.Fate{Kind: journal.ErrGateway, Err: message}
	}
	writeJSON(w, status, bridge.RPCError(nil, id, code, message, data))
}

func (h *Handler) methodNotFound(w http.ResponseWriter, m *wire.Message, status int) {
	h.refuse(w, status, m.ID.In(m.Raw), mcp.METHOD_NOT_FOUND, fmt.Sprintf("method %.100q is not supported", m.Method))
}
