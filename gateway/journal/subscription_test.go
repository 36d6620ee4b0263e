package journal

import (
	"fmt"
	"testing"
)

func fill(j *Journal, from, to int) {
	for i := from; i <= to; i++ {
		j.System(LevelInfo, fmt.Sprint(i))
	}
}

// next fails when the bell does not ring, or the reader was dropped.
func next(t *testing.T, s *Subscription) string {
	t.Helper()
	select {
	case <-s.Ready():
	default:
		t.Fatal("the bell did not ring")
	}
	entries, ok := s.Next()
	if !ok {
		t.Fatal("the reader was dropped")
	}
	return messages(entries)
}

func TestSubscribeReplaysThenFollows(t *testing.T) {
	j := New(Options{Entries: 4})
	fill(j, 1, 6)
	for id, want := range map[uint64]string{
		5:   "6",
		4:   "5 6",
		0:   "3 4 5 6", // what is lost is skipped
		999: "3 4 5 6", // an id of another life
	} {
		s := j.Subscribe(id)
		if got := next(t, s); got != want {
			t.Errorf("replay after %d: got %q, want %q", id, got, want)
		}
		s.Close()
	}

	current, fresh := j.Subscribe(6), j.SubscribeNew()
	for _, s := range []*Subscription{current, fresh} {
		select {
		case <-s.Ready():
			t.Error("the bell rang, and there is nothing new")
		default:
		}
	}
	fill(j, 7, 8)
	for _, s := range []*Subscription{current, fresh} {
		if got := next(t, s); got != "7 8" {
			t.Errorf("live: got %q, want 7 8", got)
		}
		if entries, ok := s.Next(); len(entries) != 0 || !ok {
			t.Errorf("read twice: %v, %v", entries, ok)
		}
	}
}

func TestNextComesInBatches(t *testing.T) {
	j := New(Options{Entries: 3 * batch})
	fill(j, 1, 2*batch+1)
	s := j.Subscribe(0)
	for _, want := range []int{batch, batch, 1} {
		<-s.Ready()
		entries, ok := s.Next()
		if !ok || len(entries) != want {
			t.Fatalf("got %d entries, %v; want %d", len(entries), ok, want)
		}
	}
	select {
	case <-s.Ready():
		t.Error("the bell rang after the last batch")
	default:
	}
}

func TestASlowReaderIsDropped(t *testing.T) {
	j := New(Options{Entries: 4})
	slow, lively := j.SubscribeNew(), j.SubscribeNew()
	fill(j, 1, 2)
	next(t, slow)
	next(t, lively)
	fill(j, 3, 6)
	if got := next(t, lively); got != "3 4 5 6" {
		t.Errorf("the lively reader got %q", got)
	}
	fill(j, 7, 7) // overwrites 3, which slow has yet to read
	if entries, ok := slow.Next(); ok {
		t.Errorf("the slow reader got %v, and lost an entry silently", messages(entries))
	}
	if n := len(j.subscribers); n != 1 {
		t.Errorf("%d subscribers are left, want the lively one", n)
	}
	again := j.Subscribe(2)
	if got := next(t, again); got != "4 5 6 7" {
		t.Errorf("after subscribing again: got %q, want what the ring still has", got)
	}
	slow.Close() // a second end does no harm
	again.Close()
	lively.Close()
	lively.Close()
	if n := len(j.subscribers); n != 0 {
		t.Errorf("%d subscribers are left after Close", n)
	}
}
