package docker

import (
	"testing"
	"time"
)

// The report tells when it has something else to say, and only then.
func TestTheReportTellsThatItChanged(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	rings := func(within time.Duration) bool {
		select {
		case <-p.Changed():
			return true
		case <-time.After(within):
			return false
		}
	}
	for rings(500 * time.Millisecond) { // until the first syncs are over
	}
	f.start(fresh("b"))
	for {
		bell := p.Changed()
		if len(p.Report().Containers) == 2 {
			return
		}
		select {
		case <-bell:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was told of a new container")
		}
	}
}
