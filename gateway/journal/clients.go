package journal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on what is known of clients.
const (
	maxClients      = 2000 // those used longest ago are forgotten
	maxRefused      = 20
	maxFact         = 200 // of a name, a version, a User-Agent, in bytes
	maxCapabilities = 32
	// presence is how long a client without sessions counts as connected after its
	// last request.
	presence = 5 * time.Minute
	// selfName is how the dashboard's own client calls itself.
	selfName = "mcp-gw dashboard"
)

// Facts are what a client says of itself, and where it comes from.
type Facts struct {
	// Session is what its session is called, empty for a client without.
	Session string
	// Info is its Implementation, Capabilities what it can do: raw JSON objects.
	Info, Capabilities []byte
	UserAgent          string
	// Version is its revision of MCP.
	Version string
	// Address is host:port.
	Address string
}

// Client is one client that was seen. Its methods may be called by any goroutine.
type Client struct {
	in        *clients
	id, key   string
	session   bool
	facts     facts
	firstSeen time.Time
	lastSeen  atomic.Int64 // ns since 1970
	calls     atomic.Uint64
	errors    atomic.Uint64
	streams   atomic.Int64
	tools     atomic.Int64 // of its last list; -1: it saw none
	left      atomic.Bool

	change uint64 // guarded by clients.mu
}

// facts are those of a client, read.
type facts struct {
	name, version, userAgent, protocol, address string
	capabilities                                []string
}

// ClientState is a client as people see it.
type ClientState struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Version         string   `json:"version,omitempty"`
	UserAgent       string   `json:"userAgent,omitempty"`
	Era             string   `json:"era"`
	ProtocolVersion string   `json:"protocolVersion,omitempty"`
	Capabilities    []string `json:"capabilities"`
	Address         string   `json:"address"`
	FirstSeen       string   `json:"firstSeen"`
	LastSeen        string   `json:"lastSeen"`
	Streams         int      `json:"streams"`
	Calls           uint64   `json:"calls"`
	Errors          uint64   `json:"errors"`
	ToolsSeen       *int     `json:"toolsSeen,omitempty"`
	Connected       bool     `json:"connected"`
	Self            bool     `json:"self,omitempty"`
}

// Refusal is a request that was turned away before it could be one of a client.
type Refusal struct {
	At        string `json:"at"`
	Address   string `json:"address"`
	UserAgent string `json:"userAgent,omitempty"`
	Status    int    `json:"status"`
	Reason    string `json:"reason"`
	// Code is a stable word.
	Code string `json:"code"`
}

type refusal struct {
	Refusal
	number uint64
}

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

// read reads what a client says of itself. What cannot be read is not there.
func read(f Facts) facts {
	var info struct{ Name, Version string }
	_ = json.Unmarshal(f.Info, &info)
	out := facts{name: tidy(info.Name), version: tidy(info.Version), userAgent: tidy(f.UserAgent), protocol: tidy(f.Version), address: f.Address,
		capabilities: []string{}}
	if out.name == "" {
		out.name, _, _ = strings.Cut(out.userAgent, " ")
		if name, version, ok := strings.Cut(out.name, "/"); ok && out.version == "" {
			out.name, out.version = name, version
		}
	}
	if out.name == "" {
		out.name = "unknown"
	}
	if host, _, err := net.SplitHostPort(f.Address); err == nil {
		out.address = host
	}
	var capabilities map[string]json.RawMessage
	_ = json.Unmarshal(f.Capabilities, &capabilities)
	for name := range capabilities {
		out.capabilities = append(out.capabilities, tidy(name))
	}
	slices.Sort(out.capabilities)
	if len(out.capabilities) > maxCapabilities {
		out.capabilities = out.capabilities[:maxCapabilities]
	}
	return out
}

// tidy bounds a word of a stranger's.
func tidy(s string) string {
	return clipTo(strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD"), maxFact)
}

func (c *Client) seen(now time.Time) { c.lastSeen.Store(now.UnixNano()) }

func (c *Client) ended(now time.Time, failed bool) {
	c.lastSeen.Store(now.UnixNano())
	c.calls.Add(1)
	if failed {
		c.errors.Add(1)
	}
}

// Version is the client's revision of MCP.
func (c *Client) Version() string { return c.facts.protocol }

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

// Refused notes a request that was turned away. The same again, as of a client that
// tries for ever, takes the place of the one before.
func (j *Journal) Refused(r Refusal) {
	r.At = stamp(time.Now())
	r.UserAgent, r.Reason = tidy(r.UserAgent), RedactText(clipTo(r.Reason, maxErrorText))
	if host, _, err := net.SplitHostPort(r.Address); err == nil {
		r.Address = host
	}
	t := &j.clients
	t.mu.Lock()
	t.refusals++
	t.refused = slices.DeleteFunc(t.refused, func(o refusal) bool {
		return o.Address == r.Address && o.UserAgent == r.UserAgent && o.Code == r.Code && o.Reason == r.Reason
	})
	if len(t.refused) >= maxRefused {
		t.refused = slices.Delete(t.refused, 0, 1)
	}
	t.refused = append(t.refused, refusal{r, t.refusals})
	t.mu.Unlock()
	j.ringWatchers()
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

// ClientsSince answers at most limit clients of which something was heard since then.
func (j *Journal) ClientsSince(since time.Time, limit int) (active []ClientState) {
	t := &j.clients
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, c := range t.all {
		if len(active) < limit && c.lastSeen.Load() >= since.UnixNano() {
			active = append(active, c.state())
		}
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

func (c *Client) era() string {
	if c.session {
		return "legacy"
	}
	return "modern"
}

func (c *Client) state() ClientState {
	last := time.Unix(0, c.lastSeen.Load())
	s := ClientState{ID: c.id, Name: c.facts.name, Version: c.facts.version, UserAgent: c.facts.userAgent, Era: c.era(),
		ProtocolVersion: c.facts.protocol, Capabilities: c.facts.capabilities, Address: c.facts.address,
		FirstSeen: stamp(c.firstSeen), LastSeen: stamp(last), Streams: int(c.streams.Load()), Calls: c.calls.Load(), Errors: c.errors.Load(),
		Connected: !c.left.Load(), Self: c.facts.name == selfName}
	if !c.session {
		s.Connected = s.Streams > 0 || time.Since(last) < presence
	}
	if n := int(c.tools.Load()); n >= 0 {
		s.ToolsSeen = &n
	}
	return s
}

// stamp is a time as the API writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
