package upstream

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// maxPooled is the largest buffer that is kept for the next call.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// buffer is a pooled byte slice with an owner count: the transport may still read
// a request's body when its answer is already there, and the bytes must not go to
// another call before both are done with them.
type buffer struct {
	b    []byte
	refs atomic.Int32
}

func getBuffer() *buffer {
	b := buffers.Get().(*buffer)
	b.b = b.b[:0]
	b.refs.Store(1)
	return b
}

func (b *buffer) release() {
	if b.refs.Add(-1) == 0 && cap(b.b) <= maxPooled {
		buffers.Put(b)
	}
}

// reader answers a body over the buffer's bytes that holds the buffer until it is
// closed.
func (b *buffer) reader() io.ReadCloser {
	b.refs.Add(1)
	r := &bodyReader{buf: b}
	r.Reset(b.b)
	return r
}

type bodyReader struct {
	bytes.Reader
	buf  *buffer
	once atomic.Bool
}

func (r *bodyReader) Close() error {
	if r.once.CompareAndSwap(false, true) {
		r.buf.release()
	}
	return nil
}

// readAll appends r to b until EOF, or fails with errTooLarge beyond limit bytes.
// size is what is expected, 0 when unknown.
func (b *buffer) readAll(r io.Reader, size, limit int64) error {
	if size > limit {
		return errTooLarge
	}
	if need := int(size) + 1; cap(b.b) < need {
		b.b = make([]byte, 0, max(need, 4<<10))
	}
	for {
		if len(b.b) == cap(b.b) {
			b.b = append(b.b, 0)[:len(b.b)]
		}
		n, err := r.Read(b.b[len(b.b):cap(b.b)])
		b.b = b.b[:len(b.b)+n]
		if int64(len(b.b)) > limit {
			return errTooLarge
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
