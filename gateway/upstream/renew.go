package upstream

import (
	"context"
	"sync"
	"time"
)

// maxLosses is how many sessions in a row may be lost, or not come to be, before a
// listening client waits for its next call.
const maxLosses = 12

// renew opens a session in the place of one that the backend lost, for a client that
// may do nothing but listen. Any other has a new one with its next call. hungUp ends
// when the slot is closed, or a call was quicker.
func (sl *slot) renew(hungUp context.Context, lost session) {
	if !sl.lane.stays() {
		return
	}
	for pause := sl.lostOne(); pause > 0; pause = sl.lostOne() {
		select {
		case <-time.After(pause):
		case <-hungUp.Done():
			return
		}
		if sl.reopen(lost) == nil {
			return
		}
		hungUp = sl.link.ctx // what hung up was the opening
		if sl.over() {
			return
		}
	}
}

// lostOne counts a session that is no more, and answers how long to wait before the
// next one; 0 when there were too many.
func (sl *slot) lostOne() time.Duration {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if time.Since(sl.since) > lasting {
		sl.losses = 0
	}
	sl.since = time.Now()
	if sl.losses++; sl.losses > maxLosses {
		return 0
	}
	return min(shortestPause<<(sl.losses-1), longestPause)
}

// reopen makes the slot have a session that is not lost, as a call would.
func (sl *slot) reopen(lost session) error {
	l := sl.link
	if !l.calls.enter() {
		return errReplaced
	}
	defer l.calls.leave()
	_, err := sl.acquire(l.callCtx, lost)
	if err == nil {
		l.farewell(sl.release(time.Now()))
	}
	return err
}

// over reports that nobody waits for a session of the slot.
func (sl *slot) over() bool {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	return sl.closed || !sl.lane.stays()
}

// listeners are the clients that had a session with a backend that was lost, and may
// do nothing but listen: they get one at each next connection, until they leave.
type listeners struct {
	mu    sync.Mutex // guards lanes
	lanes map[string]listening
}

type listening struct {
	*Lane
	in *link // the last one that it was given a session in
}

// take notes who listens in l. What is beyond limit is noted with the next call.
func (w *listeners) take(l *link, limit int) {
	var lanes []*Lane
	l.mu.Lock()
	for _, slots := range l.lanes {
		for _, sl := range slots {
			if sl.lane.stays() {
				lanes = append(lanes, sl.lane)
			}
		}
	}
	l.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, lane := range lanes {
		if w.lanes == nil {
			w.lanes = map[string]listening{}
		}
		if _, there := w.lanes[lane.Key]; there || len(w.lanes) < limit {
			w.lanes[lane.Key] = listening{lane, l}
		}
	}
}

func (w *listeners) leave(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, there := w.lanes[key]; there {
		n.gone.Store(true)
		delete(w.lanes, key)
	}
}

func (w *listeners) has(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, has := w.lanes[key]
	return has
}

// drop forgets a client that did not leave.
func (w *listeners) drop(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.lanes, key)
}

// add notes clients that may not have had a session here yet, as many as limit allows.
func (w *listeners) add(lanes []*Lane, limit int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lanes == nil {
		w.lanes = map[string]listening{}
	}
	for _, lane := range lanes {
		if _, there := w.lanes[lane.Key]; lane.stays() && (there || len(w.lanes) < limit) {
			w.lanes[lane.Key] = listening{lane, nil}
		}
	}
}

// next answers one that was given no session in l yet, nil when there is none.
func (w *listeners) next(l *link) *Lane {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, n := range w.lanes {
		switch {
		case n.gone.Load():
			delete(w.lanes, key)
		case n.in != l:
			w.lanes[key] = listening{n.Lane, l}
			return n.Lane
		}
	}
	return nil
}

// relisten opens sessions for those who listened in an earlier link.
func (u *Upstream) relisten(l *link) {
	for l.ctx.Err() == nil {
		lane := u.listeners.next(l)
		if lane == nil {
			return
		}
		if u.cfg.Owns != nil && !u.cfg.Owns(lane.Key) {
			u.listeners.drop(lane.Key)
			continue
		}
		sl, err := l.slotFor(lane)
		if err != nil || sl.lane == nil {
			continue // there is no room, or no sessions
		}
		if lane.gone.Load() { // CloseLane may have come before the slot
			l.closeLane(lane.Key)
			continue
		}
		if sl.reopen(nil) != nil {
			l.work.start(func() { sl.renew(l.ctx, nil) })
		}
	}
}
