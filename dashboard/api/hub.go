package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Bounds on the events that are kept for readers who come back.
const (
	maxEvents     = 4096
	maxEventBytes = 4 << 20
	// maxSend is about how many bytes one reader gets at a time.
	maxSend = 256 << 10
)

// hub is what pages are told, in one order for all. Its ring is the buffer of all
// readers together: one that stops to read costs nobody anything, and is dropped when
// the ring has lost what it has yet to read.
type hub struct {
	boot string
	bell chan struct{} // rung when the first reader comes; capacity 1

	mu      sync.Mutex // guards what follows
	events  []event    // oldest first
	bytes   int
	last    uint64 // id of the newest event
	floor   uint64 // ids up to here are of times when nobody listened
	awake   chan struct{}
	latest  []byte // what pulse told; it is not kept
	beats   uint64 // of pulse
	readers map[*reader]struct{}
}

// event is one as it goes out. Ids advance by the number of calls that it tells of, so
// that the difference of two says how many were missed.
type event struct {
	id     uint64
	weight uint64
	text   []byte
}

// reader is one page.
type reader struct {
	hub   *hub
	ready chan struct{} // a doorbell; capacity 1
	after uint64        // guarded by hub.mu: the newest id that was read
	beat  uint64        // guarded by hub.mu
}

func newHub(boot string) *hub {
	return &hub{boot: boot, bell: make(chan struct{}, 1), awake: make(chan struct{}), readers: map[*reader]struct{}{}}
}

// line writes an event. One without an id leaves the reader's place as it is.
func line(id, name string, data any) []byte {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: ", name)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil { // ends in one line break
		b.WriteString("{}\n")
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (h *hub) id(n uint64) string { return h.boot + "-" + strconv.FormatUint(n, 10) }

// publish tells all readers. weight is how many calls the event tells of, and at least 1.
func (h *hub) publish(name string, weight int, data any) {
	n := uint64(max(1, weight))
	h.mu.Lock()
	id := h.last + n // only one goroutine publishes
	h.mu.Unlock()
	text := line(h.id(id), name, data)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = id
	h.events = append(h.events, event{id, n, text})
	h.bytes += len(text)
	drop := 0
	for len(h.events)-drop > maxEvents || h.bytes > maxEventBytes && drop < len(h.events)-1 {
		h.bytes -= len(h.events[drop].text)
		h.events[drop].text = nil
		drop++
	}
	h.events = h.events[drop:]
	h.ringLocked()
}

// pulse tells whole events to the readers that are there; who comes later needs them
// not, and of several only the last.
func (h *hub) pulse(text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest = text
	h.beats++
	h.ringLocked()
}

func (h *hub) ringLocked() {
	for r := range h.readers {
		r.ring()
	}
}

func (r *reader) ring() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// wake says that from now on everything is told; the channel that it closes is what
// readers wait for.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.awake)
}

// sleep ends that, unless there are readers. What happens meanwhile nobody will be told.
func (h *hub) sleep() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.readers) > 0 {
		return false
	}
	select {
	case <-h.bell: // of a reader that was told, and is gone
	default:
	}
	h.last++
	h.floor, h.events, h.bytes = h.last, nil, 0
	h.awake = make(chan struct{})
	return true
}

// join adds a reader. awake is closed when it can be sure to hear of everything.
func (h *hub) join() (r *reader, awake <-chan struct{}) {
	r = &reader{hub: h, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	h.readers[r] = struct{}{}
	r.after, r.beat, awake = h.last, h.beats, h.awake
	h.mu.Unlock()
	select {
	case h.bell <- struct{}{}:
	default:
	}
	return r, awake
}

// busy reports whether anybody reads.
func (h *hub) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers) > 0
}

func (r *reader) leave() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	delete(r.hub.readers, r)
}

// begin takes the reader to where since says, the id of the event that it saw last, and
// answers what it must be told of what is lost: gap, reset, or nothing.
func (r *reader) begin(since string) (at string, lost []byte) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	r.after = h.last
	if since == "" {
		return h.id(h.last), nil
	}
	boot, number, _ := strings.Cut(since, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if boot != h.boot || err != nil || n > h.last || n < h.floor {
		return h.id(h.last), line("", "reset", struct{}{})
	}
	r.after = n
	r.ring()
	if oldest := h.oldestLocked(); n < oldest {
		r.after = oldest
		return h.id(oldest), line("", "gap", gap{int(oldest - n)})
	}
	return since, nil
}

// oldestLocked is the id after which nothing is lost.
func (h *hub) oldestLocked() uint64 {
	if len(h.events) == 0 {
		return h.last
	}
	return h.events[0].id - h.events[0].weight
}

// next answers what the reader is to be sent now, and false when it was so slow that
// something is lost.
func (r *reader) next() (text []byte, ok bool) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.after < h.oldestLocked() {
		return nil, false
	}
	for i := h.afterLocked(r.after); i < len(h.events); i++ {
		if len(text) > 0 && len(text)+len(h.events[i].text) > maxSend {
			r.ring()
			return text, true
		}
		text = append(text, h.events[i].text...)
		r.after = h.events[i].id
	}
	if r.beat != h.beats {
		r.beat = h.beats
		text = append(text, h.latest...)
	}
	return text, true
}

// afterLocked is the index of the first event whose id is above id.
func (h *hub) afterLocked(id uint64) int {
	lo, hi := 0, len(h.events)
	for lo < hi {
		if mid := (lo + hi) / 2; h.events[mid].id <= id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

type gap struct {
	Missed int `json:"missed"`
}
