package examples

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStdio runs what the example's Dockerfile runs, directly on this host, and
// registers it by hand: the base image may be out of reach.
func TestStdio(t *testing.T) {
	if testing.Short() {
		t.Skip("installs npm packages")
	}
	need(t, "node", "node", "--version")
	need(t, "npm", "npm", "--version")
	packages, cmd := dockerfile(t, "stdio/Dockerfile")
	dir := t.TempDir()
	commandIn(t, dir, nil, "npm", append([]string{"install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"}, packages...)...)

	host, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, arg := range cmd {
		switch arg {
		case "8080":
			cmd[i] = port
		case "0.0.0.0":
			cmd[i] = host
		}
	}
	bin := filepath.Join(dir, "node_modules/.bin")
	start(t, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "MEMORY_FILE_PATH=" + filepath.Join(dir, "memory.jsonl")},
		filepath.Join(bin, cmd[0]), cmd[1:]...)

	gateway := startGateway(t, "--docker=off")
	body, err := json.Marshal(map[string]string{"name": "memory", "url": "http://" + net.JoinHostPort(host, port) + "/mcp", "transport": "http"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t.Context(), http.MethodPost, gateway+"/api/backends", string(body)); err != nil {
		t.Fatal(err)
	}
	c := connect(t, gateway)
	backends(t, c, "memory")
	call(t, c, "memory__create_entities", map[string]any{"entities": []any{
		map[string]any{"name": "Ada", "entityType": "person", "observations": []string{"writes programs"}}}})
	if got := call(t, c, "memory__read_graph", map[string]any{}); !strings.Contains(got, "writes programs") {
		t.Errorf("read_graph: %q", got)
	}
}

// dockerfile returns what a Dockerfile installs by npm, and what it runs.
func dockerfile(t *testing.T, file string) (packages, cmd []string) {
	t.Helper()
	for line := range strings.Lines(read(t, file)) {
		if rest, ok := strings.CutPrefix(line, "RUN npm install -g "); ok {
			packages = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(line, "CMD "); ok {
			if err := json.Unmarshal([]byte(rest), &cmd); err != nil {
				t.Fatalf("%s: %v in %s", file, err, line)
			}
		}
	}
	if len(packages) == 0 || len(cmd) < 2 {
		t.Fatalf("%s installs %v and runs %v", file, packages, cmd)
	}
	return packages, cmd
}
