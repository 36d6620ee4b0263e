package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// interrupted makes b end the stream of each call behind an event with an id, and
// answer further streams with next, in their order.
func interrupted(b *backend, retry string, next ...func(w http.ResponseWriter, call *question)) {
	var call *question
	b.handle("tools/call", func(w http.ResponseWriter, q *question) {
		call = q
		stream(w)
		fmt.Fprintf(w, "id: e0\n%sdata:\n\n", retry)
	})
	n := 0
	b.handle("GET", func(w http.ResponseWriter, q *question) {
		if q.Header.Get("Last-Event-ID") == "" {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		next[min(n, len(next)-1)](w, call)
		n++
	})
}

func resumptions(b *backend) (ids []string) {
	for _, q := range b.asked("GET") {
		if id := q.Header.Get("Last-Event-ID"); id != "" {
			ids = append(ids, id+" in "+q.session)
		}
	}
	return ids
}

// A stream that ends before the response is gone on with, from where it ended and
// after the time that the backend wants, until the response is there. The request is
// not sent again.
func TestResume(t *testing.T) {
	b := newBackend(t)
	u := start(t, at(b.URL), quick())
	awaitReady(t, u)
	interrupted(b, "retry: 300\n",
		func(w http.ResponseWriter, q *question) {
			stream(w)
			fmt.Fprint(w, "id: e1\nretry: 30\n\n") // an id counts without data
			send(w, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, q.id)
		},
		func(w http.ResponseWriter, _ *question) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, q *question) {
			stream(w)
			send(w, `{"jsonrpc":"2.0","id":%s,"result":{"text":"done"}}`, q.id)
		})
	a := &ask{lane: "a", tool: "echo"}
	began := time.Now()
	if err := u.Call(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 360*time.Millisecond {
		t.Errorf("it took %v, where the backend wants 300 ms once and 30 ms twice", took)
	}
	answer, progress := a.got()
	if !strings.Contains(answer, "done") || len(progress) != 1 {
		t.Errorf("answer %s, progress %q", answer, progress)
	}
	s := sessionsOf(b)
	if got, want := strings.Join(resumptions(b), ", "), fmt.Sprintf("e0 in %s, e1 in %[1]s, e1 in %[1]s", s[0]); got != want || len(s) != 1 {
		t.Errorf("resumed at %s, want %s; sent %d times", got, want, len(s))
	}
}

// When the rest does not come, the call fails as one that may have run: it is not sent
// again, not even when the answer looks like that of a lost session.
func TestResumeFails(t *testing.T) {
	for name, test := range map[string]struct {
		next  func(http.ResponseWriter, *question)
		tries int
	}{
		"404":                {func(w http.ResponseWriter, _ *question) { http.Error(w, "Session not found", 404) }, 1},
		"405":                {func(w http.ResponseWriter, _ *question) { w.WriteHeader(405) }, 1},
		"a page":             {func(w http.ResponseWriter, _ *question) { fmt.Fprint(w, "<html>") }, 1},
		"500":                {func(w http.ResponseWriter, _ *question) { w.WriteHeader(500) }, maxFruitless},
		"empty streams":      {func(w http.ResponseWriter, _ *question) { stream(w) }, maxFruitless},
		"broken connections": {func(http.ResponseWriter, *question) { panic(http.ErrAbortHandler) }, maxFruitless},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			u := start(t, at(b.URL), quick())
			awaitReady(t, u)
			interrupted(b, "retry: 1\n", test.next)
			_, err := call(t, u, "a", "echo")
			var lost *UnavailableError
			if !errors.As(err, &lost) || lost.NotRun || !strings.Contains(lost.Reason, "closed the stream before it answered") {
				t.Errorf("call: %v", err)
			}
			if n := len(resumptions(b)); n < test.tries || n > 2*test.tries { // the transport may repeat a GET
				t.Errorf("resumed %d times, want %d", n, test.tries)
			}
			if n := len(sessionsOf(b)); n != 1 {
				t.Errorf("the call was sent %d times", n)
			}
		})
	}
}

// Silence is silence, whatever the call waits for; and revisions without resumption
// are not asked for it.
func TestResumeEnds(t *testing.T) {
	t.Run("with the silence", func(t *testing.T) {
		b := newBackend(t)
		want := at(b.URL)
		want.CallTimeout = 100 * time.Millisecond
		u := start(t, want, quick())
		awaitReady(t, u)
		interrupted(b, "retry: 60000\n", func(w http.ResponseWriter, _ *question) { stream(w) })
		if _, err := call(t, u, "a", "echo"); err == nil || !strings.Contains(err.Error(), "timed out after 100ms") {
			t.Errorf("call: %v", err)
		}
	})
	t.Run("in 2026-07-28", func(t *testing.T) {
		b := newBackend(t)
		b.modern = true
		u := start(t, at(b.URL), quick())
		awaitReady(t, u)
		interrupted(b, "retry: 1\n", func(w http.ResponseWriter, _ *question) { stream(w) })
		if _, err := call(t, u, "a", "echo"); err == nil {
			t.Error("the call succeeded")
		}
		if got := resumptions(b); len(got) > 0 {
			t.Errorf("resumed %q", got)
		}
	})
}
