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

func (t *table) homes() []home {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.world.homes()
}

const (
	// lookAll inspects every container that may concern the gateway.
	lookAll depth = iota
	// lookChanged passes over those of which the listing says what is known. It finds
	// nothing of a restart that left all else as it was.
	lookChanged
	// lookNew inspects those without a record, and those that left the listing.
	lookNew
)

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
