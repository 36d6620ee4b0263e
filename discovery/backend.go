// Package discovery says what should be connected: it turns container labels
// and manual registrations into desired backends and hands whole sets of them
// to a Sink. It knows nothing of MCP, and nothing of how a backend is reached
// once it is described.
package discovery

import (
	"context"
	"io"
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
	Open func(context.Context) (io.ReadWriteCloser, error)
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
	// Disabled keeps the backend listed, but unconnected.
	Disabled bool
	// Generation changes when the process behind the URL was replaced, although
	// its address may be the same: container id and start time. A session of one
	// generation is never used with another. Empty for manual backends.
	Generation string
	// Held says that the process is gone and a successor is in sight: the tools
	// stay listed for a moment, calls wait or fail fast.
	Held bool
	// Container is where the backend runs; nil when that is not known.
	Container *Container
	// Diagnostics are the remarks on how the backend was described.
	Diagnostics []Diagnostic
}

// Same reports whether b and o ask for the same connection, so that a running
// one may be kept. Facts that are only shown (Container, Diagnostics) do not
// count, nor does who may see it (Groups).
func (b Backend) Same(o Backend) bool {
	return b.Name == o.Name && b.Source == o.Source && b.URL == o.URL &&
		slices.Equal(b.Alternatives, o.Alternatives) && b.Transport == o.Transport &&
		maps.Equal(b.Headers, o.Headers) && b.TLS == o.TLS && b.CallTimeout == o.CallTimeout &&
		b.Disabled == o.Disabled && b.Generation == o.Generation && b.Held == o.Held &&
		(b.Open == nil) == (o.Open == nil)
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
