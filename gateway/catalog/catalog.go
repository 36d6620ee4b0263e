// Package catalog makes what clients see out of what the backends have: the
// exposed names and URIs, each resolved by lookup and never by splitting, and the
// lists, rendered once a change instead of once a request. A Snapshot is
// immutable; a change makes a new one.
//
// The package is pure: no I/O, no goroutines, no clock.
package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Source is one backend with the items that it offers now, in its own order.
type Source struct {
	Backend string
	// Legacy tells that the backend speaks a revision before 2026-07-28, whose
	// tools may have a member (execution) that later clients do not know.
	Legacy bool
	Items  [Kinds][]Item
	Hints  [Kinds]Hint
	// Prefix stands before the names of tools and prompts where it is not nil, instead
	// of the backend's name and two underscores.
	Prefix *string
	// Rivals are other backends whose usual names Prefix could make: no name of this one
	// begins as theirs do, whether or not they are among the sources.
	Rivals []string
	// Renamed are the tools that clients know by another name, by their own.
	Renamed map[string]string
	// Priority orders the lists: higher first, then by the backend's name.
	Priority int
	// Off are the tools that are switched off, by their own names. They are in no list,
	// and keep their exposed names: no other tool takes one's place while it is off.
	Off map[string]bool
}

// listed answers the name that stands in for an item's own.
func (src *Source) listed(k Kind, name string) string {
	if other, ok := src.Renamed[name]; ok && k == Tools {
		return other
	}
	return name
}

// prefix is what stands before the names of tools and prompts.
func (src *Source) prefix() string {
	if src.Prefix != nil {
		return *src.Prefix
	}
	return src.Backend + separator
}

// imitates reports whether an exposed name reads as one of a rival's.
func (src *Source) imitates(exposed string) bool {
	return slices.ContainsFunc(src.Rivals, func(rival string) bool { return strings.HasPrefix(exposed, rival+separator) })
}

// Entry is one item of the catalogue.
type Entry struct {
	Exposed string // what clients call it
	Backend string
	Item
}

// Options are how a catalogue is made.
type Options struct {
	// Plain leaves names and URIs as the backend's: the catalogue of one backend.
	Plain bool
	// Describe, when not nil, changes a tool's object on its way into the lists.
	Describe func(backend string, raw []byte) []byte
}

// Snapshot is the catalogue at one moment.
type Snapshot struct {
	lists [Kinds]list
	uris  *uris
}

// Build makes the catalogue out of items that passed Parse. The sources come in
// sorted by backend name, so that equal sets give equal lists whatever the order
// of arrival was.
func Build(sources []Source, o Options) *Snapshot {
	sources = slices.Clone(sources)
	slices.SortStableFunc(sources, func(a, b Source) int { return strings.Compare(a.Backend, b.Backend) })
	s := &Snapshot{uris: gather(sources, o.Plain)}
	// A prefix that somebody chose may make a name that is another backend's by right.
	// Whoever has the usual one comes first, and keeps its names.
	slices.SortStableFunc(sources, func(a, b Source) int {
		return cmp.Or(chosen(a)-chosen(b), cmp.Compare(b.Priority, a.Priority))
	})
	for k := range Kinds {
		s.lists[k].build(k, sources, o, s.uris)
	}
	return s
}

func chosen(src Source) int {
	if src.Prefix != nil {
		return 1
	}
	return 0
}

// Lookup answers the entry that clients call exposed.
func (s *Snapshot) Lookup(k Kind, exposed string) (Entry, bool) {
	l := &s.lists[k]
	i, ok := l.byName[exposed]
	if !ok || i < 0 {
		return Entry{}, false
	}
	return l.entries[i], true
}

// Entries answers all items of a kind in their order. The slice is the snapshot's
// own.
func (s *Snapshot) Entries(k Kind) []Entry { return s.lists[k].entries }

// Off answers the tools that are switched off, in their order. The slice is the
// snapshot's own.
func (s *Snapshot) Off() []Entry { return s.lists[Tools].off }

// IsOff reports whether a tool is switched off that clients knew as exposed.
func (s *Snapshot) IsOff(exposed string) bool {
	l := &s.lists[Tools]
	i, ok := l.byName[exposed]
	return ok && i < 0
}

// Doubles answers the tools that are left out because another one of their own backend
// has the name, and a call could reach only one of the two. The slice is the snapshot's own.
func (s *Snapshot) Doubles() []Entry { return s.lists[Tools].doubles }

// Hash tells two snapshots apart that show clients different lists of a kind, or
// the same with another hint. It means nothing to another process.
func (s *Snapshot) Hash(k Kind) uint64 { return s.lists[k].hash }

// Hint answers how long, and for whom, the list of a kind is good.
func (s *Snapshot) Hint(k Kind) Hint { return s.lists[k].hint }
