package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	imagetypes "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	tcclient "github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"mcp-gw/discovery"
)

// Everything that the tests make in an engine has the run as label, so that what one
// of them left behind is found, and nothing of another run that uses the engine at the
// same time.
const (
	testLabel = "discovery-docker-test"
	runLabel  = testLabel + ".run"
)

var testRun = strings.ToLower(rand.Text()[:10])

// testImage is the image that the tests run.
var testImage = testLabel + ":" + testRun

// patience is how long a test waits for what usually takes milliseconds.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	// testcontainers removes leftovers with a helper container whose image would
	// have to be pulled. The tests clean up by label instead.
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	tclog.SetDefault(silent{})
	code := m.Run()
	sweep()
	os.Exit(code)
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// needEngine returns a client of the real engine. Without an engine the test is
// skipped; a CI machine has to have one.
func needEngine(t *testing.T) *client.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a container engine; not run with -short")
	}
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err = cli.Ping(ctx)
	}
	if err != nil {
		missing(t, "no container engine answers: %v", err)
	}
	t.Cleanup(func() { _ = cli.Close() })
	return cli
}

// missing skips a test that lacks something of its machine, and fails it on CI.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func sweep() {
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return
	}
	defer cli.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	byLabel := filters.NewArgs(filters.Arg("label", runLabel+"="+testRun))
	list, err := cli.ContainerList(ctx, container.ListOptions{All: true, Filters: byLabel})
	if err != nil {
		return // no engine, nothing to sweep
	}
	for _, c := range list {
		_ = cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true})
	}
	_, _ = cli.NetworksPrune(ctx, byLabel)
	_, _ = cli.ImageRemove(ctx, testImage, imagetypes.RemoveOptions{Force: true, PruneChildren: true})
}

// serverBinary is the static test server, built once.
var serverBinary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "discovery-docker-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "server")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./testdata/server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the test server: %w\n%s", err, out)
	}
	return os.ReadFile(path)
})

func buildServer(t *testing.T) []byte {
	t.Helper()
	binary, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// containers is the one provider of testcontainers. What it makes for itself has a new
// client for each container, and closes the connections after each request, also those
// that are being dialed.
var containers = sync.OnceValues(func() (*testcontainers.DockerProvider, error) {
	p, err := testcontainers.NewDockerProvider(testcontainers.WithDefaultBridgeNetwork(testcontainers.Bridge))
	if err == nil {
		p.SetClient(kept{p.Client()})
	}
	return p, err
})

// kept is a client whose connections are used again until the tests have ended.
type kept struct{ tcclient.APIClient }

func (kept) Close() error { return nil }

// image is the test server's image, built once from nothing but the binary.
var image = sync.OnceValues(func() (string, error) {
	binary, err := serverBinary()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		body []byte
	}{
		{"Dockerfile", []byte("FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\nCMD [\"8080\"]\n")},
		{"server", binary},
	} {
		if err := tw.WriteHeader(&tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.body))}); err != nil {
			return "", err
		}
		if _, err := tw.Write(f.body); err != nil {
			return "", err
		}
	}
	if err := tw.Close(); err != nil {
		return "", err
	}
	provider, err := containers()
	if err != nil {
		return "", err
	}
	return provider.BuildImage(context.Background(), &testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{
			ContextArchive: bytes.NewReader(b.Bytes()), Repo: testLabel, Tag: testRun, KeepImage: true,
		},
	})
})

// lab is one test's corner of a real engine.
type lab struct {
	t   *testing.T
	cli *client.Client
	net string // name of the test's own network
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, cli: needEngine(t), net: unique("net")}
	l.network(l.net)
	return l
}

func unique(what string) string {
	return fmt.Sprintf("discovery-docker-%s-%s", what, strings.ToLower(rand.Text()[:8]))
}

func (l *lab) network(name string) (id string) {
	l.t.Helper()
	r, err := l.cli.NetworkCreate(l.t.Context(), name, network.CreateOptions{Labels: map[string]string{runLabel: testRun}})
	if err != nil {
		l.t.Fatalf("create network: %v", err)
	}
	l.t.Cleanup(func() { _ = l.cli.NetworkRemove(context.Background(), r.ID) })
	return r.ID
}

// want describes a container to start.
type want struct {
	name   string // of the container; "" = made up
	labels map[string]string
	ports  []string // exposed
	nets   []string // nil = the lab's
	cmd    []string
	create bool // do not start it
	policy string
	stdin  bool // keep the input open
	tty    bool
}

// start starts a container and returns its id.
func (l *lab) start(w want) string {
	l.t.Helper()
	id, err := l.tryStart(w)
	if err != nil {
		l.t.Fatalf("start container: %v", err)
	}
	return id
}

func (l *lab) tryStart(w want) (string, error) {
	img, err := image()
	if err != nil {
		return "", err
	}
	labels := map[string]string{runLabel: testRun}
	for k, v := range w.labels {
		labels[k] = v
	}
	if w.name == "" {
		w.name = unique("c")
	}
	if w.nets == nil {
		w.nets = []string{l.net}
	}
	provider, err := containers()
	if err != nil {
		return "", err
	}
	c, err := provider.CreateContainer(context.Background(), testcontainers.ContainerRequest{
		Image: img, Name: w.name, Labels: labels, ExposedPorts: w.ports, Networks: w.nets, Cmd: w.cmd,
		ConfigModifier: config(w), HostConfigModifier: hostConfig(w),
	})
	if c == nil {
		return "", err
	}
	id := c.GetContainerID()
	l.t.Cleanup(func() { l.remove(id) })
	if err == nil && !w.create {
		err = c.Start(context.Background())
	}
	return id, err
}

func (l *lab) remove(id string) {
	_ = l.cli.ContainerRemove(context.Background(), id, container.RemoveOptions{Force: true})
}

// must fails the test when a step of its scenario fails.
func (l *lab) must(step string, err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("%s: %v", step, err)
	}
}

// watch runs a provider until the test ends.
func (l *lab) watch(cfg Config) (*Provider, *recorder) {
	l.t.Helper()
	if cfg.Network == "" {
		cfg.Network = l.net
	}
	return runProvider(l.t, New(cfg))
}

// runProvider runs p until the test ends.
func runProvider(t *testing.T, p *Provider) (*Provider, *recorder) {
	t.Helper()
	r := newRecorder()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, r) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v, want nil", err)
			}
		case <-time.After(patience):
			t.Error("Run did not return after its context ended")
		}
	})
	return p, r
}

// put is one set and when it came.
type put struct {
	set []discovery.Backend
	at  time.Time
}

// recorder is a sink that keeps all it was given.
type recorder struct {
	mu   sync.Mutex
	puts []put
	more chan struct{} // closed and replaced with every Put
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

func (r *recorder) Put(source string, set []discovery.Backend) {
	if source != discovery.SourceDocker {
		panic("put for source " + source)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts = append(r.puts, put{set, time.Now()})
	close(r.more)
	r.more = make(chan struct{})
}

// all returns what was put so far.
func (r *recorder) all() []put {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.puts)
}

// set returns the latest set, and whether there was any.
func (r *recorder) set() ([]discovery.Backend, bool) {
	all := r.all()
	if len(all) == 0 {
		return nil, false
	}
	return all[len(all)-1].set, true
}

// await waits for a set that ok accepts, the latest or a later one, and returns it.
func (r *recorder) await(t *testing.T, what string, ok func([]discovery.Backend) bool) put {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		more := r.more
		var last put
		n := len(r.puts)
		if n > 0 {
			last = r.puts[n-1]
		}
		r.mu.Unlock()
		if n > 0 && ok(last.set) {
			return last
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("no set with %s within %v; the last of %d: %s", what, patience, n, names(last.set))
		}
	}
}

func (r *recorder) awaitNames(t *testing.T, want ...string) put {
	t.Helper()
	slices.Sort(want)
	return r.await(t, fmt.Sprintf("exactly %q", want), func(set []discovery.Backend) bool { return names(set) == strings.Join(want, " ") })
}

// names are the names in a set, with "!" behind those that are held.
func names(set []discovery.Backend) string {
	out := make([]string, len(set))
	for i, b := range set {
		out[i] = b.Name
		if b.Held {
			out[i] += "!"
		}
	}
	return strings.Join(out, " ")
}

func find(set []discovery.Backend, name string) (discovery.Backend, bool) {
	i := slices.IndexFunc(set, func(b discovery.Backend) bool { return b.Name == name })
	if i < 0 {
		return discovery.Backend{}, false
	}
	return set[i], true
}

// awaitReport waits until the report says what ok wants to read.
func awaitReport(t *testing.T, p *Provider, what string, ok func(discovery.Report) bool) discovery.Report {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		r := p.Report()
		if ok(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("the report never said: %s\n%+v", what, r)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitVerdict waits for the verdict on one container.
func awaitVerdict(t *testing.T, p *Provider, id, verdict string) discovery.Observed {
	t.Helper()
	var seen discovery.Observed
	awaitReport(t, p, verdict+" for "+short(id), func(r discovery.Report) bool {
		for _, o := range r.Containers {
			if o.ID == id {
				seen = o
				return o.Verdict == verdict
			}
		}
		return false
	})
	return seen
}

// testLog shows a provider's log when its test fails, or with -v.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// awaitEngineError waits until the report names an error with part in it.
func awaitEngineError(t *testing.T, p *Provider, part string) discovery.Engine {
	t.Helper()
	return awaitReport(t, p, "an engine error with "+part, func(r discovery.Report) bool {
		return strings.Contains(r.Engine.Error, part)
	}).Engine
}
