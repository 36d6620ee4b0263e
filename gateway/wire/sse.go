package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
)

// ErrTooLarge means that an event is larger than its reader allows.
var ErrTooLarge = errors.New("event larger than allowed")

// Event is one event of an event stream (text/event-stream, HTML living
// standard 9.2).
type Event struct {
	// Type is "message" when the stream named none.
	Type string
	// ID is the event's own id; HasID tells an empty one from none.
	ID    string
	HasID bool
	// Data is valid until the next call of Next.
	Data []byte
}

const (
	firstBuffer = 1 << 10
	// keptBuffer is the largest buffer that Reset keeps. An answer of 64 KiB,
	// large already for a tool, is read without growing anything; a rare giant
	// does not stay in a pool for ever.
	keptBuffer = 256 << 10
	// lineSlack is what a line may have beyond the data allowed: its field name.
	lineSlack = 64
)

// EventReader reads an event stream. It takes all three line ends, data over
// several lines, comments and fields it does not know.
type EventReader struct {
	r      io.Reader
	max    int
	buf    []byte // read, not yet used: buf[pos:end]
	pos    int
	end    int
	begun  bool // the place of a byte order mark is behind us
	skipLF bool // a CR ended the last line; an LF now belongs to it
	data   []byte
	lastID string
	hasID  bool
	retry  int
}

// NewEventReader reads events of at most max bytes of data from r.
func NewEventReader(r io.Reader, max int) *EventReader {
	e := &EventReader{}
	e.Reset(r, max)
	return e
}

// Reset makes e a new reader of r that works in the memory of the old one, so
// that readers can be pooled. The Data of the last event is lost with it.
func (e *EventReader) Reset(r io.Reader, max int) {
	buf, data := e.buf, e.data[:0]
	if len(buf) == 0 || len(buf) > keptBuffer {
		buf = make([]byte, firstBuffer)
	}
	if cap(data) > keptBuffer {
		data = nil
	}
	*e = EventReader{r: r, max: min(max, math.MaxInt/4), buf: buf, data: data, retry: -1}
}

// Next answers the next event that has data, as soon as the blank line behind it
// was read. Its error is the reader's, io.EOF at the end, or ErrTooLarge, after
// which the stream is of no more use; an event that the end cut off is dropped,
// as the standard wants it.
func (e *EventReader) Next() (Event, error) {
	var ev Event
	e.data = e.data[:0]
	hasData := false
	for {
		line, err := e.line()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			if ev.HasID {
				e.lastID, e.hasID = ev.ID, true
			}
			if !hasData {
				ev = Event{}
				continue
			}
			if ev.Type == "" {
				ev.Type = "message"
			}
			ev.Data = e.data[:len(e.data)-1]
			return ev, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
		switch string(name) {
		case "data":
			if len(e.data)+len(value) > e.max {
				return Event{}, ErrTooLarge
			}
			hasData = true
			e.data = append(append(slices.Grow(e.data, len(value)+1), value...), '\n')
		case "event":
			if ev.Type = "message"; string(value) != ev.Type { // no memory for the usual one
				ev.Type = string(value)
			}
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				ev.ID, ev.HasID = string(value), true
			}
		case "retry":
			if ms, ok := milliseconds(value); ok {
				e.retry = ms
			}
		}
	}
}

// LastID answers the id of the last event that had one, also when that had no data,
// and false when none had. An empty id takes the one before it back.
func (e *EventReader) LastID() (string, bool) { return e.lastID, e.hasID && e.lastID != "" }

// Retry answers how many milliseconds the stream said one should wait before it is
// opened again, -1 when it said nothing.
func (e *EventReader) Retry() int { return e.retry }

// milliseconds reads a value of digits alone; one too large for its use is the
// largest.
func milliseconds(value []byte) (int, bool) {
	ms := 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		ms = min(ms*10+int(c-'0'), math.MaxInt32)
	}
	return ms, len(value) > 0
}

// begin steps over a byte order mark. It reads no further than it has to: an
// event in the first two bytes of a stream must not wait for a third.
func (e *EventReader) begin() error {
	const mark = "\xef\xbb\xbf"
	for e.end < len(mark) && string(e.buf[:e.end]) == mark[:e.end] {
		if err := e.fill(); err != nil {
			return err
		}
	}
	e.begun = true
	if bytes.HasPrefix(e.buf[:e.end], []byte(mark)) {
		e.pos = len(mark)
	}
	return nil
}

// line answers the next line without its end; it is valid until the next call.
func (e *EventReader) line() ([]byte, error) {
	if !e.begun {
		if err := e.begin(); err != nil {
			return nil, err
		}
	}
	searched := 0
	for {
		if e.skipLF && e.pos < e.end {
			if e.skipLF = false; e.buf[e.pos] == '\n' {
				e.pos++
			}
		}
		n := lineEnd(e.buf[e.pos+searched : e.end])
		if n += searched; n < searched {
			n = e.end - e.pos
		}
		if n > e.max+lineSlack {
			return nil, ErrTooLarge
		}
		if e.pos+n < e.end {
			line := e.buf[e.pos : e.pos+n]
			e.skipLF = e.buf[e.pos+n] == '\r'
			e.pos += n + 1
			return line, nil
		}
		searched = n
		if err := e.fill(); err != nil {
			return nil, err
		}
	}
}

// lineEnd answers where the first line of b ends, -1 when b is one line. It looks
// for one byte at a time, which beats a search for either by far, in windows that
// double: with CR alone as line end, a search for LF to the end of b would make
// the cost of b quadratic in its lines.
func lineEnd(b []byte) int {
	for from, size := 0, 64; from < len(b); size *= 2 {
		window := b[from:min(from+size, len(b))]
		n := bytes.IndexByte(window, '\n')
		if n >= 0 {
			window = window[:n]
		}
		if cr := bytes.IndexByte(window, '\r'); cr >= 0 {
			return from + cr
		}
		if n >= 0 {
			return from + n
		}
		from += len(window)
	}
	return -1
}

// fill reads more behind what is there, moving or growing the buffer as needed.
// Its callers hold the line that is growing to e.max.
func (e *EventReader) fill() error {
	if e.pos > 0 {
		copy(e.buf, e.buf[e.pos:e.end])
		e.end -= e.pos
		e.pos = 0
	}
	if e.end == len(e.buf) {
		grown := make([]byte, min(2*len(e.buf), e.max+firstBuffer))
		copy(grown, e.buf)
		e.buf = grown
	}
	for range 100 {
		n, err := e.r.Read(e.buf[e.end:])
		e.end += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// AppendEvent appends a message event with data to dst. A line end inside data,
// which can only be white space between JSON values, begins a new data line and
// comes out as LF.
func AppendEvent(dst, data []byte) []byte {
	dst = append(dst, "event: message\n"...)
	for {
		n := lineEnd(data)
		dst = append(dst, "data: "...)
		if n < 0 {
			break
		}
		dst = append(append(dst, data[:n]...), '\n')
		if data[n] == '\r' && n+1 < len(data) && data[n+1] == '\n' {
			n++
		}
		data = data[n+1:]
	}
	return append(append(dst, data...), "\n\n"...)
}
