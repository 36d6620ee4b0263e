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
	calls  map[string]*running
	count  int     // of calls under way
	stream *stream // the one that is open now; nil when none is
	over   bool    // the session has ended
	// listed is the list as the client last saw it: a change between that and
	// its stream would otherwise reach nobody.
	listed    uint64
	hasListed bool
}

// running is a call that can be cancelled, stream one that can be ended.
type (
	running struct{ cancel context.CancelCauseFunc }
	stream  struct{ end context.CancelCauseFunc }
)

func (s *session) touch() { s.used.Store(time.Now().UnixNano()) }

// began notes a call that the client may cancel by its id, until ended is called.
// Two calls under one id at once break the protocol; the later one is the one that
// can be cancelled.
func (s *session) began(id string, cancel context.CancelCauseFunc) (ended func()) {
	c := &running{cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[id] = c
	s.count++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.count--
		if s.calls[id] == c {
			delete(s.calls, id)
		}
	}
}

func (s *session) cancel(id string) {
	s.mu.Lock()
	c := s.calls[id]
	s.mu.Unlock()
	if c != nil {
		c.cancel(bridge.ErrCancelled)
	}
}

// opened notes the session's stream, which end ends, until closed is called. The
// newest stream wins, because the older one's client has most likely lost it. A
// session that is over ends it at once.
func (s *session) opened(end context.CancelCauseFunc) (closed func()) {
	n := &stream{end}
	s.mu.Lock()
	old := s.stream
	s.stream = n
	if s.over {
		old = n
	}
	s.mu.Unlock()
	if old != nil {
		old.end(errStreamReplaced)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.stream == n {
			s.stream = nil
		}
	}
}

// end ends the session's stream, and any later one. Its calls go on.
func (s *session) end() {
	s.mu.Lock()
	s.over = true
	open := s.stream
	s.mu.Unlock()
	if open != nil {
		open.end(errStreamReplaced)
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
	s := &session{id: rand.Text(), version: version, info: info, calls: map[string]*running{}}
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

// oldestLocked removes and answers the n sessions that were unused longest, those
// with a stream or a call last. A twentieth at once makes the search for them cheap
// for each newcomer.
func (t *sessions) oldestLocked(n int) []*session {
	type candidate struct {
		*session
		busy bool
		used int64
	}
	all := make([]candidate, 0, len(t.byID))
	for _, s := range t.byID {
		all = append(all, candidate{s, s.busy(), s.used.Load()})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.busy != b.busy {
			if a.busy {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.used, b.used)
	})
	oldest := make([]*session, min(n, len(all)))
	for i := range oldest {
		oldest[i] = all[i].session
		delete(t.byID, oldest[i].id)
	}
	return oldest
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
	return s.stream != nil || s.count > 0
}

// errStreamReplaced ends a stream whose session opened another one, or ended.
var errStreamReplaced = errors.New("the stream's session has another one, or is over")
