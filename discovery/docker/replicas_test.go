package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// scaled is container n of a compose service.
func scaled(n int, change ...func(*observation)) observation {
	o := running(fmt.Sprint("id", n), labelled(
		labelComposeProject, "p", labelComposeService, "svc", labelComposeNumber, fmt.Sprint(n), "mcp-gw.port", "8080"))
	o.created = testStart.Add(time.Duration(n) * time.Second)
	o.startedAt, o.imageID = o.created, "sha256:one"
	for _, c := range change {
		c(&o)
	}
	return o
}

func image2(o *observation) { o.imageID = "sha256:two" }

// team shows the processes of the only backend: its lead first, "!" behind those that
// are held, "-" behind those that drain.
func (b *bench) team(t *testing.T) string {
	t.Helper()
	set := b.assemble(b.now).set
	if len(set) != 1 {
		t.Fatalf("%d backends: %s", len(set), names(set))
	}
	show := func(r discovery.ReplicaRole, held bool) string {
		if held {
			r.ID += "!"
		}
		if r.Drain {
			r.ID += "-"
		}
		return r.ID
	}
	out := []string{show(set[0].Replica, set[0].Held)}
	for _, r := range set[0].Replicas {
		if r.URL == "" || r.Generation == "" || r.Container == nil || r.Container.ID != r.ID {
			t.Errorf("replica %+v", r)
		}
		out = append(out, show(r.ReplicaRole, r.Held))
	}
	return strings.Join(out, " ")
}

func (b *bench) expectTeam(t *testing.T, what, want string) {
	t.Helper()
	if got := b.team(t); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestF22ScaleUpAndDown(t *testing.T) {
	b := newBench()
	b.sees(scaled(2))
	b.expectTeam(t, "one", "id2")
	b.sees(scaled(1)) // started earlier, seen later: the lead stays
	b.sees(scaled(3))
	b.expectTeam(t, "three", "id2 id1 id3")
	first := b.assemble(b.now).set[0]
	for _, o := range b.assemble(b.now).observed {
		if o.Verdict != verdictRegistered || !strings.Contains(o.Reason, "one of 3 replicas") {
			t.Errorf("%s: %s: %s", o.ID, o.Verdict, o.Reason)
		}
	}
	b.event("die", "id3")
	b.expectTeam(t, "one died", "id2 id1 id3!")
	b.misses("id3")
	b.expectTeam(t, "one was removed", "id2 id1")
	if !first.Same(b.assemble(b.now).set[0]) {
		t.Error("the backend changed although its lead did not")
	}
	b.event("die", "id2")
	b.expectTeam(t, "the lead died", "id1 id2!")
	b.sees(ended(scaled(2), b.now))
	b.expectTeam(t, "the lead left", "id1")
	b.sees(later(scaled(2), b.now))
	b.expectTeam(t, "it is back", "id1 id2")
}

// A replica that the engine restarts keeps its place, and nobody else's is touched.
func TestReplicaInACrashIsHeld(t *testing.T) {
	b := newBench()
	for n := range 2 {
		b.sees(scaled(n + 1))
	}
	b.set() // it was shown
	b.event("die", "id2")
	b.sees(crash(scaled(2), b.now, 1))
	b.expectTeam(t, "restarting", "id1 id2!")
	b.pass(holdTime)
	b.expectTeam(t, "for long", "id1")
}

func TestF23RollingImageChange(t *testing.T) {
	b := newBench()
	b.sees(scaled(1))
	b.sees(scaled(2))
	b.sees(scaled(3, image2))
	b.expectTeam(t, "a new image", "id1- id2- id3")
	for _, o := range b.assemble(b.now).observed {
		if want := o.ID != "id3"; strings.Contains(o.Reason, "no new sessions") != want {
			t.Errorf("%s: %s", o.ID, o.Reason)
		}
	}
	b.misses("id1")
	b.misses("id2")
	b.expectTeam(t, "the old ones left", "id3")
}

func TestWeightZeroDrains(t *testing.T) {
	b := newBench()
	b.sees(scaled(1))
	b.sees(scaled(2, func(o *observation) { o.labels["mcp-gw.weight"] = "0" }))
	b.expectTeam(t, "weights are each container's own", "id1 id2-")
}

// A replica whose health check fails does not take the others along.
func TestUnhealthyReplicaDoesNotLead(t *testing.T) {
	b := newBench()
	sick := scaled(1)
	sick.health = "unhealthy"
	b.sees(sick)
	b.sees(scaled(2))
	set := b.assemble(b.now).set
	if len(set) != 1 || set[0].Replica.ID != "id2" || set[0].Withheld != "" || set[0].Replicas[0].Withheld == "" {
		t.Errorf("%+v", set)
	}
}

// Only one service forms a set. Whoever merely has the name waits for it.
func TestReplicasAreOfOneService(t *testing.T) {
	named := func(o observation, more ...string) observation {
		for i := 0; i < len(more); i += 2 {
			o.labels[more[i]] = more[i+1]
		}
		return o
	}
	for _, tt := range []struct {
		what  string
		other observation
		one   bool
	}{
		{"the same service", scaled(2), true},
		{"the same name alone", running("id2", labelled("mcp-gw.name", "svc", "mcp-gw.port", "8080")), false},
		{"another project", named(scaled(2), labelComposeProject, "q"), false},
		{"other labels", named(scaled(2), "mcp-gw.path", "/other"), false},
		{"labels of compose on an image", named(scaled(2), labelComposeNumber, "", "mcp-gw.name", "svc"), false},
		{"other labels, not ours", named(scaled(2), "com.example", "x"), true},
	} {
		b := newBench()
		b.sees(scaled(1))
		b.assemble(b.now)
		b.sees(tt.other)
		a := b.assemble(b.now)
		if len(a.set) != 1 || a.set[0].Container.ID != "id1" || (len(a.set[0].Replicas) == 1) != tt.one {
			t.Errorf("%s: %+v", tt.what, a.set)
		}
		if got := b.verdict("id2"); (got == verdictConflict) == tt.one {
			t.Errorf("%s: verdict %s", tt.what, got)
		}
	}
	swarm := func(id, service string) observation {
		return running(id, labelled(labelSwarmService, "s", labelSwarmServiceID, service, "mcp-gw.port", "8080"))
	}
	b := newBench()
	for _, id := range []string{"id1", "id2"} {
		b.sees(swarm(id, "one"))
	}
	b.sees(swarm("id3", "two"))
	b.expectTeam(t, "tasks of one swarm service", "id1 id2")
}

// While one of a service runs, a stranger that waits for its name does not get it,
// however early it started.
func TestNameStaysWithTheService(t *testing.T) {
	b := newBench()
	b.sees(scaled(1))
	stranger := running("old", labelled("mcp-gw.name", "svc", "mcp-gw.port", "8080"))
	stranger.startedAt = testStart.Add(-time.Hour)
	b.assemble(b.now)
	b.sees(stranger)
	b.sees(scaled(2))
	b.expectTeam(t, "both", "id1 id2")
	b.misses("id1")
	b.expectTeam(t, "the first left", "id2")
	b.misses("id2")
	if set := b.assemble(b.now).set; len(set) != 1 || set[0].Container.ID != "old" {
		t.Errorf("nobody of the service is left: %s", names(set))
	}
}

// F21: compose makes the new container before it stops the old one.
func TestF21RecreateOfOneOfSeveral(t *testing.T) {
	b := newBench()
	b.sees(scaled(1))
	b.sees(scaled(2))
	next := scaled(2, func(o *observation) { o.id, o.created = "next", b.now })
	created := next
	status("created")(&created)
	b.sees(created)
	b.event("kill", "id2", "15")
	b.event("die", "id2")
	b.misses("id2")
	b.expectTeam(t, "the old one is gone", "id1")
	b.pass(time.Second)
	b.sees(later(next, b.now))
	b.expectTeam(t, "the new one", "id1 next")
}

// Whatever order containers are met in, the same ones serve the same backend.
func TestReplicasDoNotDependOnOrder(t *testing.T) {
	var want []string
	for _, order := range [][]int{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}} {
		b := newBench()
		for _, n := range order {
			b.sees(scaled(n))
		}
		got := strings.Fields(b.team(t))
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("met as %v: %v, want %v", order, got, want)
		}
	}
}

// Each replica of a stdio service is opened by itself.
func TestStdioReplicasAreOpened(t *testing.T) {
	b := newBench()
	for n := 1; n <= 2; n++ {
		b.sees(scaled(n, func(o *observation) {
			delete(o.labels, "mcp-gw.port")
			o.labels["mcp-gw.transport"], o.openStdin = "stdio", true
		}))
	}
	set := New(Config{}).openable(b.assemble(b.now).set)
	if len(set) != 1 || len(set[0].Replicas) != 1 || set[0].Open == nil || set[0].Replicas[0].Open == nil {
		t.Errorf("%+v", set)
	}
}
