package gateway

import (
	"cmp"
	"fmt"
	"slices"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
)

// Tools answers the catalogue, as clients see it now.
func (g *Gateway) Tools() []ToolState {
	all := g.view.Load().Scopes[""]
	entries := all.Entries(catalog.Tools)
	tools := make([]ToolState, len(entries))
	for i, e := range entries {
		tools[i] = g.tool(e, all.Tools[e.Exposed].Meter.Stats())
		tools[i].Enabled = true
	}
	return tools
}

// quiet is a tool that clients do not see.
func (g *Gateway) quiet(e catalog.Entry) ToolState {
	return g.tool(e, g.cfg.Journal.ToolStats(e.Backend, e.Name))
}

func (g *Gateway) tool(e catalog.Entry, stats journal.Stats) ToolState {
	parts := e.Tokens(g.before(e.Backend))
	return ToolState{Name: e.Exposed, Backend: e.Backend, OriginalName: e.Name, Tool: e.Raw,
		Stats: stats, Tokens: parts.Sum(), TokenParts: parts, Altered: g.altered.of(e.Backend, e.Name)}
}

// before is what stands before a backend's descriptions.
func (g *Gateway) before(backend string) string {
	if g.cfg.DescriptionPrefix {
		return "[" + backend + "] "
	}
	return ""
}

// Catalogue answers all tools, resources and prompts of the backends that are
// connected, by backend and name: those that clients see, and the tools that they do
// not, each with why.
func (g *Gateway) Catalogue() Catalogue {
	all := g.view.Load().Scopes[""]
	c := Catalogue{Tools: g.Tools(), Resources: []ResourceState{}, Templates: []TemplateState{}, Prompts: []PromptState{}}
	for _, e := range all.Off() {
		c.Tools = append(c.Tools, g.quiet(e))
	}
	for _, e := range all.Doubles() {
		t := g.quiet(e)
		t.Hidden = "another tool of its backend has its name already, and a call could reach only one of the two"
		t.Locked = t.Hidden // a switch is by name
		c.Tools = append(c.Tools, t)
	}
	c.Tools = append(c.Tools, g.unseen(c.Tools)...)
	slices.SortStableFunc(c.Tools, func(a, b ToolState) int {
		return cmp.Or(cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Name, b.Name))
	})
	for _, e := range all.Entries(catalog.Resources) {
		c.Resources = append(c.Resources, ResourceState{URI: e.Exposed, Backend: e.Backend, OriginalURI: e.Name, Resource: e.Raw})
	}
	for _, e := range all.Entries(catalog.Templates) {
		c.Templates = append(c.Templates, TemplateState{URITemplate: e.Exposed, Backend: e.Backend, OriginalURITemplate: e.Name, Template: e.Raw})
	}
	for _, e := range all.Entries(catalog.Prompts) {
		c.Prompts = append(c.Prompts, PromptState{Name: e.Exposed, Backend: e.Backend, OriginalName: e.Name, Prompt: e.Raw})
	}
	return c
}

// unseen answers the tools that labels exclude, and those of backends that are
// connected and that clients do not see. seen are all others: no two have one name.
func (g *Gateway) unseen(seen []ToolState) (out []ToolState) {
	taken := make(map[string]bool, len(seen))
	for _, t := range seen {
		taken[t.Name] = true
	}
	again := map[string]int{} // how often a name was there already
	switches := g.switches.Load()
	for _, m := range g.registry.Load().members {
		s := m.up.State()
		if !offers(s) {
			continue
		}
		hidden, src := g.concealed(m), source(m.name, m.want.Shape)
		for _, t := range s.Tools {
			label := excluded(m.want.Shape, t.Item)
			if label == "" && hidden == "" {
				continue
			}
			e := catalog.Entry{Exposed: src.Exposed(t.Name), Backend: m.name, Item: t.Item}
			for name := e.Exposed; taken[e.Exposed]; {
				again[name]++
				e.Exposed = fmt.Sprintf("%s#%d", name, again[name]+1) // no client knows that name
			}
			taken[e.Exposed] = true
			state := g.quiet(e)
			switch {
			case label != "":
				state.Locked = locked(m.want.Shape, label)
			case !switches.Tools[m.name][t.Name]:
				state.Enabled, state.Hidden = true, hidden
			}
			out = append(out, state)
		}
	}
	return out
}
