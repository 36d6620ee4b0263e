// Package upstream keeps one backend alive: it connects, finds out which era of
// MCP the backend speaks and over which transport, lists what it has with the bytes
// untouched, notices when that changes or the backend goes, and carries requests to
// it and what it asks and tells back.
//
//	Upstream   one backend's life: a goroutine that connects, watches, reconnects
//	link       one connected generation of it: address, transport, sessions
//	slot       one session, opened when first used: the gateway's own, or a Lane's
//	session    how messages travel: httpSession, sseSession, stdioSession
//	attempt    one Exchange on its way through a session
//
// The gateway's own session lists, pings and subscribes. Where a backend keeps
// sessions, clients' requests go through those of their lanes, so that the backend
// may ask the client whose session it is; where it keeps none, all go through the
// gateway's, and nobody can be asked.
//
// An Upstream knows nothing of clients: a request says which lane it belongs to, and
// encodes itself once it is known what the backend speaks.
package upstream

import (
	"log/slog"
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

// Recorder notes what happens to a backend for people to read.
type Recorder interface {
	Backend(level journal.Level, backend, message string)
}

// Config is what all upstreams share.
type Config struct {
	Log    *slog.Logger
	Record Recorder
	// Instance tells the gateway from all others: HeaderInstance has it in every
	// request. Empty: none has.
	Instance string
	// Version of the gateway, which it tells to backends.
	Version string
	// MaxMessage bounds one message of a backend, in bytes.
	MaxMessage int64
	// ConnectTimeout bounds each step of a connect, and each ping.
	ConnectTimeout time.Duration
	// DialTimeout bounds the making of a network connection; zero means ConnectTimeout.
	DialTimeout time.Duration
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
	// Owns reports whether the sessions of a lane are to be with this backend: one that
	// listened is given no new session where not. nil means always.
	Owns func(lane string) bool
	// Updated takes notifications/resources/updated for what Subscribe asked for. m is
	// valid only during the call, which must not block. It may be nil.
	Updated func(backend string, m *wire.Message)
}

// HeaderInstance is the header by which a gateway knows a request of its own, should it
// be among its backends.
const HeaderInstance = "X-Mcp-Gw-Instance"

// Bounds on what one backend may offer.
const (
	maxItems     = 5000 // of one kind
	maxListPages = 200
	maxListBytes = 32 << 20
)
