package downstream

import (
	"strconv"
	"sync"
	"sync/atomic"

	"mcp-gw/gateway/wire"
)

// What is kept for clients that lost a stream and take it up again (Last-Event-ID,
// 2025-11-25, basic/transports): so much of each stream, so many ended streams of
// each session, and so much in all.
const (
	maxReelEvents = 256
	maxReelBytes  = 1 << 20
	maxReels      = 16
	maxReplay     = 64 << 20
)

// budget is the memory that all reels share.
type budget struct{ used atomic.Int64 }

// reel is one event stream of a session as it was sent, from its end backwards as
// far as it is kept.
type reel struct {
	name   string
	budget *budget

	mu     sync.Mutex // guards what follows
	events []taken
	size   int
	last   uint64        // number of the newest event; they start at 1
	over   bool          // nothing will follow
	freed  bool          // nobody can ask for it any more
	more   chan struct{} // closed when something has
}

type taken struct {
	number  uint64
	message []byte
}

func newReel(name string, b *budget) *reel {
	return &reel{name: name, budget: b, more: make(chan struct{})}
}

// add keeps message and answers its number.
func (r *reel) add(message []byte) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	if !r.freed && len(message) <= maxReelBytes && r.budget.used.Load() < maxReplay {
		r.events = append(r.events, taken{r.last, append([]byte(nil), message...)})
		r.grow(len(message))
		for len(r.events) > maxReelEvents || r.size > maxReelBytes {
			r.dropLocked()
		}
	}
	r.wakeLocked()
	return r.last
}

func (r *reel) grow(n int) {
	r.size += n
	r.budget.used.Add(int64(n))
}

func (r *reel) dropLocked() {
	r.grow(-len(r.events[0].message))
	r.events[0].message = nil
	r.events = r.events[1:]
}

func (r *reel) wakeLocked() {
	close(r.more)
	r.more = make(chan struct{})
}

// end says that nothing will follow.
func (r *reel) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over = true
		r.wakeLocked()
	}
}

// free gives back the memory of a reel that nobody can ask for any more. Its call may
// go on.
func (r *reel) free() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freed = true
	for len(r.events) > 0 {
		r.dropLocked()
	}
}

// after answers what came after event number, whether that was all there ever will
// be, and what wakes whoever waits for more.
func (r *reel) after(number uint64) (events []taken, over bool, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range r.events {
		if e.number > number {
			events = append(events, r.events[i:]...)
			break
		}
	}
	return events, r.over, r.more
}

// appendEvent appends message as an event that can be asked for again.
func (r *reel) appendEvent(dst []byte, number uint64, message []byte) []byte {
	dst = append(append(append(dst, "id: "...), r.name...), '-')
	dst = append(strconv.AppendUint(dst, number, 10), '\n')
	return wire.AppendEvent(dst, message)
}

// primer is an event without data, by whose id a stream can be taken up again that
// broke off before its first message.
func (r *reel) primer() []byte {
	return []byte("id: " + r.name + "-0\ndata: \n\n")
}

func (r *reel) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}
