package docker

import (
	"fmt"
	"strings"

	"mcp-gw/discovery"
)

// description is what one container means to the gateway: pure, made anew from
// every observation.
type description struct {
	obs   observation
	where place
	// concerns: it is on the network or its labels speak of the gateway, so
	// people are to see it.
	concerns bool
	// parts are its backends: one for most; none for a container that is not asked
	// what it wants, such as the gateway itself.
	parts []part
	// wants and routable: one of the parts is.
	wants, routable bool

	// verdict is that of the first part, or of the container as a whole.
	verdict, reason, fix string
	labels               map[string]string
	diagnostics          []discovery.Diagnostic // all parts'
}

// part is one backend of a container.
type part struct {
	settings
	name    string
	unnamed bool // no label gave the name
	// team is the set of containers that it may be one of, "" when it stands alone.
	team string
	// wants: it asks for a backend and nothing in how it was described prevents
	// one; whether its container runs is another question.
	wants bool
	// routable: it can be registered now, as backend.
	routable bool
	backend  discovery.Backend
	url      string

	verdict, reason, fix string
	shown                []discovery.Setting
	diagnostics          []discovery.Diagnostic // those of the root too
}

// part returns the part with a name, nil when there is none.
func (d *description) part(name string) *part {
	for i := range d.parts {
		if d.parts[i].name == name {
			return &d.parts[i]
		}
	}
	return nil
}

// LabelServerName is what the registry of MCP servers has images say of themselves.
const LabelServerName = "io.modelcontextprotocol.server.name"

// describe judges one container. fixedName, unless empty, is the default name
// that it was registered under before somebody renamed the container.
func describe(o observation, w world, fixedName string) description {
	p := parseLabels(w.prefix, o.labels)
	where := w.locate(o)
	w = w.on(where.home)
	d := description{obs: o, where: where, labels: p.shown}
	d.concerns = where.attached && !where.host && where.generation == "" || p.labelled || p.nearMiss || o.id == w.self
	judge := func(verdict, reason, fix string) description {
		d.verdict, d.reason, d.fix = verdict, reason, fix
		d.diagnostics = sign(d.diagnostics, o)
		return d
	}

	switch {
	case o.id == w.self:
		if !where.attached && o.networkMode != "host" {
			return judge(verdictSelf, fmt.Sprintf("this is the gateway, and it is not attached to %q", w.home.name), connectCommand(w, o.name))
		}
		return judge(verdictSelf, "this is the gateway", "")
	case strings.EqualFold(o.labels[labelComposeOneOff], "true"):
		return judge(verdictOneOff, "a one-off container of docker compose run is not registered", oneOffFix(o))
	}
	switch {
	case !p.labelled && p.nearMiss:
		d.diagnostics = p.diagnostics
		first := p.diagnostics[0]
		return judge(verdictNearMissLabel, first.Message, first.Suggestion)
	case !p.labelled:
		reason := fmt.Sprintf("on %q, without %s labels", w.home.name, w.prefix)
		if server := o.labels[LabelServerName]; server != "" {
			reason += fmt.Sprintf("; its image says that it is the MCP server %q", clip(server))
		}
		return judge(verdictNotLabelled, reason,
			fmt.Sprintf("to register it, start it with the label %s.enable=true", w.prefix))
	}
	if reason, fix := w.rules.excludes(o); reason != "" {
		d.diagnostics = p.diagnostics
		return judge(verdictNotAllowed, reason, fix)
	}
	specs, root := []spec{p.spec}, []discovery.Diagnostic(nil)
	if p.several != nil {
		specs, root = p.several, sign(p.diagnostics, o)
		d.diagnostics = root
	}
	for _, s := range specs {
		x := describePart(s, root, o, w, where, fixedName)
		d.parts = append(d.parts, x)
		d.diagnostics = append(d.diagnostics, x.diagnostics[len(root):]...)
		d.wants, d.routable = d.wants || x.wants, d.routable || x.routable
	}
	first := d.parts[0]
	return judge(first.verdict, first.reason, first.fix)
}

// sign says whom remarks are about.
func sign(ds []discovery.Diagnostic, o observation) []discovery.Diagnostic {
	for i := range ds {
		ds[i].Container, ds[i].Generation = o.name, o.generation()
	}
	return ds
}
