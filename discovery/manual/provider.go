// Package manual keeps what people decided themselves, by the REST API or by hand in
// a file: the backends that they registered (Provider, backends.json), and what they
// switched off (Switchboard, switches.json). It owns these files: it reads them,
// watches them, and is the only one to write them.
package manual

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"mcp-gw/discovery"
)

// Provider of people's registrations.
type Provider struct{ *store[document] }

var _ discovery.Provider = (*Provider)(nil)

// New makes a provider of the registrations in the file at path. The file need
// not exist; it and its directory are made when something is first registered.
func New(path string, log *slog.Logger) *Provider {
	return &Provider{newStore(path, log, format[document]{
		name: "backends file", parse: parse, bytes: document.bytes, problems: document.problems,
		standing: func(last document) (so, mend string) {
			so = "its backends are not served"
			if n := len(last.registrations()); n > 0 {
				so = fmt.Sprintf("the %d it had before are served on", n)
			}
			return so, replaced("register a backend", path)
		},
		shrink: "remove a backend first",
	})}
}

// Source implements discovery.Provider.
func (p *Provider) Source() string { return discovery.SourceManual }

// Register saves r, in the place of what has its name, and puts it to the sink.
// An *InvalidError is the caller's fault; after any error nothing has changed.
// It waits for Run to do it.
func (p *Provider) Register(ctx context.Context, r Registration) error {
	if err := r.Validate(); err != nil {
		return err
	}
	r = r.clone()
	return p.request(ctx, func(d document) (document, error) {
		regs := d.registrations()
		i := slices.IndexFunc(regs, func(o Registration) bool { return o.Name == r.Name })
		var old Registration
		if i >= 0 {
			old = regs[i]
		} else if len(d.entries) >= maxBackends {
			return d, invalid("name", "%d backends are registered, and there may not be more: remove one", len(d.entries))
		}
		if err := r.unmask(old); err != nil {
			return d, err
		}
		return d.with(r), nil
	})
}

// Enable saves whether the registration of that name is to be connected, and reports
// whether there is one.
func (p *Provider) Enable(ctx context.Context, name string, enabled bool) (bool, error) {
	found := false
	err := p.request(ctx, func(d document) (document, error) {
		regs := d.registrations()
		i := slices.IndexFunc(regs, func(o Registration) bool { return o.Name == name })
		if found = i >= 0; !found || regs[i].Enabled == enabled {
			return d, errUnchanged
		}
		regs[i].Enabled = enabled
		return d.with(regs[i]), nil
	})
	return found && err == nil, err
}

// Remove forgets the registration of that name, and reports whether there was one.
func (p *Provider) Remove(ctx context.Context, name string) (bool, error) {
	found := false
	err := p.request(ctx, func(d document) (document, error) {
		found = d.has(name)
		if !found {
			return d, errUnchanged
		}
		return d.without(name), nil
	})
	return found && err == nil, err
}

// Lookup returns the registration of that name.
func (p *Provider) Lookup(name string) (Registration, bool) {
	for _, e := range p.view.Load().doc.entries {
		if e.err == nil && e.reg.Name == name {
			return e.reg.clone(), true
		}
	}
	return Registration{}, false
}

// Run implements discovery.Provider. It may be called once.
func (p *Provider) Run(ctx context.Context, sink discovery.Sink) error {
	sweep(p.path, time.Now())
	o := &owner[document]{store: p.store, put: func(d document) {
		regs := d.registrations()
		set := make([]discovery.Backend, len(regs))
		for i, r := range regs {
			set[i] = r.Backend()
		}
		sink.Put(discovery.SourceManual, set)
	}}
	o.load()
	o.put(o.doc)
	o.run(ctx)
	return nil
}
