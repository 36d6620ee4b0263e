package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How far the heap may grow beyond what is in use before it is collected. A relay's
// live heap is a few megabytes, so that at the default of 100 % the collector runs many
// times a second under load and takes a fifth of the CPU; three times as much costs
// some megabytes. With hundreds of backends the live heap is large, and the same share
// of it would be memory for nothing; so it is while next to nothing happens.
const (
	mostSlack  = 300 // per cent
	leastSlack = 50
	idleSlack  = 10       // while collections are seldom
	slack      = 16 << 20 // bytes, between the two
	seldom     = time.Second
	// giveBack is how often unused memory goes back to the system at most: it takes a
	// collection of its own.
	giveBack = time.Minute
)

// easeCollector lets the collector run less often. It looks again after each
// collection, for as long as the process lives. Whoever sets GOGC has the last word.
func easeCollector() {
	const usual = 100
	if before := debug.SetGCPercent(mostSlack); before != usual {
		debug.SetGCPercent(before)
		return
	}
	last := time.Now()
	given := last
	afterCollections(func() {
		lasted := time.Since(last)
		debug.SetGCPercent(slackFor(liveHeap(), lasted))
		if lasted > seldom && time.Since(given) > giveBack {
			debug.FreeOSMemory() // what a crowd of starts needed
			given = time.Now()
		}
		last = time.Now()
	})
}

// slackFor answers the per cent of live bytes by which the heap may grow. lasted is
// how long the last growth took.
func slackFor(live uint64, lasted time.Duration) int {
	switch {
	case lasted > seldom:
		return idleSlack
	case live == 0:
		return mostSlack
	}
	return int(min(max(100*slack/live, leastSlack), mostSlack))
}

// afterCollections calls f after each collection, from a goroutine of the runtime's: by
// an object that is garbage at once, again and again. A collection within f does not
// count.
func afterCollections(f func()) {
	type sentinel struct{ _ [16]byte } // larger than what the runtime packs together
	var again func(*sentinel)
	again = func(s *sentinel) {
		f()
		runtime.SetFinalizer(s, again)
	}
	runtime.SetFinalizer(new(sentinel), again)
}

// liveHeap is what the last collection left, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
