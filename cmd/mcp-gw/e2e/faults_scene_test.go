package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// scene is a client in the middle of things with one backend: a call that reports, a
// call whose question is not answered, and a watched resource.
type scene struct {
	*singer
	c       *choir
	tool    string
	updates *atomic.Int64
	stray   chan *message // questions on the standing stream

	reporting, asking chan ending
	question          *message // of the asking call; nil until it was asked
	v                 verse    // the asking call
}

// ending is how a call ended for its client.
type ending struct {
	m     *message
	err   error
	after time.Duration
}

// failed says that a call failed in a way that tells a person why.
func (o ending) failed(t *testing.T, what string) {
	t.Helper()
	switch {
	case o.err != nil:
		t.Errorf("%s: %v, want an answer that says what is wrong", what, o.err)
	case o.m.text() == "":
		t.Errorf("%s: %.300s, want an error", what, o.m.raw)
	default:
		t.Logf("%s: after %v: %s", what, o.after.Round(time.Millisecond), o.m.text())
	}
}

func (o ending) succeeded(t *testing.T, what string) {
	t.Helper()
	if o.err != nil || o.m.text() != "" || len(o.m.Result.Content) != 2 {
		t.Errorf("%s: %v %.300s, want the call's result", what, o.err, raw(o.m))
	}
}

// setScene begins all of it and returns when it is under way.
func setScene(t *testing.T, url string, c *choir, name string, modern bool) *scene {
	t.Helper()
	s := &scene{singer: newSinger(t, url, name, modern), c: c, tool: c.kind + "__sing", updates: new(atomic.Int64),
		stray: make(chan *message, 16)}
	if !modern {
		if err := s.hello(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.watch(t)
	s.reporting, _ = s.begin(t, s.verse("reports", part{Hangs: true}))
	s.v = s.verse("silent", part{Asks: true, Progress: 4})
	var asked chan *message
	s.asking, asked = s.begin(t, s.v)
	if modern {
		o := receive(t, "the question in the result", s.asking)
		if o.err != nil || o.m.Result.Type != "input_required" {
			t.Fatalf("%s: the call that asks: %v %.300s", name, o.err, o.m.raw)
		}
		s.question = o.m
	} else {
		// On the one stream of HTTP+SSE nothing says which of two calls a question is of.
		for s.question == nil || s.question.Method != "elicitation/create" {
			select {
			case s.question = <-asked:
			case s.question = <-s.stray:
			case <-time.After(patience):
				t.Fatalf("waited %v for the question to %s", patience, name)
			}
		}
	}
	return s
}

// watch subscribes to the note and opens the standing stream.
func (s *scene) watch(t *testing.T) {
	t.Helper()
	if !s.modern {
		if err := s.say(t.Context(), `{"jsonrpc":"2.0","id":"w","method":"resources/subscribe","params":{"uri":"`+s.c.note()+`"}}`); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.stand(t.Context(), func(m *message) {
		switch {
		case m.Method == "notifications/resources/updated" && m.Params.URI == s.c.note():
			s.updates.Add(1)
		case m.Method == "elicitation/create":
			s.stray <- m
		}
	}, s.c.note()); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) verse(what string, p part) verse {
	p.Mark = s.name + "-" + what
	p.Nonce = fmt.Sprintf("%s %s %d", s.c.kind, p.Mark, s.ids.Add(1))
	return verse{tool: s.tool, part: p, id: fmt.Sprintf("%d", s.ids.Add(1))}
}

// begin makes a call, and returns when its first message has come.
func (s *scene) begin(t *testing.T, v verse) (chan ending, chan *message) {
	t.Helper()
	ended, came := make(chan ending, 1), make(chan *message, 4096)
	v.on = func(m *message) { came <- m }
	ctx := within(t, 2*patience)
	go func() {
		start := time.Now()
		m, err := s.sing(ctx, v)
		ended <- ending{m, err, time.Since(start)}
	}()
	receive(t, "the call "+v.part.Nonce+" to say something", came)
	return ended, came
}

// works makes a call that has to succeed, and has to have run once. Whether the call
// at the moment of a loss ran cannot always be known; that it says.
func (s *scene) works(t *testing.T, when string) {
	t.Helper()
	v := s.verse("works", part{Progress: 2})
	m, err := s.sing(within(t, patience), v)
	if err != nil || m.text() != "" || len(m.Result.Content) != 2 {
		t.Errorf("%s, %s: %v %.300s", s.name, when, err, raw(m))
	} else if n := s.c.runs(v.part.Nonce); n != 1 {
		t.Errorf("%s, %s: the call ran %d times", s.name, when, n)
	}
}

func raw(m *message) []byte {
	if m == nil {
		return nil
	}
	return m.raw
}

// hears waits until an update of the note comes, which needs the subscription to be
// there on both sides of the gateway.
func (s *scene) hears(t *testing.T, when string) {
	t.Helper()
	before := s.updates.Load()
	eventually(t, s.name+", "+when+": an update of what it watches", func() bool {
		if s.updates.Load() > before {
			return true
		}
		s.c.updated(s.c.note())
		return false
	})
}

// finish repeats a modern client's asking call with the input.
func (s *scene) finish(t *testing.T) ending {
	t.Helper()
	s.v.give(s.question)
	start := time.Now()
	m, err := s.singOnce(within(t, patience), &s.v)
	return ending{m, err, time.Since(start)}
}

// answer says to a legacy client's question what there is to say.
func (s *scene) answer(t *testing.T) {
	t.Helper()
	if err := s.say(t.Context(), `{"jsonrpc":"2.0","id":`+string(s.question.ID)+`,"result":`+accept(s.question.Params.Message)+`}`); err != nil {
		t.Error(err)
	}
}

// once checks that no call ran twice.
func once(t *testing.T, c *choir) {
	t.Helper()
	if twice := c.twice(); len(twice) > 0 {
		t.Errorf("%s: calls that ran twice: %q", c.kind, twice)
	}
}
