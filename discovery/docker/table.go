package docker

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"mcp-gw/discovery"
)

const (
	// goneFor is how long a removed container is still shown, goneMost how many.
	goneFor  = time.Minute
	goneMost = 20
)

// table is what is known of all containers that concern the gateway. Events
// mark its records, inspects fill them; nothing else changes them. It does no
// I/O, so its lock is held for microseconds.
type table struct {
	mu      sync.Mutex // guards all below
	world   world
	records map[string]*record
	names   tenure
	unsaved bool // the file of the names is behind
	// unheard are containers that a resync found changed although no event had
	// told: the mark of a stream that is open and silent.
	unheard map[string]bool
	// services are those of the swarm whose labels lead nowhere.
	services []discovery.Observed
}

// record is one container's.
type record struct {
	member
	known bool // an inspect has succeeded
	err   error
	// fixedName is the default name that it was first registered under, so that
	// `docker rename` does not rename the tools under a running client.
	fixedName string
	// lifeless: an event told that the process ended, whatever it was to the gateway.
	lifeless bool
	heard    bool // an event told of it since the last inspect began
	told     told

	// The marks: next is closed when an inspect has ended that began after the
	// mark; nil when the record is not marked. Inspects of one container never
	// overlap, so that an older answer cannot overtake a newer one.
	next chan struct{}
	busy bool
	wake chan struct{} // capacity 1: cuts the pause before another attempt
}

func newTable(prefix, networkName string, rules Rules, more ...string) *table {
	t := &table{
		world:   world{prefix: prefix, home: home{name: networkName}, rules: rules, secrets: map[string]secret{}},
		records: map[string]*record{}, names: tenure{exclusive: rules.NamePolicy == NamesOwner}, unheard: map[string]bool{},
	}
	for _, name := range more {
		t.world.more = append(t.world.more, home{name: name})
	}
	return t
}

// reaction is what an event asks for.
type reaction struct {
	attend  string // inspect this container
	changed bool   // the set may have changed already
	resync  bool   // look at everything again
}

// note takes one event. The worse half of an event applies at once: a process
// that ended is not to be called while the inspect is under way, nor while the
// engine is shutting down and refuses inspects but still tells of deaths.
func (t *table) note(e event, now time.Time) reaction {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.kind {
	case "daemon":
		return reaction{resync: true}
	case "network":
		return t.noteNetwork(e)
	case "container":
	default:
		return reaction{}
	}
	r := t.records[e.id]
	if r == nil {
		// Whatever else happens to a container that does not concern the gateway
		// does not make it concern the gateway.
		if e.action != "create" && e.action != "start" {
			return reaction{}
		}
		out := t.mark(e.id, true)
		t.records[e.id].told.note(e, now)
		return out
	}
	out := reaction{attend: e.id}
	r.told.note(e, now)
	// An event that is older than the process now running speaks of an earlier one.
	current := r.known && !e.at.Before(r.obs.startedAt)
	switch e.action {
	case "health_status":
		// Podman tells of every check. One that found what is known changes nothing.
		if e.health != "" && e.health == r.obs.health && r.known && !r.busy {
			return reaction{}
		}
	case "oom":
		r.oom = r.oom || current
	case "die", "destroy":
		if current && e.exitCode != "" {
			r.exit = e.exitCode
		}
		if current && r.routable && !r.died {
			r.died, r.ended, out.changed = true, e.at, true
			r.fall(now)
		}
		if current && !r.lifeless {
			r.lifeless = true
			out.changed = t.judgeBeside(e.id, now) || out.changed
		}
	case "kill":
		switch {
		case !current:
		case e.signal == "9" || e.signal == "SIGKILL":
			out.changed = r.killed.IsZero()
			r.killed = now
		default:
			r.stopping, r.doubted = true, now
			out.changed = true
		}
	case "stop":
		r.stopping = r.stopping || current
	}
	marked := t.mark(e.id, true)
	out.attend = marked.attend
	return out
}

func (t *table) noteNetwork(e event) reaction {
	ours := slices.ContainsFunc(t.world.homes(), func(h home) bool { return e.name == h.name || e.name == h.asked || h.id != "" && e.id == h.id })
	switch e.action {
	case "create", "destroy":
		return reaction{resync: ours}
	case "connect", "disconnect":
		if e.container != "" && (ours || t.records[e.container] != nil) {
			return t.mark(e.container, true)
		}
	}
	return reaction{}
}

// fall notes that the container is not routable any more.
func (r *record) fall(now time.Time) {
	if r.down.IsZero() && r.last != nil {
		r.down = now
	}
}

// mark asks for an inspect of id. attend in the answer is empty when somebody
// attends it already, who will see the mark.
func (t *table) mark(id string, heard bool) reaction {
	r := t.records[id]
	if r == nil {
		r = &record{wake: make(chan struct{}, 1)}
		r.obs.id = id
		t.records[id] = r
	}
	if heard {
		r.heard = true
		delete(t.unheard, id)
	}
	if r.next == nil {
		r.next = make(chan struct{})
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	if r.busy {
		return reaction{}
	}
	r.busy = true
	return reaction{attend: id}
}

func (t *table) homes() []home {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.world.homes()
}

// inspectErrors returns one container that cannot be inspected, and why. blind
// says that none could be, so that nothing at all is known.
func (t *table) inspectErrors() (id string, err error, blind bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	blind = true
	for _, i := range slices.Sorted(maps.Keys(t.records)) {
		r := t.records[i]
		blind = blind && !r.known
		if r.err != nil && err == nil {
			id, err = i, r.err
		}
	}
	return id, err, blind && err != nil
}

// depth is how much a listing calls for.
type depth int

const (
	// lookAll inspects every container that may concern the gateway.
	lookAll depth = iota
	// lookChanged passes over those of which the listing says what is known. It finds
	// nothing of a restart that left all else as it was.
	lookChanged
	// lookNew inspects those without a record, and those that left the listing.
	lookNew
)

// markAll marks what a listing calls for. It returns whom to attend, and what to wait
// for. What is not listed any more may be gone, and is always asked for.
func (t *table) markAll(list []observation, much depth, now time.Time) (attend []string, done []<-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := map[string]bool{}
	listed := make(map[string]observation, len(list))
	for _, line := range list {
		listed[line.id] = line
		if r := t.records[line.id]; (r == nil || r.gone) && t.mayConcern(line) {
			ids[line.id] = true
		}
	}
	for id, r := range t.records {
		line, there := listed[id]
		switch {
		case r.gone, there && much == lookNew:
		case there && much == lookChanged && r.next == nil && r.atRest() && !r.obs.partial && r.obs.says(line):
			r.seen = now
		default:
			ids[id] = true
		}
	}
	for id := range ids {
		if a := t.mark(id, false).attend; a != "" {
			attend = append(attend, a)
		}
		done = append(done, t.records[id].next)
	}
	return attend, done
}

// mayConcern is the cheap question before an inspect.
func (t *table) mayConcern(s observation) bool {
	if s.id == t.world.self || slices.ContainsFunc(t.world.homes(), func(h home) bool { return s.networkMode == h.name }) {
		return true
	}
	if _, _, ok := t.world.find(s.endpoints); ok {
		return true
	}
	return speaks(t.world.prefix, s.labels)
}

// move changes the world: everything known is judged anew.
func (t *table) move(h home, self string, now time.Time, more ...home) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.world.home == h && slices.Equal(t.world.more, more) && t.world.self == self {
		return
	}
	t.world.home, t.world.more, t.world.self, t.world.selfProject = h, more, self, ""
	if r := t.records[self]; r != nil && r.known {
		t.world.selfProject, _ = composeOf(r.obs.labels)
	}
	for _, r := range t.records {
		if r.last != nil && h.id != "" {
			// Addresses on a network that was removed lead nowhere.
			if _, _, ok := t.world.find(r.last.obs.endpoints); !ok && r.last.where.generation == "" && !r.last.where.host {
				r.last = nil
			}
		}
		if r.known && !r.gone {
			t.judge(r, now)
		}
	}
}

// secretNames are the secrets that labels name; those of all known containers with nil.
func (t *table) secretNames(more map[string]string) map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := map[string]bool{}
	secretsOf(t.world.prefix, more, names)
	if more != nil {
		return names
	}
	for _, r := range t.records {
		if r.known && !r.gone {
			secretsOf(t.world.prefix, r.obs.labels, names)
		}
	}
	return names
}

// maxSecrets bounds the secrets that are remembered.
const maxSecrets = 4096

// keepSecrets takes what files said. Whoever names one that changed is judged anew.
func (t *table) keepSecrets(read map[string]secret, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	secrets := map[string]secret{}
	if len(t.world.secrets)+len(read) <= maxSecrets { // beyond, those that nobody asks for any more go
		maps.Copy(secrets, t.world.secrets)
	}
	maps.Copy(secrets, read)
	if maps.Equal(secrets, t.world.secrets) {
		return
	}
	old := t.world.secrets
	t.world.secrets = secrets
	for _, r := range t.records {
		if !r.known || r.gone {
			continue
		}
		names := map[string]bool{}
		secretsOf(t.world.prefix, r.obs.labels, names)
		for name := range names {
			if old[name] != secrets[name] {
				t.judge(r, now)
				break
			}
		}
	}
}

// assemble makes the set of what is known now, and forgets what has been gone
// for long.
func (t *table) assemble(now time.Time) assembly {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	members := make([]member, 0, len(t.records))
	for _, r := range t.records {
		if r.known {
			members = append(members, r.member)
		}
	}
	// The same containers must give the same set, whatever order the map has.
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.obs.id, b.obs.id) })
	a := assemble(t.world.prefix, members, t.names, now)
	t.unsaved = t.unsaved || !maps.Equal(t.names.deeds, a.names.deeds)
	t.names = a.names
	a.observed = append(a.observed, t.services...)
	return a
}

// keepServices takes what was found of the swarm's services.
func (t *table) keepServices(all []discovery.Observed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services = all
}

func (t *table) forget(now time.Time) {
	var gone []*record
	for id, r := range t.records {
		switch {
		case !r.gone || r.busy:
		case now.Sub(r.down) > goneFor:
			delete(t.records, id)
		default:
			gone = append(gone, r)
		}
	}
	if len(gone) <= goneMost {
		return
	}
	slices.SortFunc(gone, func(a, b *record) int { return b.down.Compare(a.down) })
	for _, r := range gone[goneMost:] {
		if now.Sub(r.down) > max(holdTime, r.grace()) {
			delete(t.records, r.obs.id)
		}
	}
}

// silent returns the containers that changed without an event, and forgets them.
func (t *table) silent() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := slices.Sorted(maps.Keys(t.unheard))
	clear(t.unheard)
	return ids
}

// problem says what is wrong with a network, or with the gateway's place on it.
func (t *table) problem() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range t.world.homes() {
		if h.problem != "" {
			return h.problem
		}
	}
	r := t.records[t.world.self]
	if r == nil || !r.known || r.verdict != verdictSelf || r.obs.networkMode == "host" {
		return ""
	}
	for i, h := range t.world.homes() {
		if _, ok := h.find(r.obs.endpoints); ok {
			continue
		}
		waiting := 0
		for _, o := range t.records {
			if o.routable && !o.gone && o.where.home == h {
				waiting++
			}
		}
		// A further network matters once somebody is on it.
		if i == 0 || waiting > 0 {
			return selfNotAttached(r.obs, t.world.on(h), waiting)
		}
	}
	return ""
}
