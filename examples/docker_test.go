package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// own prefixes everything that these tests make in the engine.
const own = "mcp-gw-examples"

// image builds a target of the Dockerfile from local binaries, the way that
// needs no registry, under a name of its own.
func image(t *testing.T, target string) string {
	t.Helper()
	name := own + "-" + target
	local := "=" + pack(t)
	t.Cleanup(func() { cleanUp(t, "image", "rm", "--force", name) })
	command(t, "docker", "build", "--quiet", "--build-context", "build"+local, "--build-context", "web"+local, "--target", target, "-t", name, "..")
	return name
}

// compose brings an example up, with images in place of those that its services
// name, and returns a function that takes it down.
func compose(t *testing.T, dir string, env []string, images map[string]string) (down func()) {
	t.Helper()
	services := map[string]any{}
	for service, image := range images {
		services[service] = map[string]string{"image": image}
	}
	override, err := json.Marshal(map[string]any{"services": services}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "override.yaml")
	if err := os.WriteFile(file, override, 0o600); err != nil {
		t.Fatal(err)
	}
	project := own + "-" + filepath.Base(dir)
	args := []string{"compose", "--project-name", project, "--file", filepath.Join(dir, "compose.yaml"), "--file", file}
	down = func() {
		if t.Failed() {
			cleanUp(t, append(slices.Clone(args), "logs")...)
		}
		cleanUp(t, append(slices.Clone(args), "down", "--volumes", "--timeout", "5")...)
	}
	for _, kv := range env { // also for down, which expands the file again
		key, value, _ := strings.Cut(kv, "=")
		t.Setenv(key, value)
	}
	t.Cleanup(down)
	command(t, "docker", append(slices.Clone(args), "up", "--detach", "--no-build")...)
	return down
}

// network makes a network for one test.
func network(t *testing.T, name string) {
	t.Helper()
	t.Cleanup(func() { cleanUp(t, "network", "rm", "--force", name) })
	command(t, "docker", "network", "create", name)
}

func needEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds images and starts containers")
	}
	need(t, "a container engine", "docker", "info")
	need(t, "docker buildx", "docker", "buildx", "version")
	need(t, "docker compose", "docker", "compose", "version")
}

func TestLabelled(t *testing.T) {
	needEngine(t)
	demo := image(t, "demo")
	const net = own + "-labelled-net"
	network(t, net)
	c := connect(t, startGateway(t, "--docker=auto", "--network="+net))
	backends(t, c) // none yet
	down := compose(t, "labelled", []string{"MCP_GW_NETWORK=" + net}, map[string]string{"notes": demo, "clock": demo, "spare": demo})
	backends(t, c, "notes", "office-clock")
	if got := call(t, c, "notes__add_note", map[string]any{"text": "hello"}); !strings.Contains(got, "number 1") {
		t.Errorf("add_note: %q", got)
	}
	if got := call(t, c, "office-clock__time_in", map[string]any{"zone": "UTC"}); !strings.Contains(got, "UTC") {
		t.Errorf("time_in: %q", got)
	}
	down()
	backends(t, c)
}

func TestClaudeCodeCompose(t *testing.T) {
	needEngine(t)
	demo := image(t, "demo")
	const net = own + "-claude-net"
	network(t, net)
	c := connect(t, startGateway(t, "--docker=auto", "--network="+net))
	compose(t, "claude-code", []string{"MCP_GW_NETWORK=" + net}, map[string]string{"notes": demo})
	backends(t, c, "project-notes")
}

func TestManual(t *testing.T) {
	needEngine(t)
	dir := filepath.Join(t.TempDir(), "manual")
	if err := os.CopyFS(dir, os.DirFS("manual")); err != nil { // the gateway writes there
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PORT=" + port, fmt.Sprintf("OWNER=%d:%d", os.Getuid(), os.Getgid())}
	compose(t, dir, env, map[string]string{"gateway": image(t, "gateway"), "elsewhere": image(t, "demo")})
	url := "http://127.0.0.1:" + port
	await(t, "the gateway", func() error {
		_, err := fetch(t.Context(), http.MethodGet, url+"/readyz", "")
		return err
	})
	c := connect(t, url)
	backends(t, c, "notes")

	// The README's command, as it stands there but for the port.
	script := strings.ReplaceAll(block(t, "manual/README.md", "sh"), "localhost:3000", "127.0.0.1:"+port)
	need(t, "curl", "curl", "--version")
	var answer struct {
		OK      bool
		Backend map[string]any
	}
	text := command(t, "sh", "-c", strings.Replace(script, "curl ", "curl -sS ", 1))
	if err := json.Unmarshal([]byte(text), &answer); err != nil || !answer.OK || answer.Backend["status"] != "connected" {
		t.Fatalf("curl: %v: %s", err, text)
	}
	if strings.Contains(text, "Bearer secret") {
		t.Errorf("the answer shows the header's value: %s", text)
	}
	backends(t, c, "clock", "notes")
	var saved struct{ Backends []map[string]any }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "config/backends.json"))), &saved); err != nil || len(saved.Backends) != 2 {
		t.Errorf("saved %v, %v, want two", saved, err)
	}
	if _, err := fetch(t.Context(), http.MethodDelete, url+"/api/backends/clock", ""); err != nil {
		t.Error(err)
	}
	backends(t, c, "notes")
}

// cleanUp runs docker after the test, whose context has ended.
func cleanUp(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	if err != nil {
		t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	} else if slices.Contains(args, "logs") {
		t.Logf("%s", out)
	}
}
