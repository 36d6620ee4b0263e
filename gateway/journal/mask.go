package journal

import (
	"bytes"
	"context"
	"time"
)

// What is recorded is a copy, because a search for secrets takes longer than many a call.
// It is searched a moment later, and kept without them. Of one second the search takes
// maskTime every maskPause at most: what a flood leaves to it is overwritten by the flood.
const (
	maskPause = 250 * time.Millisecond
	maskTime  = 5 * time.Millisecond
	// maxMasked bounds a message whose masks are longer than its secrets.
	maxMasked = 2 * maxPayload
)

// Run takes the secrets out of what was recorded, until ctx ends. Who reads before it has
// come to something has it masked then.
func (j *Journal) Run(ctx context.Context) {
	if j.calls.mode == Full || j.calls.mode == Off {
		return
	}
	w := j.Watch()
	defer w.Close()
	log := j.SubscribeNew()
	defer log.Close()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-w.bell:
		case <-log.ready:
		case <-ctx.Done():
			return
		}
		pause.Reset(maskPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		for start := time.Now(); time.Since(start) < maskTime && (w.maskNext() || log.maskNext()); {
		}
	}
}

// next answers the id of the oldest call of which there is something new; 0 for none.
func (w *Watch) next() (id uint64) {
	c := &w.journal.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.after == c.noticed {
		return 0
	}
	w.after = max(w.after, c.noticed-min(c.noticed, maxNotices))
	id = c.notices[w.after%maxNotices].id
	if w.after++; w.after < c.noticed {
		w.ring()
	}
	return id
}

// maskNext masks what is kept of one call, and reports whether there was one.
func (w *Watch) maskNext() bool {
	id := w.next()
	if id == 0 {
		return false
	}
	c := &w.journal.calls
	c.mu.Lock()
	x := c.findLocked(id)
	if x == nil {
		c.mu.Unlock()
		return true
	}
	was := *x
	store := c.store(&was)
	request, response := store.unmasked(was.request), store.unmasked(was.response)
	c.mu.Unlock()

	secrets := was.meter.secrets()
	shownRequest, shownResponse := c.mode.message(request, secrets, "arguments"), c.mode.message(response, secrets, "result")
	name, original, problem := c.mode.text(was.name), c.mode.text(was.original), c.mode.text(was.err)

	c.mu.Lock()
	defer c.mu.Unlock()
	if x = c.findLocked(id); x == nil {
		return true
	}
	x.name, x.original = name, original
	if x.err == was.err {
		x.err = problem
	}
	if request != nil {
		x.request = store.replace(was.request, request, shownRequest)
	}
	if response != nil && x.response == was.response {
		x.response = store.replace(was.response, response, shownResponse)
	}
	return true
}

// unmasked answers what lies at p, nil when it has been masked or is not there.
func (s *store) unmasked(p span) []byte {
	if p.masked {
		return nil
	}
	raw, _ := s.get(p)
	return raw
}

// replace keeps shown, which may be nil, instead of raw, which lies at p.
func (s *store) replace(p span, raw, shown []byte) span {
	if !bytes.Equal(raw, shown) {
		s.wipe(p)
		if p = (span{}); shown != nil && len(shown) <= maxMasked {
			p = s.put(shown)
		}
	}
	p.masked = true
	return p
}

// maskNext masks one entry of the log, and reports whether there was one.
func (s *Subscription) maskNext() bool {
	j := s.journal
	j.mu.Lock()
	s.after = max(s.after, j.oldest()-1)
	if s.after == j.last {
		j.mu.Unlock()
		return false
	}
	if s.after++; s.after < j.last {
		s.ring()
	}
	slot := &j.ring[s.after%uint64(len(j.ring))]
	r := *slot
	j.mu.Unlock()

	r.arguments, r.text = r.data(), RedactText(r.text)
	r.masked = true

	j.mu.Lock()
	defer j.mu.Unlock()
	if slot.id == r.id {
		*slot = r
	}
	return true
}
