package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soaks says that there is time: make soak.
func soaks() bool { return os.Getenv("SOAK") != "" }

// soakTime is how long the churn lasts: SOAK, or what an ordinary run can spare.
func soakTime(t *testing.T) time.Duration {
	if text := os.Getenv("SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SOAK=%q: %v; write a duration such as 5m", text, err)
		}
		return d
	}
	if testing.Short() {
		return 4 * time.Second
	}
	return 20 * time.Second
}

// churn is all that comes and goes around one gateway.
type churn struct {
	t      *testing.T
	g      *gateway
	stable map[string]*choir // these stay
	spare  []*choir          // of these registrations come and go
	ids    atomic.Int64
	parked atomic.Int64

	mu     sync.Mutex // guards what follows
	did    map[string]int
	failed []string
}

func (c *churn) note(what string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if err != errEnough && len(c.failed) < 20 {
			c.failed = append(c.failed, what+": "+err.Error())
		}
		return
	}
	c.did[what]++
}

// run lets everybody act for a time, and at least once. One of the spare backends is
// killed from time to time.
func (c *churn) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(c.t.Context(), d+3*patience)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	defer transport.CloseIdleConnections()
	h := &http.Client{Transport: transport}
	deadline := time.Now().Add(d)
	var work sync.WaitGroup
	for what, act := range c.acts() {
		for range 2 {
			work.Go(func() {
				for first := true; first || time.Now().Before(deadline); first = false {
					c.note(what, act(ctx, h))
					time.Sleep(10 * time.Millisecond) // leaves the machine to the others
				}
			})
		}
	}
	restless := c.spare[0]
	for first := true; first || time.Now().Before(deadline); first = false {
		time.Sleep(500 * time.Millisecond)
		restless.kill()
		restless.restart(c.t)
	}
	work.Wait()
}

// settle removes what was registered and waits until the gateway has nothing that is
// anybody's.
func (c *churn) settle() {
	c.t.Helper()
	for i := range 3 {
		c.remove(c.t.Context(), fmt.Sprintf("spare%d", i))
	}
	http.DefaultClient.CloseIdleConnections()
	for _, b := range append(slices.Collect(maps.Values(c.stable)), c.spare...) {
		most := map[bool]int{true: 1, false: 0}[slices.Contains(choirKinds, b.kind) && c.stable[b.kind] == b]
		var sessions, streams int
		c.t.Cleanup(func() {
			if c.t.Failed() {
				c.t.Logf("at the %s backend %s: %d sessions, %d streams, want at most %d, %d", b.kind, b.address, sessions, streams, most, 2*most)
			}
		})
		eventually(c.t, "all sessions and streams at a "+b.kind+" backend to be ended", func() bool {
			sessions, streams = b.open()
			return sessions <= most && streams <= 2*most
		})
	}
	c.hangUp() // the gateway would keep them for its next calls
}

// hangUp lets all backends close the connections that nobody uses at the moment.
func (c *churn) hangUp() {
	for _, b := range append(slices.Collect(maps.Values(c.stable)), c.spare...) {
		b.hangUp()
	}
}

// Everything comes and goes for a while, as it would in days; then nothing of it is
// left: no goroutine, no connection, no memory.
//
// Not parallel: it measures the process.
func TestChurnLeavesNothing(t *testing.T) {
	g := startGateway(t, "MCP_GW_LOG_LEVEL=info", "MCP_GW_SESSION_IDLE=1s", "MCP_GW_PING_INTERVAL=1s",
		"MCP_GW_LOG_ENTRIES=100", "GOGC=50")
	c := &churn{t: t, g: g, stable: map[string]*choir{}, did: map[string]int{}}
	for _, kind := range choirKinds {
		c.stable[kind] = newChoir(t, kind)
		g.connect(t, kind, c.stable[kind].url(), c.stable[kind].transport())
		c.spare = append(c.spare, newChoir(t, kind))
	}
	c.run(time.Second) // so that what is kept on purpose is there
	c.settle()
	before := atRest(t, g)
	c.run(soakTime(t))
	c.settle()

	clients := 0
	for what := range c.acts() {
		clients += c.did[what]
		if c.did[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
	for _, what := range c.failed {
		t.Error(what)
	}
	for _, b := range c.stable {
		once(t, b)
	}
	// What is kept on purpose: ids of sessions that were given up, and for some minutes
	// what remains of calls that asked. A goroutine or a connection that every hundredth
	// client leaves would show, and a kilobyte that each does.
	// The store of what was asked and answered grows to its bound.
	const payloads = 32 << 20
	allowed := holdings{before.goroutines + 10, before.files + 10, before.heap + 2<<20 + min(400*clients, 8<<20) + payloads}
	var after holdings
	t.Cleanup(func() { t.Logf("before %+v, after %+v, allowed %+v", before, after, allowed) })
	// Of a burst of calls, which a busy machine makes, connections to backends are left
	// that were never used, and that a server takes for idle only when they are five
	// seconds old. The gateway itself closes them after a minute and a half.
	const unused = 90 * time.Second
	eventuallyIn(t, unused+patience, "the gateway to hold no more than before", func() bool {
		c.hangUp()
		after = holds(t, g)
		return after.goroutines <= allowed.goroutines && after.files <= allowed.files && after.heap <= allowed.heap
	})
	t.Logf("%d clients came and went: %v", clients, c.did)
}
