package docker

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// refuse answers 403 to the kinds of requests that it was given, in the way of a
// HAProxy.
func (f *fake) refuse(kinds ...string) (stop func()) {
	var off atomic.Bool
	f.with(func() {
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			for _, k := range kinds {
				if r.Pattern == k && !off.Load() {
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprintln(w, "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>")
					return true
				}
			}
			return false
		}
	})
	return func() { off.Store(true) }
}

func TestF30StreamCutOverAndOver(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	_, r := f.quick(func(p *pace) { p.relist = time.Hour })
	r.awaitNames(t, "c-a")
	for i := range 12 {
		open := func() (yes bool) { f.with(func() { yes = len(f.streams) == 1 }); return yes }
		waitFor(t, "an open stream", open)
		b := fresh(fmt.Sprintf("b%d", i)) // between two streams
		f.set(b)
		f.cutStreams()
		r.awaitNames(t, "c-a", "c-"+b.id)
		waitFor(t, "an open stream", open)
		f.with(func() { delete(f.containers, b.id) })
		f.tell("container", "destroy", b.id)
		r.awaitNames(t, "c-a")
	}
	first, _ := find(r.all()[0].set, "c-a")
	for _, p := range r.all() {
		if a, ok := find(p.set, "c-a"); !ok || !a.Same(first) {
			t.Fatalf("a cut stream touched a backend: %+v", a)
		}
	}
}

// The stream is open and tells nothing, and the listings still work: only a
// request on a connection of its own shows that nobody is there any more.
func TestF31HalfOpenStreamIsDropped(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	var deaf atomic.Bool
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	pings := atomic.Int32{}
	f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Pattern != "_ping" || !deaf.Load() {
			return false
		}
		pings.Add(1)
		select { // it hangs, as one does behind a lost connection
		case <-r.Context().Done():
		case <-gone:
		}
		return true
	}
	p, r := f.quick(func(p *pace) { p.guard, p.quiet = 20*time.Millisecond, 50*time.Millisecond })
	r.awaitNames(t, "c-a")
	before := f.count("events")
	time.Sleep(200 * time.Millisecond) // answered pings are no reason
	if n := f.count("events"); n != before {
		t.Errorf("%d streams after a quiet time, want %d", n, before)
	}
	deaf.Store(true)
	e := awaitEngineError(t, p, "does not answer")
	if e.Connected || e.Code != codeSilent || pings.Load() < maxMisses {
		t.Errorf("after %d pings: %+v", pings.Load(), e)
	}
	if set, _ := r.set(); names(set) != "c-a" {
		t.Errorf("the set is %q", names(set))
	}
	deaf.Store(false)
	f.set(fresh("b"))
	r.awaitNames(t, "c-a", "c-b")
}

// The old engine lives on behind its connection, another one has the socket.
func TestF33SocketReplacedWhileTheOldOneIsOpen(t *testing.T) {
	f := newFake(t)
	f.set(fresh("old"))
	p, r := f.quick(func(p *pace) { p.guard = 20 * time.Millisecond })
	r.awaitNames(t, "c-old")
	other := newFake(t)
	other.set(fresh("new"))
	if err := os.Rename(other.path, f.path); err != nil {
		t.Fatal(err)
	}
	r.awaitNames(t, "c-new")
	if n := f.count("events"); n != 1 || other.count("events") == 0 {
		t.Errorf("%d and %d streams", n, other.count("events"))
	}
	awaitReport(t, p, "connected", func(r discovery.Report) bool { return r.Engine.Connected })
}

// The file is there and nobody behind it: what a mounted socket is after the engine
// was restarted.
func TestF33StaleSocket(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	f.srv.Listener.(*net.UnixListener).SetUnlinkOnClose(false)
	f.close()
	if e := awaitEngineError(t, p, "nobody listens"); e.Code != codeNobody {
		t.Errorf("at first: %+v", e)
	}
	o := explore(t.Context(), f.host(), fmt.Errorf("away"))
	o.stale = true
	if code, _ := o.diagnose(); code != codeStale {
		t.Errorf("after a while: %s", code)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.set(fresh("b"))
	f.listen()
	r.awaitNames(t, "c-a", "c-b")
}

func TestF34SocketAppearsLater(t *testing.T) {
	dir := t.TempDir()
	p := New(Config{Host: "unix://" + filepath.Join(dir, "engine.sock"), Network: "net", Log: testLog(t)})
	p.pace.backoffMax = 200 * time.Millisecond
	_, r := runProvider(t, p)
	if e := awaitEngineError(t, p, "no Docker socket"); e.Code != codeNoSocket || e.Connected {
		t.Errorf("engine %+v", e)
	}
	time.Sleep(time.Second)
	if _, put := r.set(); put {
		t.Error("a set was put although nothing is known")
	}
	f := newFake(t)
	f.set(fresh("a"))
	if err := os.Symlink(f.path, filepath.Join(dir, "engine.sock")); err != nil {
		t.Fatal(err)
	}
	r.awaitNames(t, "c-a")
	awaitReport(t, p, "connected", func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Code == "" })
}

func TestF36InspectRefused(t *testing.T) {
	f := newFake(t)
	a, b := fresh("a"), fresh("b", func(o *observation) { o.health = "unhealthy" })
	f.set(a)
	f.set(b)
	f.refuse("inspect")
	p, r := f.quick()
	set := r.awaitNames(t, "c-a", "c-b").set
	rep := awaitReport(t, p, "the refusal", func(r discovery.Report) bool { return r.Engine.Code == codeNoInspect })
	if e := rep.Engine; !e.Connected || !strings.Contains(e.Error, "refuses GET /containers/{id}/json (403 Forbidden)") ||
		!strings.Contains(e.Error, "CONTAINERS=1") || strings.Contains(e.Error, "<html>") {
		t.Errorf("engine %+v", e)
	}
	first, _ := find(set, "c-a")
	if first.URL != "http://"+a.endpoints[0].ipv4.String()+":8080/mcp" || first.Container.Name != "c-a" || first.Container.Image != a.image {
		t.Errorf("from the listing: %+v", first)
	}
	if second, _ := find(set, "c-b"); second.Withheld == "" || second.Container.Health != "unhealthy" {
		t.Errorf("unhealthy, by the listing: %+v", second)
	}
	n := f.count("inspect")
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.count("inspect") != n {
		t.Error("what is refused is asked for over and over")
	}
	after, _ := r.set()
	if again, _ := find(after, "c-a"); names(after) != "c-a c-b" || again.Generation != first.Generation {
		t.Errorf("another look made another set: %q, %s then %s", names(after), first.Generation, again.Generation)
	}

	// Each start is another generation, although the listing looks the same.
	f.tell("container", "die", "a", "exitCode", "3")
	f.tell("container", "start", "a")
	r.await(t, "another generation", func(set []discovery.Backend) bool {
		got, ok := find(set, "c-a")
		return ok && !got.Held && got.Generation != first.Generation
	})
	f.set(dead(a))
	f.tell("container", "die", "a", "exitCode", "3")
	r.awaitNames(t, "c-b")
	if o := awaitVerdict(t, p, "a", verdictNotRunning); !strings.Contains(o.Reason, "code 3") {
		t.Errorf("reason %q", o.Reason)
	}
	f.with(func() { delete(f.containers, "b") })
	f.tell("container", "destroy", "b")
	r.awaitNames(t)
}

// An engine 20.10 tells of an end before its listing knows, and here the listing is
// all there is.
func TestF36InspectRefusedAndTheListingIsBehind(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	f.with(func() { f.version = "1.41" })
	f.refuse("inspect")
	_, r := f.quick()
	first := r.awaitNames(t, "c-a").set[0]
	f.tell("container", "die", "a") // the listing goes on to say "running"
	r.awaitNames(t)
	// It was right in the end: the container was started, and nobody told.
	r.await(t, "another generation", func(set []discovery.Backend) bool {
		got, ok := find(set, "c-a")
		return ok && got.Generation != first.Generation
	})
}

// One container that may not be inspected does not take the others' away.
func TestF36InspectOfOneRefused(t *testing.T) {
	f := newFake(t)
	a, b := fresh("a"), fresh("b")
	f.set(a)
	f.set(b)
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Pattern != "inspect" || !strings.Contains(r.URL.Path, "/containers/a/") {
			return false
		}
		http.Error(w, "Forbidden", http.StatusForbidden)
		return true
	}
	_, r := f.quick()
	set := r.awaitNames(t, "c-a", "c-b").set
	if got, _ := find(set, "c-b"); got.Generation != b.generation() {
		t.Errorf("generation %q, want %q", got.Generation, b.generation())
	}
}

func TestF36NetworksRefused(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	stop := f.refuse("networks")
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	rep := awaitReport(t, p, "the refusal", func(r discovery.Report) bool { return r.Engine.Code == codeNoNetworks })
	if e := rep.Engine; !e.Connected || !strings.Contains(e.Error, "NETWORKS=1") || e.NetworkProblem != "" {
		t.Errorf("engine %+v", e)
	}
	stop()
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := p.Report().Engine; e.Code != "" || e.Error != "" {
		t.Errorf("permitted again: %+v", e)
	}
	// Compose's name of a network without a fixed one.
	g := newFake(t)
	g.set(fresh("a", func(o *observation) { o.endpoints[0].network = "shop_net"; o.networkMode = "shop_net" }))
	g.refuse("networks")
	_, r = g.quick()
	r.awaitNames(t, "c-a")
}

func TestF36EventsRefused(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	stop := f.refuse("events")
	p, r := f.quick(func(p *pace) {
		p.poll, p.reask, p.hearing = 50*time.Millisecond, 300*time.Millisecond, 100*time.Millisecond
	})
	r.awaitNames(t, "c-a")
	rep := awaitReport(t, p, "the refusal", func(r discovery.Report) bool { return r.Engine.Code == codeNoEvents })
	if e := rep.Engine; !e.Connected || !strings.Contains(e.Error, "EVENTS=1") || !strings.Contains(e.Error, "looked at every few seconds") {
		t.Errorf("engine %+v", e)
	}
	f.set(fresh("b")) // nobody tells
	r.awaitNames(t, "c-a", "c-b")
	again := later(a, time.Now().UTC())
	f.set(again)
	r.await(t, "the new life of a", func(set []discovery.Backend) bool {
		got, ok := find(set, "c-a")
		return ok && got.Generation == again.generation()
	})
	f.set(dead(again))
	r.awaitNames(t, "c-b")

	// Permitted in the end, without a restart of anything.
	stop()
	awaitReport(t, p, "events", func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Error == "" })
	waitFor(t, "a stream that stays", func() (yes bool) { f.with(func() { yes = len(f.streams) == 1 }); return yes })
	f.start(fresh("c"))
	r.awaitNames(t, "c-b", "c-c")
}

func TestF36EventsAndInspectRefused(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	f.refuse("events", "inspect", "networks", "version", "info")
	p, r := f.quick(func(p *pace) { p.poll = 50 * time.Millisecond })
	first := r.awaitNames(t, "c-a").set[0]
	awaitReport(t, p, "all refusals", func(r discovery.Report) bool {
		e := r.Engine
		return e.Connected && e.Code == codeNoEvents && strings.Count(e.Error, "403 Forbidden") == 3
	})
	f.set(dead(a))
	r.awaitNames(t)
	f.set(a)
	r.await(t, "another generation", func(set []discovery.Backend) bool {
		return names(set) == "c-a" && set[0].Generation != first.Generation
	})
}

func TestF37EngineOfAnotherAPIUnderUs(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	f.with(func() { f.version, f.minVersion = "1.41", "1.12" })
	p, r := f.quick()
	first := r.awaitNames(t, "c-a").set[0]
	for _, v := range []struct{ speaks, oldest, want string }{
		{"1.44", "1.24", "1.44"}, {"1.45", "1.24", "1.45"}, {"1.51", "1.24", "1.51"}, {"1.52", "1.44", "1.51"}, {"1.41", "1.12", "1.41"},
	} {
		f.close()
		awaitReport(t, p, "away", func(r discovery.Report) bool { return !r.Engine.Connected })
		f.with(func() { f.version, f.minVersion = v.speaks, v.oldest; f.paths = nil })
		f.listen()
		rep := awaitReport(t, p, "connected", func(r discovery.Report) bool { return r.Engine.Connected })
		if rep.Engine.APIVersion != v.want {
			t.Errorf("an engine of %s: spoken to in %s, want %s", v.speaks, rep.Engine.APIVersion, v.want)
		}
		f.with(func() {
			for _, p := range f.paths {
				if strings.HasPrefix(p, "/v") && !strings.HasPrefix(p, "/v"+v.want+"/") {
					t.Errorf("an engine of %s was asked for %s", v.speaks, p)
				}
			}
		})
	}
	for _, p := range r.all() {
		if len(p.set) != 1 || !p.set[0].Same(first) {
			t.Errorf("another engine touched the set: %+v", p.set)
		}
	}
}

func TestNoCommonAPIVersion(t *testing.T) {
	f := newFake(t)
	f.with(func() { f.version, f.minVersion = "1.70", "1.60" })
	p, _ := f.quick()
	if e := awaitEngineError(t, p, "speaks API 1.60 to 1.70"); e.Code != codeAPIVersion {
		t.Errorf("engine %+v", e)
	}
	g := newFake(t)
	pinned := New(Config{Host: g.host(), Network: "net", APIVersion: "1.51"})
	runProvider(t, pinned)
	if e := awaitEngineError(t, pinned, "Unset DOCKER_API_VERSION"); e.Code != codeAPIVersion || !strings.Contains(e.Error, "up to 1.45") {
		t.Errorf("engine %+v", e)
	}
}

// What the engine could not get rid of, it drops without a word. The next listing
// finds what was lost, and that it was lost.
func TestF40SlowConsumer(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	_, r := f.quick(func(p *pace) {
		p.resync, p.relist, p.hearing = 300*time.Millisecond, time.Millisecond, 20*time.Millisecond
	})
	r.awaitNames(t, "c-a")
	waitFor(t, "the second look", func() bool { return f.count("containers/json") >= 3 })
	f.with(func() { f.mute = true })
	again := later(a, time.Now().UTC())
	f.start(again)
	f.start(fresh("b"))
	r.await(t, "what was lost", func(set []discovery.Backend) bool {
		got, ok := find(set, "c-a")
		return ok && got.Generation == again.generation() && names(set) == "c-a c-b"
	})
	f.with(func() { f.mute = false })
}

// A burst larger than any buffer: the reader keeps up, and the set is right.
func TestBurstOfEvents(t *testing.T) {
	f := newFake(t)
	_, r := f.quick(func(p *pace) { p.resync, p.relist = time.Hour, time.Hour })
	r.awaitNames(t)
	a := fresh("a")
	f.set(a)
	for i := range 10_000 {
		f.tell("container", []string{"start", "unpause", "pause", "health_status: healthy", "exec_create: x"}[i%5], "a")
	}
	b := fresh("b")
	f.start(b)
	r.awaitNames(t, "c-a", "c-b")
	if n := f.count("inspect"); n > 5000 {
		t.Errorf("%d inspects for 10000 events", n)
	}
	if n := f.count("events"); n != 1 {
		t.Errorf("%d streams", n)
	}
}

// The engine's clock is an hour off, either way. Nothing compares it with ours.
func TestF47ClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			f := newFake(t)
			f.with(func() { f.skew = skew })
			at := func(o observation) observation {
				o.created, o.startedAt = o.created.Add(skew), o.startedAt.Add(skew)
				if !o.finishedAt.IsZero() {
					o.finishedAt = o.finishedAt.Add(skew)
				}
				return o
			}
			a := at(fresh("a"))
			f.set(a)
			_, r := f.quick(func(p *pace) { p.resync, p.relist = time.Hour, time.Hour })
			first := r.awaitNames(t, "c-a").set[0]
			f.start(at(fresh("b")))
			r.awaitNames(t, "c-a", "c-b")
			f.cutStreams() // what happens now must not be asked for by our clock
			d := a
			status("exited")(&d)
			d.finishedAt = f.now()
			f.set(d)
			r.awaitNames(t, "c-b")
			f.start(later(a, f.now()))
			r.await(t, "the new life of a", func(set []discovery.Backend) bool {
				got, ok := find(set, "c-a")
				return ok && !got.Held && got.Generation != first.Generation
			})
			f.tell("container", "kill", "b", "signal", "9")
			f.tell("container", "die", "b", "exitCode", "137")
			f.with(func() { delete(f.containers, "b") })
			f.tell("container", "destroy", "b")
			r.awaitNames(t, "c-a")
		})
	}
}

// What answers does not know the filters: everything is asked for, and sorted here.
func TestFiltersRefused(t *testing.T) {
	f := newFake(t)
	f.with(func() { f.noFilters = true })
	p, r := f.quick(func(p *pace) { p.resync, p.relist = time.Hour, time.Hour })
	r.awaitNames(t)
	waitFor(t, "a stream", func() (yes bool) { f.with(func() { yes = len(f.streams) == 1 }); return yes })
	a := fresh("a")
	f.start(a)
	r.awaitNames(t, "c-a")
	n := f.count("inspect")
	f.tell("container", "exec_create: true", "a")
	f.tell("container", "exec_start: true", "a")
	f.tell("image", "pull", "whatever")
	f.set(dead(a))
	f.tell("container", "died", "a", "containerExitCode", "4")
	r.awaitNames(t)
	if got := f.count("inspect") - n; got > 3 {
		t.Errorf("%d inspects for one death", got)
	}
	if e := p.Report().Engine; e.Error != "" {
		t.Errorf("engine %+v", e)
	}
	f.with(func() { delete(f.containers, "a") })
	f.tell("container", "remove", "a")
	awaitVerdict(t, p, "a", verdictGone)
}

func TestResyncCadence(t *testing.T) {
	p := New(Config{})
	now := time.Now()
	s := &session{p: p, eng: &engine{}, liveSince: now}
	near := func(what string, changed, want time.Duration) {
		t.Helper()
		for range 100 {
			if d := s.cadence(changed); d < want*9/10 || d > want {
				t.Fatalf("%s: %v, want %v, or less by a tenth", what, d, want)
			}
		}
	}
	near("usual", time.Second, 28*time.Second)
	near("just connected", time.Hour, 28*time.Second)
	s.liveSince = now.Add(-time.Hour)
	near("calm", time.Hour, time.Minute)
	p.lastEvent.Store(now.UnixNano())
	near("an event", time.Hour, 28*time.Second)
	s.eng.podman = true
	near("Podman", time.Hour, 15*time.Second)
	s.polling.Store(true)
	near("without events", time.Hour, 3*time.Second)
}

func TestDeployLabels(t *testing.T) {
	f := newFake(t)
	service := func(id string, own, containers map[string]string) map[string]any {
		return map[string]any{"ID": id, "Spec": map[string]any{"Name": "svc-" + id, "Labels": own,
			"TaskTemplate": map[string]any{"ContainerSpec": map[string]any{"Image": "demo:1", "Labels": containers}}}}
	}
	ours := map[string]string{"mcp-gw.port": "8080", "mcp-gw.headers.Authorization": "Bearer 0123456789"}
	f.with(func() {
		f.swarm = "active/manager"
		f.services = []map[string]any{service("wrong", ours, nil), service("right", ours, ours), service("other", map[string]string{"x": "y"}, nil)}
	})
	p, r := f.quick()
	r.awaitNames(t)
	o := awaitVerdict(t, p, "wrong", verdictDeployLabels)
	if !strings.HasPrefix(o.Reason, "labels are under deploy.labels; move to labels:") || !strings.Contains(o.Fix, "docker service update --container-label-add") ||
		len(o.Diagnostics) != 1 || o.Diagnostics[0].Code != codeDeployLabels || o.Name != "svc-wrong" {
		t.Errorf("%+v", o)
	}
	if strings.Contains(fmt.Sprintf("%+v", o), "0123456789") {
		t.Errorf("a secret is shown: %+v", o)
	}
	if n := len(p.Report().Containers); n != 1 {
		t.Errorf("%d entries, want one", n)
	}
	f.with(func() { f.services = nil })
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Report().Containers); n != 0 {
		t.Errorf("%d entries after the service is gone", n)
	}

	// Workers know nothing of services, and may say so: nobody asks them.
	w := newFake(t)
	w.with(func() { w.swarm = "active/worker" })
	_, r = w.quick()
	r.awaitNames(t)
	if n := w.count("services"); n != 0 {
		t.Errorf("a worker was asked %d times", n)
	}
	// A proxy that refuses the question is no trouble.
	w = newFake(t)
	w.with(func() { w.swarm = "active/manager" })
	w.refuse("services")
	w.set(fresh("a"))
	p, r = w.quick()
	r.awaitNames(t, "c-a")
	if e := p.Report().Engine; !e.Connected || e.Error != "" {
		t.Errorf("engine %+v", e)
	}
}

// Answers come in pieces, and labels in bulk.
func TestSlowAndLargeAnswers(t *testing.T) {
	f := newFake(t)
	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprintf("label.%d", i), strings.Repeat("x", 500))
	}
	f.set(fresh("a", labelled(many...)))
	f.set(fresh("b"))
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Pattern != "containers/json" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "[")
		for range 20 { // white space, a little at a time
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
			fmt.Fprint(w, " ")
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		first := true
		for _, o := range f.containers {
			if !first {
				fmt.Fprint(w, ",")
			}
			first = false
			f.answer(w, toLine(o))
		}
		fmt.Fprint(w, "]")
		return true
	}
	_, r := f.quick()
	r.awaitNames(t, "c-a", "c-b")
}
