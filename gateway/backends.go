package gateway

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/pool"
	"mcp-gw/gateway/upstream"
)

// attemptPatience is how long a person is kept waiting for a connect.
const attemptPatience = 5 * time.Second

// Backends answers all backends in the order of their registration, connected or
// not.
func (g *Gateway) Backends() []BackendState {
	members := g.registry.Load().members
	states := make([]BackendState, len(members))
	for i, m := range members {
		states[i] = g.describe(m)
	}
	return states
}

// Backend answers one backend, and false when there is none of that name.
func (g *Gateway) Backend(name string) (BackendState, bool) {
	m := g.registry.Load().byName[name]
	if m == nil {
		return BackendState{}, false
	}
	return g.describe(m), true
}

// Reconnect gives up a backend's connection and makes a new one, waits until that
// attempt has ended, at most some seconds, and reports whether there is such a
// backend. How it went is in the backend's state.
func (g *Gateway) Reconnect(ctx context.Context, name string) bool {
	m := g.registry.Load().byName[name]
	if m == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, attemptPatience)
	defer cancel()
	before := m.up.State().Attempts
	m.up.Reconnect()
	m.up.AwaitAttempt(ctx, before)
	g.awaitShown(ctx, m)
	return true
}

// WaitAttempt waits until the backend that is wanted under name has been tried, at
// most some seconds. Without one it returns at once.
func (g *Gateway) WaitAttempt(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, attemptPatience)
	defer cancel()
	for ctx.Err() == nil {
		_, want := g.wanted()
		b, wanted := want[name]
		if !wanted {
			return
		}
		r := g.registry.Load()
		m := r.byName[name]
		if m == nil || !m.want.Same(b) {
			select {
			case <-r.next:
			case <-ctx.Done():
			}
			continue
		}
		m.up.AwaitTried(ctx, b)
		g.awaitShown(ctx, m)
		return
	}
}

func (g *Gateway) describe(m *member) BackendState {
	s := m.up.State()
	b := s.Backend
	if !m.want.Same(b) || b.Container == nil {
		b = m.want
	}
	out := BackendState{Name: b.Name, URL: b.URL, Transport: b.Transport, Enabled: !b.Disabled, Status: s.Status(), Source: b.Source, Container: b.Container,
		Title: m.want.Shape.Title, Description: m.want.Shape.Description, Groups: m.want.Groups,
		ProtocolVersion: s.Peer.Version, Era: s.Peer.Era(), ServerInfo: s.Server, Instructions: s.Instructions,
		Tools: make([]json.RawMessage, 0, len(s.Tools)), Resources: len(s.Resources), Prompts: len(s.Prompts),
		Replicas: 1 + len(m.want.Replicas), Endpoints: endpoints(m.up), Stats: g.cfg.Journal.BackendStats(b.Name),
		Diagnostics: append(append(slices.Clone(b.Diagnostics), s.Remarks...), shapeRemarks(m.want.Shape, s)...)}
	if m.want.Shape.NoPrompts {
		out.Prompts = 0
	}
	if m.want.Shape.NoResources {
		out.Resources = 0
	}
	if out.Diagnostics == nil {
		out.Diagnostics = []discovery.Diagnostic{}
	}
	off, src := g.switches.Load().Tools[b.Name], source(b.Name, m.want.Shape)
	for _, t := range s.Tools {
		if shows(m.want.Shape, t.Item) && !off[t.Name] {
			out.Tools = append(out.Tools, t.Raw)
			out.Tokens += catalog.Entry{Exposed: src.Exposed(t.Name), Item: t.Item}.Tokens(g.before(b.Name)).Sum()
		}
	}
	out.ToolCount, out.EnabledTools = len(s.Tools), len(out.Tools)
	out.AlteredTools = g.altered.count(out.Name, s.Tools)
	if len(b.Headers) > 0 {
		out.Headers = map[string]string{}
		for k := range b.Headers {
			out.Headers[k] = "***"
		}
	}
	if s.URL != "" && b.URL == s.Backend.URL {
		out.URL = s.URL
	}
	switch {
	case s.SSE:
		out.Transport = discovery.TransportSSE
	case out.Transport == discovery.TransportAuto:
		out.Transport = discovery.TransportHTTP
	}
	if c := s.Checked(); !c.At.IsZero() {
		ms := float64(c.Took.Microseconds()) / 1000
		at := c.At.UTC()
		out.LatencyMs, out.LastPingAt = &ms, &at
	}
	out.State, out.Reason = g.condition(m, s)
	if s.Phase != upstream.PhaseReady && s.Reason != "" {
		out.Failure = string(s.Failure)
		if s.Failure != "" {
			out.Answer = s.Answer
		}
		if s.Status() == "error" {
			out.Error = &s.Reason
		}
	}
	if !s.RetryAt.IsZero() {
		at := s.RetryAt.UTC()
		out.NextRetryAt = &at
	}
	for _, c := range s.Checks() {
		out.Beats = append(out.Beats, Beat{T: c.At.Unix(), Ms: took(c)})
	}
	if !out.Enabled {
		switch out.DisabledBy = g.disabledBy(b); out.DisabledBy {
		case "dashboard":
			out.Reason = "it is switched off in the dashboard"
		case "unknown":
			out.Reason = "everything is off while the file of the switches cannot be used"
		}
	}
	out.Health, out.Reason = health(out, s, g.now())
	return out
}

// condition is the finer state of m, and why it is in it.
func (g *Gateway) condition(m *member, s *upstream.State) (state, reason string) {
	if s.Phase != upstream.PhaseReady {
		return string(s.Phase), s.Reason
	}
	if why := g.concealed(m); why != "" {
		return stateDegraded, why
	}
	return string(s.Phase), ""
}

const stateDraining = "draining"

// endpoints are the replicas of a backend that has several.
func endpoints(up *pool.Pool) []EndpointState {
	all := up.Endpoints()
	if len(all) < 2 {
		return nil
	}
	out := make([]EndpointState, len(all))
	for i, e := range all {
		b := e.Backend
		out[i] = EndpointState{ID: b.Replica.ID, URL: b.URL, Container: b.Container, State: string(e.State.Phase), Reason: e.State.Reason,
			Weight: b.Replica.Weight, Drain: b.Replica.Drain, Sessions: e.Sessions, Calls: e.Calls}
		if e.State.URL != "" && e.State.Backend.URL == b.URL {
			out[i].URL = e.State.URL
		}
		if e.State.Phase != upstream.PhaseReady {
			continue
		}
		switch {
		case b.Held:
			out[i].State, out[i].Reason = string(upstream.PhaseHolding), "it stopped and is expected back"
		case b.Withheld != "":
			out[i].State, out[i].Reason = stateDegraded, b.Withheld
		case e.Ending:
			out[i].State, out[i].Reason = stateDraining, "it was told to end"
		case b.Replica.Drain:
			out[i].State = stateDraining
		}
	}
	return out
}
