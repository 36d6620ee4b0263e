package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"mcp-gw/gateway/wire"
)

// maxBatch is how many messages of one batch are read.
const maxBatch = 1000

// errFull ends the reading of a batch.
var errFull = errors.New("batch is longer than it may be")

// each hands the messages in data to f: one, or those of a batch, which 2025-03-26
// knows. What is no message inside a batch is passed over, as it is in a stream.
func each(data []byte, m *wire.Message, f func(*wire.Message) error) error {
	if !wire.IsBatch(data) {
		if err := m.Scan(data); err != nil {
			return fmt.Errorf("%w (%w)", errNoMessage, err)
		}
		return f(m)
	}
	left := maxBatch
	err := wire.Elements(bytes.TrimSpace(data), func(raw []byte) error {
		if left--; left < 0 {
			return errFull
		}
		if m.Scan(raw) != nil {
			return nil
		}
		return f(m)
	})
	if err == errFull {
		return nil
	}
	return err
}

// receiveOne passes on the JSON body of a successful answer. None is no error: it
// is what notifications get.
func receiveOne(body []byte, status int, final int64, receive func(*wire.Message) error) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var m wire.Message
	if !wire.IsBatch(body) {
		if err := m.Scan(body); err != nil {
			if status == http.StatusAccepted {
				return nil // some say "Accepted"
			}
			return &noMessageError{string(body[:min(len(body), 512)]), err}
		}
		return receive(&m)
	}
	return each(body, &m, func(m *wire.Message) error {
		if m.Kind == wire.KindResponse && !answers(m, final) {
			return nil
		}
		return receive(m)
	})
}

// place is how far an event stream was read: what it takes to go on from there.
type place struct {
	id    string // of the last event that had one
	known bool   // there was one
	retry time.Duration
	told  bool // the backend said retry itself
}

// brokenStream is a response stream that ended before the response. From its place,
// if that is known, the backend may be able to go on.
type brokenStream struct {
	place
	moved bool // there was an event since the stream was opened
	err   error
}

func (e *brokenStream) Error() string { return e.err.Error() }
func (e *brokenStream) Unwrap() error { return e.err }

// readers keeps the buffers of past response streams: a stream a call is common.
var readers = sync.Pool{New: func() any { return new(wire.EventReader) }}

// errAnswered ends the reading of a batch that has the response.
var errAnswered = errors.New("answered")

// readStream hands the messages of a response stream to receive until final, the id
// of the request, is answered.
func (e *endpoint) readStream(res *http.Response, final int64, receive func(*wire.Message) error) error {
	events := readers.Get().(*wire.EventReader)
	events.Reset(res.Body, int(e.max))
	defer func() {
		if events != nil {
			readers.Put(events)
		}
	}()
	take := func(m *wire.Message) error {
		last := m.Kind == wire.KindResponse && answers(m, final)
		if m.Kind == wire.KindResponse && !last {
			return nil
		}
		err := receive(m)
		if err == nil && last {
			err = errAnswered
		}
		return err
	}
	var m wire.Message
	moved := false
	for {
		ev, err := events.Next()
		if err != nil {
			res.Body.Close()
			return streamEnd(err, events, moved)
		}
		moved = true
		if len(ev.Data) == 0 || ev.Type != "message" {
			continue // a priming event, or none of ours
		}
		switch err := each(ev.Data, &m, take); {
		case err == nil:
		case err == errAnswered:
			e.drain(res.Body, events)
			events = nil // drain's now
			return nil
		case errors.Is(err, errNoMessage):
			// Garbage between messages harms nobody; a missing response does, and shows.
		default:
			res.Body.Close()
			return err
		}
	}
}

// streamEnd says what the end of a stream means to those who wait for a response.
func streamEnd(err error, events *wire.EventReader, moved bool) error {
	if errors.Is(err, wire.ErrTooLarge) {
		return errTooLarge
	}
	if err == io.EOF {
		err = errStreamEnded
	}
	return &brokenStream{place: placeOf(events), moved: moved, err: err}
}

// drain reads a stream to its end after the response, so that its connection can
// be used again. A server that leaves it open loses the connection.
func (e *endpoint) drain(body io.ReadCloser, events *wire.EventReader) {
	started := e.work.start(func() {
		defer readers.Put(events)
		stop := time.AfterFunc(time.Second, func() { body.Close() })
		defer stop.Stop()
		defer body.Close()
		for range 100 {
			if _, err := events.Next(); err != nil {
				return
			}
		}
	})
	if !started {
		body.Close()
	}
}
