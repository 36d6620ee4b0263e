package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const shimImage = "shim-e2e-files"

// A stdio server behind the shim is a labelled container like any other, and what is
// promised of a container over stdio holds: ten clients, no answer lost, restarts.
func TestF46Shim(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	// What the command leaves behind has no parent any more.
	makeShimImage(t, append([]string{"sh", "-c", `(sleep 1 &); exec "$@"`, "sh"}, filesServer...)...)
	network(t, "shim-e2e-net")
	runContainer(t, "shim-e2e-server", "--network=shim-e2e-net", "--label=mcp-gw.name=files", "--label=mcp-gw.port=8080", shimImage)
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=shim-e2e-net", "MCP_GW_LOG_LEVEL=info")
	g.awaitStatus(t, "files", "connected")
	docker(t, "exec", "shim-e2e-server", "/mcp-gw", "healthcheck", "--port=8080")
	clients := make([]*rawClient, 10)
	for i := range clients {
		clients[i] = dial(t, g.mcp(), i%2 == 1)
	}
	outliveRestarts(t, g, clients, "shim-e2e-server")

	// The server alone dies: the shim starts it again, and the container stays.
	docker(t, "exec", "shim-e2e-server", "sh", "-c", `for p in /proc/[0-9]*; do case $(tr '\0' ' ' <$p/cmdline) in node*) kill -9 ${p#/proc/};; esac; done`)
	eventually(t, "the server's successor to answer", func() bool {
		got, err := clients[0].try(t.Context(), readFile(1))
		return err == nil && isFile(got, 1)
	})
	readAll(t, clients, 10)
	if out, err := exec.Command("docker", "inspect", "-f", "{{.State.Running}} {{.RestartCount}}", "shim-e2e-server").Output(); err != nil || string(out) != "true 0\n" {
		t.Errorf("the container is %s, %v", out, err)
	}
	eventually(t, "every process that ended to be gone", func() bool {
		out, err := exec.Command("docker", "top", "shim-e2e-server", "-eo", "pid,stat,comm").Output()
		if err != nil {
			t.Fatalf("docker top: %v", err)
		}
		return !strings.Contains(string(out), "sleep") && !strings.Contains(string(out), "defunct")
	})
	if out, err := exec.Command("docker", "stop", "-t", "10", "shim-e2e-server").CombinedOutput(); err != nil {
		t.Errorf("docker stop: %s, %v", out, err)
	}
	if out, err := exec.Command("docker", "inspect", "-f", "{{.State.ExitCode}}", "shim-e2e-server").Output(); err != nil || string(out) != "0\n" {
		t.Errorf("stopped, it exits with %s, %v", out, err)
	}
}

// With a process each, clients share nothing.
func TestF46ShimPerClient(t *testing.T) {
	makeShimImage(t, "node", "/srv/node_modules/@modelcontextprotocol/server-memory/dist/index.js")
	network(t, "shim-e2e-net")
	runContainer(t, "shim-e2e-server", "--network=shim-e2e-net", "--label=mcp-gw.name=files", "--label=mcp-gw.port=8080",
		"--env=MCP_GW_SHIM_SESSION=per-client", shimImage)
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=shim-e2e-net", "MCP_GW_LOG_LEVEL=info")
	g.awaitStatus(t, "files", "connected")
	// Requests of 2026-07-28 say whose they are by no session: those of one kind share.
	dialModern(t, g.mcp()).must(t, callTool("files__read_graph", `{}`))
	before := nodes(t)
	var leaves *rawClient
	for range 4 {
		leaves = dialLegacy(t, g.mcp())
		leaves.must(t, callTool("files__read_graph", `{}`))
	}
	if after := nodes(t); after != before+4 {
		t.Errorf("%d processes of the server, want one more for each of 4 clients than the %d before", after, before)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, leaves.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Mcp-Session-Id", leaves.session)
	resp, err := leaves.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	eventually(t, "the process of a client that left to end", func() bool { return nodes(t) == before+3 })
}

// Over a shim with a process a session, a stdio server is what it is over HTTP of its
// own, for every client that speaks the 2025 era: what it asks of its clients, what it
// tells them, and every byte of its answers.
func TestF46ShimDifferential(t *testing.T) {
	t.Parallel()
	servers := slices.DeleteFunc(diffServers(t), func(s *diffServer) bool { return s.name != "server-everything-http" })
	all := servers[0].ops
	servers[0].ops = func(t *testing.T) []operation {
		return slices.DeleteFunc(all(t), func(op operation) bool {
			// They have the server's environment, or its session's id, which it has none of over stdio.
			return op.name == "tool_get_env" || op.name == "session_updates" || op.name == "session_logging"
		})
	}
	kinds := slices.DeleteFunc(clientKinds(t), func(k clientKind) bool { return k.raw && k.modern })
	differential(t, servers, kinds, func(t *testing.T, _ *diffServer) []endpoint {
		port := freePort(t)
		p := launch(t, "shim", port, nil, answering, gatewayBinary, "shim", "--session=per-client", fmt.Sprintf("--shim-listen=127.0.0.1:%d", port),
			"--", "node", filepath.Join(nodePeers(t), "node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "stdio")
		t.Cleanup(func() { // a shim that is killed leaves its servers behind
			if err := p.terminate(patience); err != nil {
				t.Errorf("the shim ended with %v", err)
			}
		})
		return []endpoint{{where: "the shim", url: p.address("/mcp")}}
	})
}

// nodes counts the server's processes in the container.
func nodes(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("docker", "top", "shim-e2e-server", "-eo", "pid,comm").Output()
	if err != nil {
		t.Fatalf("docker top: %v", err)
	}
	return strings.Count(string(out), "node")
}

// makeShimImage makes an image in which the shim runs a server.
func makeShimImage(t *testing.T, server ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds an image and starts containers")
	}
	binary, err := staticBinary()
	if err != nil {
		t.Fatal(err)
	}
	makeFilesImage(t, filesImage{name: shimImage, command: append([]string{"/mcp-gw", "shim", "--"}, server...), with: map[string]string{"/mcp-gw": binary}})
}
