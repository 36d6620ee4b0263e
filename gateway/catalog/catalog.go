// Package catalog makes what clients see out of what the backends have: the
// exposed names, each resolved by lookup and never by splitting, and the lists,
// rendered once a change instead of once a request. A Snapshot is immutable; a
// change makes a new one.
//
// The package is pure: no I/O, no goroutines, no clock.
package catalog

import (
	"encoding/base64"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"mcp-gw/gateway/wire"
)

// Source is one backend with the tools that it offers now, in its own order.
type Source struct {
	Backend string
	Tools   []Tool
	// Legacy tells that the backend speaks a revision before 2026-07-28, whose
	// tools may have a member (execution) that later clients do not know.
	Legacy bool
}

// Entry is one tool of the catalogue.
type Entry struct {
	Exposed string // what clients call it
	Backend string
	Tool
}

// Snapshot is the catalogue at one moment.
type Snapshot struct {
	entries []Entry
	byName  map[string]int
	legacy  list
	modern  list // shares the bytes of legacy while the two are equal
	hash    uint64
}

// list holds rendered tools, joined by commas, and where each one ends.
type list struct {
	bytes []byte
	ends  []int
}

// Build makes the catalogue out of tools that passed ParseTool. The sources come
// in sorted by backend name, so that equal sets give equal lists whatever the
// order of arrival was. describe, when not nil, changes a tool's object on its way
// into the lists.
func Build(sources []Source, describe func(backend string, raw []byte) []byte) *Snapshot {
	sources = slices.Clone(sources)
	slices.SortStableFunc(sources, func(a, b Source) int { return strings.Compare(a.Backend, b.Backend) })
	tools, size := 0, 0
	for _, src := range sources {
		tools += len(src.Tools)
		for _, t := range src.Tools {
			size += len(t.Raw) + MaxName
		}
	}
	s := &Snapshot{entries: make([]Entry, 0, tools), byName: make(map[string]int, tools)}
	s.legacy = list{make([]byte, 0, size), make([]int, 0, tools)}
	differ := false
	for _, src := range sources {
		for _, t := range src.Tools {
			exposed, ok := s.claim(src.Backend, t)
			if !ok {
				continue
			}
			raw := t.Raw
			if describe != nil {
				raw = describe(src.Backend, raw)
			}
			raw = rename(raw, exposed)
			plain := raw
			if src.Legacy {
				plain = wire.WithoutMember(raw, "execution")
			}
			if !differ && len(plain) != len(raw) { // most often one rendering serves both
				differ = true
				s.modern = list{append(make([]byte, 0, size), s.legacy.bytes...), slices.Clone(s.legacy.ends)}
			}
			s.legacy.add(raw)
			if differ {
				s.modern.add(plain)
			}
		}
	}
	s.hash = maphash.Bytes(seed, s.legacy.bytes)
	if !differ {
		s.modern = s.legacy
	} else { // a backend that changes its era may change this list alone
		s.hash ^= maphash.Bytes(modernSeed, s.modern.bytes)
	}
	return s
}

// claim enters a tool under a name that no other has. Two tools can meet when what
// made them differ was replaced or cut and their hashes are equal too, or when one
// is called by design what the other is by its hash. The later one takes a longer
// hash then. A tool that its own backend lists twice is entered once, for a call
// could reach only one of them.
func (s *Snapshot) claim(backend string, t Tool) (exposed string, ok bool) {
	exposed = Expose(backend, t.Name)
	for hash := hashLen; ; hash *= 2 {
		i, taken := s.byName[exposed]
		if !taken {
			break
		}
		if e := &s.entries[i]; e.Backend == backend && e.Name == t.Name || hash > longestHash {
			return "", false
		}
		exposed = withHash(clean(backend+separator+t.Name), backend, t.Name, hash)
	}
	s.byName[exposed] = len(s.entries)
	s.entries = append(s.entries, Entry{Exposed: exposed, Backend: backend, Tool: t})
	return exposed, true
}

func (l *list) add(raw []byte) {
	if len(l.ends) > 0 {
		l.bytes = append(l.bytes, ',')
	}
	l.bytes = append(l.bytes, raw...)
	l.ends = append(l.ends, len(l.bytes))
}

// rename replaces the value of the object's own "name" and nothing else.
func rename(raw []byte, exposed string) []byte {
	name := wire.Find(raw, "name")
	if !name.Present() {
		return raw
	}
	return wire.Splice(make([]byte, 0, len(raw)+len(exposed)), raw, wire.Edit{Span: name, New: []byte(`"` + exposed + `"`)})
}

// Lookup answers the entry that clients call exposed.
func (s *Snapshot) Lookup(exposed string) (Entry, bool) {
	i, ok := s.byName[exposed]
	if !ok {
		return Entry{}, false
	}
	return s.entries[i], true
}

// Entries answers all tools in their order. The slice is the snapshot's own.
func (s *Snapshot) Entries() []Entry { return s.entries }

// Hash tells two snapshots apart that show clients different lists. It means
// nothing to another process.
func (s *Snapshot) Hash() uint64 { return s.hash }

// The seeds make hashes that a backend cannot foresee, and so cannot make collide.
var seed, modernSeed = maphash.MakeSeed(), maphash.MakeSeed()

// PageSize is how many tools a page of a list has at most. One page serves nearly
// everybody, and the TypeScript SDK stops after 64.
const PageSize = 1000

// Page answers one page of the list: its tools, joined by commas, and the cursor
// of the next page, empty when there is none. The bytes are the snapshot's own.
//
// A cursor names the last tool of the page before, so that it stays good when the
// catalogue changes between two pages; it fails only when that very tool is gone.
func (s *Snapshot) Page(cursor string, modern bool) (tools []byte, next string, err error) {
	l := &s.legacy
	if modern {
		l = &s.modern
	}
	from := 0
	if cursor != "" {
		name, err := base64.RawURLEncoding.DecodeString(cursor)
		i, ok := s.byName[string(name)]
		if err != nil || !ok {
			return nil, "", fmt.Errorf("cursor %.80q is not of this list, or its tool is gone: list again from the start", cursor)
		}
		from = i + 1
	}
	to := min(from+PageSize, len(s.entries))
	if from < to {
		start := 0
		if from > 0 {
			start = l.ends[from-1] + 1
		}
		tools = l.bytes[start:l.ends[to-1]]
	}
	if to < len(s.entries) {
		next = base64.RawURLEncoding.EncodeToString([]byte(s.entries[to-1].Exposed))
	}
	return tools, next, nil
}
