package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// occupied is a backend whose calls wait, with calls of a lane under way in it.
func occupied(t *testing.T, u *Upstream, b *backend, n int, lane func(i int) *Lane) (goOn chan struct{}, done chan error) {
	t.Helper()
	arrived := make(chan struct{})
	goOn, done = make(chan struct{}), make(chan error, n)
	b.handle("tools/call", func(w http.ResponseWriter, q *question) { arrived <- struct{}{}; <-goOn; b.answer(w, q) })
	for i := range n {
		go func() { done <- u.Call(context.Background(), &ask{as: lane(i), tool: "echo"}) }()
		<-arrived
	}
	b.handle("tools/call", nil)
	return goOn, done
}

func finish(t *testing.T, n int, goOn chan struct{}, done chan error) {
	t.Helper()
	close(goOn)
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Callers that share an exclusive lane have a session each, and those who come later
// use the same ones again.
func TestExclusiveLane(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	shared := func(int) *Lane { return &Lane{Key: "modern", Exclusive: true} }
	goOn, done := occupied(t, u, b, 3, shared)
	sessions := map[string]bool{}
	for _, s := range sessionsOf(b) {
		sessions[s] = true
	}
	if len(sessions) != 3 {
		t.Errorf("three calls ran in the sessions %v", sessions)
	}
	finish(t, 3, goOn, done)
	goOn, done = occupied(t, u, b, 3, shared)
	finish(t, 3, goOn, done)
	if n := len(b.asked("initialize")); n != 4 {
		t.Errorf("initialized %d times, want once for each of three and once for the gateway", n)
	}
	u.CloseLane("modern")
	await(t, "closing all three", func() bool { return b.live() == 1 })
}

// The bound holds for all lanes together: the session idle longest makes room, and
// when none is idle, the call is refused.
func TestExclusiveLanesAreBounded(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.MaxLanes = 2
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	mustCall(t, u, "idle", "echo", "done")
	goOn, done := occupied(t, u, b, 2, func(i int) *Lane { return &Lane{Key: fmt.Sprint(i), Exclusive: true} })
	await(t, "closing the idle one", func() bool { return len(b.asked("DELETE")) == 1 })
	for _, key := range []string{"1", "other"} {
		err := u.Call(t.Context(), &ask{as: &Lane{Key: key, Exclusive: true}, tool: "echo"})
		if err == nil || !strings.Contains(err.Error(), "all 2 sessions") {
			t.Errorf("a third call: %v", err)
		}
	}
	finish(t, 2, goOn, done)
	mustCall(t, u, "other", "echo", "done")
}

func TestExclusiveSessionsAreSwept(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.PingInterval, cfg.LaneIdle = 10*time.Millisecond, 50*time.Millisecond
	u := start(t, at(b.URL), cfg)
	awaitReady(t, u)
	goOn, done := occupied(t, u, b, 3, func(int) *Lane { return &Lane{Key: "modern", Exclusive: true} })
	finish(t, 3, goOn, done)
	await(t, "closing all three", func() bool { return b.live() == 1 && len(b.asked("DELETE")) == 3 })
	l := u.State().link
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots != 0 || len(l.lanes) != 0 {
		t.Errorf("%d slots in %d lanes are left", l.slots, len(l.lanes))
	}
}

// levels answers what the backend was told, with the sessions.
func levels(b *backend) (told []string) {
	for _, q := range b.asked("logging/setLevel") {
		told = append(told, q.session+" "+q.body[strings.Index(q.body, `"level"`):])
	}
	return told
}

// The level goes ahead of the request that it is for, once, in each session.
func TestLevel(t *testing.T) {
	b := fullBackend(t)
	b.handle("logging/setLevel", func(w http.ResponseWriter, q *question) { reply(w, q, `{}`) })
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	lane := &Lane{Key: "a"}
	do := func() {
		t.Helper()
		b.handle("tools/call", func(w http.ResponseWriter, q *question) {
			if lane.Level() == "error" && len(levels(b)) == 0 {
				t.Error("the request came before the level")
			}
			b.answer(w, q)
		})
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	do()
	if told := levels(b); len(told) > 0 {
		t.Errorf("told %q, but no level was said", told)
	}
	lane.SetLevel("error")
	do()
	do()
	s := sessionsOf(b)[0]
	if told := levels(b); len(told) != 1 || told[0] != s+` "level":"error"}}` {
		t.Errorf("told %q", told)
	}
	lane.SetLevel(`de"bug`)
	u.SyncLevel("nobody")
	u.SyncLevel("a")
	await(t, "telling it at once", func() bool { return len(levels(b)) == 2 })
	if told := levels(b)[1]; told != s+` "level":"de\"bug"}}` {
		t.Errorf("told %q", told)
	}
	b.forget() // the next session knows nothing
	do()
	if told := levels(b); len(told) != 3 || strings.HasPrefix(told[2], s+" ") {
		t.Errorf("told %q", told)
	}
}

// Levels are the matter of backends that have them, and no backend's refusal costs a
// call.
func TestLevelRefused(t *testing.T) {
	b := fullBackend(t) // which does not know the method
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	lane := &Lane{Key: "a"}
	lane.SetLevel("info")
	for range 2 {
		if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	if told := levels(b); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	silent := newBackend(t)
	u = start(t, at(silent.URL), quick())
	awaitReady(t, u)
	if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	if told := levels(silent); len(told) > 0 {
		t.Errorf("a backend without levels was told %q", told)
	}
}
