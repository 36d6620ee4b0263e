// Package manual provides the backends that people registered themselves, by the
// REST API or by hand in backends.json. It owns that file: it reads it, watches
// it, and is the only one to write it.
package manual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"mcp-gw/discovery"
)

const (
	// settle is how long after a change the file is read: an editor truncates
	// and writes, or moves one file away and another in, and between the two
	// the file is empty or absent.
	settle = 200 * time.Millisecond
	// poll is how often the file is read without a reason. Some changes make no
	// event: a file mounted by itself, network file systems, a link's target.
	poll = 5 * time.Second
)

var errEnded = errors.New("the gateway is shutting down")

// Provider of people's registrations. The goroutine of Run owns the file; all
// other methods may be called from any goroutine.
type Provider struct {
	path     string
	log      *slog.Logger
	requests chan request  // unbuffered, to Run
	ended    chan struct{} // closed when Run returns
	view     atomic.Pointer[view]
}

var _ discovery.Provider = (*Provider)(nil)

// view is what others see of the owner's state. It is replaced, never changed.
type view struct {
	registrations []Registration
	problems      []string
}

// request is a change of the file, made by Run's goroutine.
type request struct {
	change func(document) (document, error)
	done   chan error // capacity 1
}

// New makes a provider of the registrations in the file at path. The file need
// not exist; it and its directory are made when something is first registered.
func New(path string, log *slog.Logger) *Provider {
	p := &Provider{
		path:     filepath.Clean(path),
		log:      log,
		requests: make(chan request),
		ended:    make(chan struct{}),
	}
	p.view.Store(&view{})
	return p
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

// errUnchanged is how a change says that there is nothing to save.
var errUnchanged = errors.New("unchanged")

func (p *Provider) request(ctx context.Context, change func(document) (document, error)) error {
	r := request{change: change, done: make(chan error, 1)}
	select {
	case p.requests <- r:
	case <-p.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// From here on it will be done, whoever waits: an answer must not say
	// otherwise because its reader has gone.
	if err := <-r.done; !errors.Is(err, errUnchanged) {
		return err
	}
	return nil
}

// Lookup returns the registration of that name.
func (p *Provider) Lookup(name string) (Registration, bool) {
	for _, r := range p.view.Load().registrations {
		if r.Name == name {
			return r.clone(), true
		}
	}
	return Registration{}, false
}

// Problems are sentences on what is wrong with the file, none when nothing is.
func (p *Provider) Problems() []string { return slices.Clone(p.view.Load().problems) }

// Run implements discovery.Provider. It may be called once.
func (p *Provider) Run(ctx context.Context, sink discovery.Sink) error {
	defer close(p.ended)
	sweep(p.path, time.Now())
	o := &owner{Provider: p, sink: sink}
	o.load()
	o.put()

	changes := newChanges(p.path, p.log)
	defer changes.close()
	// A change between the first reading and the first event is seen here.
	changed := time.NewTimer(settle)
	defer changed.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-p.requests:
			r.done <- o.apply(r.change)
			changes.ensure()
		case <-changes.events():
			changed.Reset(settle)
		case <-changed.C:
			o.reload()
		case <-tick.C:
			changes.ensure()
			o.reload()
		}
	}
}

// owner is the state of Run's goroutine.
type owner struct {
	*Provider
	sink    discovery.Sink
	data    []byte   // the file as it was when last read or written
	doc     document // what it said, when it last could be understood
	broken  error    // why it cannot be understood now
	inPlace bool     // said once already
}

// reload reads the file, and puts the set when it has changed.
func (o *owner) reload() {
	if o.load() {
		o.put()
	}
}

// load reads the file into doc and broken. It reports whether doc has changed: a
// broken file says nothing, so that the last set stands.
func (o *owner) load() bool {
	data, err := readFile(o.path)
	if err == nil && o.broken == nil && bytes.Equal(data, o.data) {
		return false
	}
	var doc document
	if err == nil {
		doc, err = parse(data)
	}
	wasBroken := o.broken
	o.broken = err
	if err != nil {
		if wasBroken == nil || wasBroken.Error() != err.Error() {
			o.publish()
			o.log.Error("backends file cannot be used", "path", o.path, "err", err)
		}
		return false
	}
	o.data, o.doc = data, doc
	o.publish()
	for _, problem := range doc.problems() {
		o.log.Warn("backends file has a wrong entry", "path", o.path, "problem", problem)
	}
	if wasBroken != nil {
		o.log.Info("backends file is in order again", "path", o.path)
	}
	return true
}

// apply makes a change to the file as it is now, hand edits of this very moment
// included.
func (o *owner) apply(change func(document) (document, error)) error {
	if o.load() {
		o.put()
	}
	changed, err := change(o.doc)
	if err != nil {
		return err
	}
	data := changed.bytes()
	if len(data) > maxFile {
		return invalid("", "the backends file would have %d bytes, and may have %d: remove a backend first", len(data), maxFile)
	}
	// What is served is what a restart would read.
	doc, err := parse(data)
	if err != nil {
		return fmt.Errorf("nothing was changed, because %s would be wrong: %w", o.path, err)
	}
	if o.broken != nil {
		kept, err := keepBroken(o.path, time.Now())
		if err != nil {
			return fmt.Errorf("%s cannot be used (%w), and cannot be copied before it is replaced: %w", o.path, o.broken, err)
		}
		o.log.Warn("broken backends file kept", "path", kept, "err", o.broken)
	}
	inPlace, err := writeFile(o.path, data)
	if err != nil {
		return fmt.Errorf("nothing was changed, because %s cannot be saved: %w", o.path, err)
	}
	if inPlace && !o.inPlace {
		o.inPlace = true
		o.log.Warn("backends file cannot be replaced, only overwritten: a crash meanwhile would leave half of it; mount its directory instead of the file", "path", o.path)
	}
	o.data, o.doc, o.broken = data, doc, nil
	o.publish()
	o.put()
	return nil
}

func (o *owner) put() {
	regs := o.doc.registrations()
	set := make([]discovery.Backend, len(regs))
	for i, r := range regs {
		set[i] = r.backend()
	}
	o.sink.Put(discovery.SourceManual, set)
}

func (o *owner) publish() {
	v := &view{registrations: o.doc.registrations()}
	if o.broken == nil {
		for _, problem := range o.doc.problems() {
			v.problems = append(v.problems, o.path+": "+problem)
		}
	} else {
		v.problems = []string{o.brokenSentence(len(v.registrations))}
	}
	o.view.Store(v)
}

func (o *owner) brokenSentence(standing int) string {
	state := "its backends are not served"
	if standing > 0 {
		state = fmt.Sprintf("the %d it had before are served on", standing)
	}
	return fmt.Sprintf("%s cannot be used: %v. It is left as it is, and %s. Mend it, or register a backend: then it is kept as %s.broken-<time>, and a new one is written.",
		o.path, o.broken, state, filepath.Base(o.path))
}
