package downstream

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/upstream"
)

// sessions are all clients of the legacy era. Clients seldom say good-bye, so the
// number is bounded and idle ones end.
type sessions struct {
	max  int
	core Core
	seal *bridge.Seal
	// resumed is told of each session that is taken up again, left of each that
	// ended, without the lock.
	resumed, left func(*session)
	budget        budget

	mu    sync.RWMutex // guards what follows
	byID  map[string]*session
	ended map[string]bool // ids that clients gave up: the tags in them
}

func newSessions(max int, core Core, seal *bridge.Seal, left func(*session)) *sessions {
	return &sessions{max: max, core: core, seal: seal, left: left, byID: map[string]*session{}, ended: map[string]bool{}}
}

// open begins a session with a client that said hello.
func (t *sessions) open(hi hello) *session {
	tag := rand.Text()
	return t.add(tag, t.idFor(tag, hi), hi)
}

func (t *sessions) add(tag, id string, hi hello) *session {
	s := &session{id: id, tag: tag, hello: hi, core: t.core, budget: &t.budget, standing: newReel("0", &t.budget),
		calls: map[string]*running{}, subs: map[string]*sub{}, modern: modernCapabilities(hi.Capabilities)}
	s.lane = &upstream.Lane{Key: tag, Version: hi.Version, Capabilities: hi.Capabilities, Info: hi.Info, Inbox: s}
	s.touch()
	t.mu.Lock()
	if there := t.byID[id]; there != nil { // restored twice at once
		t.mu.Unlock()
		return there
	}
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

// get answers the session that a client names. One that is not here any more, because
// the gateway was restarted or had no room for it, is taken up again: all that it
// needs is in its id.
func (t *sessions) get(id string) *session {
	t.mu.RLock()
	s := t.byID[id]
	t.mu.RUnlock()
	if s != nil {
		return s
	}
	tag, hi, ok := t.read(id)
	if !ok {
		return nil
	}
	t.mu.RLock()
	ended := t.ended[tag]
	t.mu.RUnlock()
	if ended {
		return nil
	}
	s = t.add(tag, id, hi)
	t.resumed(s)
	return s
}

// maxEnded bounds the ids that are known to be given up.
const maxEnded = 20_000

// end ends a session that its client gave up.
func (t *sessions) end(s *session) {
	t.mu.Lock()
	if len(t.ended) >= maxEnded {
		clear(t.ended)
	}
	t.ended[s.tag] = true
	t.mu.Unlock()
	s.cancelAll() // nobody could answer what they ask, or hear what they say
	t.remove(s)
}

// tagged answers the session that people know by tag, nil when there is none.
func (t *sessions) tagged(tag string) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.byID {
		if s.tag == tag {
			return s
		}
	}
	return nil
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
