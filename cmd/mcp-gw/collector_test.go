package main

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
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

// In a process of its own: other tests here let the gateway run, and who follows the
// collections of theirs changes the setting of all.
func TestAChoiceOfTheCollectorStands(t *testing.T) {
	const chosen = 77
	if os.Getenv("GOGC") != strconv.Itoa(chosen) {
		again := exec.Command(os.Args[0], "-test.run=^TestAChoiceOfTheCollectorStands$", "-test.v")
		again.Env = append(os.Environ(), "GOGC="+strconv.Itoa(chosen))
		out, err := again.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	easeCollector()
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
	if got := debug.SetGCPercent(chosen); got != chosen {
		t.Errorf("it is %d now", got)
	}
}
