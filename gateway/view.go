package gateway

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"mcp-gw/discovery"
	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/downstream"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/pool"
	"mcp-gw/gateway/upstream"
)

// input is what one backend adds to what clients see; two equal inputs add the same.
// A list that changed is another slice.
type input struct {
	up        *pool.Pool
	name      string
	tools     *upstream.Tool
	others    [catalog.Kinds]*catalog.Item
	counts    [catalog.Kinds]int
	announced [catalog.Kinds]uint64
	hints     [catalog.Kinds]catalog.Hint
	modern    bool
	groups    string
	shape     string
	rivals    string          // the backends whose names it could imitate
	off       map[string]bool // its tools that are switched off
	choice    discovery.Shape // not compared: shape is
	state     *upstream.State // not compared: most that changes in it is of no interest here
}

func newInput(m *member, s *upstream.State) input {
	in := input{up: m.up, name: m.name, modern: s.Peer.Modern, hints: s.Hints, announced: s.Announced, groups: strings.Join(m.want.Groups, ","), state: s,
		choice: m.want.Shape, shape: m.shape}
	in.counts[catalog.Tools] = len(s.Tools)
	if len(s.Tools) > 0 {
		in.tools = &s.Tools[0]
	}
	for k, items := range [catalog.Kinds][]catalog.Item{catalog.Prompts: s.Prompts, catalog.Resources: s.Resources, catalog.Templates: s.Templates} {
		if len(items) > 0 {
			in.counts[k], in.others[k] = len(items), &items[0]
		}
	}
	return in
}

func (in input) same(o input) bool {
	return in.up == o.up && in.name == o.name && in.tools == o.tools && in.others == o.others && in.counts == o.counts &&
		in.announced == o.announced && in.hints == o.hints && in.modern == o.modern && sameWords(in.state, o.state) &&
		in.groups == o.groups && in.shape == o.shape && in.rivals == o.rivals && maps.Equal(in.off, o.off)
}

// sameWords reports whether a backend says the same of itself in two states.
func sameWords(a, b *upstream.State) bool {
	return a == b || bytes.Equal(a.Capabilities, b.Capabilities) && bytes.Equal(a.Server, b.Server) && a.Instructions == b.Instructions
}

// drawing is a scope with what it was made of.
type drawing struct {
	inputs []input
	scope  *downstream.Scope
}

// rebuild makes the view of the upstreams' states. A scope is rendered again only
// when something in it changed: most states differ in a latency or a reason.
func (g *Gateway) rebuild() {
	members := g.registry.Load().members
	switches := g.switches.Load()
	now := &shown{states: make(map[*pool.Pool]*upstream.State, len(members)), switches: switches, next: make(chan struct{})}
	absent := map[string]string{}
	parts := map[string][]input{"": nil}
	wants := make(map[string]discovery.Backend, len(members))
	states := make(map[string]*upstream.State, len(members))
	for _, m := range members {
		parts[m.name] = nil
		wants[m.name], states[m.name] = m.want, m.up.State()
	}
	ready := func(name string) bool { return states[name] != nil && offers(states[name]) }
	for _, m := range members {
		groups := m.want.Groups
		for _, group := range groups {
			if _, there := parts[group]; !there {
				parts[group] = nil
			}
		}
		s := states[m.name]
		now.states[m.up] = s
		if s.Phase != upstream.PhaseReady {
			absent[m.name] = s.Reason
			if s.Phase == upstream.PhaseDisabled {
				absent[m.name] = switchedOff
			}
		}
		if s.Phase == upstream.PhaseReady {
			g.resubscribe(m.name, m.up)
		}
		if s.Phase != upstream.PhaseReady && s.Phase != upstream.PhaseHolding {
			continue
		}
		if why := concealed(m.name, wants, ready); why != "" {
			absent[m.name] = why
			continue
		}
		in := newInput(m, s)
		in.rivals, in.off = rivals(m, members), switches.Tools[m.name]
		parts[""] = append(parts[""], in)
		parts[m.name] = append(parts[m.name], in)
		for _, group := range groups {
			if !g.isBackend(group) {
				parts[group] = append(parts[group], in)
			}
		}
	}
	view := &downstream.View{Scopes: make(map[string]*downstream.Scope, len(parts)), Absent: absent, Prefixes: map[string]string{}}
	for _, m := range members {
		if _, away := absent[m.name]; away && m.want.Shape.Prefix != nil {
			view.Prefixes[m.name] = *m.want.Shape.Prefix
		}
	}
	for name, inputs := range parts {
		// By name, as they are drawn: backends are registered in any order.
		slices.SortFunc(inputs, func(a, b input) int { return strings.Compare(a.name, b.name) })
		old, there := g.drawn[name]
		if !there || old.scope.Plain != g.isPlain(name) || !slices.EqualFunc(old.inputs, inputs, input.same) {
			old = drawing{inputs, g.draw(name, inputs, old)}
			g.drawn[name] = old
		}
		view.Scopes[name] = old.scope
	}
	g.sweep(view)
	maps.DeleteFunc(g.drawn, func(name string, _ drawing) bool { _, still := parts[name]; return !still })
	g.view.Store(view)
	close(g.shown.Swap(now).next)
}

// fewMeters are too few to be worth a sweep.
const fewMeters = 1000

// sweep forgets the meters of tools and prompts that are in no list any more and were
// never called. It waits until there are twice as many as were left the last time.
func (g *Gateway) sweep(view *downstream.View) {
	if g.cfg.Journal.Meters() <= max(fewMeters, 2*g.metersLeft) {
		return
	}
	listed := map[*journal.Meter]bool{}
	for _, s := range view.Scopes {
		for _, routes := range []map[string]*bridge.Route{s.Tools, s.Prompts} {
			for _, r := range routes {
				listed[r.Meter] = true
			}
		}
	}
	g.metersLeft = g.cfg.Journal.Sweep(func(m *journal.Meter) bool { return listed[m] })
}

// switchedOff is why clients do not find what a person does not want.
const switchedOff = "it is switched off"

// shown is the states that the view was made of; next is closed when a later one
// stands.
type shown struct {
	states   map[*pool.Pool]*upstream.State
	switches *discovery.Switches
	next     chan struct{}
}

// reshow has people look again: something is known of what they see that was not when
// the view was made.
func (g *Gateway) reshow() {
	now := *g.shown.Load()
	now.next = make(chan struct{})
	close(g.shown.Swap(&now).next)
}

// awaitShown waits until clients see the state that m has: who has waited for a
// backend calls it next.
func (g *Gateway) awaitShown(ctx context.Context, m *member) {
	for {
		s := g.shown.Load()
		if still := g.registry.Load().byName[m.name]; still == nil || still.up != m.up || s.states[m.up] == m.up.State() {
			return
		}
		select {
		case <-s.next:
		case <-ctx.Done():
			return
		}
	}
}

// WaitSwitched waits until clients see what Switch was told last, or ctx has ended.
func (g *Gateway) WaitSwitched(ctx context.Context) {
	want := g.switches.Load()
	for {
		s := g.shown.Load()
		if now := g.switches.Load(); s.switches == want || s.switches == now {
			return
		}
		select {
		case <-s.next:
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) isBackend(name string) bool { return g.registry.Load().byName[name] != nil }

// isPlain reports whether a scope is a backend without prefixes.
func (g *Gateway) isPlain(scope string) bool { return scope != "" && g.isBackend(scope) }

// draw renders one scope of inputs that are sorted by name. before is how it was, for its versions.
func (g *Gateway) draw(name string, inputs []input, before drawing) *downstream.Scope {
	plain := g.isPlain(name)
	sources := make([]catalog.Source, len(inputs))
	mirrors := map[[2]string]upstream.Tool{}
	for i, in := range inputs {
		s := in.state
		src := source(in.name, in.choice)
		src.Legacy, src.Hints, src.Off = !s.Peer.Modern, s.Hints, in.off
		if in.rivals != "" {
			src.Rivals = strings.Split(in.rivals, between)
		}
		src.Items = [catalog.Kinds][]catalog.Item{catalog.Prompts: s.Prompts, catalog.Resources: s.Resources, catalog.Templates: s.Templates}
		if in.choice.NoPrompts {
			src.Items[catalog.Prompts] = nil
		}
		if in.choice.NoResources {
			src.Items[catalog.Resources], src.Items[catalog.Templates] = nil, nil
		}
		for _, t := range s.Tools {
			if !shows(in.choice, t.Item) {
				continue
			}
			src.Items[catalog.Tools] = append(src.Items[catalog.Tools], t.Item)
			if t.Mirror != nil {
				mirrors[[2]string{in.name, t.Name}] = t
			}
		}
		sources[i] = src
	}
	options := catalog.Options{Plain: plain}
	if g.cfg.DescriptionPrefix && !plain {
		options.Describe = catalog.PrefixDescription
	}
	scope := &downstream.Scope{Name: name, Plain: plain, Snapshot: catalog.Build(sources, options)}
	for _, in := range inputs {
		scope.Backends = append(scope.Backends, g.backend(in, scope.Snapshot))
	}
	scope.Identity = downstream.NewIdentity(g.cfg.Version, scope.Backends, plain)
	scope.Tools, scope.Prompts = map[string]*bridge.Route{}, map[string]*bridge.Route{}
	byName := make(map[string]*downstream.Backend, len(inputs))
	for _, b := range scope.Backends {
		byName[b.Name] = b
	}
	for _, e := range scope.Entries(catalog.Tools) {
		route := scope.Route(byName[e.Backend], e, e.Name).Prepare(mirrors[[2]string{e.Backend, e.Name}].Mirror)
		route.Meter.Describe(e.Raw)
		scope.Tools[e.Exposed] = route
	}
	for _, e := range scope.Entries(catalog.Prompts) {
		scope.Prompts[e.Exposed] = scope.Route(byName[e.Backend], e, "prompts/get "+e.Name).Prepare(nil)
	}
	g.version(scope, plain, inputs, before)
	return scope
}

// source is a backend as the catalogue names its things.
func source(name string, choice discovery.Shape) catalog.Source {
	return catalog.Source{Backend: name, Prefix: choice.Prefix, Renamed: choice.Rename, Priority: choice.Priority}
}

func (g *Gateway) backend(in input, snapshot *catalog.Snapshot) *downstream.Backend {
	s := in.state
	return &downstream.Backend{Name: in.name, Legacy: !s.Peer.Modern, Target: in.up, Shut: in.shut(), Capabilities: capabilities(s.Capabilities, in.choice),
		Server: s.Server, Instructions: s.Instructions, URIs: snapshot.Rewrites(in.name),
		Meter: func(what string) *journal.Meter { return g.cfg.Journal.Meter(in.name, what) }}
}

// version counts the lists of a scope that changed since before. Clients of one
// backend alone also hear of what it announces without a change, as they would
// directly; all others only of what they can see.
func (g *Gateway) version(scope *downstream.Scope, plain bool, inputs []input, before drawing) {
	if before.scope == nil {
		// Whoever knew an earlier scope of the name must see that this is another one.
		// One that has nothing yet is no news: telling of it would only delay the next.
		g.born++
		for k := range scope.Versions {
			scope.Versions[k] = g.born << 32
		}
		if len(inputs) > 0 {
			g.changes++
		}
		return
	}
	scope.Versions = before.scope.Versions
	for k := range catalog.Kinds {
		announced := plain && len(inputs) == 1 && len(before.inputs) == 1 && inputs[0].announced[k] != before.inputs[0].announced[k]
		if announced || scope.Hash(k) != before.scope.Hash(k) {
			scope.Versions[k]++
			g.changes++
		}
	}
}
