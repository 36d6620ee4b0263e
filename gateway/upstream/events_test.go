package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Backends of 2025-03-26 may send several messages at once, in a body and in an event.
func TestBatches(t *testing.T) {
	const batch = `[{"jsonrpc":"2.0","method":"notifications/message","params":{"n":1}},7,
		{"jsonrpc":"2.0","id":1,"result":{"text":"foreign"}},{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}]`
	for name, answer := range map[string]func(http.ResponseWriter, *question){
		"body": func(w http.ResponseWriter, q *question) { fmt.Fprintf(w, " "+batch, q.id) },
		"event": func(w http.ResponseWriter, q *question) {
			stream(w)
			send(w, strings.ReplaceAll(batch, "\n", ""), q.id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			b.handle("tools/call", answer)
			a := &ask{lane: "a", tool: "echo"}
			if err := u.Call(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			if answer, notified := a.got(); !strings.Contains(answer, "done") || len(notified) != 1 {
				t.Errorf("answer %s, notified %q", answer, notified)
			}
		})
	}
	t.Run("too long", func(t *testing.T) {
		b := newBackend(t)
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		b.handle("tools/call", func(w http.ResponseWriter, q *question) {
			fmt.Fprintf(w, `[%s{"jsonrpc":"2.0","id":%s,"result":{}}]`, strings.Repeat(`{"jsonrpc":"2.0","method":"notifications/message"},`, maxBatch), q.id)
		})
		a := &ask{lane: "a", tool: "echo"}
		if err := u.Call(t.Context(), a); err == nil || !strings.Contains(err.Error(), "no answer to a request") {
			t.Errorf("call: %v", err)
		}
		if _, notified := a.got(); len(notified) != maxBatch {
			t.Errorf("%d messages were read", len(notified))
		}
	})
}
