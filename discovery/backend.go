// Package discovery says what should be connected: it turns container labels
// and manual registrations into desired backends and hands whole sets of them
// to a Sink. It knows nothing of MCP, and nothing of how a backend is reached
// once it is described.
package discovery

import (
	"maps"
	"slices"
	"time"
)

// Transport is how a backend speaks MCP.
type Transport string

const (
	// TransportAuto finds the transport by asking: streamable HTTP first, the
	// deprecated HTTP+SSE transport next.
	TransportAuto Transport = "auto"
	// TransportHTTP is streamable HTTP (MCP 2025-03-26 and later).
	TransportHTTP Transport = "http"
	// TransportSSE is HTTP+SSE (MCP 2024-11-05).
	TransportSSE Transport = "sse"
	// TransportStdio is newline-delimited JSON over Backend.Open.
	TransportStdio Transport = "stdio"
)

// Sources of backends. A name is unique over all of them; where two sources
// want the same one, manual registration wins, because a person asked for it.
const (
	SourceDocker = "docker"
	SourceManual = "manual"
)

// Backend is one MCP server that should be connected. It is a plain value:
// providers make a new one rather than change one that they handed out.
type Backend struct {
	// Name is the prefix of the backend's tools: lower case, unique, without "__".
	Name string
	// Source is the provider that wants it: SourceDocker or SourceManual.
	Source string
	// URL is absolute, http or https. Empty only for stdio.
	URL string
	// Alternatives are further URLs to try, in order, when URL does not answer
	// MCP (a container whose path nobody declared: /mcp, then /, then /sse).
	// Each is tried with the transport that Transport allows.
	Alternatives []string
	// Open connects a stdio backend. The caller closes what it returns.
	Open Opener
	// PerClient says that each session of a client is to have a process of its own:
	// Open starts one each time. Otherwise one stream is for all of them.
	PerClient bool
	// Transport limits how the URL is spoken to.
	Transport Transport
	// Headers go out with every request. Their values are secrets: they reach
	// no log and no API answer.
	Headers map[string]string
	// TLS is how the certificate of an https URL is checked.
	TLS TLS
	// Groups are the smaller endpoints at which clients find the backend besides
	// the one that has all: sorted, each once. They change what clients see, and
	// nothing about the connection.
	Groups []string
	// CallTimeout is how long a call may stay silent before it fails. Zero
	// means the gateway's default. Any message of the backend for that call,
	// progress included, starts it anew.
	CallTimeout time.Duration
	// Tuning is how patient the gateway is with the backend otherwise.
	Tuning Tuning
	// Shape is what of the backend clients see, and under which names.
	Shape Shape
	// Replicas are further processes that serve the same backend, besides the one
	// that the fields of the backend itself describe. Empty for most.
	Replicas []Replica
	// Replica tells the backend's own process apart from its Replicas, and weighs it.
	Replica ReplicaRole
	// Balance is how new sessions are spread over the replicas.
	Balance Balance
	// Disabled keeps the backend listed, but unconnected.
	Disabled bool
	// Generation changes when the process behind the URL was replaced, although
	// its address may be the same: container id and start time. A session of one
	// generation is never used with another. Empty for manual backends.
	Generation string
	// Held says that the process is gone and a successor is in sight: the tools
	// stay listed for a moment, calls wait or fail fast.
	Held bool
	// Doubted is when the process was told to end in a way that it may refuse or
	// take its time for (SIGTERM, SIGHUP): from then on it is checked closely for a
	// moment. Zero: there is no doubt.
	Doubted time.Time
	// Withheld says, in a sentence, why clients are not to see what the backend
	// offers although it may answer: its container is unhealthy, or crashes over and
	// over. Empty: they are.
	Withheld string
	// Container is where the backend runs; nil when that is not known.
	Container *Container
	// Diagnostics are the remarks on how the backend was described.
	Diagnostics []Diagnostic
}

// Same reports whether b and o ask for the same connection, so that a running
// one may be kept. Facts that are only shown (Container, Diagnostics) do not
// count, nor does who may see what of it (Groups, Shape, Withheld), nor what is
// said of other processes (Replicas and how they are weighed), nor doubts.
func (b Backend) Same(o Backend) bool {
	return b.Name == o.Name && b.Source == o.Source && b.URL == o.URL &&
		slices.Equal(b.Alternatives, o.Alternatives) && b.Transport == o.Transport &&
		maps.Equal(b.Headers, o.Headers) && b.TLS == o.TLS && b.CallTimeout == o.CallTimeout &&
		b.Tuning == o.Tuning && b.Disabled == o.Disabled && b.Generation == o.Generation && b.Held == o.Held &&
		(b.Open == nil) == (o.Open == nil) && b.PerClient == o.PerClient
}

// Tuning is how patient the gateway is with one backend. Zero fields mean the
// gateway's defaults.
type Tuning struct {
	// Connect bounds the making of a network connection, Init each step of the MCP
	// handshake and each listing.
	Connect, Init time.Duration
	// Idle ends client sessions with the backend that nobody used for that long.
	Idle time.Duration
	// Startup is how long the backend may fail to answer before it counts as failed
	// rather than as starting.
	Startup time.Duration
	// Ping is the time between two checks; NoPing leaves them out.
	Ping   time.Duration
	NoPing bool
	// MaxConcurrency bounds the calls that are under way at one process at a time;
	// further ones wait.
	MaxConcurrency int
	// Protocol is the MCP revision to speak, such as "2025-06-18"; empty: found out.
	Protocol string
}

// Shape is what of a backend clients see. The zero value shows everything under
// the usual names.
type Shape struct {
	// Title and Description are what people are shown; empty: what the server says.
	Title, Description string
	// Include and Exclude are globs (path.Match) on the backend's own tool names.
	// Empty Include means all. Exclude wins.
	Include, Exclude []string
	// Rename maps a tool's own name to the one that is exposed instead, still
	// behind the prefix.
	Rename map[string]string
	// Prefix replaces "<name>__" where it is not nil; it may be empty.
	Prefix *string
	// ReadOnly shows only tools that are annotated readOnlyHint.
	ReadOnly bool
	// NoPrompts and NoResources leave those out.
	NoPrompts, NoResources bool
	// Priority orders lists: higher first, then by name.
	Priority int
	// DependsOn names backends without which this one is not shown.
	DependsOn []string
}

// Balance is how new sessions are spread over replicas. A session that exists
// stays where it is.
type Balance string

const (
	// BalanceSticky keeps all requests of one client at one replica; clients are
	// spread by weight. It is the default.
	BalanceSticky Balance = "sticky"
	// BalanceRoundRobin takes the replicas in turn, by weight.
	BalanceRoundRobin Balance = "round-robin"
	// BalanceLeastBusy takes the replica with the fewest calls under way for its weight.
	BalanceLeastBusy Balance = "least-busy"
)

// ReplicaRole is one process's part among the replicas of a backend.
type ReplicaRole struct {
	// ID is stable for the life of the process's container, and unique in the set.
	// Empty where there can be only one.
	ID string
	// Weight is its share of new sessions, relative to the others', 0 to 100. 0 with
	// Drain takes none.
	Weight int
	// Drain leaves existing sessions alone and gives the process no new ones, as long
	// as there is another: its weight is 0, or it runs an older image than others.
	Drain bool
}

// Replica is one more process that serves a backend. All that it does not say is
// the backend's.
type Replica struct {
	ReplicaRole
	URL          string
	Alternatives []string
	Open         Opener
	Generation   string
	Held         bool
	Doubted      time.Time
	Withheld     string
	Container    *Container
}

// Container is the container behind a backend, as far as people care.
type Container struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Image          string    `json:"image"`
	ComposeProject string    `json:"composeProject,omitempty"`
	ComposeService string    `json:"composeService,omitempty"`
	Health         string    `json:"health,omitempty"`
	StartedAt      time.Time `json:"startedAt,omitzero"`
}
