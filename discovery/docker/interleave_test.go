package docker

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// FuzzInterleavings lets a model of an engine and the table run side by side, and
// mixes what happens to containers, the events of it, inspects and listings in every
// order that an engine may: events are late, lost or told twice, inspects answer with
// what was true when they began or when they ended, or fail; listings are stale. On
// the way nothing may be served that is known to be over, and in the end the set is
// what a fresh look at the engine gives.
func FuzzInterleavings(f *testing.F) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		script := make([]byte, 40+rnd.IntN(2000))
		for i := range script {
			script[i] = byte(rnd.UintN(256))
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		const longest = 4096
		if len(script) > longest {
			script = script[:longest]
		}
		s := newSim(t, script)
		s.few = 1 + s.roll(len(castIDs))
		s.first = s.roll(len(castIDs))
		for len(s.script) > 0 {
			s.step()
		}
		s.settle()
	})
}

// sim is the model of an engine, with the table that watches it.
type sim struct {
	*bench
	t      *testing.T
	script []byte
	// few of the cast play, from the first on: the fewer, the more happens to each.
	few, first int

	truth   map[string]*observation
	stale   map[string]observation // an earlier truth, which listings may tell
	late    []event                // not told yet; in order
	past    []event                // told already; may be told again
	lost    bool                   // an event was
	looks   map[string]look        // inspects under way
	newest  map[string]time.Time   // by id: the latest start that an inspect told of
	dead    map[string]time.Time   // by id: the start of the latest process that is known to have ended
	missing map[string]bool        // ids that were removed
}

type look struct {
	visit visit
	o     *observation // what was true when it began
}

// cast are the containers that may exist: two that stand alone, two that want one
// name, three of one service, and one that shares another's network.
var cast = map[string]func() observation{
	"a": func() observation { return running("a") },
	"b": func() observation {
		return running("b", labelled("mcp-gw.removal-grace", "20s", "mcp-gw.port", "8080"))
	},
	"x1": func() observation { return running("x1", labelled("mcp-gw.name", "x")) },
	"x2": func() observation { return running("x2", labelled("mcp-gw.name", "x")) },
	"s1": func() observation { o := scaled(1); o.id = "s1"; return o },
	"s2": func() observation { o := scaled(2); o.id = "s2"; return o },
	"s3": func() observation { o := scaled(2, image2); o.id = "s3"; return o },
	"d": func() observation {
		return beside("d", "a", testStart)
	},
}

var castIDs = slices.Sorted(maps.Keys(cast))

func newSim(t *testing.T, script []byte) *sim {
	return &sim{
		bench: newBench(), t: t, script: script, truth: map[string]*observation{}, stale: map[string]observation{},
		looks: map[string]look{}, newest: map[string]time.Time{}, dead: map[string]time.Time{}, missing: map[string]bool{},
	}
}

// roll takes the next choice of the script, below n.
func (s *sim) roll(n int) int {
	if len(s.script) == 0 {
		return 0
	}
	c := int(s.script[0])
	s.script = s.script[1:]
	return c % n
}

func (s *sim) step() {
	s.pass(time.Duration(s.roll(256)) * time.Millisecond)
	if s.roll(40) == 0 {
		s.pass(time.Duration(s.roll(30)) * time.Second)
	}
	id := castIDs[(s.first+s.roll(s.few))%len(castIDs)]
	switch s.roll(8) {
	case 0, 1:
		s.happen(id)
	case 2:
		s.hearNext()
	case 3:
		s.beginLook(id)
	case 4:
		s.endLook(id, s.roll(8) == 0)
	case 5:
		if len(s.past) > 0 { // told twice
			s.note(s.past[len(s.past)-1-s.roll(min(len(s.past), 8))], s.now)
		}
	case 6:
		s.list()
	case 7:
		s.check()
	}
}

// emit tells events of a container, now, later or never.
func (s *sim) emit(id string, actions ...string) {
	for _, a := range actions {
		e := event{kind: "container", action: a, id: id, at: s.now}
		switch name, extra, _ := strings.Cut(a, " "); name {
		case "kill":
			e.action, e.signal = name, extra
		case "health_status":
			e.action, e.health = name, extra
		case "connect", "disconnect":
			e = event{kind: "network", action: name, id: "netid", name: "net", container: id, at: s.now}
		}
		if s.roll(12) == 0 {
			s.lost = true
			continue
		}
		s.late = append(s.late, e)
	}
	for s.roll(3) > 0 && len(s.late) > 0 {
		s.hearNext()
	}
}

func (s *sim) hearNext() {
	if len(s.late) == 0 {
		return
	}
	e := s.late[0]
	s.late, s.past = s.late[1:], append(s.past, e)
	s.note(e, s.now)
	if r := s.records[e.id]; e.action == "die" && r != nil && r.known && !e.at.Before(r.obs.startedAt) {
		s.dead[e.id] = r.obs.startedAt
		s.unserved(e.id, "it died")
	}
}

// unserved demands that no call is given to a container's process.
func (s *sim) unserved(id, why string) {
	for _, p := range s.processes() {
		if p.Container.ID == id && !p.Held {
			s.t.Fatalf("%s is served although %s", id, why)
		}
	}
}

// processes are all of the set, the replicas too.
func (s *sim) processes() []discovery.Replica {
	var out []discovery.Replica
	for _, b := range s.assemble(s.now).set {
		out = append(out, discovery.Replica{Container: b.Container, Held: b.Held, Generation: b.Generation})
		out = append(out, b.Replicas...)
	}
	return out
}

// address gives the lowest that is free: engines use one again at once.
func (s *sim) address() netip.Addr {
	for n := byte(2); ; n++ {
		a := netip.AddrFrom4([4]byte{10, 0, 0, n})
		taken := false
		for _, o := range s.truth {
			taken = taken || len(o.endpoints) > 0 && o.endpoints[0].ipv4 == a
		}
		if !taken {
			return a
		}
	}
}

func (s *sim) up(o *observation) {
	o.status, o.startedAt, o.exitCode = "running", s.now, 0
	for i := range o.endpoints {
		o.endpoints[i].ipv4 = netip.Addr{}
	}
	o.endpoints = slices.Clone(o.endpoints)
	if len(o.endpoints) > 0 {
		o.endpoints[0].ipv4 = s.address()
	}
}

func (s *sim) down(o *observation, state string) {
	o.status, o.finishedAt, o.exitCode, o.health = state, s.now, 137, ""
	o.endpoints = slices.Clone(o.endpoints)
	for i := range o.endpoints {
		o.endpoints[i].ipv4 = netip.Addr{}
	}
}

// happen does something to a container. Its events follow, as an engine tells them.
func (s *sim) happen(id string) {
	s.pass(time.Millisecond) // no two starts at one time
	if s.roll(10) == 0 {
		for id, o := range s.truth {
			s.stale[id] = *o
		}
	}
	o := s.truth[id]
	if o == nil {
		if s.missing[id] {
			return // an engine never gives an id twice
		}
		n := cast[id]()
		n.created, n.startedAt, n.status = s.now, time.Time{}, "created"
		n.endpoints = slices.Clone(n.endpoints)
		for i := range n.endpoints {
			n.endpoints[i].ipv4 = netip.Addr{}
		}
		s.truth[id] = &n
		s.emit(id, "create")
		return
	}
	n := *o
	s.truth[id] = &n
	alive := n.up()
	switch c := s.roll(10); {
	case !alive && c < 6:
		if n.status == "restarting" {
			n.restarts++
		}
		s.up(&n)
		s.emit(id, "connect", "start")
	case c == 0 && alive:
		s.emit(id, "kill 9")
		s.down(&n, "exited")
		s.emit(id, "disconnect", "die")
	case c == 1 && alive:
		s.emit(id, "kill 15")
		s.down(&n, "exited")
		if s.roll(2) == 0 {
			s.emit(id, "disconnect", "stop", "die")
		} else {
			s.emit(id, "die", "disconnect", "stop") // as 20.10 does
		}
	case c == 2 && alive:
		s.emit(id, "kill 15")
		s.down(&n, "exited")
		s.emit(id, "disconnect", "stop", "die")
		s.pass(time.Duration(s.roll(100)) * time.Millisecond)
		s.pass(time.Millisecond)
		s.up(&n)
		s.emit(id, "connect", "start", "restart")
	case c == 3 && alive:
		s.down(&n, "restarting")
		s.emit(id, "die")
	case c == 4 && n.status == "running":
		n.status = "paused"
		s.emit(id, "pause")
	case c == 4:
		if n.status == "paused" {
			n.status = "running"
			s.emit(id, "unpause")
		}
	case c == 5 && alive:
		n.health = []string{"starting", "healthy", "unhealthy"}[s.roll(3)]
		s.emit(id, "health_status "+n.health)
	case c == 6 && len(n.endpoints) > 0:
		n.endpoints = nil
		s.emit(id, "disconnect", "disconnect")
	case c == 7 && len(n.endpoints) == 0 && n.networkMode == "":
		n.endpoints = []endpoint{{network: "net", networkID: "netid"}}
		if alive {
			n.endpoints[0].ipv4 = s.address()
			s.emit(id, "connect")
		}
	case c == 8:
		if alive {
			s.emit(id, "kill 9", "die")
		}
		delete(s.truth, id)
		s.missing[id] = true
		s.emit(id, "destroy")
	case c == 9 && alive:
		s.emit(id, "kill 1")
	}
}

func (s *sim) beginLook(id string) {
	r := s.records[id]
	if _, on := s.looks[id]; on || r == nil || !r.busy {
		return
	}
	l := look{visit: s.begin(id, s.now)}
	if o := s.truth[id]; o != nil {
		l.o = o
	}
	s.looks[id] = l
}

func (s *sim) endLook(id string, fails bool) {
	l, on := s.looks[id]
	if !on {
		return
	}
	delete(s.looks, id)
	if fails {
		s.end(l.visit, observation{}, errors.New("500"), s.now)
		return
	}
	o := l.o
	if s.roll(2) == 0 { // the engine let it wait
		o = s.truth[id]
	}
	if o == nil {
		s.end(l.visit, observation{}, errGone, s.now)
		s.unserved(id, "there is no such container")
		return
	}
	before := s.assemble(s.now).set
	if _, _, news := s.end(l.visit, *o, nil, s.now); !news {
		if after := s.assemble(s.now).set; !reflect.DeepEqual(before, after) {
			s.t.Fatalf("no news, and yet the set was\n%s\nand is\n%s", describeSet(before), describeSet(after))
		}
	}
	if o.startedAt.After(s.newest[id]) {
		s.newest[id] = o.startedAt
	}
	s.check()
}

// list takes a listing, which may be of some time ago.
func (s *sim) list() {
	var list []observation
	row := func(o observation) {
		o.startedAt, o.finishedAt, o.partial = time.Time{}, time.Time{}, true
		list = append(list, o)
	}
	if s.roll(2) == 0 {
		for _, o := range s.stale {
			row(o)
		}
	} else {
		for _, o := range s.truth {
			row(*o)
		}
	}
	s.markAll(list, depth(s.roll(3)), s.now)
}

// check looks at what holds at any time.
func (s *sim) check() {
	for _, p := range s.processes() {
		if id := p.Container.ID; !p.Held && p.Container.StartedAt.Before(s.newest[id]) {
			s.t.Fatalf("%s of %v is served, and it is known to run since %v", id, p.Container.StartedAt, s.newest[id])
		} else if died, ok := s.dead[id]; ok && !p.Held && p.Container.StartedAt.Equal(died) {
			s.t.Fatalf("%s of %v is served, and it is known to have died", id, died)
		}
	}
}

// settle lets the rest arrive, and compares the set with a fresh look.
func (s *sim) settle() {
	for len(s.late) > 0 {
		s.hearNext()
	}
	for _, id := range slices.Sorted(maps.Keys(s.looks)) {
		s.endLook(id, false)
	}
	if s.lost {
		s.script = []byte{1, byte(lookAll)}
		s.list()
	}
	for round := 0; s.anyBusy(); round++ {
		if round > 30 {
			s.t.Fatal("it is looked at without end")
		}
		for _, id := range slices.Sorted(maps.Keys(s.records)) {
			if r := s.records[id]; r != nil && r.busy {
				s.beginLook(id)
				s.endLook(id, false)
			}
		}
		s.pass(restartTime)
	}
	s.assemble(s.now)
	s.pass(2 * time.Minute)
	fresh := newBench()
	fresh.now = s.now.Add(-time.Minute)
	fresh.names = s.names
	for _, o := range s.truth {
		fresh.sees(*o)
	}
	fresh.now = s.now
	got, want := s.assemble(s.now).set, fresh.assemble(s.now).set
	for _, set := range [][]discovery.Backend{got, want} {
		for i := range set {
			set[i].Doubted = time.Time{}
			for j := range set[i].Replicas {
				set[i].Replicas[j].Doubted = time.Time{}
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		s.t.Fatalf("the set is\n%s\nwant\n%s", describeSet(got), describeSet(want))
	}
	for _, b := range got {
		if o := s.truth[b.Container.ID]; o == nil || !o.up() || !strings.HasPrefix(b.Generation, o.generation()) {
			s.t.Fatalf("%s is %s, which the engine knows as %+v", b.Name, b.Generation, o)
		}
	}
}

func describeSet(set []discovery.Backend) string {
	var b strings.Builder
	for _, x := range set {
		fmt.Fprintf(&b, "%s %s %s held=%t withheld=%q", x.Name, x.Generation, x.URL, x.Held, x.Withheld)
		for _, r := range x.Replicas {
			fmt.Fprintf(&b, " + %s %s held=%t drain=%t withheld=%q", r.Generation, r.URL, r.Held, r.Drain, r.Withheld)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
