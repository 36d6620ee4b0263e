package journal

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestTheStoreGivesUpTheOldest(t *testing.T) {
	s := newStore(chunk + 1) // rounded up to two chunks
	if s.size != 2*chunk {
		t.Fatalf("size is %d", s.size)
	}
	if s.put(nil); s.chunks[0] != nil {
		t.Error("nothing took memory")
	}
	random := rand.New(rand.NewPCG(1, 2))
	type kept struct {
		at   span
		text []byte
	}
	var all []kept
	for n := range 200 {
		text := make([]byte, random.IntN(maxPayload)+1)
		for i := range text {
			text[i] = byte(random.IntN(256))
		}
		all = append(all, kept{s.put(text), text})
		after := 0
		for i := n; i >= 0; i-- {
			after += len(all[i].text)
			got, there := s.get(all[i].at)
			if want := after <= 2*chunk; there != want || there && !bytes.Equal(got, all[i].text) {
				t.Fatalf("after %d texts, number %d, %d bytes back: there %v, equal %v", n+1, i, after, there, bytes.Equal(got, all[i].text))
			}
		}
	}
}

func TestTheStoreCopies(t *testing.T) {
	s := newStore(1)
	b := []byte("one")
	at := s.put(b)
	copy(b, "two")
	got, _ := s.get(at)
	if copy(got, "six"); string(got) != "six" {
		t.Fatal("no copy to write to")
	}
	if again, _ := s.get(at); string(again) != "one" {
		t.Errorf("got %q", again)
	}
}

// Nothing lies nowhere, however much came since: what was never there is not lost.
func TestNothingIsNeverGivenUp(t *testing.T) {
	s := newStore(1)
	for range 3 {
		s.put(make([]byte, chunk-1))
	}
	if got, there := s.get(span{}); len(got) > 0 || !there {
		t.Errorf("%d bytes, there %v", len(got), there)
	}
}
