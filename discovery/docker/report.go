package docker

import (
	"maps"
	"slices"
	"time"

	"mcp-gw/discovery"
)

// Report returns all that is known: the engine, and every container that is on
// the network or speaks of the gateway, with the reason why it is registered or
// not. The caller owns it.
func (p *Provider) Report() discovery.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := discovery.Report{Engine: p.engine, Containers: make([]discovery.Observed, len(p.observed))}
	if at := p.lastEvent.Load(); at != 0 {
		r.Engine.LastEventAt = time.Unix(0, at).UTC()
	}
	for i, o := range p.observed {
		o.Labels = maps.Clone(o.Labels)
		o.Settings = slices.Clone(o.Settings)
		o.Others = slices.Clone(o.Others)
		for j := range o.Others {
			o.Others[j].Settings = slices.Clone(o.Others[j].Settings)
		}
		o.Diagnostics = slices.Clone(o.Diagnostics)
		r.Containers[i] = o
	}
	return r
}
