package upstream

import (
	"bytes"
	"context"
	"sync/atomic"
)

// inbox holds the messages of one call that came over a shared stream and that its
// client has not taken yet. It is bounded, because the stream is everybody's and
// waits for nobody.
type inbox struct {
	messages chan []byte
	size     atomic.Int64 // bytes in messages
}

// maxWaiting is how many messages wait for a client that is slower than the
// backend, before its call fails. Together they are no larger than one message may
// be.
const maxWaiting = 256

func newInbox() *inbox { return &inbox{messages: make(chan []byte, maxWaiting)} }

// put keeps a copy of raw, or answers false when there is no room for it. One
// message always fits. Only the stream's reader calls it.
func (in *inbox) put(raw []byte, limit int64) bool {
	size := int64(len(raw))
	if waiting := in.size.Add(size); waiting > limit && waiting > size {
		return false
	}
	select {
	case in.messages <- bytes.Clone(raw):
		return true
	default:
		return false
	}
}

// take answers the next message. What came before the stream ended still counts.
func (in *inbox) take(ctx context.Context, ended <-chan struct{}) ([]byte, error) {
	var raw []byte
	var ok bool
	select {
	case raw, ok = <-in.messages:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-ended:
		select {
		case raw, ok = <-in.messages:
		default:
			return nil, errStreamEnded
		}
	}
	if !ok {
		return nil, errOverflow
	}
	in.size.Add(-int64(len(raw)))
	return raw, nil
}
