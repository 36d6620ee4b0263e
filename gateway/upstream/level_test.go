package upstream

import (
	"net/http"
	"strings"
	"testing"
)

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
