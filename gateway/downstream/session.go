package downstream

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

// session is one client of the legacy era, from initialize on.
type session struct {
	id  string // what the client sends
	tag string // what people read, and backends' sessions are kept by
	hello
	lane *upstream.Lane
	// modern are its capabilities as backends of 2026-07-28 are told them.
	modern []byte
	used   atomic.Int64
	client atomic.Pointer[journal.Client]
	meet   sync.Once // sets client
	core   Core

	asks asks
	// standing is what is sent outside of calls; the open stream reads it.
	standing *reel
	budget   *budget

	mu     sync.Mutex // guards what follows
	calls  map[string]*running
	all    map[*running]struct{} // the calls under way
	lost   bool                  // no call has a client any more
	stream *stream               // the one that is open now; nil when none is
	over   bool                  // the session has ended
	// listed are the lists as the client last saw them: a change between that and
	// its stream would otherwise reach nobody.
	listed    [catalog.Kinds]uint64
	hasListed [catalog.Kinds]bool
	told      uint64 // the last event of standing that was sent
	reels     []*reel
	streams   int             // reels ever made
	subs      map[string]*sub // by exposed URI
}

// running is a call that can be cancelled, stream one that can be ended.
type (
	running struct{ cancel context.CancelCauseFunc }
	stream  struct{ end context.CancelCauseFunc }
)

func (s *session) touch() { s.used.Store(time.Now().UnixNano()) }

// newReel begins the reel of a call's stream. Of those that ended, the oldest give
// way.
func (s *session) newReel() *reel {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams++
	r := newReel(strconv.Itoa(s.streams), s.budget)
	if s.over {
		r.free()
		return r
	}
	if len(s.reels) >= maxReels {
		i := max(0, slices.IndexFunc(s.reels, (*reel).ended))
		s.reels[i].free()
		s.reels = slices.Delete(s.reels, i, i+1)
	}
	s.reels = append(s.reels, r)
	return r
}

// reel answers the stream that an event id is of, and the event's number.
func (s *session) reel(event string) (*reel, uint64) {
	name, number, _ := strings.Cut(event, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, 0
	}
	if name == s.standing.name {
		return s.standing, n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reels {
		if r.name == name {
			return r, n
		}
	}
	return nil, 0
}

// began notes a call that the client may cancel by its id, until ended is called.
// Two calls under one id at once break the protocol; the later one is the one that
// can be cancelled.
func (s *session) began(id string, cancel context.CancelCauseFunc) (ended func()) {
	c := &running{cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[id] = c
	if s.all == nil {
		s.all = map[*running]struct{}{}
	}
	s.all[c] = struct{}{}
	if s.lost {
		cancel(bridge.ErrCancelled)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, c)
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

// cancelAll cancels all calls under way, and those that are about to begin.
func (s *session) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
	for c := range s.all {
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

func (s *session) saw(kind catalog.Kind, list uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed[kind], s.hasListed[kind] = list, true
}

// lastSeen are the versions of the lists as the client has them; of those that it
// never asked for, the present ones.
func (s *session) lastSeen(now [catalog.Kinds]uint64) [catalog.Kinds]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range now {
		if s.hasListed[k] {
			now[k] = s.listed[k]
		}
	}
	return now
}

// free gives back what a session that is over holds.
func (s *session) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing.free()
	for _, r := range s.reels {
		r.free()
	}
	s.reels = nil
}

// busy reports whether the session has a stream or a call: such a client is there,
// however long it says nothing.
func (s *session) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream != nil || len(s.all) > 0
}

// errStreamReplaced ends a stream whose session opened another one, or ended.
var errStreamReplaced = errors.New("the stream's session has another one, or is over")
