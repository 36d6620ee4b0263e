package pool

import (
	"time"

	"mcp-gw/gateway/upstream"
)

// seat is where a client is.
type seat struct {
	*replica
	lane *upstream.Lane
	used time.Time
}

// seatFor answers where lane is, and finds it a place where that is none to stay at.
func (p *Pool) seatFor(f field, lane *upstream.Lane) *replica {
	p.mu.Lock()
	if s := p.seats[lane.Key]; s != nil && f.keeps(s.replica) {
		defer p.mu.Unlock()
		s.lane, s.used = lane, time.Now()
		return s.replica
	}
	p.mu.Unlock()
	home := f.home(lane.Key) // from before there were several
	p.mu.Lock()
	s := p.seats[lane.Key]
	if s != nil && f.keeps(s.replica) { // another call was quicker
		defer p.mu.Unlock()
		return s.replica
	}
	var from *replica
	if s != nil {
		from = s.replica
	} else {
		if s = (&seat{}); len(p.seats) >= p.cfg.MaxLanes {
			p.vacateLocked()
		}
		p.seats[lane.Key] = s
	}
	to := home
	if to == nil {
		to = f.pickLocked(true)
	}
	s.lane, s.used = lane, time.Now()
	s.moveLocked(to)
	p.mu.Unlock()
	if from != nil && from != to {
		from.up.Release(lane.Key)
	}
	return to
}

// home answers the replica that has a session of the lane, and nil when none has that
// the lane could stay at.
func (f field) home(key string) *replica {
	for _, pl := range f.all {
		if f.keeps(pl.replica) && pl.up.Has(key) {
			return pl.replica
		}
	}
	return nil
}

func (s *seat) moveLocked(to *replica) {
	if s.replica != nil {
		s.seats--
	}
	s.replica = to
	to.seats++
}

// vacateLocked gives up the seat that was used longest ago: its client gets another one
// when it is heard of again.
func (p *Pool) vacateLocked() {
	oldest := ""
	for key, s := range p.seats {
		if oldest == "" || s.used.Before(p.seats[oldest].used) {
			oldest = key
		}
	}
	if s := p.seats[oldest]; s != nil {
		s.seats--
		delete(p.seats, oldest)
	}
}

// owns reports whether r may have sessions of the lane.
func (p *Pool) owns(r *replica, key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.seats[key]
	return s == nil || s.replica == r
}

// settle moves the clients of replicas that are gone to others, if there are any, and
// tells replicas that are connected for the first time what is watched.
func (p *Pool) settle() {
	type move struct {
		from *replica
		key  string
	}
	f := p.set.Load().look(nil)
	var moves []move
	to := map[*replica][]*upstream.Lane{}
	p.mu.Lock()
	for _, pl := range f.all {
		if !pl.met && pl.up.Connected() {
			pl.met = true
			p.catchUpLocked(pl.replica)
		}
	}
	if f.best < unfit && p.homelessLocked(f) {
		for key, s := range p.seats {
			if f.of(s.replica) < unfit {
				continue
			}
			moves = append(moves, move{s.replica, key})
			s.moveLocked(f.pickLocked(true))
			to[s.replica] = append(to[s.replica], s.lane)
		}
		p.left = nil
	}
	p.mu.Unlock()
	for _, m := range moves {
		m.from.up.Release(m.key)
	}
	for r, lanes := range to {
		r.up.Adopt(lanes)
	}
}

// homelessLocked reports whether there are clients at replicas that are gone.
func (p *Pool) homelessLocked(f field) bool {
	if len(p.left) > 0 {
		return true
	}
	for i, pl := range f.all {
		if f.grades[i] == unfit && pl.seats > 0 {
			return true
		}
	}
	return false
}

// CloseLane ends a client's sessions with the backend.
func (p *Pool) CloseLane(key string) {
	p.mu.Lock()
	if s := p.seats[key]; s != nil {
		s.seats--
		s.lane.Left()
		delete(p.seats, key)
	}
	p.mu.Unlock()
	for _, pl := range p.set.Load().all {
		pl.up.CloseLane(key)
	}
}

// Tell sends a client's notification to the sessions of lane key that are open; see
// upstream.Upstream.
func (p *Pool) Tell(key string, message []byte) {
	for _, pl := range p.set.Load().all {
		pl.up.Tell(key, message)
	}
}

// SyncLevel tells the open sessions of lane key the level that its client wants now,
// and does not wait.
func (p *Pool) SyncLevel(key string) {
	for _, pl := range p.set.Load().all {
		pl.up.SyncLevel(key)
	}
}
