package journal

// batch bounds what one Next copies while writers wait for the lock.
const batch = 256

// Subscription is one reader's place in the ring. It has no buffer of its own:
// the ring is the buffer, for all readers together, so that a reader costs a
// writer one bell, and a reader who stops costs nothing at all.
type Subscription struct {
	journal *Journal
	ready   chan struct{} // capacity 1: a doorbell, not a queue
	after   uint64        // guarded by journal.mu: the newest id that was read
	started bool          // guarded by journal.mu: Next was called
}

// Subscribe follows the journal from the entry after id on. What the ring has
// lost already is skipped. An id that was never given out, as one from before
// a restart may be, means everything that the ring has.
func (j *Journal) Subscribe(id uint64) *Subscription {
	j.mu.Lock()
	defer j.mu.Unlock()
	if id > j.last {
		id = 0
	}
	s := &Subscription{journal: j, ready: make(chan struct{}, 1), after: id}
	j.subscribers[s] = struct{}{}
	if id < j.last {
		s.ring()
	}
	return s
}

// SubscribeNew follows the journal from now on.
func (j *Journal) SubscribeNew() *Subscription {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &Subscription{journal: j, ready: make(chan struct{}, 1), after: j.last}
	j.subscribers[s] = struct{}{}
	return s
}

// Ready has a value when Next may have entries.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Next returns the entries that came since the last Next, oldest first, none
// when there are none, and not more than a few hundred at a time: when there
// are more, Ready says so at once. It returns false when the reader was so slow
// that the ring has lost entries which it had yet to read. That reader is
// dropped: it may subscribe again from the last id that it has seen.
//
// Only one goroutine may call it.
func (s *Subscription) Next() ([]Entry, bool) {
	j := s.journal
	j.mu.Lock()
	oldest := j.oldest()
	if s.after+1 < oldest {
		if s.started {
			delete(j.subscribers, s)
			j.mu.Unlock()
			return nil, false
		}
		s.after = oldest - 1
	}
	s.started = true
	records := j.since(s.after, batch)
	s.after += uint64(len(records))
	if s.after < j.last {
		s.ring()
	}
	j.mu.Unlock()
	return render(records), true
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	delete(s.journal.subscribers, s)
}

func (s *Subscription) ring() {
	select {
	case s.ready <- struct{}{}:
	default: // rung already, and not yet heard
	}
}
