package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	stdioNet   = "stdio-e2e-net"
	stdioImage = "stdio-e2e-files"
	stdioBase  = "node:20-bookworm-slim"
	stdioFiles = 50 // in the image's /data
)

// A server from npm that speaks stdio only, in a container with three labels and its
// input open: ten clients at a time work with it, over its restart and the gateway's,
// and no answer is lost or another's.
func TestStdioContainer(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	makeFilesImage(t, filesImage{name: stdioImage, command: filesServer})
	network(t, stdioNet)
	runContainer(t, "stdio-e2e-server", "-i", "--network="+stdioNet, "--label=mcp-gw.enable=true", "--label=mcp-gw.name=files",
		"--label=mcp-gw.transport=stdio", stdioImage)
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK="+stdioNet, "MCP_GW_LOG_LEVEL=info")
	g.awaitStatus(t, "files", "connected")
	clients := make([]*rawClient, 10)
	for i := range clients {
		clients[i] = dial(t, g.mcp(), i%2 == 1)
	}
	outliveRestarts(t, g, clients, "stdio-e2e-server")
}

// outliveRestarts holds a server of files, which is the backend "files", to what a
// container over stdio promises.
func outliveRestarts(t *testing.T, g *gateway, clients []*rawClient, container string) {
	t.Helper()
	for _, c := range clients[:2] {
		if tools := c.tools(t); tools["files__read_text_file"] == nil {
			t.Fatalf("a client of %s sees %d tools, and not files__read_text_file", eraName(c.modern), len(tools))
		}
	}
	readAll(t, clients, 100)

	var wrong, failed, right atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	defer loops.Wait()
	defer stop()
	for i, c := range clients {
		loops.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				got, err := c.try(t.Context(), readFile(n))
				switch {
				case err != nil:
					wrong.Add(1)
					t.Errorf("a call got no answer: %v", err)
				case isFile(got, n):
					right.Add(1)
				case get(got.final, "error", "message") == nil && string(get(got.result(), "isError")) != "true":
					wrong.Add(1)
					t.Errorf("file %d: got %v", n%stdioFiles, got)
				default: // it was under way when the process ended, and says so
					failed.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	docker(t, "restart", "-t", "1", container)
	before := right.Load()
	eventually(t, "calls to be answered after the restart", func() bool { return right.Load() > before+50 })
	stop()
	loops.Wait()
	t.Logf("over the restart of the container: %d answers, %d errors, %d wrong", right.Load(), failed.Load(), wrong.Load())
	if most := int64(3 * len(clients)); failed.Load() > most {
		t.Errorf("%d calls failed, want those alone that were under way, at most %d", failed.Load(), most)
	}
	readAll(t, clients, 10)

	if err := g.terminate(patience); err != nil {
		t.Fatal(err)
	}
	g.start(t)
	g.awaitStatus(t, "files", "connected")
	readAll(t, clients, 10)
}

// readAll reads files with all clients at the same time, each so many times, and
// counts the answers.
func readAll(t *testing.T, clients []*rawClient, times int) {
	t.Helper()
	var right atomic.Int64
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			for n := range times {
				n += i * 7
				ask := readFile(n)
				ask.id = strconv.Quote(fmt.Sprintf("%d-%d", i, n))
				got, err := c.try(t.Context(), ask)
				if err != nil || !isFile(got, n) || string(get(got.final, "id")) != ask.id {
					t.Errorf("call %s of client %d (%s): got %v, %v", ask.id, i, eraName(c.modern), got, err)
					continue
				}
				right.Add(1)
			}
		})
	}
	all.Wait()
	if want := int64(len(clients) * times); right.Load() != want {
		t.Fatalf("%d of %d calls got their answer", right.Load(), want)
	}
}

func readFile(n int) ask {
	return callTool("files__read_text_file", fmt.Sprintf(`{"path":"/data/%d"}`, n%stdioFiles))
}

func isFile(a answer, n int) bool {
	return a.result() != nil && strings.Contains(string(a.result()), fmt.Sprintf("this is file %d.", n%stdioFiles))
}

// filesServer is what a filesImage runs by itself.
var filesServer = []string{"node", "/srv/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js", "/data"}

// filesImage is an image of servers from npm, and of files to read.
type filesImage struct {
	name    string
	command []string
	// with are further files, by their place in the image.
	with map[string]string
}

func makeFilesImage(t *testing.T, image filesImage) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds an image and starts containers")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	if err := exec.Command("docker", "image", "inspect", stdioBase).Run(); err != nil {
		missing(t, "no image "+stdioBase+"; .ci/standins makes one where it cannot be pulled")
	}
	if _, err := os.Stat("peers/node_modules/@modelcontextprotocol/server-filesystem"); err != nil {
		missing(t, "no packages of npm in the folder peers; make peers installs them")
	}
	dir := t.TempDir()
	recipe := "FROM " + stdioBase + "\nCOPY node_modules /srv/node_modules/\nCOPY --from=own data /data/\n"
	for place, file := range image.with {
		if err := os.Link(file, filepath.Join(dir, filepath.Base(place))); err != nil {
			t.Fatal(err)
		}
		recipe += "COPY --from=own " + filepath.Base(place) + " " + place + "\n"
	}
	words := make([]string, len(image.command))
	for i, word := range image.command {
		words[i] = strconv.Quote(word)
	}
	recipe += "ENTRYPOINT [" + strings.Join(words, ",") + "]\n"
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("Dockerfile", recipe)
	write("Dockerfile.dockerignore", "*\n!node_modules\nnode_modules/@anthropic-ai\n") // the largest, and no server
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for n := range stdioFiles {
		write(fmt.Sprintf("data/%d", n), fmt.Sprintf("this is file %d.\n", n))
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", image.name).Run() })
	docker(t, "build", "-q", "-t", image.name, "--file", filepath.Join(dir, "Dockerfile"), "--build-context", "own="+dir, "peers")
}

// network makes a network for one test.
func network(t *testing.T, name string) {
	t.Helper()
	_ = exec.Command("docker", "network", "rm", name).Run() // of a run that was cut off
	t.Cleanup(func() { _ = exec.Command("docker", "network", "rm", name).Run() })
	docker(t, "network", "create", name)
}

// runContainer starts a container for one test.
func runContainer(t *testing.T, name string, args ...string) {
	t.Helper()
	remove := func() { _ = exec.Command("docker", "rm", "-f", name).Run() }
	remove() // of a run that was cut off
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := exec.Command("docker", "logs", "--tail=40", name).CombinedOutput()
			t.Logf("container %s:\n%s", name, out)
		}
		remove()
	})
	docker(t, append([]string{"run", "-d", "--name=" + name}, args...)...)
}
