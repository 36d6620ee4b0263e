package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

const (
	execNet    = "exec-e2e-net"
	execImage  = "exec-e2e-files"
	execServer = "exec-e2e-server"
)

// stubborn is a server that ends neither with its input nor by SIGTERM, and has a child
// that outlives it.
var stubborn = `["sh","-c","trap '' TERM; sleep 4321 & ` + strings.Join(filesServer, " ") + `; sleep 1234"]`

// A server that the gateway starts in a container, and each client's with a process of
// its own: ten clients at a time work with it, over the container's restart and the
// gateway's, and no process is left of a session that ended, of a gateway that stopped,
// or of one that was killed.
func TestF45ExecContainer(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	// By their prefix, docker-proxy tells whose labels they are.
	for through, prefix := range map[string]string{"the engine": "mcp-gw", "docker-proxy": "com.example.gw"} {
		t.Run(through, func(t *testing.T) {
			startExecContainer(t, prefix, stubborn, "per-client")
			env := []string{"MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=" + execNet, "MCP_GW_LOG_LEVEL=info", "MCP_GW_ALLOW_EXEC=true", "MCP_GW_LABEL_PREFIX=" + prefix}
			if through == "docker-proxy" {
				env = append(env, "DOCKER_HOST="+startDockerProxy(t, "MCP_GW_ALLOW_EXEC=true", "MCP_GW_LABEL_PREFIX="+prefix))
			}
			g := startGateway(t, env...)
			g.awaitStatus(t, "files", "connected")
			awaitExecuted(t, 1) // the gateway's own
			client := dialLegacy(t, g.mcp())
			client.must(t, readFile(1))
			awaitExecuted(t, 2)
			leave(t, client)
			awaitExecuted(t, 1)

			clients := make([]*rawClient, 10)
			for i := range clients {
				clients[i] = dial(t, g.mcp(), i%2 == 1)
			}
			outliveRestarts(t, g, clients, execServer)
			if left := executed(t); len(left) < 6 {
				t.Errorf("%d processes for five clients of the legacy era and others: %q", len(left), left)
			}
			g.kill()
			if len(executed(t)) == 0 {
				t.Error("nothing is left to sweep")
			}
			g.start(t)
			g.awaitStatus(t, "files", "connected")
			awaitExecuted(t, 1)
			clients[0].must(t, readFile(2))
			if err := g.terminate(patience); err != nil {
				t.Fatal(err)
			}
			if left := executed(t); len(left) > 0 {
				t.Errorf("the gateway stopped, and left %q", left)
			}
		})
	}
}

// With one process for all, ten clients share it.
func TestF45ExecShared(t *testing.T) {
	startExecContainer(t, "mcp-gw", stubborn, "shared")
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK="+execNet, "MCP_GW_LOG_LEVEL=info", "MCP_GW_ALLOW_EXEC=true")
	g.awaitStatus(t, "files", "connected")
	clients := make([]*rawClient, 10)
	for i := range clients {
		clients[i] = dial(t, g.mcp(), i%2 == 1)
	}
	outliveRestarts(t, g, clients, execServer)
	awaitExecuted(t, 1)
	if err := g.terminate(patience); err != nil {
		t.Fatal(err)
	}
	if left := executed(t); len(left) > 0 {
		t.Errorf("the gateway stopped, and left %q", left)
	}
}

// A command that is not there, and an exec that nobody allowed, are told in a sentence
// with the fix; neither starts anything.
func TestF45ExecThatCannotBe(t *testing.T) {
	startExecContainer(t, "mcp-gw", `["no-such-server"]`, "shared")
	env := []string{"MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=" + execNet, "MCP_GW_ALLOW_EXEC=true"}
	says := func(g *gateway, what string) {
		t.Helper()
		eventually(t, what, func() bool {
			_, _, backends := g.api(t, http.MethodGet, "/api/backends", "")
			_, _, found := g.api(t, http.MethodGet, "/api/discovery", "")
			return strings.Contains(string(backends)+string(found), what)
		})
	}
	says(startGateway(t, env...), "is not in the container")
	says(startGateway(t, append(env, "DOCKER_HOST="+startDockerProxy(t))...), "set MCP_GW_ALLOW_EXEC=true on docker-proxy")
	says(startGateway(t, env[:2]...), "set MCP_GW_ALLOW_EXEC=true on the gateway")
}

func startExecContainer(t *testing.T, prefix, command, session string) {
	t.Helper()
	makeFilesImage(t, filesImage{name: execImage, command: []string{"sleep", "86400"}})
	network(t, execNet)
	prefix = "--label=" + prefix
	runContainer(t, execServer, "--init", "--network="+execNet, prefix+".name=files", prefix+".transport=stdio",
		prefix+".stdio.mode=exec", prefix+".stdio.command="+command, prefix+".stdio.session="+session, execImage)
}

// startDockerProxy runs a docker-proxy and answers its address.
func startDockerProxy(t *testing.T, env ...string) string {
	t.Helper()
	port := freePort(t)
	p := startProcess(t, "docker-proxy", append(env, "MCP_GW_NETWORK="+execNet, fmt.Sprintf("MCP_GW_PROXY_LISTEN=127.0.0.1:%d", port)), nil, gatewayBinary, "docker-proxy")
	eventually(t, "docker-proxy to answer", func() bool {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", port))
		if err != nil {
			select {
			case <-p.exited:
				t.Fatalf("docker-proxy ended: %v", p.err)
			default:
			}
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return fmt.Sprintf("tcp://127.0.0.1:%d", port)
}

// leave ends a client's session.
func leave(t *testing.T, c *rawClient) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, c.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Mcp-Session-Id", c.session)
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// executed are the processes of the command in the container: each session has a shell,
// a server and the server's sibling, of which this answers the shells and what has none.
func executed(t *testing.T) (shells []string) {
	t.Helper()
	out, err := exec.Command("docker", "top", execServer, "-eo", "pid,ppid,args").Output()
	if err != nil {
		t.Fatalf("docker top: %v", err)
	}
	servers, siblings := 0, 0
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.Contains(line, "trap ''"):
			shells = append(shells, strings.TrimSpace(line))
		case strings.Contains(line, "node "):
			servers++
		case strings.Contains(line, "4321"):
			siblings++
		}
	}
	if len(shells) == 0 && servers+siblings > 0 {
		return []string{string(out)}
	}
	return shells
}

func awaitExecuted(t *testing.T, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d processes in the container", want), func() bool { return len(executed(t)) == want })
}
