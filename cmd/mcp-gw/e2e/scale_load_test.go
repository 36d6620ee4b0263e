package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// scaled is a compose project with one service, demo, and a gateway that watches it.
type scaled struct {
	*gateway
	project, file string

	mu sync.Mutex // guards what follows
	// ends are when a container of a name was made to end: from the command to its
	// return.
	ends map[string][]span
	// ran counts by call where it ran, by what the containers have logged.
	ran map[string]int
}

type span struct{ from, to time.Time }

// needCompose skips where the engine is missing, or compose.
func needCompose(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	if exec.Command("docker", "info").Run() != nil || exec.Command("docker", "compose", "version").Run() != nil {
		missing(t, "no container engine, or no docker compose")
	}
}

// startScaled brings n replicas of the demo server up.
func startScaled(t *testing.T, name string, n int) *scaled {
	t.Helper()
	image, net := name+"-demo", name+"-net"
	s := &scaled{project: name, file: filepath.Join(t.TempDir(), "compose.json"), ends: map[string][]span{}, ran: map[string]int{}}
	sweep := func() {
		_ = exec.Command("docker", "compose", "-p", name, "down", "--timeout=0").Run()
		_ = exec.Command("docker", "network", "rm", net).Run()
		_ = exec.Command("docker", "rmi", "-f", image, image+":next").Run()
	}
	sweep() // what an earlier run that was cut off has left
	t.Cleanup(sweep)
	makeDemoImages(t, map[string]string{image: "HEALTHCHECK NONE"})
	docker(t, "network", "create", net)
	s.write(t, image)
	s.compose(t, n)
	s.gateway = startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK="+net, "MCP_GW_LOG_LEVEL=info")
	s.awaitReplicas(t, n)
	return s
}

// write makes the compose file say that demo is of an image.
func (s *scaled) write(t *testing.T, image string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"services": map[string]any{"demo": map[string]any{"image": image, "networks": []string{"gw"},
			"labels": map[string]string{"mcp-gw.port": "8080"}}},
		"networks": map[string]any{"gw": map[string]any{"name": s.project + "-net", "external": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, text, 0o600); err != nil { // JSON is YAML
		t.Fatal(err)
	}
}

// compose makes n replicas run, and leaves those alone that do.
func (s *scaled) compose(t *testing.T, n int) {
	t.Helper()
	docker(t, "compose", "-p", s.project, "-f", s.file, "up", "-d", fmt.Sprintf("--scale=demo=%d", n))
}

// replicas answers the names of the containers that run, the longest first.
func (s *scaled) replicas(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--filter=label=com.docker.compose.project="+s.project, "--format={{.CreatedAt}} {{.Names}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	var names []string
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 0 {
			names = append(names, words[len(words)-1])
		}
	}
	return names
}

func (s *scaled) awaitReplicas(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d replicas that are ready", n), func() bool {
		b := s.backend(t, "demo")
		return str(b, "state") == "ready" && string(get(b, "replicas")) == fmt.Sprint(n) && (n == 1 || strings.Count(string(get(b, "endpoints")), `"state":"ready"`) == n)
	})
}

// ending runs f, which makes containers end.
func (s *scaled) ending(names []string, f func()) {
	from := time.Now()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		s.ends[name] = append(s.ends[name], span{from, time.Now()})
	}
}

var called = regexp.MustCompile(` called call=(\S+)`)

// collect reads which calls a container has begun.
func (s *scaled) collect(t *testing.T, name string) {
	t.Helper()
	out, err := exec.Command("docker", "logs", name).CombinedOutput()
	if err != nil {
		t.Errorf("the log of %s: %v", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range called.FindAllSubmatch(out, -1) {
		s.ran[string(m[1])]++
	}
}

// tally is what a load came to.
type tally struct {
	mu       sync.Mutex     // guards what follows
	answered map[string]int // by replica
	failed   []failure
}

type failure struct {
	span
	call, text string
}

// load makes calls with clients of both eras, one after the other each, until ctx ends.
func (s *scaled) load(ctx context.Context, t *testing.T, clients int) (wait func() *tally) {
	t.Helper()
	sum := &tally{answered: map[string]int{}}
	var work sync.WaitGroup
	for i := range clients {
		c := dial(t, s.mcp(), i%2 == 1)
		work.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s.one(t, c, fmt.Sprintf("c%d-%d", i, n), sum)
			}
		})
	}
	return func() *tally { work.Wait(); return sum }
}

func (s *scaled) one(t *testing.T, c *rawClient, id string, sum *tally) {
	f := failure{call: id}
	f.from = time.Now()
	got, err := c.try(t.Context(), callTool("demo__which_replica", `{"wait_ms":20,"call":"`+id+`"}`))
	f.to = time.Now()
	sum.mu.Lock()
	defer sum.mu.Unlock()
	replica := str(get(got.result(), "structuredContent"), "replica")
	if err == nil && replica != "" {
		sum.answered[replica]++
		return
	}
	if f.text = string(got.final); err != nil {
		f.text = err.Error()
	}
	sum.failed = append(sum.failed, f)
}

// blame is how a call says that it failed at a replica.
var blame = regexp.MustCompile(`"Error: backend \\"demo\\": (\S+): ([^"]+)"`)

// inFlight are the reasons that a call in flight may give.
var inFlight = regexp.MustCompile(`^(closed the connection|closed the connection before it answered|it was restarted or replaced while the call ran|it was removed while the call ran)$`)

// check holds a load against what became of the containers: all calls but those in
// flight on one that ended came back, and those say which one it was and why.
func (s *scaled) check(t *testing.T, sum *tally, atLeast int) {
	t.Helper()
	total := 0
	for _, n := range sum.answered {
		total += n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("%d calls answered by %d containers, %d in flight on one that ended", total, len(sum.answered), len(sum.failed))
	if total < atLeast {
		t.Errorf("%d calls were answered, want %d at least", total, atLeast)
	}
	var slowest time.Duration
	for _, f := range sum.failed {
		m := blame.FindStringSubmatch(f.text)
		if m == nil || !inFlight.MatchString(m[2]) {
			t.Errorf("call %s failed and does not say at which replica and why, after %v: %s", f.call, f.to.Sub(f.from), f.text)
			continue
		}
		i := slices.IndexFunc(s.ends[m[1]], func(end span) bool { return f.from.Before(end.to) && f.to.After(end.from) })
		if i < 0 {
			t.Errorf("call %s failed at %s, which did not end while it ran: %s", f.call, m[1], m[2])
			continue
		}
		slowest = max(slowest, f.to.Sub(s.ends[m[1]][i].from))
	}
	t.Logf("the last of them failed %v after the command", slowest)
}

// checkOnce holds a load against the containers' logs: no call ran twice.
func (s *scaled) checkOnce(t *testing.T, sum *tally) {
	t.Helper()
	total := 0
	for _, n := range sum.answered {
		total += n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("%d calls are in the logs", len(s.ran))
	for call, n := range s.ran {
		if n > 1 {
			t.Errorf("call %s ran %d times", call, n)
		}
	}
	if len(s.ran) < total*9/10 {
		t.Errorf("%d calls are in the logs, and %d were answered", len(s.ran), total)
	}
}
