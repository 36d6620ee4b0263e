package upstream

import (
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
)

// Phase is where a backend is in its life.
type Phase string

const (
	// PhaseProbing: it is tried, and was not connected since it was asked for.
	PhaseProbing Phase = "probing"
	// PhaseReady: it is connected and its tools are known.
	PhaseReady Phase = "ready"
	// PhaseHolding: it was connected a moment ago and is expected back. Its tools
	// stay listed; calls wait for it.
	PhaseHolding Phase = "holding"
	// PhaseFailed: it is tried again from time to time.
	PhaseFailed Phase = "failed"
	// PhaseDisabled: it is not to be connected.
	PhaseDisabled Phase = "disabled"
)

// State is all that is known of a backend at one moment. It is immutable, save that
// Checked and Checks go on.
type State struct {
	Backend discovery.Backend
	Phase   Phase
	// Attempts counts the connects that ended, well or not.
	Attempts int
	// Reason says why it is not ready, in a sentence.
	Reason string
	// Failure says how far the last connect came, when it failed.
	Failure Failure
	// Answer is the beginning of what the server answered then, where that was no MCP:
	// one line, as it came.
	Answer string
	// RetryAt is when it is tried next; zero when it is not waiting.
	RetryAt time.Time
	// Offer is what clients may see: also while it is held.
	Offer
	// Peer, Server and Capabilities (raw JSON), Instructions and URL are of the last
	// connect.
	Peer         Peer
	Server       []byte
	Capabilities []byte
	Instructions string
	URL          string
	SSE          bool
	// Announced counts, by kind, how often the backend said that the list changed,
	// whether or not anything in it had.
	Announced [catalog.Kinds]uint64
	// Remarks are on what the backend lists.
	Remarks []discovery.Diagnostic

	checked *atomic.Pointer[Check]   // nil: never; later states may share it
	checks  *atomic.Pointer[[]Check] // of all states
	link    *link
	next    chan struct{} // closed when a later state stands
}

// Checks answers the last ones, oldest first, over all connections, also those that came
// after s. They are not to be changed.
func (s *State) Checks() []Check {
	if s.checks == nil || s.checks.Load() == nil {
		return nil
	}
	return *s.checks.Load()
}

// Checked answers the last check that was answered, also one that came after s: that a
// backend goes on being there is no other state. It is zero when there was none.
func (s *State) Checked() Check {
	if s.checked == nil {
		return Check{}
	}
	return *s.checked.Load()
}

func newChecked(took time.Duration) *atomic.Pointer[Check] {
	var p atomic.Pointer[Check]
	p.Store(&Check{Took: took, At: time.Now()})
	return &p
}

// want notes what is wanted now. Where the last connect found another backend is of
// no interest any more.
func (s *State) want(b *discovery.Backend) {
	if b.URL != s.Backend.URL {
		s.URL = ""
	}
	s.Backend = *b
}

// Status is the state in the four words that the API has always used.
func (s *State) Status() string {
	switch {
	case s.Phase == PhaseReady:
		return "connected"
	case s.Phase == PhaseDisabled:
		return "disconnected"
	case s.Reason != "" && s.Phase != PhaseHolding:
		return "error"
	default:
		return "connecting"
	}
}

// bell wakes one reader that then looks at the state of things: ringing it twice
// before it looks is ringing it once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}
