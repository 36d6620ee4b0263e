package upstream

import (
	"fmt"
	"slices"
	"time"
)

// keeps reports whether requests of lane have a session of their own.
func (l *link) keeps(lane *Lane) bool {
	return l.open != nil && !(l.info.peer.Modern && (lane.Modern || !l.older.Load()))
}

// slotFor answers the slot that a request of lane goes through: the shared one where
// the backend keeps no sessions. leave gives it back.
func (l *link) slotFor(lane *Lane) (*slot, error) {
	if lane == nil || !l.keeps(lane) {
		return l.shared, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sl := range l.lanes[lane.Key] {
		if sl.lane != lane && sl.lane.gone.Load() {
			continue // a late call of one that left, and came back under the key
		}
		if !lane.Exclusive || !sl.taken {
			sl.taken = lane.Exclusive
			return sl, nil
		}
	}
	if l.slots >= l.cfg.MaxLanes && !l.evictLocked() {
		return nil, fmt.Errorf("all %d sessions that it may have with the gateway (MCP_GW_MAX_SESSIONS) are busy", l.cfg.MaxLanes)
	}
	sl := &slot{link: l, lane: lane, open: l.open, used: time.Now(), taken: lane.Exclusive}
	l.lanes[lane.Key] = append(l.lanes[lane.Key], sl)
	l.slots++
	return sl, nil
}

func (l *link) leave(sl *slot) {
	if sl.lane == nil || !sl.lane.Exclusive {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sl.taken = false
}

// removeLocked takes a slot out of its lane and answers its session, if that is to
// be closed now.
func (l *link) removeLocked(sl *slot) session {
	key := sl.lane.Key
	left := slices.DeleteFunc(l.lanes[key], func(other *slot) bool { return other == sl })
	if l.slots--; len(left) == 0 {
		delete(l.lanes, key)
	} else {
		l.lanes[key] = left
	}
	return sl.close()
}

// evictLocked closes the session that was idle longest, one that somebody listens in
// only where there is no other, and answers false when all are in use.
func (l *link) evictLocked() bool {
	var oldest *slot
	var since time.Time
	for _, slots := range l.lanes {
		for _, sl := range slots {
			used, idle := sl.idleSince()
			if !idle || sl.taken {
				continue
			}
			if oldest == nil || oldest.lane.stays() && !sl.lane.stays() ||
				oldest.lane.stays() == sl.lane.stays() && used.Before(since) {
				oldest, since = sl, used
			}
		}
	}
	if oldest == nil {
		return false
	}
	l.farewell(l.removeLocked(oldest))
	return true
}

// closeLane ends the sessions of a client that left.
func (l *link) closeLane(key string) {
	for _, sl := range l.takeLane(key) {
		sl.lane.gone.Store(true)
		l.farewell(sl.close())
	}
}

func (l *link) takeLane(key string) []*slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	slots := l.lanes[key]
	delete(l.lanes, key)
	l.slots -= len(slots)
	return slots
}

// sweep ends the sessions that nobody used since before. A client with an Inbox may do
// nothing but listen: its sessions end when it leaves.
func (l *link) sweep(before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var idle []*slot
	for _, slots := range l.lanes {
		for _, sl := range slots {
			if used, unused := sl.idleSince(); unused && !sl.taken && !sl.lane.stays() && used.Before(before) {
				idle = append(idle, sl)
			}
		}
	}
	for _, sl := range idle {
		l.farewell(l.removeLocked(sl))
	}
}

// openSlots answers the slots of lane key that have a session.
func (l *link) openSlots(key string) []*slot {
	l.mu.Lock()
	slots := slices.Clone(l.lanes[key])
	l.mu.Unlock()
	return slices.DeleteFunc(slots, func(sl *slot) bool { return sl.session() == nil })
}

// CloseLane ends a client's sessions with the backend.
func (u *Upstream) CloseLane(key string) {
	u.listeners.leave(key)
	if l := u.State().link; l != nil {
		l.closeLane(key)
	}
}
