package docker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// bench is a table with a clock of its own and an engine that answers what the
// test says.
type bench struct {
	*table
	now time.Time
}

func newBench() *bench {
	b := &bench{table: newTable("mcp-gw", "net", Rules{}), now: testStart.Add(time.Hour)}
	b.move(testWorld.home, testWorld.self, b.now)
	return b
}

// event takes one event of a container and answers whether it asked for an
// inspect, and whether the set may have changed.
func (b *bench) event(action, id string, extra ...string) reaction {
	e := event{kind: "container", action: action, id: id, at: b.now}
	if len(extra) > 0 {
		e.signal = extra[0]
	}
	return b.note(e, b.now)
}

// sees lets one inspect of o run from begin to end.
func (b *bench) sees(o observation) (again bool, pause time.Duration) {
	b.mu.Lock()
	b.mark(o.id, true)
	b.mu.Unlock()
	again, pause, _ = b.end(b.begin(o.id, b.now), o, nil, b.now)
	return again, pause
}

func (b *bench) misses(id string) {
	b.mu.Lock()
	b.mark(id, true)
	b.mu.Unlock()
	b.end(b.begin(id, b.now), observation{}, errGone, b.now)
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

func (b *bench) set() string { return names(b.assemble(b.now).set) }

func (b *bench) expect(t *testing.T, what, want string) {
	t.Helper()
	if got := b.set(); got != want {
		t.Errorf("%s: the set is %q, want %q", what, got, want)
	}
}

func (b *bench) verdict(id string) string {
	for _, o := range b.assemble(b.now).observed {
		if o.ID == id {
			return o.Verdict
		}
	}
	return ""
}

// later is o in its next life.
func later(o observation, at time.Time) observation {
	o.startedAt = at
	return o
}

func ended(o observation, at time.Time) observation {
	status("exited")(&o)
	o.finishedAt = at
	return o
}

func TestTableDeathTakesEffectBeforeTheInspect(t *testing.T) {
	b := newBench()
	a := running("a")
	b.sees(a)
	b.expect(t, "running", "c-a")
	if r := b.event("die", "a"); !r.changed || r.attend != "a" {
		t.Errorf("die: %+v", r)
	}
	b.expect(t, "died, not inspected", "c-a!")
	b.pass(time.Hour) // the engine is away and refuses inspects: nothing more is known
	b.end(b.begin("a", b.now), observation{}, errors.New("connection refused"), b.now)
	b.expect(t, "inspect failed", "c-a!")
	b.sees(ended(a, b.now))
	b.expect(t, "inspected", "")
}

func TestTableErrorIsNotGone(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	b.mu.Lock()
	b.mark("a", false)
	b.mu.Unlock()
	again, pause, _ := b.end(b.begin("a", b.now), observation{}, errors.New("500"), b.now)
	if !again || pause == 0 {
		t.Errorf("after an error: again %v, pause %v; want another try after a pause", again, pause)
	}
	b.expect(t, "inspect failed", "c-a")
}

func TestTableOldAnswerDoesNotUndoADeath(t *testing.T) {
	b := newBench()
	a := running("a")
	b.sees(a)
	b.set() // it was shown
	b.event("health_status", "a")
	v := b.begin("a", b.now)
	b.event("die", "a") // while the inspect is under way
	if again, _, _ := b.end(v, a, nil, b.now); !again {
		t.Error("the mark of the die event was lost")
	}
	b.expect(t, "an answer from before the death", "c-a!")
	b.end(b.begin("a", b.now), ended(a, b.now), nil, b.now)
	b.expect(t, "an answer from after it", "")
}

func TestTableOldDeathDoesNotTouchTheNewLife(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	b.sees(later(running("a"), b.now.Add(time.Second)))
	b.event("die", "a") // of the life before, delivered late
	b.expect(t, "late event", "c-a")
}

func TestTableRestartKeepsTheName(t *testing.T) {
	b := newBench()
	a := running("a")
	b.sees(a)
	gen := b.assemble(b.now).set[0].Generation
	b.event("kill", "a", "15")
	b.expect(t, "asked to stop", "c-a")
	b.event("stop", "a")
	b.event("die", "a")
	b.expect(t, "died", "c-a!")
	again, pause := b.sees(ended(a, b.now)) // between stop and start
	if !again || pause < restartTime {
		t.Errorf("again %v after %v; want another look after %v", again, pause, restartTime)
	}
	b.expect(t, "stopped", "c-a!")
	b.pass(restartTime)
	b.sees(later(a, b.now))
	b.expect(t, "restarted", "c-a")
	if b.assemble(b.now).set[0].Generation == gen {
		t.Error("the generation did not change")
	}
}

func TestTableStopGoesAfterASecondLook(t *testing.T) {
	b := newBench()
	a := running("a")
	b.sees(a)
	b.set() // it was shown
	b.event("kill", "a", "15")
	b.event("die", "a")
	b.sees(ended(a, b.now))
	b.expect(t, "first look", "c-a!")
	b.pass(restartTime)
	if again, _ := b.sees(ended(a, b.now)); again {
		t.Error("it is looked at without end")
	}
	b.expect(t, "second look", "")
}

func TestTableKillHoldsForAMoment(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	if r := b.event("kill", "a", "9"); !r.changed {
		t.Error("SIGKILL changes nothing")
	}
	b.expect(t, "killed", "c-a!")
	b.sees(running("a"))
	b.expect(t, "killed, not dead yet", "c-a!")
	b.pass(holdTime)
	b.expect(t, "killed, and alive", "c-a")
	b.event("kill", "a", "1")
	b.expect(t, "SIGHUP is no death", "c-a")
}

func TestTableCrashLoopIsHeld(t *testing.T) {
	b := newBench()
	a := running("a")
	b.sees(a)
	b.set() // it was shown
	b.event("die", "a")
	r := ended(a, b.now)
	r.status = "restarting"
	b.sees(r)
	b.expect(t, "restarting", "c-a!")
	if next := b.assemble(b.now).next; !next.Equal(b.now.Add(holdTime)) {
		t.Errorf("the hold ends at %v, want in %v", next, holdTime)
	}
	b.pass(holdTime)
	b.expect(t, "restarting for long", "")
	b.sees(later(a, b.now))
	b.expect(t, "up again", "c-a")
}

func TestTableSuccessorInSight(t *testing.T) {
	old := running("old", labelled("mcp-gw.name", "x"))
	fresh := running("new", labelled("mcp-gw.name", "x"))
	t.Run("recreate", func(t *testing.T) {
		b := newBench()
		b.sees(old)
		b.set() // it was shown
		next := fresh
		next.created = b.now
		created := next
		status("created")(&created)
		created.endpoints = []endpoint{{network: "net"}}
		b.sees(created)
		b.event("kill", "old", "9")
		b.event("die", "old")
		b.event("destroy", "old")
		b.misses("old")
		b.expect(t, "old removed", "x!")
		b.sees(later(running("new", labelled("mcp-gw.name", "x")), b.now.Add(time.Millisecond)))
		b.expect(t, "new started", "x")
		if got := b.assemble(b.now).set[0].Container.ID; got != "new" {
			t.Errorf("the backend is %s", got)
		}
		if got := b.verdict("old"); got != verdictGone {
			t.Errorf("verdict on the old one: %s", got)
		}
		b.pass(goneFor + time.Second)
		if got := b.verdict("old"); got != "" {
			t.Errorf("the old one is remembered: %s", got)
		}
	})
	t.Run("it never starts", func(t *testing.T) {
		b := newBench()
		b.sees(old)
		b.set() // it was shown
		created := fresh
		created.created = b.now
		status("created")(&created)
		b.sees(created)
		b.sees(ended(old, b.now))
		b.expect(t, "in sight", "x!")
		b.pass(holdTime)
		b.expect(t, "for long", "")
	})
	t.Run("an old leftover is no successor", func(t *testing.T) {
		b := newBench()
		b.sees(old)
		created := fresh
		created.created = b.now.Add(-time.Hour)
		status("created")(&created)
		b.sees(created)
		b.sees(ended(old, b.now))
		b.expect(t, "stopped", "")
	})
}

// Whoever left does not come back when something that wants its name is created.
func TestTableNoShadowOfOneThatLeft(t *testing.T) {
	b := newBench()
	b.sees(running("old", labelled("mcp-gw.name", "x")))
	b.expect(t, "there", "x")
	b.event("die", "old")
	b.misses("old")
	b.expect(t, "gone", "")
	created := running("new", labelled("mcp-gw.name", "x"))
	created.created = b.now
	status("created")(&created)
	b.sees(created)
	b.expect(t, "another is created", "")
}

func TestTableConflict(t *testing.T) {
	x := labelled("mcp-gw.name", "x")
	first, second := running("b", x), later(running("a", x), testStart.Add(time.Second))
	b := newBench()
	b.sees(second)
	b.sees(first)
	owner := func() string { return b.assemble(b.now).set[0].Container.ID }
	if got := owner(); got != "b" {
		t.Fatalf("seen together, %s has the name; want b, which started first", got)
	}
	if got := b.verdict("a"); got != verdictConflict {
		t.Errorf("verdict %s", got)
	}
	// While the owner restarts, nobody takes its name.
	b.event("kill", "b", "15")
	b.event("die", "b")
	b.expect(t, "owner restarts", "x!")
	again := later(first, b.now.Add(time.Second))
	b.sees(again)
	if got := owner(); got != "b" {
		t.Errorf("after its restart %s has the name, want b", got)
	}
	b.pass(2 * time.Second)
	b.event("die", "b")
	b.sees(ended(again, b.now))
	if got := owner(); got != "a" {
		t.Errorf("after its death %s has the name, want a", got)
	}
	b.expect(t, "challenger promoted", "x")
}

func TestTableNetworkLost(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	b.sees(running("a", offNetwork))
	b.expect(t, "off the network", "")
	if got := b.verdict("a"); got != verdictNoSharedNetwork {
		t.Errorf("verdict %s", got)
	}
	b.sees(running("a"))
	b.expect(t, "on it again", "c-a")
	b.move(home{name: "net", id: "another"}, "", b.now)
	b.expect(t, "the network was made anew", "")
}

func TestTableRenameKeepsTheTools(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	b.sees(running("a", func(o *observation) { o.name = "renamed" }))
	b.expect(t, "renamed", "c-a")
}

func TestTableForeignContainersLeaveNoTrace(t *testing.T) {
	b := newBench()
	if r := b.event("start", "f"); r.attend != "f" {
		t.Errorf("start: %+v", r)
	}
	b.end(b.begin("f", b.now), running("f", unlabelled, offNetwork), nil, b.now)
	for _, action := range []string{"die", "health_status", "pause", "destroy"} {
		if r := b.event(action, "f"); r != (reaction{}) {
			t.Errorf("%s of a foreign container: %+v", action, r)
		}
	}
	if len(b.records) != 0 || len(b.silent()) != 0 {
		t.Errorf("records %v", b.records)
	}
}

func TestTableSilentStream(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	look := func(o observation) {
		b.markAll([]observation{{id: o.id, endpoints: o.endpoints}}, lookAll, b.now)
		b.end(b.begin(o.id, b.now), o, nil, b.now)
	}
	look(running("a"))
	if ids := b.silent(); len(ids) != 0 {
		t.Errorf("nothing changed, and %v were not heard of", ids)
	}
	look(later(running("a"), b.now))
	if ids := b.silent(); len(ids) != 1 {
		t.Errorf("a new life without an event: %v", ids)
	}
	look(later(running("a"), b.now.Add(time.Second)))
	b.event("start", "a") // the event arrives, behind the listing
	if ids := b.silent(); len(ids) != 0 {
		t.Errorf("heard in the end: %v", ids)
	}
}

// A routine look inspects where the listing says something else than is known.
func TestTableRoutineLook(t *testing.T) {
	line := func(o observation) observation {
		o.startedAt, o.finishedAt, o.partial = time.Time{}, time.Time{}, true
		return o
	}
	elsewhere := func(o *observation) {
		o.endpoints = []endpoint{{network: "net", networkID: "netid", ipv4: netip.MustParseAddr("10.0.0.3")}}
	}
	for _, tt := range []struct {
		what  string
		line  observation
		doubt func(*bench)
		asked bool
	}{
		{what: "as it was", line: running("a")},
		{what: "another life that looks the same", line: later(running("a"), testStart.Add(time.Minute))},
		{what: "ended", line: running("a", status("exited")), asked: true},
		{what: "unhealthy", line: running("a", func(o *observation) { o.health = "unhealthy" }), asked: true},
		{what: "renamed", line: running("a", func(o *observation) { o.name = "other" }), asked: true},
		{what: "another address", line: running("a", elsewhere), asked: true},
		{what: "no network", line: running("a", func(o *observation) { o.endpoints = nil }), asked: true},
		{what: "an event told that it died", line: running("a"), asked: true,
			doubt: func(b *bench) { b.records["a"].died = true }},
		{what: "a signal was sent", line: running("a"), asked: true,
			doubt: func(b *bench) { b.records["a"].doubted = b.now }},
		{what: "the last inspect failed", line: running("a"), asked: true,
			doubt: func(b *bench) { b.records["a"].err = errGone }},
	} {
		b := newBench()
		b.sees(running("a"))
		b.now = b.now.Add(time.Minute)
		if tt.doubt != nil {
			tt.doubt(b)
		}
		attend, _ := b.markAll([]observation{line(tt.line)}, lookChanged, b.now)
		if asked := len(attend) > 0; asked != tt.asked {
			t.Errorf("%s: asked %v, want %v", tt.what, asked, tt.asked)
		}
		if seen := b.records["a"].seen.Equal(b.now); seen == tt.asked {
			t.Errorf("%s: seen just now: %v", tt.what, seen)
		}
	}
	b := newBench()
	b.sees(running("a"))
	if attend, _ := b.markAll(nil, lookChanged, b.now); len(attend) != 1 {
		t.Error("what is not listed any more was not asked for")
	}
	b = newBench()
	b.sees(running("a"))
	if attend, _ := b.markAll([]observation{line(running("a")), line(running("b"))}, lookChanged, b.now); !slices.Equal(attend, []string{"b"}) {
		t.Errorf("of a new one: %v", attend)
	}
	if attend, _ := b.markAll([]observation{line(running("a"))}, lookAll, b.now); len(attend) != 1 {
		t.Error("a thorough look passed over it")
	}
}

func TestTableForgetsTheGone(t *testing.T) {
	b := newBench()
	for i := range 3 * goneMost {
		id := fmt.Sprint("id", i)
		b.sees(running(id))
		b.misses(id)
	}
	b.pass(holdTime + time.Second)
	if n := len(b.assemble(b.now).observed); n != goneMost {
		t.Errorf("%d gone containers are shown, want %d", n, goneMost)
	}
	b.pass(goneFor)
	if n := len(b.assemble(b.now).observed); n != 0 || len(b.records) != 0 {
		t.Errorf("%d shown, %d kept", n, len(b.records))
	}
}

// Whatever the order of events and inspects, once every mark was answered the
// set is what a fresh look at the containers gives.
func TestTableConverges(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		b := newBench()
		truth := map[string]*observation{}
		ids := []string{"a", "b", "c"}
		busy := map[string]visit{}
		answer := map[string]observation{}
		for range 60 {
			b.pass(time.Duration(rnd.IntN(50)) * time.Millisecond)
			id := ids[rnd.IntN(len(ids))]
			switch o := truth[id]; rnd.IntN(4) {
			case 0: // something happens to the container
				switch {
				case o == nil:
					n := later(running(id), b.now)
					truth[id] = &n
					b.event("create", id)
					b.event("start", id)
				case rnd.IntN(4) == 0:
					delete(truth, id)
					b.event("kill", id, "9")
					b.event("die", id)
					b.event("destroy", id)
				case o.status == "running":
					n := ended(*o, b.now)
					truth[id] = &n
					b.event("kill", id, []string{"9", "15"}[rnd.IntN(2)])
					b.event("die", id)
				default:
					n := later(running(id), b.now)
					truth[id] = &n
					b.event("start", id)
				}
			case 1: // an inspect begins
				if r := b.records[id]; r != nil && r.busy {
					if _, on := busy[id]; !on {
						busy[id] = b.begin(id, b.now)
						if o != nil {
							answer[id] = *o
						} else {
							delete(answer, id)
						}
					}
				}
			case 2: // and ends
				if v, on := busy[id]; on {
					b.finish(v, answer)
					delete(busy, id)
				}
			case 3:
				b.set()
			}
		}
		for _, v := range busy {
			b.finish(v, answer)
		}
		// No resync: the events alone must have marked all there is to look at.
		for round := 0; b.anyBusy(); round++ {
			if round > 20 {
				t.Fatalf("seed %d: it is looked at without end", seed)
			}
			for _, id := range ids {
				if r := b.records[id]; r != nil && r.busy {
					delete(answer, id)
					if o := truth[id]; o != nil {
						answer[id] = *o
					}
					b.finish(b.begin(id, b.now), answer)
				}
			}
			b.pass(restartTime)
		}
		b.pass(holdTime)
		var want []string
		for _, id := range ids {
			if o := truth[id]; o != nil && o.status == "running" {
				want = append(want, "c-"+id)
			}
		}
		if got := b.set(); got != strings.Join(want, " ") {
			t.Fatalf("seed %d: the set is %q, want %q", seed, got, want)
		}
		for _, s := range b.assemble(b.now).set {
			if o := truth[s.Container.ID]; s.Generation != o.generation() {
				t.Fatalf("seed %d: generation %s, want %s", seed, s.Generation, o.generation())
			}
		}
	}
}

func (b *bench) anyBusy() bool {
	for _, r := range b.records {
		if r.busy {
			return true
		}
	}
	return false
}

func (b *bench) finish(v visit, answer map[string]observation) {
	if o, ok := answer[v.id]; ok {
		b.end(v, o, nil, b.now)
	} else {
		b.end(v, observation{}, errGone, b.now)
	}
}

// A network of the gateway that comes or goes is a reason to look at everything, also
// under the name that compose gives it.
func TestNetworksThatComeAndGo(t *testing.T) {
	b := newBench()
	resync := func(action, name string) bool {
		return b.note(event{kind: "network", action: action, id: "new", name: name, at: b.now}, b.now).resync
	}
	for _, h := range []home{{name: "net"}, {name: "shop_net", asked: "net", id: "old"}} {
		b.move(h, "", b.now)
		for name, want := range map[string]bool{"net": true, "shop_net": true, "other_net": true, "net2": false, "shopnet": false} {
			if resync("create", name) != want || resync("destroy", name) != want {
				t.Errorf("home %s, %s: want %v", h.name, name, want)
			}
		}
		if resync("connect", "other_net") {
			t.Error("a container that is connected is a reason to look at all")
		}
	}
}

// The same containers give the same set, in whatever order they are met.
func TestAssembleDoesNotDependOnOrder(t *testing.T) {
	var members []member
	for i, name := range []string{"x", "x", "y", "x", "y"} {
		o := later(running(fmt.Sprint("id", i), labelled("mcp-gw.name", name)), testStart.Add(time.Duration(i%2)*time.Second))
		d := describe(o, testWorld, "")
		members = append(members, member{description: d, last: &d})
	}
	want := fmt.Sprint(owners(assemble("mcp-gw", members, tenure{}, testStart)))
	for range 50 {
		rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if got := fmt.Sprint(owners(assemble("mcp-gw", members, tenure{}, testStart))); got != want {
			t.Fatalf("owners %v, want %v", got, want)
		}
	}
}

func owners(a assembly) []string {
	var out []string
	for _, b := range a.set {
		out = append(out, b.Name+"="+b.Container.ID)
	}
	return out
}

var _ discovery.Sink = (*recorder)(nil)
