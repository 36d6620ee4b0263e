package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Kinds of changes.
const (
	ChangeBackend   = "backend"   // another health; or it came or went
	ChangeTools     = "tools"     // what a backend lists is otherwise
	ChangeContainer = "container" // another verdict; or it came or went
	ChangeEngine    = "engine"    // the container engine is reached or not
	ChangeSwitch    = "switch"    // a person switched something on or off
)

// Bounds on what is kept of changes.
const (
	maxChanges = 200
	// maxChanged is how many names one change has of each sort, and maxNamed how many
	// its sentence. Longer names are cut.
	maxChanged, maxNamed, maxChangedName = 50, 5, 128
)

// Change is something that is otherwise than before. Its JSON is the Change of the
// API.
type Change struct {
	ID        uint64    `json:"id"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Backend   string    `json:"backend,omitempty"`
	Container string    `json:"container,omitempty"`
	// From and To are the health or the verdict before and now.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Added, Removed and Changed are tools, by their backend's names.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Changed []string `json:"changed,omitempty"`
	// Message is the change in a sentence.
	Message string `json:"message"`
}

// changes are the last ones.
type changes struct {
	mu   sync.Mutex // guards what follows
	last uint64
	ring []Change      // oldest first
	next chan struct{} // closed when there is a later one; nil while nobody waits
}

// Change keeps c as the latest change. The journal gives it its id and its time.
func (j *Journal) Change(c Change) {
	c.At = time.Now().UTC().Truncate(time.Millisecond)
	c.Message = RedactText(clip(strings.ToValidUTF8(c.Message, "\uFFFD")))
	for _, names := range []*[]string{&c.Added, &c.Removed, &c.Changed} {
		*names = slices.Clone((*names)[:min(len(*names), maxChanged)])
		for i, name := range *names {
			(*names)[i] = short(name)
		}
	}
	s := &j.changes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	c.ID = s.last
	if len(s.ring) >= maxChanges {
		s.ring = slices.Delete(s.ring, 0, 1)
	}
	s.ring = append(s.ring, c)
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}

// Changes answers the last changes, newest first: of one backend, or all when that is
// empty.
func (j *Journal) Changes(backend string) []Change {
	s := &j.changes
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Change{}
	for _, c := range slices.Backward(s.ring) {
		if backend == "" || c.Backend == backend {
			out = append(out, c)
		}
	}
	return out
}

// ChangesAfter answers the changes after the one with that id, oldest first, as far as
// they are kept, and a channel that is closed when there is a later one.
func (j *Journal) ChangesAfter(id uint64) (later []Change, next <-chan struct{}) {
	s := &j.changes
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	for i, c := range s.ring {
		if c.ID > id {
			return slices.Clone(s.ring[i:]), s.next
		}
	}
	return nil, s.next
}

// LastChange is the id of the latest change, 0 without one.
func (j *Journal) LastChange() uint64 {
	j.changes.mu.Lock()
	defer j.changes.mu.Unlock()
	return j.changes.last
}

// NameSome writes the first names of a list, and how many more there are.
func NameSome(names []string) string {
	shown := slices.Clone(names[:min(len(names), maxNamed)])
	for i, name := range shown {
		shown[i] = short(name)
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// short is a name that strangers gave, bounded; it holds on to no longer text.
func short(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= maxChangedName {
		return strings.Clone(name)
	}
	end := maxChangedName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.Clone(name[:end]) + "…"
}
