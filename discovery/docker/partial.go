package docker

import (
	"strconv"
	"time"
)

// listingLag is how long a listing may show a process that an event has told the
// end of: an engine 20.10 renews what it lists after it has told.
const listingLag = time.Second

// told is what events said of a container's process. It is of use only where the
// engine lets nobody inspect.
type told struct {
	begun, over time.Time // by the engine's clock
	overAt      time.Time // when over was heard, by ours
}

func (t *told) note(e event, now time.Time) {
	switch e.action {
	case "start":
		t.begun = e.at
	case "die":
		t.over, t.overAt = e.at, now
	}
}

// complete adds to an observation from a listing what the listing lacks: when the
// process started and ended, as far as events and earlier observations tell. Each
// start and each end that was told makes another generation. behind says that the
// listing may not know yet of an end that was told; it is to be asked again.
func (r *record) complete(o observation, now time.Time) (_ observation, behind bool) {
	if o.status == "created" {
		return o, false
	}
	o.startedAt = r.told.begun
	if o.startedAt.IsZero() || r.known && r.obs.startedAt.After(o.startedAt) {
		o.startedAt = r.obs.startedAt
	}
	if o.startedAt.IsZero() {
		o.startedAt = o.created
	}
	stood := r.known && r.obs.status != "created" && !r.obs.up() // as it was last seen
	switch {
	case o.up() && r.told.over.After(o.startedAt):
		if now.Sub(r.told.overAt) >= listingLag {
			o.startedAt = r.told.over.Add(1) // it runs again, and nobody told
			break
		}
		o.status, behind = "exited", true
	case o.up() && stood && !o.startedAt.After(r.obs.finishedAt):
		o.startedAt = r.obs.finishedAt.Add(1)
	}
	if o.up() {
		return o, behind
	}
	switch {
	case !r.told.over.Before(o.startedAt):
		o.finishedAt = r.told.over
	case stood && !r.obs.finishedAt.IsZero():
		o.finishedAt = r.obs.finishedAt
	default:
		o.finishedAt = now.UTC()
	}
	if code, err := strconv.Atoi(r.exit); err == nil {
		o.exitCode = code
	}
	return o, behind
}
