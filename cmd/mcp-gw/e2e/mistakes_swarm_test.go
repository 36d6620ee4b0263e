//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The twentieth mistake needs a swarm, and so an engine that nobody else uses: labels
// under deploy.labels are those of the service, and no container gets them.
func TestMistakeOfDeployLabelsIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an engine")
	}
	host := swarmEngine(t)
	onEngine := func(args ...string) { t.Helper(); docker(t, append([]string{"--host", host}, args...)...) }
	onEngine("network", "create", mistakesNet)
	onEngine("swarm", "init", "--advertise-addr=127.0.0.1", "--listen-addr=127.0.0.1:2377")
	m := mistake{name: "deploy-labels", verdict: "deploy_labels", compose: inFile + `deploy: {labels: {mcp-gw.port: "8080"}}`}
	onEngine("service", "create", "--detach", "--quiet", "--name=mistake-"+m.name, "--replicas=0", "--endpoint-mode=dnsrr", "--no-resolve-image",
		"--label=mcp-gw.port=8080", mistakesImage)
	g := startGateway(t, "MCP_GW_DOCKER=auto", "DOCKER_HOST="+host, "MCP_GW_NETWORK="+mistakesNet, "MCP_GW_LOG_LEVEL=info")
	var o *seen
	eventually(t, "the service to be told of", func() bool {
		o = containerNamed(t, g, "mistake-"+m.name)
		return o != nil && o.Verdict == m.verdict
	})
	out, code := runTool(t, "", "doctor", "--docker=off", "--listen="+strings.TrimPrefix(g.url, "http://"))
	if code != 1 {
		t.Errorf("doctor exits with %d, want 1", code)
	}
	holdMistakes(t, m.section(`in a stack file: deploy: {labels: {mcp-gw.port: "8080"}}`, toldBy(o), g.process.output(), out, lintMistakes(t, []mistake{m})))
}

// swarmEngine is an engine of the test's own, in a network namespace of its own: a
// swarm makes interfaces, and in the host's it would tear down another engine's bridge.
func swarmEngine(t *testing.T) (host string) {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "an engine of the test's own needs root")
	}
	for _, tool := range []string{"dockerd", "docker", "ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "an engine of the test's own needs "+tool)
		}
	}
	dir, err := os.MkdirTemp("", "mcp-gw-e2e-") // short: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	netns := fmt.Sprintf("mistakes-%d", os.Getpid())
	t.Cleanup(func() {
		mounts, _ := os.ReadFile("/proc/self/mounts")
		for line := range strings.Lines(string(mounts)) {
			if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir) {
				_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
			}
		}
		_ = exec.Command("ip", "netns", "del", netns).Run()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	for _, args := range [][]string{{"netns", "add", netns}, {"netns", "exec", netns, "ip", "link", "set", "lo", "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	none := filepath.Join(dir, "none.json")
	if err := os.WriteFile(none, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	host = "unix://" + filepath.Join(dir, "sock")
	p := startProcess(t, "dockerd", nil, nil, "nsenter", "--net=/run/netns/"+netns, "dockerd", "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"), "-H", host, "--config-file", none)
	t.Cleanup(func() { // an orderly end takes its containerd along
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(patience):
			t.Error("the engine does not end")
		}
	})
	eventually(t, "the engine to answer", func() bool {
		select {
		case <-p.exited:
			t.Fatalf("the engine ended at its start: %v\n%s", p.err, p.output())
		default:
		}
		return exec.Command("docker", "--host", host, "info").Run() == nil
	})
	return host
}
