// Package journal records what happens, in bounded memory: a log of calls and events
// that people read and follow; each request of a client with what was asked and
// answered; the clients themselves; what changed; and how many calls there were, by
// tool and over a day.
//
// Calls pass through here on their way, so recording one copies a few bytes and
// nothing more. A moment later the secrets are taken out of the copy (Run); words and
// JSON are made when somebody reads. Nothing is kept or leaves this package as it came,
// unless people asked for that (Full).
package journal

import (
	"bytes"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Defaults of Options.
const (
	DefaultEntries      = 1000
	DefaultMaxArguments = 4096
)

// maxMessage bounds the text of one entry, in bytes. A backend's error text may
// be a whole HTML page; what matters of it stands at its beginning.
const maxMessage = 2048

// Options of a Journal. A zero field means its default.
type Options struct {
	// Entries is how many the ring holds; the oldest give way.
	Entries int
	// MaxArguments is how many bytes of a call's arguments are kept. Of longer
	// arguments only the length is, because half a JSON text is none, and
	// cannot be searched for secrets.
	MaxArguments int
	// Traffic is how much of calls is kept; the default is Redacted.
	Traffic Mode
	// Calls is how many calls are kept, Payload how many bytes of what clients and
	// backends said in them; the oldest give way.
	Calls, Payload int
}

// Journal is safe for use by many goroutines. It starts none, and no reader can
// make a writer wait. Somebody is to call Run.
type Journal struct {
	maxArguments int

	mu          sync.Mutex // guards the three below
	ring        []record
	last        uint64 // id of the newest record; ids start at 1
	subscribers map[*Subscription]struct{}

	meters meters

	calls   calls
	clients clients
	window  window // every request of clients
	started time.Time
	changes changes
}

// kind is what a record tells.
type kind uint8

const (
	kindCall kind = iota
	kindResult
	kindBackend
	kindSystem
)

// record is one entry as it is kept. It may be replaced by one without secrets, and
// nothing that it points to is changed: a copy of it may be read without the lock.
type record struct {
	id        uint64
	at        time.Time
	kind      kind
	level     Level // of kindBackend and kindSystem
	isError   bool  // of kindResult
	backend   string
	tool      string
	duration  time.Duration // of kindResult
	text      string        // the message, or what was thrown
	arguments []byte        // of kindCall; nil when too long
	masked    bool          // arguments are as they may be shown
	bytes     int           // length of the arguments
	meter     *Meter        // of kindCall
}

// New makes an empty journal.
func New(o Options) *Journal {
	if o.Entries <= 0 {
		o.Entries = DefaultEntries
	}
	if o.MaxArguments <= 0 {
		o.MaxArguments = DefaultMaxArguments
	}
	if o.Traffic == "" {
		o.Traffic = Redacted
	}
	if o.Calls <= 0 {
		o.Calls = DefaultCalls
	}
	if o.Payload <= 0 {
		o.Payload = DefaultPayload
	}
	return &Journal{
		maxArguments: o.MaxArguments,
		ring:         make([]record, o.Entries),
		subscribers:  map[*Subscription]struct{}{},
		calls:        newCalls(o),
		window:       newWindow(totalLevels),
		started:      time.Now(),
	}
}

// Backend records what happened to a backend: connecting, connected, lost.
func (j *Journal) Backend(level Level, backend, message string) {
	j.add(&record{at: time.Now(), kind: kindBackend, level: level, backend: backend, text: clip(message)})
}

// System records what concerns the gateway as a whole.
func (j *Journal) System(level Level, message string) {
	j.add(&record{at: time.Now(), kind: kindSystem, level: level, text: clip(message)})
}

// Started is one call of a backend under way. The zero Started records nothing.
type Started struct {
	meter *Meter
	start time.Time
}

// Outcome is how a call ended. The zero Outcome is success.
type Outcome struct {
	// Err says why there is no result: the transport's error, the gateway's, or,
	// with IsError, the message of the backend's JSON-RPC error.
	Err string
	// IsError: the backend answered, with a result that is an error (isError) or
	// with a JSON-RPC error. Without it, Err means that there was no answer.
	IsError bool
}

// Start records that a call begins. It copies arguments, the raw JSON.
func (m *Meter) Start(arguments []byte) Started {
	m.use()
	c := Started{meter: m, start: time.Now()}
	if m.journal.calls.mode == Off {
		return c
	}
	r := record{at: c.start, kind: kindCall, backend: m.backend, tool: m.tool, meter: m, bytes: len(arguments)}
	if !m.journal.calls.mode.payloads() {
		r.bytes = 0
	} else if len(arguments) <= m.journal.maxArguments {
		r.arguments = bytes.Clone(arguments)
	}
	m.journal.add(&r)
	return c
}

// End records how the call ended, and counts it. It is called once.
func (c Started) End(o Outcome) {
	if c.meter == nil {
		return
	}
	d := time.Since(c.start)
	at := c.start.Add(d)
	m := c.meter
	m.series.observe(at, d, o)
	m.backendSeries.observe(at, d, o)
	if m.journal.calls.mode == Off {
		return
	}
	m.journal.add(&record{
		at: at, kind: kindResult, backend: m.backend, tool: m.tool,
		duration: d, isError: o.IsError, text: clip(o.Err),
	})
}

// add stores a record in the place of the oldest and rings at the readers.
func (j *Journal) add(r *record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	r.id = j.last
	j.ring[j.last%uint64(len(j.ring))] = *r
	for s := range j.subscribers {
		s.ring()
	}
}

// Entries returns the newest n entries, oldest first; all of them when n is not
// positive.
func (j *Journal) Entries(n int) []Entry {
	j.mu.Lock()
	after := j.oldest() - 1
	if n > 0 && j.last-after > uint64(n) {
		after = j.last - uint64(n)
	}
	records := j.since(after, len(j.ring))
	j.mu.Unlock()
	return render(records)
}

// oldest is the id of the oldest record that the ring still has, and last+1
// when it has none. The caller holds mu.
func (j *Journal) oldest() uint64 {
	if size := uint64(len(j.ring)); j.last > size {
		return j.last - size + 1
	}
	return 1
}

// since copies at most limit records that follow id. The caller holds mu and
// has made sure that the ring still has the first of them.
func (j *Journal) since(id uint64, limit int) []record {
	n := min(j.last-id, uint64(limit))
	records := make([]record, 0, n)
	for i := id + 1; i <= id+n; i++ {
		records = append(records, j.ring[i%uint64(len(j.ring))])
	}
	return records
}

// clip bounds the text of an entry.
func clip(s string) string { return clipTo(s, maxMessage) }

// clipTo bounds a text that strangers had a hand in, to most bytes. The part that it
// keeps is a copy, so that a large text is not held for the sake of its beginning.
func clipTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	// Half a word may be half a secret, which nobody would recognise.
	word := end
	for word > 0 && end-word < maxWord && inWord(s[word-1]) {
		word--
	}
	if end-word < maxWord {
		end = word
	}
	return strings.Clone(s[:end]) + "…"
}

// maxWord is from which length on what is left of a secret is recognised as one.
const maxWord = 64

func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("_-.+/=", c) >= 0
}
