package pool

import (
	"cmp"
	"slices"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// grade is how well a replica is fit for a request: the lower the better.
type grade uint8

const (
	good     grade = iota
	draining       // it keeps whom it has
	doubtful       // it was told to end, or its connection broke and was not checked yet
	withheld       // it is connected, but said to be unwell
	unfit          // it is not connected, or held
)

func (pl place) grade(now time.Time) grade {
	switch {
	case pl.want.Held || !pl.up.Connected() || !pl.meets(pl.up.State()):
		return unfit
	case pl.want.Withheld != "":
		return withheld
	case pl.ending(now), pl.suspected():
		return doubtful
	case pl.want.Replica.Drain:
		return draining
	}
	return good
}

// meets reports whether s is that of the process that is wanted, and not of one before
// it in the same place.
func (pl place) meets(s *upstream.State) bool {
	return s.Backend.Generation == pl.want.Generation && s.Backend.URL == pl.want.URL
}

// ending reports whether the process was told to end a moment ago.
func (pl place) ending(now time.Time) bool {
	return !pl.want.Doubted.IsZero() && now.Sub(pl.want.Doubted) < doubtTime
}

// suspected reports whether a connection broke, and nothing was heard since.
func (r *replica) suspected() bool {
	at := r.suspect.Load()
	return at != 0 && r.up.State().Checked().At.UnixNano() <= at
}

// field is the replicas of a set with their grades.
type field struct {
	*set
	grades []grade
	best   grade
}

// look grades the replicas, without those that were tried in vain.
func (s *set) look(tried []*replica) field {
	now := time.Now()
	f := field{set: s, grades: make([]grade, len(s.all)), best: unfit}
	for i, pl := range s.all {
		f.grades[i] = unfit
		if !slices.Contains(tried, pl.replica) {
			f.grades[i] = pl.grade(now)
		}
		f.best = min(f.best, f.grades[i])
	}
	return f
}

// of answers the grade of r, which may not be wanted any more.
func (f field) of(r *replica) grade {
	if i := slices.IndexFunc(f.all, func(pl place) bool { return pl.replica == r }); i >= 0 {
		return f.grades[i]
	}
	return unfit
}

// keeps reports whether who is at r stays there: it can take requests, and is not
// about to end while another is not.
func (f field) keeps(r *replica) bool {
	g := f.of(r)
	return g <= draining || g < unfit && g == f.best
}

func (pl place) weight() int { return max(1, pl.want.Replica.Weight) }

// pickLocked answers the replica of the best grade that is next by policy; a new client
// goes to the one that has the fewest for its weight. There is one.
func (f field) pickLocked(client bool) *replica {
	load := func(pl place) int { return 0 } // in turn
	switch {
	case f.want.Balance == discovery.BalanceLeastBusy:
		load = func(pl place) int { return int(pl.calls.Load()) }
	case client && f.want.Balance != discovery.BalanceRoundRobin:
		load = func(pl place) int { return pl.seats }
	}
	type entry struct {
		place
		load int
	}
	var least []entry
	for i, pl := range f.all {
		if f.grades[i] != f.best {
			continue
		}
		e := entry{pl, load(pl)}
		if len(least) > 0 {
			switch cmp.Compare(e.load*least[0].weight(), least[0].load*e.weight()) {
			case 1:
				continue
			case -1:
				least = least[:0]
			}
		}
		least = append(least, e)
	}
	// Smooth weighted round-robin, as nginx has it: each gains its weight, and who has
	// most is next and pays for all.
	total, next := 0, least[0].replica
	for _, e := range least {
		e.turn += e.weight()
		total += e.weight()
		if e.turn > next.turn {
			next = e.replica
		}
	}
	next.turn -= total
	return next
}

// sticks reports whether the requests of a lane stay at one replica: modern clients are
// not told apart, and others need it where sessions are kept.
func (f field) sticks(lane *upstream.Lane) bool {
	if lane == nil || lane.Modern || lane.HasLeft() {
		return false
	}
	if f.want.Balance == "" || f.want.Balance == discovery.BalanceSticky {
		return true
	}
	for i, pl := range f.all {
		if f.grades[i] < unfit {
			return pl.up.KeepsSession(lane)
		}
	}
	return false
}

// choose answers where a request of lane goes, nil when no replica can take it but
// those that were tried.
func (p *Pool) choose(s *set, lane *upstream.Lane, tried []*replica) *replica {
	f := s.look(tried)
	if f.best == unfit {
		return nil
	}
	if !f.sticks(lane) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return f.pickLocked(false)
	}
	return p.seatFor(f, lane)
}
