package gateway_test

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
)

// A gateway that is registered as a backend of its own would list its own tools, under
// ever longer names. Another gateway is a backend like any other.
func TestAGatewayIsNoBackendOfItsOwn(t *testing.T) {
	inner, innerURL := run(t)
	inner.Put(manual(at("b", newBox(t, true).url)))
	await(t, "the inner one", func() bool { return toolNames(inner) == "b__echo" })
	g, url := run(t)
	loop := at("loop", url)
	loop.Transport = discovery.TransportAuto
	// Whoever registers it cannot say that it is another.
	loop.Headers = map[string]string{"x-mcp-gw-instance": "another"}
	g.Put(manual(loop, at("inner", innerURL)))
	await(t, "the answers", func() bool {
		s, _ := g.Backend("loop")
		return s.Reason != "" && toolNames(g) == "inner__b__echo"
	})
	if s, _ := g.Backend("loop"); !strings.Contains(s.Reason, "this is the gateway itself") {
		t.Errorf("%s: %s", s.State, s.Reason)
	}
}
