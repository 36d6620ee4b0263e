package gateway_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcp-gw/gateway"
)

// A backend that came and went is well again when that is long ago, though nothing
// happens to it any more; and whoever waits for news hears of it.
func TestABackendIsWellAgainWithTime(t *testing.T) {
	var later atomic.Int64
	g, _ := runWith(t, gateway.Config{}, func(g *gateway.Gateway) {
		g.SetClock(func() time.Time { return time.Now().Add(time.Duration(later.Load())) }, 10*time.Millisecond)
	})
	g.Put(docker(at("b", newBox(t, true).url)))
	await(t, "connecting", func() bool { return toolNames(g) == "b__echo" })
	for range 4 {
		g.Reconnect(t.Context(), "b")
	}
	told := func(what string) func() bool {
		return func() bool { return strings.Contains(strings.Join(messages(g), "\n"), what) }
	}
	await(t, "being unwell", told("→ degraded: it comes and goes"))
	news := g.Changed()
	later.Store(int64(time.Hour))
	await(t, "being well again", told("b: degraded → healthy"))
	select {
	case <-news:
	case <-time.After(10 * time.Second):
		t.Error("whoever waits for news heard nothing")
	}
	if b, _ := g.Backend("b"); b.Health != gateway.HealthHealthy {
		t.Errorf("it is %s: %s", b.Health, b.Reason)
	}
}
