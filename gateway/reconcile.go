package gateway

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/pool"
)

// member is one running backend.
type member struct {
	name  string
	order int // of registration
	want  discovery.Backend
	shape string // the key of want.Shape
	up    *pool.Pool
}

// registry is all running backends, in the order of their registration. It is
// immutable; next is closed when a later one stands.
type registry struct {
	members []*member
	byName  map[string]*member
	next    chan struct{}
}

func newRegistry(members []*member) *registry {
	r := &registry{members: members, byName: make(map[string]*member, len(members)), next: make(chan struct{})}
	for _, m := range members {
		r.byName[m.name] = m
	}
	return r
}

// wanted answers the union of the desired sets by name. Where two sources want one
// name, the manual registration wins, and the other hears of it. What is switched off
// is disabled, whoever wants it.
func (g *Gateway) wanted() (order []string, want map[string]discovery.Backend) {
	g.mu.Lock()
	sets := maps.Clone(g.desired)
	g.mu.Unlock()
	sources := slices.Sorted(maps.Keys(sets))
	slices.SortStableFunc(sources, func(a, b string) int { return rank(a) - rank(b) })
	want = map[string]discovery.Backend{}
	off := g.switches.Load()
	for _, source := range sources {
		for _, b := range sets[source] {
			if first, taken := want[b.Name]; taken {
				first.Diagnostics = append(slices.Clone(first.Diagnostics), conflict(first, b))
				want[b.Name] = first
				continue
			}
			b.Disabled = b.Disabled || off.All || off.Backends[b.Name]
			want[b.Name] = b
			order = append(order, b.Name)
		}
	}
	for name, b := range want {
		for _, group := range b.Groups {
			if _, taken := want[group]; taken {
				b.Diagnostics = append(slices.Clone(b.Diagnostics), eclipsed(group))
				want[name] = b
			}
		}
	}
	return order, want
}

// eclipsed tells a member of a group that clients find a backend in its place.
func eclipsed(group string) discovery.Diagnostic {
	return discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: "L022", Value: group,
		Message:    fmt.Sprintf("the group %q has the name of a backend: /mcp/%s is that backend alone, and the group is nowhere", group, group),
		Suggestion: "give the group or the backend another name"}
}

func rank(source string) int {
	if source == discovery.SourceManual {
		return 0
	}
	return 1
}

func conflict(winner, loser discovery.Backend) discovery.Diagnostic {
	who := "the " + loser.Source + " provider"
	if loser.Container != nil {
		who = "container " + loser.Container.Name
	}
	return discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: "L020", Value: winner.Name,
		Message:    who + " wants the name " + winner.Name + " too, which is registered already",
		Suggestion: "give the container another one with mcp-gw.name, or remove the registration"}
}

// reconcile makes the running backends those that are wanted.
func (g *Gateway) reconcile() {
	order, want := g.wanted()
	gone := false
	for name, m := range g.running {
		if b, still := want[name]; !still || b.Source != m.want.Source {
			m.up.Remove()
			delete(g.running, name)
			delete(g.resumed, m.up)
			gone = true
			g.cfg.Journal.Backend(journal.LevelWarn, name, "Disconnected")
			g.cfg.Log.Info("backend removed", "backend", name, "source", m.want.Source)
		}
	}
	for _, name := range order {
		b := want[name]
		m := g.running[name]
		switch {
		case m == nil:
			g.sequence++
			m = &member{name: name, order: g.sequence, want: b, shape: shapeKey(b.Shape)}
			m.up = pool.New(b, g.upstreamConfig(), func() { ring(g.changed) })
			g.running[name] = m
			m.up.Start(&g.upWork)
		case !m.want.Same(b) || !sameFacts(m.want, b):
			m.want, m.shape = b, shapeKey(b.Shape)
			m.up.Set(b)
		}
	}
	members := slices.SortedFunc(maps.Values(g.running), func(a, b *member) int { return a.order - b.order })
	// Members that were changed get new values, so that a reader of the old
	// registry sees nothing move.
	for i, m := range members {
		copied := *m
		members[i] = &copied
	}
	old := g.registry.Swap(newRegistry(members))
	close(old.next)
	if gone {
		byName := g.registry.Load().byName
		g.cfg.Journal.Retain(func(backend, _ string) bool { return byName[backend] != nil })
	}
}

func sameFacts(a, b discovery.Backend) bool {
	return reflect.DeepEqual(a.Container, b.Container) && reflect.DeepEqual(a.Diagnostics, b.Diagnostics) &&
		slices.Equal(a.Groups, b.Groups) && a.Balance == b.Balance && a.Replica == b.Replica && slices.EqualFunc(a.Replicas, b.Replicas, sameReplica) &&
		reflect.DeepEqual(a.Shape, b.Shape) && a.Withheld == b.Withheld && a.Doubted.Equal(b.Doubted)
}

func sameReplica(a, b discovery.Replica) bool {
	same := (a.Open == nil) == (b.Open == nil)
	a.Open, b.Open = nil, nil // functions cannot be compared
	return same && reflect.DeepEqual(a, b)
}
