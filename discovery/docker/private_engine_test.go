//go:build linux

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	imagetypes "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"mcp-gw/discovery"
)

// privateEngine is an engine of the test's own, to be stopped and killed. It
// lives in a network namespace of its own: in the host's it would tear down the
// bridge of the real one.
type privateEngine struct {
	t     *testing.T
	dir   string
	netns string
	cmd   *exec.Cmd
	ended chan struct{}
	cli   *client.Client
}

func newPrivateEngine(t *testing.T) *privateEngine {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an engine; not run with -short")
	}
	if os.Getuid() != 0 {
		missing(t, "a private engine needs root")
	}
	for _, tool := range []string{"dockerd", "ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "a private engine needs %s (packages docker.io, iproute2, util-linux): %v", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "discovery-docker-") // short: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	e := &privateEngine{t: t, dir: dir, netns: unique("ns")}
	t.Cleanup(e.remove)
	e.run("ip", "netns", "add", e.netns)
	e.run("ip", "netns", "exec", e.netns, "ip", "link", "set", "lo", "up")
	if e.cli, err = client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation()); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *privateEngine) host() string { return "unix://" + filepath.Join(e.dir, "sock") }

func (e *privateEngine) run(name string, args ...string) {
	e.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		e.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// withHost runs the docker program against this engine.
func (e *privateEngine) withHost(name string, args ...string) {
	e.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(e.t, "%v", err)
	}
	e.run(name, append([]string{"--host", e.host()}, args...)...)
}

// start starts the engine and waits until it answers.
func (e *privateEngine) start(flags ...string) {
	e.t.Helper()
	args := append([]string{"--net=/run/netns/" + e.netns, "dockerd",
		"--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"),
		"--pidfile", filepath.Join(e.dir, "pid"), "-H", e.host(), "--config-file", filepath.Join(e.dir, "none.json")}, flags...)
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	if err := os.WriteFile(filepath.Join(e.dir, "none.json"), []byte("{}"), 0o644); err != nil {
		e.t.Fatal(err)
	}
	e.cmd = exec.Command("nsenter", args...) // which becomes dockerd
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	cmd, ended := e.cmd, make(chan struct{})
	e.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
	deadline := time.Now().Add(time.Minute)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_, err := e.cli.Ping(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-ended:
			e.fail("the private engine ended")
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			e.fail("the private engine does not answer")
		}
	}
}

func (e *privateEngine) fail(what string) {
	e.t.Helper()
	log, _ := os.ReadFile(filepath.Join(e.dir, "log"))
	e.t.Fatalf("%s:\n%s", what, log[max(0, len(log)-4000):])
}

// end sends a signal and waits for the engine to end.
func (e *privateEngine) end(s syscall.Signal) {
	e.t.Helper()
	_ = e.cmd.Process.Signal(s)
	select {
	case <-e.ended:
	case <-time.After(time.Minute):
		e.fail("the private engine does not end")
	}
}

func (e *privateEngine) remove() {
	if e.cli != nil {
		_ = e.cli.Close()
	}
	if e.cmd != nil {
		_ = e.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-e.ended:
		case <-time.After(time.Minute):
			_ = e.cmd.Process.Kill()
			<-e.ended
		}
	}
	// A killed engine leaves its containerd behind, and that one its containers'.
	if b, err := os.ReadFile(filepath.Join(e.dir, "exec", "containerd", "containerd.pid")); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			cmdline, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
			if strings.Contains(string(cmdline), e.dir) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], e.dir) {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
		}
	}
	_ = exec.Command("ip", "netns", "del", e.netns).Run()
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Errorf("clean up: %v", err)
	}
}

// load makes the test server's image in the private engine.
func (e *privateEngine) load() string {
	e.t.Helper()
	binary := buildServer(e.t)
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	if err := tw.WriteHeader(&tar.Header{Name: "server", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		e.t.Fatal(err)
	}
	if _, err := tw.Write(binary); err != nil {
		e.t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		e.t.Fatal(err)
	}
	const ref = "discovery-docker-test:private"
	r, err := e.cli.ImageImport(e.t.Context(), imagetypes.ImportSource{Source: &b, SourceName: "-"}, ref,
		imagetypes.ImportOptions{Changes: []string{`ENTRYPOINT ["/server"]`, `CMD ["8080"]`}})
	if err != nil {
		e.t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		e.t.Fatal(err)
	}
	return ref
}

func (e *privateEngine) container(image, name string, policy container.RestartPolicyMode) (id string) {
	e.t.Helper()
	c, err := e.cli.ContainerCreate(e.t.Context(),
		&container.Config{Image: image, Labels: map[string]string{"mcp-gw.port": "8080"}},
		&container.HostConfig{NetworkMode: "mcp-gw-net", RestartPolicy: container.RestartPolicy{Name: policy}}, nil, nil, name)
	if err == nil {
		err = e.cli.ContainerStart(e.t.Context(), c.ID, container.StartOptions{})
	}
	if err != nil {
		e.fail(err.Error())
	}
	return c.ID
}

// One engine, from absent at the start (F34) through the ways to end: an orderly one,
// a kill, and one that its containers outlive, save one that dies meanwhile.
func TestF32EngineEnds(t *testing.T) {
	e := newPrivateEngine(t)
	t.Parallel() // it waits for the engine most of the time
	p := New(Config{Host: e.host(), Log: testLog(t)})
	p.pace.backoffMax, p.pace.retry = 200*time.Millisecond, 200*time.Millisecond
	_, r := runProvider(t, p)
	awaitEngineError(t, p, "no Docker socket")
	if _, put := r.set(); put {
		t.Fatal("a set was put before there was an engine")
	}
	away := func() {
		t.Helper()
		awaitReport(t, p, "the engine is away", func(r discovery.Report) bool { return !r.Engine.Connected })
		if set, _ := r.set(); len(set) != 2 {
			t.Errorf("with the engine away the set is %q", names(set))
		}
	}

	e.start()
	r.awaitNames(t)
	image := e.load()
	if _, err := e.cli.NetworkCreate(t.Context(), "mcp-gw-net", network.CreateOptions{}); err != nil {
		e.fail(err.Error())
	}
	e.container(image, "always", container.RestartPolicyAlways)
	once := e.container(image, "once", container.RestartPolicyDisabled)
	first, _ := find(r.awaitNames(t, "always", "once").set, "always")

	// An orderly end takes the containers along, some come back.
	e.end(syscall.SIGTERM)
	away()
	e.start()
	r.await(t, "always in a new life, without once", func(set []discovery.Backend) bool {
		return names(set) == "always" && set[0].Generation != first.Generation
	})
	if err := e.cli.ContainerStart(t.Context(), once, container.StartOptions{}); err != nil {
		e.fail(err.Error())
	}
	before := r.awaitNames(t, "always", "once").set

	// A killed engine leaves them running, and its successor finds them so.
	e.end(syscall.SIGKILL)
	away()
	e.start("--live-restore")
	awaitReport(t, p, "connected again", func(r discovery.Report) bool { return r.Engine.Connected })
	after := r.awaitNames(t, "always", "once").set
	for i := range before {
		if !before[i].Same(after[i]) {
			t.Errorf("it lived on, and is another backend:\n%+v\n%+v", before[i], after[i])
		}
	}

	// One that dies while there is no engine dies without an event.
	c, err := e.cli.ContainerInspect(t.Context(), once)
	if err != nil {
		e.fail(err.Error())
	}
	e.end(syscall.SIGTERM)
	away()
	if err := syscall.Kill(c.State.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	e.start("--live-restore")
	after = r.awaitNames(t, "always").set
	if !after[0].Same(before[0]) {
		t.Errorf("always lived on, and is another backend:\n%+v\n%+v", before[0], after[0])
	}
	for _, name := range []string{"always", "once"} {
		if err := e.cli.ContainerRemove(t.Context(), name, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}
	r.awaitNames(t)
}
