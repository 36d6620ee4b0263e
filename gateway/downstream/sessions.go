package downstream

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/gateway/bridge"
)

// session is one client of the legacy era, from initialize on.
type session struct {
	id      string
	version string
	info    []byte // raw JSON of its Implementation
	used    atomic.Int64

	mu     sync.Mutex // guards what follows
	calls  map[string]context.CancelCauseFunc
	stream context.CancelCauseFunc // ends the stream that is open now; nil when none is
	// listed is the list as the client last saw it: a change between that and
	// its stream would otherwise reach nobody.
	listed    uint64
	hasListed bool
}

func (s *session) touch() { s.used.Store(time.Now().UnixNano()) }

// began notes a call that the client may cancel by its id. Two calls under one id
// at once break the protocol; the later one is the one that can be cancelled.
func (s *session) began(id string, cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[id] = cancel
}

func (s *session) ended(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, id)
}

func (s *session) cancel(id string) {
	s.mu.Lock()
	cancel := s.calls[id]
	s.mu.Unlock()
	if cancel != nil {
		cancel(bridge.ErrCancelled)
	}
}

// replaceStream makes end the way to end the session's stream; the newest stream
// wins, because the older one's client has most likely lost it.
func (s *session) replaceStream(end context.CancelCauseFunc) {
	s.mu.Lock()
	old := s.stream
	s.stream = end
	s.mu.Unlock()
	if old != nil {
		old(errStreamReplaced)
	}
}

func (s *session) saw(list uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.hasListed = list, true
}

func (s *session) lastSeen() (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed, s.hasListed
}

func (s *session) end() { s.replaceStream(nil) }

// sessions are all clients of the legacy era. Clients seldom say good-bye, so the
// number is bounded and idle ones end.
type sessions struct {
	max  int
	left func(*session) // told of each session that ended, without the lock

	mu   sync.RWMutex // guards byID
	byID map[string]*session
}

func newSessions(max int, left func(*session)) *sessions {
	return &sessions{max: max, left: left, byID: map[string]*session{}}
}

func (t *sessions) open(version string, info []byte) *session {
	s := &session{id: rand.Text(), version: version, info: info, calls: map[string]context.CancelCauseFunc{}}
	s.touch()
	t.mu.Lock()
	var evicted []*session
	if len(t.byID) >= t.max {
		evicted = t.oldestLocked(max(1, t.max/20))
	}
	t.byID[s.id] = s
	t.mu.Unlock()
	for _, old := range evicted {
		t.left(old)
	}
	return s
}

// oldestLocked removes and answers the n sessions that were unused longest. A
// twentieth at once makes the search for them cheap for each newcomer.
func (t *sessions) oldestLocked(n int) []*session {
	all := make([]*session, 0, len(t.byID))
	for _, s := range t.byID {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	all = all[:min(n, len(all))]
	for _, s := range all {
		delete(t.byID, s.id)
	}
	return all
}

func (t *sessions) get(id string) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

func (t *sessions) count() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byID)
}

func (t *sessions) remove(s *session) {
	t.mu.Lock()
	_, there := t.byID[s.id]
	delete(t.byID, s.id)
	t.mu.Unlock()
	if there {
		t.left(s)
	}
}

func (t *sessions) sweep(before time.Time) {
	var idle []*session
	t.mu.RLock()
	for _, s := range t.byID {
		if s.used.Load() < before.UnixNano() && !s.busy() {
			idle = append(idle, s)
		}
	}
	t.mu.RUnlock()
	for _, s := range idle {
		t.remove(s)
	}
}

// busy reports whether the session has a stream or a call: such a client is there,
// however long it says nothing.
func (s *session) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream != nil || len(s.calls) > 0
}

// errStreamReplaced ends a stream whose session opened another one.
var errStreamReplaced = errors.New("the client opened another stream")

// forgetStream notes that the stream with ctx is over, unless another one took its
// place.
func (s *session) forgetStream(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if context.Cause(ctx) != errStreamReplaced {
		s.stream = nil
	}
}
