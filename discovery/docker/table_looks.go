package docker

import (
	"maps"
	"slices"
	"time"
)

// mark asks for an inspect of id. attend in the answer is empty when somebody
// attends it already, who will see the mark.
func (t *table) mark(id string, heard bool) reaction {
	r := t.records[id]
	if r == nil {
		r = &record{wake: make(chan struct{}, 1)}
		r.obs.id = id
		t.records[id] = r
	}
	if heard {
		r.heard = true
		delete(t.unheard, id)
	}
	if r.next == nil {
		r.next = make(chan struct{})
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	if r.busy {
		return reaction{}
	}
	r.busy = true
	return reaction{attend: id}
}

// inspectErrors returns one container that cannot be inspected, and why. blind
// says that none could be, so that nothing at all is known.
func (t *table) inspectErrors() (id string, err error, blind bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	blind = true
	for _, i := range slices.Sorted(maps.Keys(t.records)) {
		r := t.records[i]
		blind = blind && !r.known
		if r.err != nil && err == nil {
			id, err = i, r.err
		}
	}
	return id, err, blind && err != nil
}

// depth is how much a listing calls for.
type depth int

// markAll marks what a listing calls for. It returns whom to attend, and what to wait
// for. What is not listed any more may be gone, and is always asked for.
func (t *table) markAll(list []observation, much depth, now time.Time) (attend []string, done []<-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := map[string]bool{}
	listed := make(map[string]observation, len(list))
	for _, line := range list {
		listed[line.id] = line
		if r := t.records[line.id]; (r == nil || r.gone) && t.mayConcern(line) {
			ids[line.id] = true
		}
	}
	for id, r := range t.records {
		line, there := listed[id]
		switch {
		case r.gone, there && much == lookNew:
		case there && much == lookChanged && r.next == nil && r.atRest() && !r.obs.partial && r.obs.says(line):
			r.seen = now
		default:
			ids[id] = true
		}
	}
	for id := range ids {
		if a := t.mark(id, false).attend; a != "" {
			attend = append(attend, a)
		}
		done = append(done, t.records[id].next)
	}
	return attend, done
}

// mayConcern is the cheap question before an inspect.
func (t *table) mayConcern(s observation) bool {
	if s.id == t.world.self || slices.ContainsFunc(t.world.homes(), func(h home) bool { return s.networkMode == h.name }) {
		return true
	}
	if _, _, ok := t.world.find(s.endpoints); ok {
		return true
	}
	return speaks(t.world.prefix, s.labels)
}

// silent returns the containers that changed without an event, and forgets them.
func (t *table) silent() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := slices.Sorted(maps.Keys(t.unheard))
	clear(t.unheard)
	return ids
}
