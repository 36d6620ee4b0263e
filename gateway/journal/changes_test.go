package journal

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestChangesAreKept(t *testing.T) {
	j := New(Options{})
	if got := j.Changes(""); got == nil || len(got) != 0 {
		t.Errorf("%v", got)
	}
	later, next := j.ChangesAfter(0)
	if len(later) != 0 {
		t.Errorf("%v", later)
	}
	select {
	case <-next:
		t.Error("the bell rang for nothing")
	default:
	}
	for i := range maxChanges + 10 {
		j.Change(Change{Kind: ChangeBackend, Backend: fmt.Sprint("b", i%2), Message: fmt.Sprint(i)})
	}
	<-next
	all := j.Changes("")
	if len(all) != maxChanges || all[0].ID != maxChanges+10 || all[0].Message != "209" || all[maxChanges-1].ID != 11 || all[0].At.IsZero() {
		t.Errorf("%d, the newest is %+v", len(all), all[0])
	}
	if one := j.Changes("b1"); len(one) != maxChanges/2 || one[0].Backend != "b1" {
		t.Errorf("%d of one backend", len(one))
	}
	if later, _ := j.ChangesAfter(208); len(later) != 2 || later[0].ID != 209 {
		t.Errorf("%+v", later)
	}
	if later, _ := j.ChangesAfter(3); len(later) != maxChanges || later[0].ID != 11 {
		t.Errorf("%d", len(later))
	}
	if j.LastChange() != 210 {
		t.Error(j.LastChange())
	}
}

func TestAChangeIsBounded(t *testing.T) {
	j := New(Options{})
	names := make([]string, 1000)
	for i := range names {
		names[i] = strings.Repeat("x", 10_000)
	}
	j.Change(Change{Added: names, Message: "token=abc Bearer ghp_0123456789012345678901234567890123456789 " + strings.Repeat("y", 10_000) + "\xff"})
	c := j.Changes("")[0]
	if len(c.Added) != maxChanged || len(c.Added[0]) > maxChangedName+5 || len(names[0]) != 10_000 || len(c.Message) > 2*maxMessage || strings.Contains(c.Message, "ghp_0123") {
		t.Errorf("%d names of %d, message of %d", len(c.Added), len(c.Added[0]), len(c.Message))
	}
	if got := NameSome([]string{"a", "b", "c", "d", "e", "f", "g"}); got != "a, b, c, d, e and 2 more" {
		t.Error(got)
	}
}

func TestChangesFromManyGoroutines(t *testing.T) {
	j := New(Options{})
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 100 {
				j.Change(Change{Kind: ChangeTools})
			}
		})
	}
	seen := 0
	for after := uint64(0); after < 800; {
		later, next := j.ChangesAfter(after)
		if len(later) == 0 {
			<-next
			continue
		}
		seen += len(later)
		after = later[len(later)-1].ID
	}
	work.Wait()
	if seen == 0 || seen > 800 {
		t.Errorf("seen %d", seen)
	}
}
