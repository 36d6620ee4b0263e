package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// holdings are what a process has.
type holdings struct {
	goroutines, files int
	heap              int // bytes in use after a collection
}

// figures are what the gateway says of itself.
func figures(t *testing.T, g *gateway) map[string]float64 {
	t.Helper()
	_, _, body := g.api(t, http.MethodGet, "/metrics", "")
	all := map[string]float64{}
	for line := range strings.SplitSeq(string(body), "\n") {
		if name, value, ok := strings.Cut(line, " "); ok {
			all[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return all
}

// heapNow is the figure of what is allocated, garbage included.
const heapNow = "go_memstats_heap_alloc_bytes"

// holds measures the gateway by its own means.
func holds(t *testing.T, g *gateway) holdings {
	t.Helper()
	read := func() map[string]float64 { return figures(t, g) }
	// The collector runs by what is allocated: make some garbage until it ran twice,
	// which frees what only the first run found to be unused.
	const runs = "go_gc_duration_seconds_count"
	first := read()
	if first["go_goroutines"] == 0 || first["process_open_fds"] == 0 {
		t.Fatal("/metrics does not say how many goroutines and files there are")
	}
	least := first
	eventually(t, "the gateway to collect its garbage", func() bool {
		now := read()
		for range 20 {
			g.api(t, http.MethodGet, "/api/backends", "")
		}
		if now[runs] > first[runs] && now[heapNow] < least[heapNow] {
			least = now
		}
		return now[runs] >= first[runs]+3
	})
	now := read()
	return holdings{int(now["go_goroutines"]), int(now["process_open_fds"]), int(least[heapNow])}
}

// atRest measures the gateway when nothing has got less for some seconds.
func atRest(t *testing.T, g *gateway) (least holdings) {
	t.Helper()
	least = holds(t, g)
	since := time.Now()
	eventually(t, "the gateway to be at rest", func() bool {
		if now := holds(t, g); now.goroutines < least.goroutines || now.files < least.files {
			least, since = now, time.Now()
		}
		return time.Since(since) > 3*time.Second
	})
	return least
}
