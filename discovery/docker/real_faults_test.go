package docker

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	imagetypes "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"

	"mcp-gw/discovery"
)

// many is how much of something a test does; the environment may ask for more than
// the usual.
func many(t *testing.T, setting string, usual int) int {
	v := os.Getenv(setting)
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number", setting, v)
	}
	return n
}

// make starts a container with what the usual ones do not have.
func (l *lab) make(w want, change func(*container.Config, *container.HostConfig)) string {
	l.t.Helper()
	img, err := image()
	l.must("build", err)
	c := &container.Config{Image: img, Cmd: w.cmd, Labels: map[string]string{runLabel: testRun}}
	for k, v := range w.labels {
		c.Labels[k] = v
	}
	h := &container.HostConfig{NetworkMode: container.NetworkMode(l.net)}
	if change != nil {
		change(c, h)
	}
	nets := &network.NetworkingConfig{}
	if string(h.NetworkMode) == l.net {
		nets.EndpointsConfig = map[string]*network.EndpointSettings{l.net: {}}
	}
	if w.name == "" {
		w.name = unique("c")
	}
	r, err := l.cli.ContainerCreate(l.t.Context(), c, h, nets, nil, w.name)
	l.must("create", err)
	l.t.Cleanup(func() { l.remove(r.ID) })
	l.must("start", l.cli.ContainerStart(l.t.Context(), r.ID, container.StartOptions{}))
	return r.ID
}

// untouched demands that a backend was as it is now in every set since it came.
func untouched(t *testing.T, r *recorder, name string) {
	t.Helper()
	var first discovery.Backend
	for i, p := range r.all() {
		b, ok := find(p.set, name)
		switch {
		case first.Name == "":
			first = b
		case !ok || !b.Same(first) || b.Withheld != "":
			t.Errorf("set %d: its neighbour %s suffers: %+v", i, name, b)
		}
	}
	if first.Name == "" {
		t.Errorf("%s was never there", name)
	}
}

func (l *lab) addr(id string) string {
	l.t.Helper()
	c, err := l.cli.ContainerInspect(l.t.Context(), id)
	l.must("inspect", err)
	return c.NetworkSettings.Networks[l.net].IPAddress
}

// F04, F05, F06, F10, F25, F42: what people do to single containers, one after the
// other, beside one that nobody touches.
func TestSingleContainers(t *testing.T) {
	l := newLab(t)
	p, r := l.watch(Config{Log: testLog(t)})
	l.start(want{labels: port8080("calm")})
	r.awaitNames(t, "calm")

	t.Run("F04 stop of one that takes its time", func(t *testing.T) {
		id := l.start(want{labels: port8080("slow"), cmd: []string{"slow=2s", "8080"}})
		r.awaitNames(t, "calm", "slow")
		stopped := make(chan error, 1)
		go func() { stopped <- l.cli.ContainerStop(t.Context(), id, container.StopOptions{}) }()
		set := r.await(t, "slow in doubt", func(set []discovery.Backend) bool {
			b, ok := find(set, "slow")
			return ok && !b.Doubted.IsZero()
		}).set
		if b, _ := find(set, "slow"); b.Held {
			t.Error("it is held, although it may go on")
		}
		select {
		case err := <-stopped:
			t.Errorf("it had stopped before it was doubted: %v", err)
		default:
		}
		l.must("stop", <-stopped)
		r.awaitNames(t, "calm")
		l.remove(id)
	})
	t.Run("F04 SIGHUP is no death", func(t *testing.T) {
		id := l.start(want{labels: port8080("hup")})
		r.awaitNames(t, "calm", "hup")
		l.must("kill", l.cli.ContainerKill(t.Context(), id, "HUP"))
		r.await(t, "hup in doubt", func(set []discovery.Backend) bool {
			b, ok := find(set, "hup")
			return ok && !b.Doubted.IsZero() && !b.Held
		})
		l.remove(id)
		r.awaitNames(t, "calm")
	})
	t.Run("F05 rm -f", func(t *testing.T) {
		id := l.start(want{labels: port8080("forced")})
		r.awaitNames(t, "calm", "forced")
		l.remove(id)
		r.awaitNames(t, "calm")
		if o := awaitVerdict(t, p, id, verdictGone); !strings.Contains(o.Reason, "137") {
			t.Errorf("reason %q", o.Reason)
		}
	})
	t.Run("F06 --rm", func(t *testing.T) {
		id := l.make(want{labels: port8080("once")}, func(_ *container.Config, h *container.HostConfig) { h.AutoRemove = true })
		r.awaitNames(t, "calm", "once")
		l.must("stop", l.cli.ContainerStop(t.Context(), id, container.StopOptions{}))
		r.awaitNames(t, "calm")
		awaitVerdict(t, p, id, verdictGone)
	})
	t.Run("F10 rename", func(t *testing.T) {
		before := unique("before")
		id := l.start(want{name: before, labels: map[string]string{"mcp-gw.port": "8080"}})
		r.await(t, "the unnamed one", func(set []discovery.Backend) bool { return len(set) == 2 })
		name := toName(before)
		after := unique("after")
		l.must("rename", l.cli.ContainerRename(t.Context(), id, after))
		awaitReport(t, p, "the new name", func(x discovery.Report) bool {
			for _, o := range x.Containers {
				if o.ID == id {
					return o.Name == after && o.Backend == name
				}
			}
			return false
		})
		r.awaitNames(t, "calm", name)
		l.remove(id)
		r.awaitNames(t, "calm")
	})
	t.Run("F25 one-off", func(t *testing.T) {
		labels := port8080("calm") // it even wants the name of another
		labels[labelComposeOneOff] = "True"
		id := l.start(want{labels: labels})
		awaitVerdict(t, p, id, verdictOneOff)
		r.awaitNames(t, "calm")
		l.remove(id)
	})
	t.Run("F42 it listens late", func(t *testing.T) {
		id := l.start(want{labels: port8080("late"), cmd: []string{"late=20s", "8080"}})
		r.awaitNames(t, "calm", "late") // whether it answers, the gateway finds out
		l.remove(id)
		r.awaitNames(t, "calm")
	})
	untouched(t, r, "calm")
}

// F14: the gateway itself loses its network, says so, and gets it back.
func TestF14GatewayDetachedAndAttached(t *testing.T) {
	l := newLab(t)
	self := l.start(want{})
	l.start(want{labels: port8080("calm")})
	p, r := l.watch(Config{ContainerID: self, Log: testLog(t)})
	r.awaitNames(t, "calm")
	awaitVerdict(t, p, self, verdictSelf)
	for range 2 {
		l.must("disconnect", l.cli.NetworkDisconnect(t.Context(), l.net, self, false))
		awaitReport(t, p, "the problem", func(x discovery.Report) bool {
			return strings.Contains(x.Engine.NetworkProblem, "docker network connect "+l.net)
		})
		l.must("connect", l.cli.NetworkConnect(t.Context(), l.net, self, nil))
		awaitReport(t, p, "no problem", func(x discovery.Report) bool { return x.Engine.NetworkProblem == "" })
	}
	untouched(t, r, "calm")
}

// F15: an engine keeps networks in a map. However often it is asked, the address is
// the one on ours.
func TestF15NetworksInAnyOrder(t *testing.T) {
	l := newLab(t)
	other := "a" + unique("net")
	l.network(other)
	id := l.start(want{labels: port8080("two")})
	l.must("connect", l.cli.NetworkConnect(t.Context(), other, id, nil))
	p, r := l.watch(Config{})
	url := "http://" + l.addr(id) + ":8080/mcp"
	r.awaitNames(t, "two")
	for range 100 {
		l.must("rescan", p.Rescan(t.Context()))
		set, _ := r.set()
		if b, _ := find(set, "two"); b.URL != url {
			t.Fatalf("URL %q, want %q", b.URL, url)
		}
	}
	// A gateway of both networks reaches who is on either.
	l.start(want{labels: port8080("far"), nets: []string{other}})
	_, both := l.watch(Config{Network: l.net + ", " + other})
	both.awaitNames(t, "far", "two")
	_, one := l.watch(Config{})
	one.awaitNames(t, "two")
}

// F16, F17: containers without a network of their own.
func TestF16F17NetworksOfOthers(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("calm")})
	p, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t, "calm")

	onHost := func(labels map[string]string) string {
		return l.make(want{labels: labels, cmd: []string{"0"}}, func(_ *container.Config, h *container.HostConfig) { h.NetworkMode = "host" })
	}
	id := onHost(map[string]string{"mcp-gw.name": "host"})
	awaitVerdict(t, p, id, verdictNoPort)
	l.remove(id)
	id = onHost(port8080("host"))
	b, _ := find(r.awaitNames(t, "calm", "host").set, "host")
	n, err := l.cli.NetworkInspect(t.Context(), l.net, network.InspectOptions{})
	l.must("inspect network", err)
	if want := "http://" + n.IPAM.Config[0].Gateway + ":8080/mcp"; b.URL != want {
		t.Logf("the host is known by name: %s rather than %s", b.URL, want)
		if named, err := resolveHost(t.Context()); err != nil || !named.IsValid() {
			t.Errorf("URL %q, want %q", b.URL, want)
		}
	}
	l.remove(id)
	r.awaitNames(t, "calm")

	x := l.start(want{cmd: []string{"9090"}})
	dep := l.make(want{labels: port8080("beside")}, func(_ *container.Config, h *container.HostConfig) {
		h.NetworkMode = container.NetworkMode("container:" + x)
	})
	first, _ := find(r.awaitNames(t, "beside", "calm").set, "beside")
	if want := "http://" + l.addr(x) + ":8080/mcp"; first.URL != want {
		t.Errorf("URL %q, want %q", first.URL, want)
	}
	l.must("restart", l.cli.ContainerRestart(t.Context(), x, container.StopOptions{}))
	o := awaitVerdict(t, p, dep, verdictNoSharedNetwork)
	awaitReport(t, p, "left behind", func(x discovery.Report) bool {
		for _, o = range x.Containers {
			if o.ID == dep {
				return strings.Contains(o.Reason, "left behind") && o.Fix == "docker restart "+o.Name
			}
		}
		return false
	})
	l.must("restart", l.cli.ContainerRestart(t.Context(), dep, container.StopOptions{}))
	second, _ := find(r.awaitNames(t, "beside", "calm").set, "beside")
	if second.Generation == first.Generation {
		t.Error("another network, the same generation")
	}
	untouched(t, r, "calm")
}

// F19, F20: the engine's health check starts, fails and passes.
func TestF19F20Health(t *testing.T) {
	l := newLab(t)
	_, r := l.watch(Config{Log: testLog(t)})
	checked := func(name, policy string, every time.Duration) string {
		labels := port8080(name)
		labels["mcp-gw.health"] = policy
		return l.make(want{labels: labels}, func(c *container.Config, _ *container.HostConfig) {
			c.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "/server", "check=8080"}, Interval: every, Timeout: 5 * time.Second, Retries: 1}
		})
	}
	checked("calm", "auto", time.Hour) // its first check is far away
	b, _ := find(r.awaitNames(t, "calm").set, "calm")
	if b.Container.Health != "starting" || b.Withheld != "" {
		t.Errorf("F19: %+v", b)
	}
	id := checked("ill", "docker", 100*time.Millisecond)
	shown := func(what string, ok func(discovery.Backend) bool) {
		t.Helper()
		r.await(t, what, func(set []discovery.Backend) bool {
			b, there := find(set, "ill")
			return there && ok(b)
		})
	}
	shown("healthy", func(b discovery.Backend) bool { return b.Withheld == "" && !b.Held })
	for range 2 {
		l.must("kill", l.cli.ContainerKill(t.Context(), id, "HUP"))
		shown("withheld", func(b discovery.Backend) bool { return strings.Contains(b.Withheld, "the server is ill") })
		l.must("kill", l.cli.ContainerKill(t.Context(), id, "HUP"))
		shown("healthy again", func(b discovery.Backend) bool { return b.Withheld == "" && !b.Held })
	}
	untouched(t, r, "calm")
}

// F22, F23: a service is scaled up and down, and gets another image.
func TestF22F23ReplicasOfAService(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("calm")})
	_, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t, "calm")
	other, err := l.cli.ContainerCommit(t.Context(), l.make(want{}, nil), container.CommitOptions{Reference: testImage + "-other", Config: &container.Config{Labels: map[string]string{runLabel: testRun}, Cmd: []string{"8080"}, Entrypoint: []string{"/server"}}})
	l.must("commit", err)
	t.Cleanup(func() {
		_, _ = l.cli.ImageRemove(context.Background(), other.ID, imagetypes.RemoveOptions{Force: true})
	})
	replica := func(n int, change func(*container.Config, *container.HostConfig)) string {
		labels := map[string]string{labelComposeProject: "p" + l.net, labelComposeService: "svc", labelComposeNumber: strconv.Itoa(n), "mcp-gw.port": "8080"}
		return l.make(want{labels: labels}, change)
	}
	team := func(what string, running int, ok func(discovery.Backend) bool) discovery.Backend {
		t.Helper()
		set := r.await(t, what, func(set []discovery.Backend) bool {
			b, there := find(set, "svc")
			held := 0
			for _, x := range b.Replicas {
				if x.Held {
					held++
				}
			}
			return there && !b.Held && len(b.Replicas)-held+1 == running && (ok == nil || ok(b))
		}).set
		b, _ := find(set, "svc")
		return b
	}
	ids := []string{replica(1, nil)}
	lead := team("one", 1, nil)
	for n := 2; n <= 5; n++ {
		ids = append(ids, replica(n, nil))
	}
	if b := team("five", 5, nil); !b.Same(lead) {
		t.Errorf("the lead changed: %+v", b)
	}
	for _, id := range ids[3:] {
		l.remove(id)
	}
	team("three", 3, nil)
	next := replica(6, func(c *container.Config, _ *container.HostConfig) { c.Image = other.ID })
	b := team("a new image", 4, func(b discovery.Backend) bool {
		draining := 0
		for _, x := range b.Replicas {
			if x.Drain {
				draining++
			}
		}
		return b.Replica.Drain && draining == 2
	})
	if !b.Same(lead) {
		t.Errorf("the lead changed: %+v", b)
	}
	for _, id := range ids[:3] {
		l.remove(id)
	}
	if b := team("the new image alone", 1, nil); b.Container.ID != next || b.Replica.Drain {
		t.Errorf("%+v", b)
	}
	present := false
	for _, p := range r.all() {
		_, there := find(p.set, "svc")
		if present && !there {
			t.Error("the service left although one of it ran")
		}
		present = there
	}
	untouched(t, r, "calm")
}

// F39: containers come and go for a while, and nothing is left of them.
// MCP_GW_TEST_CHURN is for how many seconds.
func TestF39Churn(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("calm")})
	_, r := l.watch(Config{})
	r.awaitNames(t, "calm")
	fds := func() int { d, _ := os.ReadDir("/proc/self/fd"); return len(d) }
	goroutines, files := runtime.NumGoroutine(), fds()
	end := time.Now().Add(time.Duration(many(t, "MCP_GW_TEST_CHURN", 5)) * time.Second)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for time.Now().Before(end) {
				id, err := l.tryStart(want{labels: port8080(strings.ToLower(unique("n")[17:]))})
				if err != nil {
					t.Errorf("start: %v", err)
					return
				}
				l.remove(id)
			}
		})
	}
	wg.Wait()
	r.awaitNames(t, "calm")
	const slack = 10 // connections to the engine that wait to be used again
	waitFor(t, "goroutines and files to be as before", func() bool {
		return runtime.NumGoroutine() <= goroutines+slack && fds() <= files+slack
	})
	untouched(t, r, "calm")
}

// F41: the address of one that died goes to another at once. Nothing that is said of
// the one is said of the other.
func TestF41AddressUsedAgain(t *testing.T) {
	l := newLab(t)
	_, r := l.watch(Config{Log: testLog(t)})
	again := 0
	for range 5 {
		a := l.start(want{labels: port8080("a")})
		first, _ := find(r.awaitNames(t, "a").set, "a")
		b := l.make(want{labels: port8080("b")}, func(_ *container.Config, h *container.HostConfig) { h.NetworkMode = "none" })
		l.must("disconnect", l.cli.NetworkDisconnect(t.Context(), "none", b, false))
		l.must("kill", l.cli.ContainerKill(t.Context(), a, "KILL"))
		l.must("connect", l.cli.NetworkConnect(t.Context(), l.net, b, nil))
		second, _ := find(r.awaitNames(t, "b").set, "b")
		if second.URL == first.URL {
			again++
		}
		if second.Generation == first.Generation {
			t.Error("two containers, one generation")
		}
		for _, p := range r.all() {
			if x, ok := find(p.set, "a"); ok && x.Container.ID == a && !x.Held {
				if y, ok := find(p.set, "b"); ok && y.URL == x.URL && y.Container.ID == b {
					t.Errorf("both are to be called at %s", y.URL)
				}
			}
		}
		l.remove(a)
		l.remove(b)
		r.awaitNames(t)
	}
	if again == 0 {
		t.Error("the engine never gave an address again: nothing was shown")
	}
}
