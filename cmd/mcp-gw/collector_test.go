package main

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"
)

func TestSlackIsBoundedInBytes(t *testing.T) {
	for _, tt := range []struct {
		live uint64
		want int
	}{{0, 300}, {1 << 20, 300}, {4 << 20, 300}, {16 << 20, 100}, {1 << 30, 50}} {
		if got := slackFor(tt.live, time.Second); got != tt.want {
			t.Errorf("%d bytes: %d %%, want %d", tt.live, got, tt.want)
		}
	}
	if got := slackFor(1<<20, time.Minute); got != idleSlack {
		t.Errorf("while nothing happens: %d %%", got)
	}
}

func TestTheCollectorIsFollowed(t *testing.T) {
	var looks atomic.Int64
	afterCollections(func() { looks.Add(1) })
	for limit := time.Now().Add(10 * time.Second); looks.Load() < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("heard of %d collections", looks.Load())
		}
		runtime.GC()
	}
	if liveHeap() == 0 {
		t.Error("the live heap is not known")
	}
}

func TestAChoiceOfTheCollectorStands(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	easeCollector()
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("it is %d now", got)
	}
}
