package gateway_test

import (
	"testing"
	"time"

	"mcp-gw/gateway"
)

// Most states differ in a latency: they are no reason to render a list again, whatever
// the order in which backends were registered.
func TestAPingDrawsNothing(t *testing.T) {
	g, _ := runWith(t, gateway.Config{PingInterval: 20 * time.Millisecond}, func(*gateway.Gateway) {})
	g.Put(docker(at("z", newBox(t, true).url), at("a", newBox(t, true).url), at("m", newBox(t, false).url)))
	await(t, "connecting", func() bool { return toolNames(g) == "a__echo m__echo z__echo" })
	checked := func() (at time.Time) {
		for _, name := range []string{"a", "m", "z"} {
			s, _ := g.Backend(name)
			if s.LastPingAt == nil {
				return time.Time{}
			}
			if at.IsZero() || s.LastPingAt.Before(at) {
				at = *s.LastPingAt
			}
		}
		return at
	}
	before, drawn := time.Now(), g.Drawn("")
	await(t, "a ping of each", func() bool { return checked().After(before.Add(50 * time.Millisecond)) })
	if g.Drawn("") != drawn {
		t.Error("the list was rendered again, though nothing in it changed")
	}
}
