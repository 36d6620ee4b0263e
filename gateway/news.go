package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

// known is what was last told of a backend.
type known struct {
	member *member
	state  *upstream.State
	health string // empty: nothing yet, it is new
	off    bool   // it is disabled by a switch
	tools  []upstream.Tool
	listed bool // tools are what it listed when it was last connected
}

// tellNews records what is otherwise than when it was last called: of backends, of
// what they list, and of what people switched.
func (g *Gateway) tellNews() {
	shown, members := g.shown.Load(), g.registry.Load().members
	g.newsOfSwitches(shown.switches)
	there := make(map[string]bool, len(members))
	for _, m := range members {
		there[m.name] = true
		was, s := g.told[m.name], shown.states[m.up]
		if was == nil {
			was = &known{}
			g.told[m.name] = was
		}
		// What it is to clients may depend on others, and how it is on the time.
		alone := m.want.Withheld == "" && len(m.want.Shape.DependsOn) == 0 && was.health != HealthDegraded
		if s == nil || was.state == s && was.member == m && alone {
			continue
		}
		was.member, was.state = m, s
		g.newsOfHealth(m, s, was, shown.switches.All || shown.switches.Backends[m.name])
		g.newsOfTools(m.name, s, was)
	}
	for name, was := range g.told {
		if there[name] {
			continue
		}
		delete(g.told, name)
		g.altered.leave(name, was.tools)
		if was.health != "" {
			g.cfg.Journal.Change(journal.Change{Kind: journal.ChangeBackend, Backend: name, From: was.health, Message: name + " was removed"})
		}
	}
}

// newsOfHealth tells how a backend is now; off says that it is switched off.
func (g *Gateway) newsOfHealth(m *member, s *upstream.State, was *known, off bool) {
	b := BackendState{Endpoints: endpoints(m.up)}
	b.State, b.Reason = g.condition(m, s)
	word, reason := health(b, s, g.now())
	from := was.health
	if was.off {
		from = "" // it comes as if it were new: that it was switched on is told already
	}
	if from == word || from == "" && word == HealthConnecting {
		return
	}
	was.health, was.off = word, word == HealthDisabled && (off || was.off)
	c := journal.Change{Kind: journal.ChangeBackend, Backend: m.name, From: from, To: word}
	switch {
	case was.off:
		return // that it was switched off says it
	case from == "" && word == HealthDisabled:
		return // it is as it was
	case from == "" && word == HealthHealthy:
		c.Message = fmt.Sprintf("%s is connected: %s", m.name, countTools(len(s.Tools)))
	case from == "":
		c.Message = fmt.Sprintf("%s is %s", m.name, word)
	case word == HealthDisabled:
		c.Message = m.name + " was disabled"
	case from == HealthDisabled:
		c.Message = m.name + " was enabled"
	default:
		c.Message = fmt.Sprintf("%s: %s → %s", m.name, from, word)
	}
	if reason != "" && word != HealthHealthy && word != HealthDisabled {
		c.Message += ": " + reason
	}
	g.cfg.Journal.Change(c)
}

// someDegraded reports whether a backend was unwell when it was last told of.
func (g *Gateway) someDegraded() bool {
	for _, k := range g.told {
		if k.health == HealthDegraded {
			return true
		}
	}
	return false
}

func countTools(n int) string {
	if n == 1 {
		return "1 tool"
	}
	return fmt.Sprintf("%d tools", n)
}

// newsOfTools compares what a backend lists with what it listed when it was last
// connected, before a restart too.
func (g *Gateway) newsOfTools(name string, s *upstream.State, was *known) {
	if s.Phase != upstream.PhaseReady || was.listed && sameSlice(s.Tools, was.tools) {
		return
	}
	old, first := was.tools, !was.listed
	was.tools, was.listed = s.Tools, true
	if first {
		if g.altered.back(name, s.Tools) {
			g.reshow()
		}
		return
	}
	c := journal.Change{Kind: journal.ChangeTools, Backend: name}
	before := make(map[string][]byte, len(old))
	for _, t := range old {
		before[t.Name] = t.Raw
	}
	altered := false
	for _, t := range s.Tools {
		switch raw, there := before[t.Name]; {
		case !there:
			c.Added = append(c.Added, t.Name)
			altered = g.altered.note(name, t.Name, nil, t.Raw) || altered
		case !bytes.Equal(raw, t.Raw):
			c.Changed = append(c.Changed, t.Name)
			altered = g.altered.note(name, t.Name, raw, t.Raw) || altered
		}
		delete(before, t.Name)
	}
	for _, t := range old {
		if _, gone := before[t.Name]; gone {
			c.Removed = append(c.Removed, t.Name)
			g.altered.note(name, t.Name, t.Raw, nil)
			delete(before, t.Name)
		}
	}
	if altered {
		g.reshow()
	}
	if len(c.Added)+len(c.Removed)+len(c.Changed) == 0 {
		return // another order, or the same anew
	}
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"added", c.Added}, {"removed", c.Removed}, {"described otherwise:", c.Changed}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+" "+journal.NameSome(part.names))
		}
	}
	c.Message = fmt.Sprintf("%s: tools changed, +%d −%d (%s)", name, len(c.Added), len(c.Removed), strings.Join(parts, "; "))
	g.cfg.Journal.Change(c)
}

func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// newsOfSwitches tells what people switched.
func (g *Gateway) newsOfSwitches(now *discovery.Switches) {
	was := g.toldSwitches
	if was == now {
		return
	}
	g.toldSwitches = now
	if was.All != now.All {
		c := journal.Change{Kind: journal.ChangeSwitch, To: "on", Message: "the file of the switches can be used again: what it does not switch off is on"}
		if now.All {
			c.To, c.Message = "off", "the file of the switches cannot be used: everything was switched off"
		}
		g.cfg.Journal.Change(c)
		return
	}
	for _, name := range differing(was.Backends, now.Backends) {
		c := journal.Change{Kind: journal.ChangeSwitch, Backend: name, To: "on"}
		if now.Backends[name] {
			c.To = "off"
		} else {
			g.altered.forget(name)
		}
		c.Message = fmt.Sprintf("%s was switched %s", name, c.To)
		g.cfg.Journal.Change(c)
	}
	names := slices.Sorted(maps.Keys(was.Tools))
	for name := range now.Tools {
		if was.Tools[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c := journal.Change{Kind: journal.ChangeSwitch, Backend: name}
		for _, tool := range differing(was.Tools[name], now.Tools[name]) {
			if now.Tools[name][tool] {
				c.Removed = append(c.Removed, tool)
			} else {
				c.Added = append(c.Added, tool)
			}
		}
		g.altered.trust(name, c.Added...)
		var parts []string
		for _, part := range []struct {
			names []string
			word  string
		}{{c.Removed, "off"}, {c.Added, "on"}} {
			if len(part.names) > 0 {
				parts = append(parts, fmt.Sprintf("switched %s: %s", part.word, journal.NameSome(part.names)))
			}
		}
		if len(parts) > 0 {
			c.Message = name + ": " + strings.Join(parts, "; ")
			g.cfg.Journal.Change(c)
		}
	}
}

// differing answers what is in only one of two sets, sorted.
func differing(a, b map[string]bool) (names []string) {
	for name := range a {
		if !b[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if !a[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
