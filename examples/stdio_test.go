package examples

import (
	"strings"
	"testing"
)

// TestStdio builds the example and attaches to it. What it remembers survives its
// container.
func TestStdio(t *testing.T) {
	needEngine(t)
	need(t, "the base image", "docker", "image", "inspect", "node:20-bookworm-slim")
	const name = own + "-stdio-memory"
	t.Cleanup(func() { cleanUp(t, "image", "rm", "--force", name) })
	command(t, "docker", "build", "--quiet", "-t", name, "stdio")
	const net = own + "-stdio-net"
	network(t, net)
	c := connect(t, startGateway(t, "--docker=auto", "--network="+net))
	compose(t, "stdio", []string{"MCP_GW_NETWORK=" + net}, map[string]string{"memory": name})
	backends(t, c, "memory")
	call(t, c, "memory__create_entities", map[string]any{"entities": []any{
		map[string]any{"name": "Ada", "entityType": "person", "observations": []string{"writes programs"}}}})
	command(t, "docker", "restart", "--time", "5", own+"-stdio-memory-1")
	if got := call(t, c, "memory__read_graph", map[string]any{}); !strings.Contains(got, "writes programs") {
		t.Errorf("read_graph: %q", got)
	}
}
