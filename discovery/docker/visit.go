package docker

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// retryInspect is the pause after an inspect that failed.
const retryInspect = time.Second

// visit is one inspect of one container.
type visit struct {
	id    string
	began time.Time
	heard bool          // an event had asked for it
	done  chan struct{} // closed with the marks that it answers; nil when there were none
}

// begin takes the marks of id: an inspect starts now.
func (t *table) begin(id string, now time.Time) visit {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	v := visit{id: id, began: now, heard: r.heard, done: r.next}
	r.next, r.heard = nil, false
	select {
	case <-r.wake:
	default:
	}
	return v
}

// end takes what a visit found. again asks for another one after pause, or with
// the next mark; without it, the container is attended no longer. Without news the set
// is what it was, as after most looks without a reason.
func (t *table) end(v visit, o observation, err error, now time.Time) (again bool, pause time.Duration, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, heard, r := v.id, v.heard, t.records[v.id]
	defer t.judgeBeside(id, now)
	again, news = r.next != nil, true
	if failed := err != nil && !errors.Is(err, errGone); failed && !again {
		r.next = v.done // the marks are not answered yet
	} else if v.done != nil {
		defer close(v.done)
	}
	switch {
	case errors.Is(err, errGone):
		if r.known && !r.gone && !heard && !r.heard {
			t.unheard[id] = true
		}
		r.err, r.gone, r.died, r.stopping = nil, true, false, false
		if r.ended.IsZero() {
			r.ended = r.obs.finishedAt
		}
		r.fall(now)
		if r.down.IsZero() {
			r.down = now
		}
		if !again && !r.concerns {
			delete(t.records, id)
		}
	case err != nil:
		// Not a word about the container: what was known stands.
		r.err = err
		return true, retryInspect, true
	default:
		if r.asItWas(o) {
			r.seen, news = now, false
			break
		}
		r.err = nil
		behind := false
		if o.partial {
			o, behind = r.complete(o, now)
		}
		if again && r.lifeless && o.up() && o.startedAt.Equal(r.obs.startedAt) {
			break // asked before the process ended; the next inspect knows more
		}
		if !heard && !r.heard && (!r.known || r.obs.generation() != o.generation() || r.obs.status != o.status) {
			t.unheard[id] = true
		}
		t.learn(r, o, now)
		if r.mayComeBack() {
			// The start of a restart holds the container's lock: an inspect that
			// begins in it waits, and finds the new process.
			r.settled = v.began.Sub(r.down) >= restartTime
			if !r.settled {
				again, pause = true, restartTime
			}
		}
		if behind && !again {
			again, pause = true, listingLag
		}
		if !again && !r.concerns {
			delete(t.records, id)
			delete(t.unheard, id)
		}
	}
	if !again {
		r.busy = false
	}
	return again, pause, news
}

// asItWas reports whether an observation tells nothing of a container that is not known
// already, in a world that it was judged in when it changed.
func (r *record) asItWas(o observation) bool {
	return r.atRest() && r.concerns && !o.partial && reflect.DeepEqual(r.obs, o)
}

// atRest reports whether the last inspect is all that is known: it did not fail, and no
// event told of a change since.
func (r *record) atRest() bool {
	return r.known && r.err == nil && !r.died && !r.lifeless && !r.gone && !r.stopping &&
		r.killed.IsZero() && r.doubted.IsZero()
}

// learn takes a fresh observation.
func (t *table) learn(r *record, o observation, now time.Time) {
	if r.known && !o.startedAt.Equal(r.obs.startedAt) {
		r.killed, r.doubted, r.stopping = time.Time{}, time.Time{}, false
		r.exit, r.oom = "", false
	}
	r.noteHealth(o, r.known, now)
	r.noteStart(o, r.known, now)
	r.obs, r.seen, r.known, r.died, r.lifeless, r.gone = o, now, true, false, false, false
	if project, _ := composeOf(o.labels); o.id == t.world.self && project != t.world.selfProject {
		// Who belongs to the gateway is known only now.
		t.world.selfProject = project
		for _, other := range t.records {
			if other != r && other.known && !other.gone {
				t.judge(other, now)
			}
		}
	}
	t.judge(r, now)
}

// worldOf is the world as a container finds it, with the one whose network it shares.
func (t *table) worldOf(o observation) world {
	w := t.world
	id, shared := sharedWith(o)
	if !shared {
		return w
	}
	if r := t.records[id]; r != nil && r.known && !r.gone {
		peer := r.obs
		if r.lifeless {
			peer.status = "exited"
		}
		w.peer = &peer
	}
	return w
}

// judgeBeside judges anew those that share the network of a container: whatever
// happens to it happens to them.
func (t *table) judgeBeside(id string, now time.Time) (some bool) {
	for _, r := range t.records {
		if other, shared := sharedWith(r.obs); shared && other == id && r.known && !r.gone {
			t.judge(r, now)
			some = true
		}
	}
	return some
}

// judge describes the record's observation in the present world.
func (t *table) judge(r *record, now time.Time) {
	r.description = describe(r.obs, t.worldOf(r.obs), r.fixedName)
	if !r.routable {
		r.ended = r.obs.finishedAt
		r.fall(now)
		return
	}
	r.died = r.died || r.lifeless // another's network came back, its own process did not
	d := r.description
	r.last, r.down, r.ended, r.settled = &d, time.Time{}, time.Time{}, false
	if first := r.parts[0]; r.fixedName == "" && first.unnamed {
		r.fixedName = first.name
	}
}

// release gives up attending a container, without a result.
func (t *table) release(v visit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v.done != nil {
		close(v.done)
	}
	if r := t.records[v.id]; r != nil {
		r.busy = false
	}
}

// rest waits before another attempt at id, or until id is marked. It returns false
// when ctx ended.
func (t *table) rest(ctx context.Context, id string, d time.Duration) bool {
	t.mu.Lock()
	wake := t.records[id].wake
	t.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return true
}
