package upstream

// What it takes to spread clients over several processes of one backend, each of which
// has an Upstream of its own.

// Connected reports whether a call would be carried now, rather than wait.
func (u *Upstream) Connected() bool {
	return u.serves(u.State().link)
}

// Sessions answers how many sessions of clients are open.
func (u *Upstream) Sessions() int {
	l := u.State().link
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slots
}

// KeepsSession reports whether requests of the lane have a session of their own.
func (u *Upstream) KeepsSession(lane *Lane) bool {
	l := u.State().link
	return l != nil && l.keeps(lane)
}

// Has reports whether the lane has a session, or had one before the connection was
// lost.
func (u *Upstream) Has(key string) bool {
	if l := u.State().link; l != nil {
		l.mu.Lock()
		has := len(l.lanes[key]) > 0
		l.mu.Unlock()
		if has {
			return true
		}
	}
	return u.listeners.has(key)
}

// Adopt opens sessions for those of the lanes that may do nothing but listen, now or
// as soon as there is a connection, and does not wait.
func (u *Upstream) Adopt(lanes []*Lane) {
	u.listeners.add(lanes, u.cfg.MaxLanes)
	if l := u.State().link; l != nil {
		l.work.start(func() { u.relisten(l) })
	}
}

// Release ends the sessions of a client that goes on elsewhere. Its calls under way
// end by themselves.
func (u *Upstream) Release(key string) {
	u.listeners.drop(key)
	l := u.State().link
	if l == nil {
		return
	}
	for _, sl := range l.takeLane(key) {
		l.farewell(sl.close())
	}
}

// Left notes that the lane's client is gone for good.
func (l *Lane) Left() { l.gone.Store(true) }

// HasLeft reports whether it is.
func (l *Lane) HasLeft() bool { return l.gone.Load() }
