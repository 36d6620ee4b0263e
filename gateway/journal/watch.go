package journal

import "slices"

// maxNotices is how many notices wait for a watcher that is busy.
const maxNotices = 4096

// notice says that there is something new about a call.
type notice struct {
	id    uint64
	ended bool
}

// Watch is told of what happens to calls and clients, for those who pass it on. Like a
// Subscription it has no buffer of its own, and its owner cannot make anybody wait.
type Watch struct {
	journal *Journal
	bell    chan struct{}
	after   uint64 // guarded by calls.mu: notices that were read
	clients uint64 // guarded by clients.mu: changes that were read
	refused uint64 // likewise
}

// Watch begins to watch from now on.
func (j *Journal) Watch() *Watch {
	w := &Watch{journal: j, bell: make(chan struct{}, 1)}
	j.clients.mu.Lock()
	w.clients, w.refused = j.clients.changes, j.clients.refusals
	j.clients.mu.Unlock()
	c := &j.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notices == nil {
		c.notices = make([]notice, maxNotices)
	}
	w.after = c.noticed
	c.watchers = append(c.watchers, w)
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	c := &w.journal.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers = slices.DeleteFunc(c.watchers, func(o *Watch) bool { return o == w })
}

// Ready has a value when there may be something to read.
func (w *Watch) Ready() <-chan struct{} { return w.bell }

// noticeLocked tells that there is something new about a call.
func (c *calls) noticeLocked(id uint64, ended bool) {
	if len(c.watchers) == 0 {
		return
	}
	c.notices[c.noticed%maxNotices] = notice{id, ended}
	c.noticed++
	for _, w := range c.watchers {
		w.ring()
	}
}

func (w *Watch) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// Calls answers what is new about calls since the last time, each call once and as it
// is now, oldest first: the newest limit of them. missed is how many more there were.
func (w *Watch) Calls(limit int) (all []Call, missed int) {
	c := &w.journal.calls
	c.mu.Lock()
	if lost := c.noticed - w.after; lost > maxNotices {
		missed = int(lost-maxNotices+1) / 2 // of each call there are two
		w.after = c.noticed - maxNotices
	}
	seen := map[uint64]bool{}
	var picked []call
	for n := c.noticed; n > w.after; n-- {
		news := c.notices[(n-1)%maxNotices]
		switch {
		case seen[news.id]:
		case len(picked) < limit:
			seen[news.id] = true
			if x := c.findLocked(news.id); x != nil {
				picked = append(picked, *x)
			} else {
				missed++
			}
		case news.ended: // a call is counted once, whatever else is told of it
			missed++
		}
	}
	w.after = c.noticed
	c.mu.Unlock()
	slices.Reverse(picked)
	return w.journal.show(picked), missed
}

// Clients answers the clients that changed since the last time, and the refusals.
func (w *Watch) Clients() (changed []ClientState, refused []Refusal) {
	t := &w.journal.clients
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.all {
		if c.change > w.clients {
			changed = append(changed, c.state())
		}
	}
	for _, r := range t.refused {
		if r.number > w.refused {
			refused = append(refused, r.Refusal)
		}
	}
	w.clients, w.refused = t.changes, t.refusals
	return changed, refused
}
