// Package upstream keeps one backend alive: it connects, finds out which era of
// MCP the backend speaks and over which transport, lists its tools with their
// bytes untouched, notices when they change or the backend goes, and carries
// calls to it.
//
//	Upstream   one backend's life: a goroutine that connects, watches, reconnects
//	link       one connected generation of it: address, transport, lanes
//	lane       one client's session with a legacy backend, opened when first used
//	session    how messages travel: httpSession, sseSession
//
// An Upstream knows nothing of clients: a call says which lane it belongs to, and
// encodes itself once it is known what the backend speaks.
package upstream

import (
	"log/slog"
	"net/http"
	"time"

	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// Peer is what a backend turned out to speak.
type Peer struct {
	// Modern is 2026-07-28 and later: no sessions, everything in each request.
	Modern bool
	// Version is the negotiated protocol revision.
	Version string
}

// Era is the word for it in the API.
func (p Peer) Era() string {
	switch {
	case p.Version == "":
		return ""
	case p.Modern:
		return "modern"
	default:
		return "legacy"
	}
}

// Exchange is one request on its way to a backend and back. Its methods are
// called in order, by one goroutine at a time; when the backend provably never
// ran the request, Encode is called again for another attempt.
type Exchange interface {
	// Lane names the session that the request belongs to on a backend that has
	// sessions. Requests of different clients must not share one unless nothing
	// in it could tell them apart.
	Lane() string
	// Encode appends the request to dst, under the id given, as to wants it.
	Encode(dst []byte, id int64, to Peer) []byte
	// Header adds what to wants in the HTTP header.
	Header(h http.Header, to Peer)
	// Receive takes each message that belongs to the request, the response last.
	// The message is valid only during the call. An error ends the exchange.
	Receive(m *wire.Message, from Peer) error
}

// Recorder notes what happens to a backend for people to read.
type Recorder interface {
	Backend(level journal.Level, backend, message string)
}

// Config is what all upstreams share.
type Config struct {
	Log    *slog.Logger
	Record Recorder
	// Version of the gateway, which it tells to backends.
	Version string
	// MaxMessage bounds one message of a backend, in bytes.
	MaxMessage int64
	// ConnectTimeout bounds each step of a connect, and each ping.
	ConnectTimeout time.Duration
	// CallTimeout is how long a call may stay silent, where the backend has no
	// setting of its own.
	CallTimeout time.Duration
	// PingInterval is the time between two checks of an idle backend.
	PingInterval time.Duration
	// Hold is how long the tools of a backend that was lost stay listed, and how
	// long a call waits for it to come back.
	Hold time.Duration
	// LaneIdle is how long a client's session with a backend is kept unused.
	LaneIdle time.Duration
	// MaxLanes bounds the sessions with one backend; the one unused longest goes.
	MaxLanes int
}

// Bounds on what one backend may offer.
const (
	maxTools     = 5000
	maxListPages = 200
	maxListBytes = 32 << 20
)
