package journal

import (
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds on what a client says of itself.
const (
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
