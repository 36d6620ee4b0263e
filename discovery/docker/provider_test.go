package docker

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-gw/discovery"
)

func fresh(id string, change ...func(*observation)) observation {
	o := running(id, change...)
	o.created, o.startedAt = time.Now().UTC(), time.Now().UTC()
	return o
}

func dead(o observation) observation {
	status("exited")(&o)
	o.finishedAt, o.exitCode = time.Now().UTC(), 1
	return o
}

func TestEventsLeadToSets(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	b := fresh("b")
	f.start(b)
	r.awaitNames(t, "c-a", "c-b")
	f.set(dead(a))
	f.tell("container", "die", "a")
	r.awaitNames(t, "c-b")
	if e := p.Report().Engine; e.LastEventAt.IsZero() || e.Version != "fake" || e.APIVersion != "1.45" {
		t.Errorf("engine %+v", e)
	}
	for _, word := range []string{"health_status", "connect", `"container"`} {
		f.with(func() {
			if !strings.Contains(f.filters, word) {
				t.Errorf("the stream's filter %s lacks %s", f.filters, word)
			}
		})
	}
}

// An engine 20.10 tells of a death before its listings know, and its inspects
// wait for the container's lock.
func TestDieBeforeListUpdate(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	f.with(func() {
		f.version = "1.41"
		f.listed = func(now map[string]observation) map[string]observation { return map[string]observation{"a": a} }
	})
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	f.set(dead(a))
	f.tell("container", "die", "a")
	r.awaitNames(t)
	if err := p.Rescan(t.Context()); err != nil { // a listing that is behind the events
		t.Fatal(err)
	}
	if set, _ := r.set(); len(set) != 0 {
		t.Errorf("the listing brought the dead back: %s", names(set))
	}
	f.with(func() {
		for _, p := range f.paths {
			if strings.HasPrefix(p, "/v") && !strings.HasPrefix(p, "/v1.41/") {
				t.Errorf("an engine of API 1.41 was asked for %s", p)
			}
		}
	})
}

// A container that starts after the listing and before the engine has really
// subscribed is in no event. The second listing finds it.
func TestGapBetweenHeadAndSubscription(t *testing.T) {
	f := newFake(t)
	_, r := f.quick(func(p *pace) { p.relist = 300 * time.Millisecond })
	r.awaitNames(t)
	f.set(fresh("a")) // nobody is told
	r.awaitNames(t, "c-a")
	if n := f.count("events"); n != 1 {
		t.Errorf("%d connections, want 1: a second look is no reason to reconnect", n)
	}
}

func TestStreamCutReconnectsAndKeepsTheSet(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	_, r := f.quick()
	r.awaitNames(t, "c-a")
	for _, id := range []string{"b", "d", "e", "f", "g"} { // one that comes so often would be flapping
		// The head of a stream is out before it is subscribed, and could be cut.
		open := func() (yes bool) { f.with(func() { yes = len(f.streams) == 1 }); return yes }
		waitFor(t, "an open stream", open)
		before := f.count("events")
		f.set(fresh(id)) // happens while nobody listens
		f.cutStreams()
		r.awaitNames(t, "c-a", "c-"+id)
		waitFor(t, "another stream", func() bool { return f.count("events") > before && open() })
		f.with(func() { delete(f.containers, id) })
		f.cutStreams()
		r.awaitNames(t, "c-a")
	}
	for _, p := range r.all()[1:] {
		if _, ok := find(p.set, "c-a"); !ok {
			t.Fatal("a cut stream cost a backend")
		}
	}
}

func TestSilentStreamIsNoticed(t *testing.T) {
	f := newFake(t)
	f.with(func() { f.mute = true })
	f.set(fresh("a"))
	_, r := f.quick(func(p *pace) {
		p.resync, p.hearing, p.relist = 100*time.Millisecond, 20*time.Millisecond, time.Millisecond
	})
	r.awaitNames(t, "c-a")
	waitFor(t, "the second look", func() bool { return f.count("containers/json") >= 3 })
	f.start(fresh("b"))
	r.awaitNames(t, "c-a", "c-b") // by the resync
	waitFor(t, "a new stream", func() bool { return f.count("events") >= 2 })
	f.with(func() { f.mute = false })
}

// failing answers with a status while on.
type failing struct {
	mu   sync.Mutex
	on   bool
	kind string
	code int
	body string
}

func (x *failing) answer(w http.ResponseWriter, r *http.Request) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.on || r.Pattern != x.kind {
		return false
	}
	http.Error(w, x.body, x.code)
	return true
}

func (x *failing) set(on bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.on = on
}

func TestListFailureKeepsTheSet(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	x := &failing{kind: "containers/json", code: 500, body: "boom"}
	f.fault = x.answer
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	x.set(true)
	if err := p.Rescan(t.Context()); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("Rescan: %v", err)
	}
	awaitEngineError(t, p, "boom")
	n := len(r.all())
	x.set(false)
	awaitReport(t, p, "connected", func(r discovery.Report) bool { return r.Engine.Connected && r.Engine.Error == "" })
	if len(r.all()) != n {
		t.Error("a failed listing changed the set")
	}
}

func TestListFailureAtStartPutsNothing(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	x := &failing{kind: "containers/json", code: 500, body: "boom", on: true}
	f.fault = x.answer
	p, r := f.quick()
	awaitEngineError(t, p, "boom")
	if _, put := r.set(); put {
		t.Error("a set was put although the engine could not be asked")
	}
	x.set(false)
	r.awaitNames(t, "c-a")
}

func TestInspectFailureIsNotGone(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	x := &failing{kind: "inspect", code: 500, body: "boom"}
	f.fault = x.answer
	p, r := f.quick()
	r.awaitNames(t, "c-a")
	x.set(true)
	before := f.count("inspect")
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.count("inspect") == before {
		t.Error("a rescan did not inspect")
	}
	if set, _ := r.set(); names(set) != "c-a" {
		t.Errorf("after a failed inspect: %q", names(set))
	}
	if e := awaitEngineError(t, p, "boom"); !e.Connected || !strings.Contains(e.Error, "what was known of it stands") {
		t.Errorf("engine %+v", e)
	}
	x.set(false)
	f.start(fresh("b"))
	r.awaitNames(t, "c-a", "c-b")
	awaitReport(t, p, "no error", func(r discovery.Report) bool { return r.Engine.Error == "" })
}

// One container that the engine is slow about delays nobody else.
func TestSlowInspectDelaysNobody(t *testing.T) {
	f := newFake(t)
	release := make(chan struct{})
	f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "slow") {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		return false
	}
	_, r := f.quick()
	r.awaitNames(t)
	for _, id := range []string{"slow1", "slow2", "slow3"} {
		f.start(fresh(id))
	}
	f.start(fresh("quick"))
	r.awaitNames(t, "c-quick")
	close(release)
	r.awaitNames(t, "c-quick", "c-slow1", "c-slow2", "c-slow3")
}

func TestNoAPIVersion(t *testing.T) {
	f := newFake(t)
	f.with(func() { f.version = "" })
	p, r := f.quick()
	awaitEngineError(t, p, "no Api-Version")
	if _, put := r.set(); put || f.count("events") != 0 {
		t.Error("it went on without a version")
	}
	f.with(func() { f.version = "1.51" })
	r.awaitNames(t)
	if v := p.Report().Engine.APIVersion; v != "1.51" {
		t.Errorf("API version %q, want 1.51: a new client negotiates anew", v)
	}
}

func TestPodmanGetsNoFilters(t *testing.T) {
	f := newFake(t)
	f.with(func() { f.platform = "Podman Engine" })
	_, r := f.quick()
	r.awaitNames(t)
	f.with(func() {
		if f.filters != "" {
			t.Errorf("filters %s", f.filters)
		}
	})
	a := fresh("a")
	f.start(a)
	f.tell("image", "pull", "whatever")
	r.awaitNames(t, "c-a")
	f.set(dead(a))
	f.tell("container", "died", "a")
	r.awaitNames(t)
}

// The endpoint accepts and never says a word.
func TestHalfOpenEndpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, _ := runProvider(t, New(Config{Host: "unix://" + path}))
	awaitEngineError(t, p, "does not answer")
}

// SIGTERM: the engine tells of deaths and refuses inspects, then is away, then
// back.
func TestEngineGoesDownAndComesBack(t *testing.T) {
	f := newFake(t)
	a, b := fresh("a"), fresh("b")
	f.set(a)
	f.set(b)
	x := &failing{kind: "inspect", code: 500, body: "shutting down"}
	f.fault = x.answer
	p, r := f.quick()
	r.awaitNames(t, "c-a", "c-b")
	// The head of the stream is out a moment before the engine subscribes.
	waitFor(t, "the stream", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.streams) > 0 })
	x.set(true)
	f.tell("container", "die", "a")
	r.await(t, "a held", func(set []discovery.Backend) bool { return names(set) == "c-a! c-b" })
	f.close()
	awaitEngineError(t, p, "no Docker socket")
	if p.Report().Engine.Connected {
		t.Error("still connected")
	}
	set, _ := r.set()
	if names(set) != "c-a! c-b" {
		t.Errorf("with the engine away the set is %q", names(set))
	}
	x.set(false)
	again := later(a, time.Now().UTC())
	f.set(again)
	f.listen()
	r.await(t, "the new life of a", func(set []discovery.Backend) bool {
		got, ok := find(set, "c-a")
		return ok && !got.Held && got.Generation == again.generation() && len(set) == 2
	})
}

func TestRescanFindsWhatNobodyTold(t *testing.T) {
	f := newFake(t)
	p, r := f.quick(func(p *pace) { p.relist, p.hearing = time.Hour, time.Hour })
	r.awaitNames(t)
	f.set(fresh("a"))
	if err := p.Rescan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if set, _ := r.set(); names(set) != "c-a" { // not a moment later
		t.Errorf("after Rescan returned the set is %q", names(set))
	}
}

func TestRescanEndsTheWaitForTheEngine(t *testing.T) {
	f := newFake(t)
	f.close()
	p, r := f.quick(func(p *pace) { p.backoffMin, p.backoffMax = time.Hour, time.Hour })
	awaitEngineError(t, p, "no Docker socket")
	if err := p.Rescan(t.Context()); err == nil {
		t.Error("Rescan without an engine: no error")
	}
	f.listen()
	if err := p.Rescan(t.Context()); err != nil {
		t.Error(err)
	}
	if _, put := r.set(); !put {
		t.Error("nothing was put")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Rescan(ctx); err != context.Canceled {
		t.Errorf("Rescan with an ended context: %v", err)
	}
}

// Proxies cut streams after some minutes: that is no trouble that has to be waited out.
func TestASteadyConnectionIsMadeAnewAtOnce(t *testing.T) {
	f := newFake(t)
	f.set(fresh("a"))
	_, r := f.quick(func(p *pace) {
		p.steady, p.again = 0, time.Millisecond
		p.relist, p.resync, p.hearing = time.Hour, time.Hour, time.Hour
		p.backoffMin, p.backoffMax = time.Hour, time.Hour
	})
	r.awaitNames(t, "c-a")
	for _, id := range []string{"b", "c"} {
		f.set(fresh(id))
		waitFor(t, "the stream", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.streams) > 0 })
		f.cutStreams()
		r.await(t, "c-"+id, func(set []discovery.Backend) bool { _, ok := find(set, "c-"+id); return ok })
	}
}

func TestOwnContainer(t *testing.T) {
	f := newFake(t)
	id := strings.Repeat("ab", 32)
	self := fresh(id, func(o *observation) { o.name = "gw" })
	f.set(fresh("a"))
	off := self
	offNetwork(&off)
	f.set(off)
	p := New(Config{Host: f.host(), Network: "net", ContainerID: id[:12]})
	_, r := runProvider(t, p)
	r.awaitNames(t, "c-a")
	rep := awaitReport(t, p, "the gateway's problem", func(r discovery.Report) bool { return r.Engine.NetworkProblem != "" })
	if want := "docker network connect net gw"; !strings.Contains(rep.Engine.NetworkProblem, want) {
		t.Errorf("problem %q lacks %q", rep.Engine.NetworkProblem, want)
	}
	f.set(self)
	f.tell("network", "connect", "netid", "name", "net", "container", id)
	awaitReport(t, p, "no problem", func(r discovery.Report) bool { return r.Engine.NetworkProblem == "" })
	awaitVerdict(t, p, id, verdictSelf)
	if set, _ := r.set(); names(set) != "c-a" {
		t.Errorf("the gateway registered itself: %q", names(set))
	}
}

// A restart whose events were lost is noticed by whoever attaches to the run before it, and
// a look at everything that fails is made up for.
func TestARestartThatNobodyTold(t *testing.T) {
	f := newFake(t)
	a := fresh("a")
	f.set(a)
	p, r := f.quick(func(p *pace) { p.resync, p.thorough, p.hearing = time.Hour, time.Hour, time.Hour })
	r.awaitNames(t, "c-a")
	become := func(what string, o observation) {
		t.Helper()
		waitFor(t, what, func() bool { set, _ := r.set(); return len(set) == 1 && set[0].Generation == o.generation() })
	}
	become("the first run", a)
	next := later(a, a.startedAt.Add(time.Second))
	f.set(next)
	if _, err := p.opener("c-a", "a", a.generation())(t.Context()); err == nil || !strings.Contains(err.Error(), "started anew") {
		t.Errorf("attached to another run: %v", err)
	}
	become("the second run", next)

	var failed atomic.Bool
	f.with(func() {
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Pattern != "containers/json" || failed.Swap(true) {
				return false
			}
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
	})
	next = later(a, a.startedAt.Add(2*time.Second))
	f.set(next)
	if err := p.Rescan(t.Context()); err == nil {
		t.Error("the look did not fail")
	}
	become("the third run", next)
}

func TestRemarksAreLoggedOnceAGeneration(t *testing.T) {
	f := newFake(t)
	a := fresh("a", labelled("mcp-gw.transprot", "http", "mcp-gw.headers.Authorization", "Bearer 0123456789"))
	f.set(a)
	var log safeBuffer
	p := New(Config{Host: f.host(), Network: "net", Log: slog.New(slog.NewTextHandler(&log, nil))})
	_, r := runProvider(t, p)
	r.awaitNames(t, "c-a")
	for range 3 {
		if err := p.Rescan(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "code=L001"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
	f.start(later(a, time.Now().UTC()))
	waitFor(t, "the remark on the next generation", func() bool { return strings.Count(log.String(), "code=L001") == 2 })
	if strings.Contains(log.String(), "0123456789") {
		t.Error("the log has the secret")
	}
	o := awaitVerdict(t, p, "a", verdictRegisteredWarn)
	o.Diagnostics[0].Message = "changed by the caller"
	o.Labels["mcp-gw.transprot"] = "changed by the caller"
	if o := awaitVerdict(t, p, "a", verdictRegisteredWarn); o.Diagnostics[0].Message == "changed by the caller" || o.Labels["mcp-gw.transprot"] != "http" {
		t.Error("the report is not a copy")
	}
}

// A storm of events gives few sets, and its first one at once.
func TestStormIsCoalesced(t *testing.T) {
	f := newFake(t)
	_, r := f.quick(func(p *pace) { p.putGap = 200 * time.Millisecond })
	r.awaitNames(t)
	var want []string
	for i := range 40 {
		id := strings.Repeat("x", i+1)
		id = id[:min(len(id), 25)] + string(rune('a'+i%26)) + string(rune('a'+i/26))
		want = append(want, "c-"+id)
		f.start(fresh(id))
	}
	r.awaitNames(t, want...)
	if n := len(r.all()); n > 20 {
		t.Errorf("%d sets for 40 starts", n)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
