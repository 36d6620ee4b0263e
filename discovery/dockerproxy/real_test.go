package dockerproxy

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"mcp-gw/discovery"
	"mcp-gw/discovery/docker"
)

// What these tests make in the engine.
const (
	realImage   = "dockerproxy-test:server"
	realNetwork = "dockerproxy-test-net"
	otherNet    = "dockerproxy-test-other"
	socket      = "/var/run/docker.sock"
)

// patience is how long is waited for what usually takes milliseconds.
const patience = 30 * time.Second

// needEngine answers a client of the real engine, and removes what the tests make.
func needEngine(t *testing.T) *client.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a container engine; not run with -short")
	}
	cli, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	if err == nil {
		_, err = cli.Ping(t.Context())
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no container engine: %v", err)
	}
	sweep := func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, name := range []string{"stdio", "http", "bare", "foreign", "labelled"} {
			_ = cli.ContainerRemove(ctx, "dockerproxy-test-"+name, apicontainer.RemoveOptions{Force: true})
		}
		_ = cli.NetworkRemove(ctx, realNetwork)
		_ = cli.NetworkRemove(ctx, otherNet)
		_, _ = cli.ImageRemove(ctx, realImage, image.RemoveOptions{Force: true})
	}
	sweep() // of a run that was killed
	t.Cleanup(func() { sweep(); _ = cli.Close() })
	return cli
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// scene starts containers, each with the secret in its environment, and answers
// their ids by name.
func scene(t *testing.T, cli *client.Client) map[string]string {
	t.Helper()
	ctx := t.Context()
	binary := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "../docker/testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text := must[[]byte](t)(os.ReadFile(binary))
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "server", Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(text) // into memory
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer := must[io.ReadCloser](t)(cli.ImageImport(ctx, image.ImportSource{Source: &archive, SourceName: "-"}, realImage,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/server"]`}}))
	_, _ = io.Copy(io.Discard, answer) // the import is done once the answer is read
	answer.Close()
	for _, name := range []string{realNetwork, otherNet} {
		must[network.CreateResponse](t)(cli.NetworkCreate(ctx, name, network.CreateOptions{Labels: map[string]string{"note": secret}}))
	}
	ids := map[string]string{}
	for name, c := range map[string]struct {
		net    string
		labels map[string]string
	}{
		"stdio":    {realNetwork, map[string]string{"mcp-gw.transport": "stdio", "note": secret}},
		"http":     {realNetwork, map[string]string{"mcp-gw.port": "8080"}},
		"bare":     {realNetwork, nil},
		"foreign":  {otherNet, nil},
		"labelled": {otherNet, map[string]string{"mcp-gw.port": "8080"}},
	} {
		made, err := cli.ContainerCreate(ctx, &apicontainer.Config{Image: realImage, Labels: c.labels, OpenStdin: true,
			Env: []string{"SECRET=" + secret}, Cmd: []string{"8080"}},
			&apicontainer.HostConfig{NetworkMode: apicontainer.NetworkMode(c.net)}, nil, nil, "dockerproxy-test-"+name)
		if err == nil {
			err = cli.ContainerStart(ctx, made.ID, apicontainer.StartOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = made.ID
	}
	return ids
}

// The engine itself behind the proxy: nothing that is forbidden reaches it, and no
// answer has anything of a container's environment.
func TestForbiddenRequestsRealEngine(t *testing.T) {
	cli := needEngine(t)
	ids := scene(t, cli)
	addr := serveProxy(t, Config{Socket: socket, Network: realNetwork})
	before := inventory(t, cli)
	tried := 0
	for _, line := range forbidden {
		if strings.Contains(line, "\x00") || strings.Contains(line, "\xff") || strings.HasSuffix(line, " ") {
			continue // the server itself answers 400
		}
		for _, id := range []string{ids["stdio"], ids["foreign"]} {
			for _, letter := range "abcd" { // the ids that the table is written with
				line = strings.ReplaceAll(line, strings.Repeat(string(letter), 64), id)
			}
			status, answer := raw(t, addr, line, plainHeader, "")
			if status != http.StatusForbidden && status != http.StatusBadRequest && status != http.StatusMethodNotAllowed {
				t.Errorf("%q: %d %s", line, status, answer)
			}
			tried++
		}
	}
	upgrade := "Connection: Upgrade\r\nUpgrade: tcp\r\n"
	for _, c := range []struct {
		line, header string
		status       int
	}{
		{"GET /containers/" + ids["stdio"] + "/attach/ws?stream=1&stdin=1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", http.StatusForbidden},
		{"POST /containers/" + ids["http"] + "/attach?stream=1&stdin=1", upgrade, http.StatusForbidden},
		{"POST /containers/" + ids["bare"] + "/attach?stream=1&stdin=1", upgrade, http.StatusForbidden},
		{"POST /containers/" + ids["labelled"] + "/attach?stream=1&stdin=1", upgrade, http.StatusForbidden},
		{"POST /containers/" + ids["foreign"] + "/attach?stream=1&stdin=1", upgrade, http.StatusNotFound},
		{"POST /containers/" + ids["http"] + "/exec", plainHeader, http.StatusForbidden},
		{"GET /containers/" + ids["http"] + "/logs?stdout=1", plainHeader, http.StatusForbidden},
		{"GET /containers/" + ids["http"] + "/archive?path=/", plainHeader, http.StatusForbidden},
		{"GET /containers/" + ids["http"] + "/top", plainHeader, http.StatusForbidden},
		{"POST /containers/" + ids["http"] + "/kill", plainHeader, http.StatusForbidden},
		{"DELETE /containers/" + ids["http"] + "?force=1", plainHeader, http.StatusForbidden},
		{"GET /containers/" + ids["foreign"] + "/json", plainHeader, http.StatusNotFound},
		{"GET /containers/" + ids["foreign"][:12] + "/json", plainHeader, http.StatusNotFound},
		{"GET /containers/dockerproxy-test-foreign/json", plainHeader, http.StatusNotFound},
	} {
		status, answer := raw(t, addr, c.line, c.header, "")
		if refused := status == http.StatusForbidden || status == http.StatusNotFound; !refused || c.status == http.StatusForbidden && status != c.status {
			t.Errorf("%q: %d, want %d: %s", c.line, status, c.status, answer)
		}
		tried++
	}
	if now := inventory(t, cli); !slices.Equal(now, before) {
		t.Errorf("something got through: the engine has %v, had %v", now, before)
	}
	t.Logf("%d requests refused", tried)

	events := listen(t, addr, func() {
		for _, id := range []string{ids["http"], ids["foreign"]} {
			if err := cli.ContainerRestart(t.Context(), id, apicontainer.StopOptions{Signal: "KILL"}); err != nil {
				t.Error(err)
			}
		}
	}, ids["http"])
	answers := map[string]string{"GET /events": events}
	for _, line := range []string{"GET /_ping", "GET /version", "GET /info", "GET /containers/json?all=1", "GET /networks", "GET /services",
		"GET /containers/" + ids["stdio"] + "/json", "GET /containers/" + ids["http"] + "/json", "GET /containers/" + ids["bare"] + "/json",
		"GET /containers/" + ids["labelled"] + "/json", "GET /containers/" + ids["foreign"] + "/json"} {
		_, answers[line] = raw(t, addr, line, plainHeader, "")
	}
	for line, answer := range answers {
		if strings.Contains(answer, secret) {
			t.Errorf("%s: the answer has the secret: %s", line, answer)
		}
		if strings.Contains(answer, ids["foreign"]) && !strings.Contains(line, ids["foreign"]) {
			t.Errorf("%s: the answer names the foreign container: %s", line, answer)
		}
	}
	for _, name := range []string{"stdio", "http", "labelled"} {
		if list := answers["GET /containers/json?all=1"]; !strings.Contains(list, ids[name]) {
			t.Errorf("%s is not listed: %s", name, list)
		}
	}
}

// inventory answers what there is, and whether it runs.
func inventory(t *testing.T, cli *client.Client) (all []string) {
	t.Helper()
	for _, c := range must[[]apicontainer.Summary](t)(cli.ContainerList(t.Context(), apicontainer.ListOptions{All: true})) {
		if strings.HasPrefix(c.Names[0], "/dockerproxy-test-") {
			all = append(all, c.ID+" "+c.State)
		}
	}
	slices.Sort(all)
	return all
}

// listen answers what the event stream says while act runs, until it has told of the
// start of id.
func listen(t *testing.T, addr string, act func(), id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/events", nil))
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	defer res.Body.Close()
	act()
	var all bytes.Buffer
	lines := json.NewDecoder(io.TeeReader(res.Body, &all))
	for {
		var e struct {
			Action string
			Actor  struct{ ID string }
		}
		if err := lines.Decode(&e); err != nil {
			t.Fatalf("%v after %s", err, all.String())
		}
		if e.Action == "start" && e.Actor.ID == id {
			return all.String()
		}
	}
}

// sink keeps the latest set.
type sink chan []discovery.Backend

func (s sink) Put(_ string, set []discovery.Backend) {
	select {
	case <-s:
	default:
	}
	s <- set
}

// The provider sees through the proxy what it sees without it.
func TestTheProviderSeesTheSame(t *testing.T) {
	cli := needEngine(t)
	ids := scene(t, cli)
	addr := serveProxy(t, Config{Socket: socket, Network: realNetwork})
	look := func(host string) (set []string, verdicts map[string]string) {
		p := docker.New(docker.Config{Host: host, Network: realNetwork})
		ctx, cancel := context.WithCancel(t.Context())
		s, done := make(sink, 1), make(chan struct{})
		go func() { defer close(done); _ = p.Run(ctx, s) }()
		defer func() { cancel(); <-done }()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			report, verdictsNow := p.Report(), map[string]string{}
			for _, c := range report.Containers {
				if slices.Contains([]string{ids["stdio"], ids["http"], ids["bare"], ids["labelled"]}, c.ID) {
					verdictsNow[c.Name] = fmt.Sprint(c.State, " ", c.Verdict, " ", c.Reason, " ", c.URL)
				}
			}
			if report.Engine.Connected && len(verdictsNow) == 4 {
				for _, b := range <-s {
					set = append(set, b.Name+" "+b.URL+" "+b.Generation)
				}
				return set, verdictsNow
			}
		}
		t.Fatalf("%s: %+v", host, p.Report())
		return nil, nil
	}
	directSet, direct := look("unix://" + socket)
	set, through := look("tcp://" + addr)
	if len(set) == 0 || !slices.Equal(set, directSet) {
		t.Errorf("the set is %v, without the proxy %v", set, directSet)
	}
	if !reflect.DeepEqual(through, direct) {
		t.Errorf("through the proxy %v\nwithout it %v", through, direct)
	}
}
