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
