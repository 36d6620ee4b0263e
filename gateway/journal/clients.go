package journal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

// maxClients bounds the clients that are known: those used longest ago are forgotten.
const maxClients = 2000

// clients are those that were seen.
type clients struct {
	mu       sync.RWMutex // guards what follows
	all      []*Client
	byKey    map[string]*Client // those without a session
	byID     map[string]*Client // those with one
	changes  uint64
	refused  []refusal // oldest first
	refusals uint64
	streams  int
	open     gauge
}

// Known answers the client without a session that has key, nil when there is none yet.
// It does not keep key.
func (j *Journal) Known(key []byte) *Client {
	t := &j.clients
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byKey[string(key)]
}

// Met notes a client that is new. Those without a session are found by key again, those
// with one by what it is called: it may be taken up again.
func (j *Journal) Met(f Facts, key []byte) *Client {
	c := &Client{in: &j.clients, session: f.Session != "", id: f.Session, key: string(key), facts: read(f), firstSeen: time.Now()}
	if !c.session {
		sum := sha256.Sum256(key)
		c.id = hex.EncodeToString(sum[:8])
	}
	c.lastSeen.Store(c.firstSeen.UnixNano())
	c.tools.Store(-1)
	t := &j.clients
	t.mu.Lock()
	if t.byKey == nil {
		t.byKey, t.byID = map[string]*Client{}, map[string]*Client{}
	}
	in, name := t.byKey, c.key
	if c.session {
		in, name = t.byID, c.id
	}
	if there := in[name]; there != nil {
		if there.left.Swap(false) {
			t.changedLocked(there)
		}
		t.mu.Unlock()
		j.ringWatchers()
		return there
	}
	in[name] = c
	t.all = append(t.all, c)
	if len(t.all) > maxClients {
		t.forgetLocked()
	}
	t.changedLocked(c)
	t.mu.Unlock()
	j.ringWatchers()
	return c
}

// forgetLocked forgets a twentieth of the clients: those that left, then those that
// were used longest ago.
func (t *clients) forgetLocked() {
	slices.SortStableFunc(t.all, func(a, b *Client) int {
		if x, y := a.left.Load(), b.left.Load(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.lastSeen.Load(), b.lastSeen.Load())
	})
	for _, c := range t.all[:maxClients/20] {
		if c.session {
			delete(t.byID, c.id)
		} else {
			delete(t.byKey, c.key)
		}
	}
	t.all = slices.Delete(t.all, 0, maxClients/20)
}

func (t *clients) changedLocked(c *Client) {
	t.changes++
	c.change = t.changes
}

// Listed notes how many tools the client was told of.
func (j *Journal) Listed(c *Client, tools int) {
	if c != nil && c.tools.Swap(int64(tools)) != int64(tools) {
		j.changed(c)
	}
}

// Left notes that a session is over.
func (j *Journal) Left(c *Client) {
	if c != nil && !c.left.Swap(true) {
		j.changed(c)
	}
}

// Streams notes an event stream that is open until closed is called. c may be nil.
func (j *Journal) Streams(c *Client) (closed func()) {
	j.stream(c, 1)
	return func() { j.stream(c, -1) }
}

func (j *Journal) stream(c *Client, by int) {
	now := time.Now()
	t := &j.clients
	t.mu.Lock()
	t.streams += by
	t.open.set(now, t.streams)
	if c != nil {
		c.streams.Add(int64(by))
		c.seen(now)
		t.changedLocked(c)
	}
	t.mu.Unlock()
	j.ringWatchers()
}

func (j *Journal) changed(c *Client) {
	t := &j.clients
	t.mu.Lock()
	t.changedLocked(c)
	t.mu.Unlock()
	j.ringWatchers()
}

func (j *Journal) ringWatchers() {
	c := &j.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.watchers {
		w.ring()
	}
}

// Clients answers the clients that are known, those used last first, and the last
// refusals, newest first.
func (j *Journal) Clients() ([]ClientState, []Refusal) {
	t := &j.clients
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := slices.Clone(t.all)
	slices.SortStableFunc(all, func(a, b *Client) int { return cmp.Compare(b.lastSeen.Load(), a.lastSeen.Load()) })
	states := make([]ClientState, len(all))
	for i, c := range all {
		states[i] = c.state()
	}
	refused := make([]Refusal, 0, len(t.refused))
	for _, r := range slices.Backward(t.refused) {
		refused = append(refused, r.Refusal)
	}
	return states, refused
}

// ClientsSince answers at most limit clients of which something was heard since then,
// those used last first.
func (j *Journal) ClientsSince(since time.Time, limit int) []ClientState {
	type seen struct {
		*Client
		at int64
	}
	var heard []seen
	t := &j.clients
	t.mu.RLock()
	for _, c := range t.all {
		if at := c.lastSeen.Load(); at >= since.UnixNano() {
			heard = append(heard, seen{c, at})
		}
	}
	t.mu.RUnlock()
	slices.SortStableFunc(heard, func(a, b seen) int { return cmp.Compare(b.at, a.at) })
	active := make([]ClientState, min(len(heard), limit))
	for i := range active {
		active[i] = heard[i].state()
	}
	return active
}

// Client answers one client, and false when none has the id.
func (j *Journal) Client(id string) (ClientState, bool) {
	t := &j.clients
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, c := range t.all {
		if c.id == id {
			return c.state(), true
		}
	}
	return ClientState{}, false
}
