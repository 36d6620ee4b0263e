package upstream

import (
	"bytes"
	"context"
	"sync"

	"mcp-gw/gateway/wire"
)

// inbox holds the messages of one call that came over a shared stream and that its
// client has not taken yet. It is bounded, because the stream is everybody's and
// waits for nobody.
type inbox struct {
	more bell // rung when there is one more, or no more to come

	mu       sync.Mutex // guards what follows
	messages [][]byte
	size     int64 // bytes in messages
	over     bool  // it overflowed: the call fails
}

// maxWaiting is how many messages wait for a client that is slower than the
// backend, before its call fails: a tool may report every line that it reads. Together
// they are no larger than one message may be.
const maxWaiting = 32 << 10

func newInbox() *inbox { return &inbox{more: newBell()} }

// put keeps a copy of raw. One for which there is no room ends the inbox, and false is
// the answer. One message always fits.
func (in *inbox) put(raw []byte, limit int64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.more.ring()
	in.size += int64(len(raw))
	if len(in.messages) > 0 && (in.size > limit || len(in.messages) >= maxWaiting) {
		in.over, in.messages, in.size = true, nil, 0
		return false
	}
	in.messages = append(in.messages, bytes.Clone(raw))
	return true
}

// next answers the oldest message, nil when none waits.
func (in *inbox) next() (raw []byte, over bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.messages) == 0 {
		return nil, in.over
	}
	raw = in.messages[0]
	in.messages[0] = nil
	in.messages = in.messages[1:]
	in.size -= int64(len(raw))
	return raw, false
}

// requests empties the inbox, and hands each request in it to f.
func (in *inbox) requests(f func(*wire.Message)) {
	var m wire.Message
	for raw, _ := in.next(); raw != nil; raw, _ = in.next() {
		if m.Scan(raw) == nil && m.Kind == wire.KindRequest {
			f(&m)
		}
	}
}

// take waits for the next message. What came before the stream
// or the waiting ended still counts.
func (in *inbox) take(ctx context.Context, ended <-chan struct{}) ([]byte, error) {
	for {
		raw, over := in.next()
		switch {
		case raw != nil:
			return raw, nil
		case over:
			return nil, errOverflow
		}
		select {
		case <-in.more:
		case <-ctx.Done():
			if raw, _ := in.next(); raw != nil {
				return raw, nil
			}
			return nil, context.Cause(ctx)
		case <-ended:
			if raw, _ := in.next(); raw != nil {
				return raw, nil
			}
			return nil, errStreamEnded
		}
	}
}

// waiting is how many messages wait.
func (in *inbox) waiting() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.messages)
}
