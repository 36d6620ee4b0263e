package docker

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"mcp-gw/discovery"
)

func port8080(name string) map[string]string {
	return map[string]string{"mcp-gw.name": name, "mcp-gw.port": "8080"}
}

func TestF01F02StartBeforeAndAfter(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("before")})
	p, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t, "before")

	id := l.start(want{labels: map[string]string{"mcp-gw.name": "after", "mcp-gw.headers.X-Tenant": "acme", "mcp-gw.timeout.call": "5s"}, ports: []string{"9999/tcp"}})
	set := r.awaitNames(t, "before", "after").set
	b, _ := find(set, "after")
	c, err := l.cli.ContainerInspect(t.Context(), id)
	l.must("inspect", err)
	ip := c.NetworkSettings.Networks[l.net].IPAddress
	if want := "http://" + ip + ":9999/mcp"; b.URL != want {
		t.Errorf("URL %q, want %q", b.URL, want)
	}
	if want := id + "@" + c.State.StartedAt; b.Generation != want {
		t.Errorf("Generation %q, want %q", b.Generation, want)
	}
	if b.Headers["X-Tenant"] != "acme" || b.CallTimeout != 5*time.Second || b.Held || b.Container.ID != id {
		t.Errorf("backend %+v", b)
	}
	if e := p.Report().Engine; !e.Connected || e.Version == "" || e.APIVersion == "" || e.LastSyncAt.IsZero() || e.NetworkProblem != "" {
		t.Errorf("engine %+v", e)
	}
}

func TestF03Kill(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: port8080("victim")})
	p, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t, "victim")
	l.must("kill", l.cli.ContainerKill(t.Context(), id, "KILL"))
	r.awaitNames(t)
	// SIGKILL is known a moment before the death: no call may start in between.
	if all := r.all(); names(all[len(all)-2].set) != "victim!" {
		t.Errorf("before it left, the set was %q, want it held", names(all[len(all)-2].set))
	}
	if o := awaitVerdict(t, p, id, verdictNotRunning); !strings.Contains(o.Reason, "137") {
		t.Errorf("reason %q does not name the exit code", o.Reason)
	}
}

func TestRealStopAndStartAgain(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: port8080("s")})
	_, r := l.watch(Config{Log: testLog(t)})
	first, _ := find(r.awaitNames(t, "s").set, "s")
	l.must("stop", l.cli.ContainerStop(t.Context(), id, container.StopOptions{}))
	r.awaitNames(t)
	l.must("start", l.cli.ContainerStart(t.Context(), id, container.StartOptions{}))
	second, _ := find(r.awaitNames(t, "s").set, "s")
	if first.Generation == second.Generation {
		t.Error("another process, the same generation")
	}
}

func TestF07RestartNeverLeavesTheSet(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: port8080("r")})
	other := l.start(want{labels: port8080("other")})
	_, r := l.watch(Config{Log: testLog(t)})
	set := r.awaitNames(t, "other", "r").set
	for range 3 { // more would be flapping
		first, _ := find(set, "r")
		l.must("restart", l.cli.ContainerRestart(t.Context(), id, container.StopOptions{}))
		set = r.await(t, "a new generation of r", func(set []discovery.Backend) bool {
			b, ok := find(set, "r")
			return ok && !b.Held && b.Generation != first.Generation
		}).set
	}
	puts := r.all()
	started := false
	for _, p := range puts {
		_, has := find(p.set, "r")
		started = started || has
		if started && !has {
			t.Fatalf("r left the set: %q", names(p.set))
		}
		if b, ok := find(p.set, "other"); ok && (b.Held || b.Container.ID != other) {
			t.Fatalf("the restart touched its neighbour: %+v", b)
		}
	}
}

func TestF21Recreate(t *testing.T) {
	l := newLab(t)
	// The order of docker compose: the new one is created before the old one ends.
	labels := map[string]string{"com.docker.compose.project": "p", "com.docker.compose.service": "svc", "com.docker.compose.container-number": "1", "mcp-gw.port": "8080"}
	oldID := l.start(want{labels: labels})
	_, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t, "svc")
	newID := l.start(want{labels: labels, create: true})
	l.must("stop", l.cli.ContainerStop(t.Context(), oldID, container.StopOptions{}))
	l.must("remove", l.cli.ContainerRemove(t.Context(), oldID, container.RemoveOptions{}))
	held := r.await(t, "svc held", func(set []discovery.Backend) bool { return names(set) == "svc!" })
	if held.set[0].Container.ID != oldID {
		t.Errorf("held: %+v", held.set[0])
	}
	l.must("start", l.cli.ContainerStart(t.Context(), newID, container.StartOptions{}))
	r.await(t, "the new svc", func(set []discovery.Backend) bool {
		b, ok := find(set, "svc")
		return ok && !b.Held && b.Container.ID == newID
	})
	for i, p := range r.all() {
		if i > 0 && len(p.set) == 0 {
			t.Error("svc left the set although its successor was in sight")
		}
	}
}

func TestF11F12NetworkConnectAndDisconnectLate(t *testing.T) {
	l := newLab(t)
	elsewhere := unique("net")
	l.network(elsewhere)
	id := l.start(want{labels: port8080("late"), nets: []string{elsewhere}})
	p, r := l.watch(Config{Log: testLog(t)})
	r.awaitNames(t)
	o := awaitVerdict(t, p, id, verdictNoSharedNetwork)
	if want := "docker network connect " + l.net + " " + o.Name; o.Fix != want {
		t.Errorf("fix %q, want %q", o.Fix, want)
	}
	l.must("connect", l.cli.NetworkConnect(t.Context(), l.net, id, nil))
	b := r.awaitNames(t, "late").set[0]
	c, err := l.cli.ContainerInspect(t.Context(), id)
	l.must("inspect", err)
	if want := "http://" + c.NetworkSettings.Networks[l.net].IPAddress + ":8080/mcp"; b.URL != want {
		t.Errorf("on two networks: URL %q, want %q", b.URL, want)
	}
	l.must("disconnect", l.cli.NetworkDisconnect(t.Context(), l.net, id, false))
	r.awaitNames(t)
}

func TestF15TwoNetworksWhateverTheirOrder(t *testing.T) {
	l := newLab(t)
	others := []string{"a" + unique("net"), "z" + unique("net")}
	var ids []string
	for i, other := range others {
		l.network(other)
		id := l.start(want{labels: port8080(fmt.Sprintf("two-%d", i))})
		l.must("connect", l.cli.NetworkConnect(t.Context(), other, id, &network.EndpointSettings{}))
		ids = append(ids, id)
	}
	_, r := l.watch(Config{})
	set := r.awaitNames(t, "two-0", "two-1").set
	for i, id := range ids {
		c, err := l.cli.ContainerInspect(t.Context(), id)
		l.must("inspect", err)
		if want := "http://" + c.NetworkSettings.Networks[l.net].IPAddress + ":8080/mcp"; set[i].URL != want {
			t.Errorf("URL %q, want %q", set[i].URL, want)
		}
	}
}

func TestF18Ports(t *testing.T) {
	l := newLab(t)
	p, r := l.watch(Config{})
	none := l.start(want{labels: map[string]string{"mcp-gw.name": "none"}})
	two := l.start(want{labels: map[string]string{"mcp-gw.name": "two"}, ports: []string{"6379/tcp", "9090/tcp"}})
	l.start(want{labels: map[string]string{"mcp-gw.name": "likely"}, ports: []string{"6379/tcp", "3000/tcp"}})
	set := r.awaitNames(t, "likely").set
	if !strings.HasSuffix(set[0].URL, ":3000/mcp") {
		t.Errorf("URL %q", set[0].URL)
	}
	awaitVerdict(t, p, none, verdictNoPort)
	if o := awaitVerdict(t, p, two, verdictPortAmbiguous); !strings.Contains(o.Reason, "6379, 9090") {
		t.Errorf("reason %q", o.Reason)
	}
}

func TestF38ManyAtOnce(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	l := newLab(t)
	_, r := l.watch(Config{})
	r.awaitNames(t)
	n, atOnce := many(t, "MCP_GW_TEST_MANY", 50), 8
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	var names []string
	ids := make([]string, n)
	for i := range n {
		name := "many-" + strconv.Itoa(i)
		names = append(names, name)
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			id, err := l.tryStart(want{labels: port8080(name)})
			if err != nil {
				t.Errorf("start %s: %v", name, err)
			}
			ids[i] = id
		})
	}
	wg.Wait()
	r.awaitNames(t, names...)
	for _, id := range ids {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			l.remove(id)
		})
	}
	wg.Wait()
	r.awaitNames(t)
}

func TestRealProviderRestart(t *testing.T) {
	l := newLab(t)
	l.start(want{labels: port8080("stay")})
	var first []discovery.Backend
	t.Run("first life", func(t *testing.T) {
		_, r := runProvider(t, New(Config{Network: l.net}))
		first = r.awaitNames(t, "stay").set
	})
	_, r := l.watch(Config{})
	second := r.awaitNames(t, "stay").set
	if !first[0].Same(second[0]) {
		t.Errorf("another provider sees another backend:\n%+v\n%+v", first[0], second[0])
	}
	if n := len(r.all()); n != 1 {
		t.Errorf("%d sets at start, want 1", n)
	}
}

func TestF09PauseKeepsHeld(t *testing.T) {
	l := newLab(t)
	id := l.start(want{labels: port8080("sleepy")})
	p, r := l.watch(Config{})
	r.awaitNames(t, "sleepy")
	l.must("pause", l.cli.ContainerPause(t.Context(), id))
	set := r.await(t, "sleepy held", func(set []discovery.Backend) bool { return names(set) == "sleepy!" }).set
	if len(set[0].Diagnostics) != 1 || set[0].Diagnostics[0].Code != codePaused || set[0].Diagnostics[0].FirstSeen.IsZero() {
		t.Errorf("diagnostics %+v", set[0].Diagnostics)
	}
	awaitVerdict(t, p, id, verdictRegisteredWarn)
	l.must("unpause", l.cli.ContainerUnpause(t.Context(), id))
	r.awaitNames(t, "sleepy")
}

func TestF24Conflict(t *testing.T) {
	l := newLab(t)
	_, r := l.watch(Config{})
	first := l.start(want{labels: port8080("same")})
	r.awaitNames(t, "same")
	p2, r2 := l.watch(Config{}) // came later, and must judge the same
	second := l.start(want{labels: port8080("same")})
	o := awaitVerdict(t, p2, second, verdictConflict)
	if !strings.Contains(o.Reason, short(first)) || len(o.Diagnostics) != 1 || o.Diagnostics[0].Code != codeConflict {
		t.Errorf("conflict %+v", o)
	}
	l.must("restart", l.cli.ContainerRestart(t.Context(), first, container.StopOptions{}))
	l.must("kill", l.cli.ContainerKill(t.Context(), first, "KILL"))
	for _, r := range []*recorder{r, r2} {
		r.await(t, "the second as owner", func(set []discovery.Backend) bool {
			b, ok := find(set, "same")
			return ok && b.Container.ID == second
		})
		for _, p := range r.all() {
			// Until the kill, the first one has the name, also while it restarts.
			if b, ok := find(p.set, "same"); ok && b.Container.ID == second && b.Held {
				t.Error("the second was held")
			}
		}
	}
}

func TestF08CrashLoop(t *testing.T) {
	l := newLab(t)
	p, r := l.watch(Config{})
	id := l.start(want{labels: port8080("loop"), cmd: []string{"exit"}, policy: "always"})
	r.await(t, "loop held", func(set []discovery.Backend) bool { return names(set) == "loop!" })
	other := l.start(want{labels: port8080("calm")})
	awaitVerdict(t, p, id, verdictFlapping)
	set := r.await(t, "both", func(set []discovery.Backend) bool { return len(set) == 2 }).set
	if loop, _ := find(set, "loop"); loop.Withheld == "" || !loop.Held {
		t.Errorf("it is shown: %+v", loop)
	}
	shown := 0
	for _, p := range r.all() {
		loop, _ := find(p.set, "loop")
		calm, ok := find(p.set, "calm")
		if ok && (calm.Held || calm.Withheld != "" || calm.Container.ID != other) {
			t.Errorf("its neighbour suffers: %+v", calm)
		}
		if now := loop.Name != "" && loop.Withheld == ""; now != (shown%2 == 1) {
			shown++
		}
	}
	if shown > 3 {
		t.Errorf("its tools came and went %d times", shown)
	}
	l.remove(id)
	r.awaitNames(t, "calm")
}

func TestF13NetworkRemovedAndMadeAgain(t *testing.T) {
	l := newLab(t)
	name := unique("net")
	p, r := l.watch(Config{Network: name})
	r.awaitNames(t)
	awaitReport(t, p, "no network", func(r discovery.Report) bool {
		return strings.Contains(r.Engine.NetworkProblem, "docker network create "+name)
	})
	for range 2 {
		netID := l.network(name)
		id := l.start(want{labels: port8080("n"), nets: []string{name}})
		r.awaitNames(t, "n")
		awaitReport(t, p, "no problem", func(r discovery.Report) bool { return r.Engine.NetworkProblem == "" })
		l.remove(id)
		r.awaitNames(t)
		l.must("remove network", l.cli.NetworkRemove(t.Context(), netID))
	}
}

func TestRealRescan(t *testing.T) {
	l := newLab(t)
	p, r := l.watch(Config{})
	r.awaitNames(t)
	before := p.Report().Engine.LastSyncAt
	l.must("rescan", p.Rescan(t.Context()))
	if after := p.Report().Engine.LastSyncAt; !after.After(before) {
		t.Errorf("last sync %v, before %v", after, before)
	}
}
