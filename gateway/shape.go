package gateway

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// stateDegraded is a backend that is connected, and that clients do not see.
const stateDegraded = "degraded"

// codeUnmatched is the remark on a choice of tools that fits none of them; labels.md
// explains it.
const codeUnmatched = "T003"

// shows reports whether clients are to see a tool: it is included, not excluded, and
// only reads where that is asked for. A glob that is none matches nothing, and one to
// exclude by then excludes everything: what was meant to be hidden stays hidden.
func shows(s discovery.Shape, tool catalog.Item) bool { return excluded(s, tool) == "" }

// excluded answers the label that hides a tool, "" when none does.
func excluded(s discovery.Shape, tool catalog.Item) (label string) {
	if len(s.Include) > 0 && !slices.ContainsFunc(s.Include, func(glob string) bool { return fits(glob, tool.Name, false) }) {
		return labelInclude
	}
	if slices.ContainsFunc(s.Exclude, func(glob string) bool { return fits(glob, tool.Name, true) }) {
		return labelExclude
	}
	if s.ReadOnly && string(wire.Member(wire.Member(tool.Raw, "annotations"), "readOnlyHint")) != "true" {
		return labelReadOnly
	}
	return ""
}

// The labels that hide tools.
const (
	labelInclude  = "mcp-gw.tools.include"
	labelExclude  = "mcp-gw.tools.exclude"
	labelReadOnly = "mcp-gw.tools.read-only"
)

// locked says why a tool cannot be switched on that a label excludes.
func locked(s discovery.Shape, label string) string {
	switch label {
	case labelInclude:
		return fmt.Sprintf("the label %s=%s leaves it out", label, strings.Join(s.Include, ","))
	case labelExclude:
		return fmt.Sprintf("the label %s=%s excludes it", label, strings.Join(s.Exclude, ","))
	}
	return fmt.Sprintf("the label %s=true leaves it out: its server does not mark it as read-only", label)
}

func fits(glob, name string, broken bool) bool {
	ok, err := path.Match(glob, name)
	return ok || err != nil && broken
}

// shut answers the kinds of which nothing is to be reached but what is listed.
func (in input) shut() (kinds [catalog.Kinds]bool) {
	s := in.choice
	kinds[catalog.Tools] = len(s.Include)+len(s.Exclude)+len(s.Rename)+len(in.off) > 0 || s.ReadOnly
	kinds[catalog.Prompts] = s.NoPrompts
	kinds[catalog.Resources], kinds[catalog.Templates] = s.NoResources, s.NoResources
	return kinds
}

// capabilities are a backend's own without those for what clients are not to see.
func capabilities(raw []byte, s discovery.Shape) []byte {
	if s.NoPrompts {
		raw = wire.WithoutMember(raw, "prompts")
	}
	if s.NoResources {
		raw = wire.WithoutMember(raw, "resources")
	}
	return raw
}

// shapeKey is equal for equal shapes, and "" for the usual one.
func shapeKey(s discovery.Shape) string {
	text, _ := json.Marshal(s) // strings and numbers do not fail
	if string(text) == usualShape {
		return ""
	}
	return string(text)
}

var usualShape = func() string { text, _ := json.Marshal(discovery.Shape{}); return string(text) }()

// rivals answers the other backends, connected or not, whose usual names a prefix that
// somebody chose could make: while they are away, their calls would come here.
func rivals(m *member, members []*member) string {
	if m.want.Shape.Prefix == nil {
		return ""
	}
	prefix := *m.want.Shape.Prefix
	var names []string
	for _, o := range members {
		usual := o.name + "__"
		if o.name != m.name && (strings.HasPrefix(prefix, usual) || strings.HasPrefix(usual, prefix)) {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, between)
}

// between separates names, none of which has it.
const between = "\x00"

// concealed says why clients are not to see a connected backend, "" when they are: it
// is withheld, or depends on one that is not there. ready tells of each name whether
// it is connected.
func concealed(name string, wants map[string]discovery.Backend, ready func(string) bool) string {
	return conceal(name, nil, wants, ready)
}

func conceal(name string, way []string, wants map[string]discovery.Backend, ready func(string) bool) string {
	b := wants[name]
	if b.Withheld != "" {
		return b.Withheld
	}
	way = append(way, name)
	for _, other := range b.Shape.DependsOn {
		switch {
		case slices.Contains(way, other):
			return fmt.Sprintf("it depends on itself: %s; remove one of these mcp-gw.depends-on", strings.Join(append(way, other), " → "))
		case !ready(other):
			if _, known := wants[other]; !known {
				return fmt.Sprintf("it waits for the backend %q, and there is none of that name", other)
			}
			return fmt.Sprintf("it waits for the backend %q, which is not ready", other)
		}
		if why := conceal(other, way, wants, ready); why != "" {
			return fmt.Sprintf("it waits for the backend %q: %s", other, why)
		}
	}
	return ""
}

// offers reports whether a backend is connected, or was a moment ago and is expected
// back: its things are listed.
func offers(s *upstream.State) bool {
	return s.Phase == upstream.PhaseReady || s.Phase == upstream.PhaseHolding
}

func (g *Gateway) concealed(m *member) string {
	if m.want.Withheld == "" && len(m.want.Shape.DependsOn) == 0 {
		return ""
	}
	r := g.registry.Load()
	wants := make(map[string]discovery.Backend, len(r.members))
	for _, o := range r.members {
		wants[o.name] = o.want
	}
	return concealed(m.name, wants, func(name string) bool { return r.byName[name] != nil && offers(r.byName[name].up.State()) })
}

// shapeRemarks tells what of a choice fits no tool that the backend lists: a slip of
// the pen that would otherwise hide a tool, or show it, without a word.
func shapeRemarks(s discovery.Shape, state *upstream.State) (remarks []discovery.Diagnostic) {
	if state.Phase != upstream.PhaseReady {
		return nil
	}
	remark := func(what, word string) {
		remarks = append(remarks, unmatched(what, word, len(state.Tools), nearestTool(word, state.Tools)))
	}
	for _, globs := range []struct {
		label string
		list  []string
	}{{labelInclude, s.Include}, {labelExclude, s.Exclude}} {
		for _, glob := range globs.list {
			if !slices.ContainsFunc(state.Tools, func(t upstream.Tool) bool { return fits(glob, t.Name, false) }) {
				remark(globs.label, glob)
			}
		}
	}
	names := make([]string, 0, len(s.Rename))
	for name := range s.Rename {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.ContainsFunc(state.Tools, func(t upstream.Tool) bool { return t.Name == name }) {
			remark("mcp-gw.tools.rename", name)
		} else if to := s.Rename[name]; slices.ContainsFunc(state.Tools, func(t upstream.Tool) bool {
			return t.Name == to && s.Rename[to] == "" && shows(s, t.Item)
		}) {
			remarks = append(remarks, discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeUnmatched, Value: to,
				Message:    fmt.Sprintf("mcp-gw.tools.rename.%s=%s: the backend has a tool %s already, so one of the two is called otherwise, or is left out at /mcp/<backend>", name, to, to),
				Suggestion: "take a name that no other tool of the backend has"})
		}
	}
	return remarks
}

func unmatched(what, word string, tools int, near string) discovery.Diagnostic {
	d := discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeUnmatched, Value: word,
		Message: fmt.Sprintf("%s=%s fits none of the backend's %d tools", what, word, tools)}
	if near != "" {
		d.Message += fmt.Sprintf("; did you mean %s?", near)
		d.Suggestion = near
	}
	return d
}

// nearestTool answers the tool whose name is nearest to word, "" when none is near.
func nearestTool(word string, tools []upstream.Tool) string {
	const longest = 64 // distance is quadratic
	if len(word) > longest {
		return ""
	}
	best, bestDistance := "", min(3, len(word)/2)+1
	for _, t := range tools {
		if len(t.Name) > longest {
			continue
		}
		if d := levenshtein.ComputeDistance(strings.Trim(word, "*?"), t.Name); d < bestDistance {
			best, bestDistance = t.Name, d
		}
	}
	return best
}
