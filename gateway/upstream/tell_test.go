package upstream

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// What a client tells comes in its order, to each of its sessions, and a backend that
// does not read is told no more than it may be.
func TestTellKeepsTheOrder(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	mustCall(t, u, "a", "echo", "done")
	mustCall(t, u, "b", "echo", "done")
	arrived, goOn := make(chan struct{}, 1000), make(chan struct{})
	b.handle("notifications/x", func(w http.ResponseWriter, q *question) {
		arrived <- struct{}{}
		<-goOn
		w.WriteHeader(http.StatusAccepted)
	})
	tell := func(n int) {
		u.Tell("a", fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/x","params":{"n":%d}}`, n))
	}
	tell(0)
	<-arrived
	const more = 2 * maxOutbox
	for n := range more {
		tell(n + 1)
	}
	close(goOn)
	told := func() []question { return b.asked("notifications/x") }
	await(t, "hearing of it", func() bool { return len(told()) >= 1+maxOutbox })
	b.handle("notifications/x", nil)
	await(t, "emptying the outbox", func() bool {
		sl := u.State().link.openSlots("a")[0]
		sl.mu.Lock()
		defer sl.mu.Unlock()
		return !sl.sending
	})
	tell(more + 1)
	await(t, "hearing again", func() bool { return len(told()) == 2+maxOutbox })
	for i, q := range told() {
		want := i
		if i == 1+maxOutbox {
			want = more + 1
		}
		if !strings.Contains(q.body, fmt.Sprintf(`"n":%d}`, want)) || q.session != sessionsOf(b)[0] {
			t.Errorf("message %d is %s in %s", i, q.body, q.session)
		}
	}
}

// However often a client changes its mind, one goroutine tells the backend, and the
// last word is told.
func TestLevelOfAClientThatCannotDecide(t *testing.T) {
	b := fullBackend(t)
	arrived, goOn := make(chan struct{}, 1000), make(chan struct{})
	b.handle("logging/setLevel", func(w http.ResponseWriter, q *question) { arrived <- struct{}{}; <-goOn; reply(w, q, `{}`) })
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	lane := &Lane{Key: "a"}
	if err := u.Call(t.Context(), &ask{as: lane, tool: "echo"}); err != nil {
		t.Fatal(err)
	}
	lane.SetLevel("info")
	u.SyncLevel("a")
	<-arrived
	before := runtime.NumGoroutine()
	for i := range 200 {
		lane.SetLevel([]string{"debug", "warning", "error"}[i%3])
		u.SyncLevel("a")
	}
	lane.SetLevel("emergency")
	u.SyncLevel("a")
	if more := runtime.NumGoroutine() - before; more > 20 {
		t.Errorf("%d goroutines wait to tell it", more)
	}
	close(goOn)
	await(t, "the last word", func() bool { told := levels(b); return strings.Contains(told[len(told)-1], "emergency") })
	if told := levels(b); len(told) != 2 {
		t.Errorf("told %q", told)
	}
}
