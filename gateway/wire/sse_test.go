package wire

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEventReader(t *testing.T) {
	message := func(data string) Event { return Event{Type: "message", Data: []byte(data)} }
	tests := []struct {
		name, in string
		want     []Event
	}{
		{"one", "data: x\n\n", []Event{message("x")}},
		{"three line ends", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", []Event{message("a"), message("b"), message("c")}},
		{"several lines", "data: a\ndata:b\ndata\ndata:  c\n\n", []Event{message("a\nb\n\n c")}},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", []Event{message("a")}},
		{"the mark counts once", "\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", []Event{message("b")}},
		{"comments and unknown fields", ": hi\n\nretry: 5\nfoo\n:\ndata: a\n\n", []Event{message("a")}},
		{"type and id", "event: endpoint\nid: 7\ndata: /m\n\ndata: x\n\n", []Event{{Type: "endpoint", ID: "7", HasID: true, Data: []byte("/m")}, message("x")}},
		{"empty type", "event: a\nevent:\ndata: x\n\n", []Event{message("x")}},
		{"empty id", "id\ndata: x\n\n", []Event{{Type: "message", HasID: true, Data: []byte("x")}}},
		{"id with NUL", "id: a\x00\ndata: x\n\n", []Event{message("x")}},
		{"priming event", "id: 1\ndata:\n\n", []Event{{Type: "message", ID: "1", HasID: true, Data: []byte{}}}},
		{"type without data is forgotten", "event: a\n\ndata: x\n\n", []Event{message("x")}},
		{"cut off", "data: a\n\ndata: b\n", []Event{message("a")}},
		{"cut off in a mark", "\xef\xbb", nil},
	}
	for _, tt := range tests {
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
			"with the end at once": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				e := NewEventReader(r, 100)
				for _, want := range tt.want {
					if got, err := e.Next(); err != nil || !same(got, want) {
						t.Fatalf("got %+v, %v, want %+v", got, err, want)
					}
				}
				if got, err := e.Next(); err != io.EOF {
					t.Fatalf("got %+v, %v, want the end", got, err)
				}
			})
		}
	}
}

// blocking fails the test when it is read once more than its pieces allow: a
// real stream would hang there.
type blocking struct {
	t      *testing.T
	pieces []string
}

func (b *blocking) Read(p []byte) (int, error) {
	if len(b.pieces) == 0 {
		b.t.Fatal("the reader waits for more than the event")
	}
	n := copy(p, b.pieces[0])
	if b.pieces[0] = b.pieces[0][n:]; b.pieces[0] == "" {
		b.pieces = b.pieces[1:]
	}
	return n, nil
}

func TestEventIsDeliveredAtItsBlankLine(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n", "\r\n\r", "\n\r"} {
		e := NewEventReader(&blocking{t, []string{"data: x" + end}}, 10)
		if ev, err := e.Next(); err != nil || string(ev.Data) != "x" {
			t.Errorf("after %q: got %+v, %v", end, ev, err)
		}
	}
	// The LF of a CRLF arrives late: it ends no line of its own.
	e := NewEventReader(&blocking{t, []string{"data: x\r\n\r", "\ndata: y\r", "\n\r"}}, 10)
	for _, want := range []string{"x", "y"} {
		if ev, err := e.Next(); err != nil || string(ev.Data) != want {
			t.Errorf("got %+v, %v, want %s", ev, err, want)
		}
	}
}

func TestEventReaderBounds(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name, in string
		max      int
		want     error
	}{
		{"as large as allowed", "data: " + long(100) + "\n\n", 100, nil},
		{"one more", "data: " + long(101) + "\n\n", 100, ErrTooLarge},
		{"as large as allowed in two lines", "data: " + long(50) + "\ndata: " + long(49) + "\n\n", 100, nil},
		{"one more in two lines", "data: " + long(50) + "\ndata: " + long(50) + "\n\n", 100, ErrTooLarge},
		{"many empty lines", strings.Repeat("data\n", 102) + "\n", 100, ErrTooLarge},
		{"a comment without end", ":" + long(1<<20), 8 << 10, ErrTooLarge},
		{"a type without end", "event:" + long(1<<20), 8130, ErrTooLarge},
		{"large", "data: " + long(1<<20) + "\n\n", 1 << 20, nil},
		{"no limit", "data: " + long(1<<20) + "\n\n", math.MaxInt, nil},
		{"nothing allowed", "data\n\n", 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := NewEventReader(strings.NewReader(tt.in), tt.max)
			if _, err := e.Next(); err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if limit := max(2*(tt.max/2+firstBuffer), firstBuffer); tt.max < 1<<30 && len(e.buf) > limit {
				t.Errorf("holds %d bytes for events of %d", len(e.buf), tt.max)
			}
		})
	}
}

func TestEventReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	e := NewEventReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(broken)), 10)
	if ev, err := e.Next(); err != nil || string(ev.Data) != "a" {
		t.Errorf("got %+v, %v", ev, err)
	}
	if _, err := e.Next(); err != broken {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, err := NewEventReader(lazy{}, 10).Next(); err != io.ErrNoProgress {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type lazy struct{}

func (lazy) Read([]byte) (int, error) { return 0, nil }

func TestEventReaderReset(t *testing.T) {
	e := NewEventReader(strings.NewReader("data: "+strings.Repeat("x", 2*keptBuffer)+"\n\nid: 1\ndata: half"), 1<<20)
	if _, err := e.Next(); err != nil {
		t.Fatal(err)
	}
	e.Reset(strings.NewReader("\xef\xbb\xbfdata: y\n\n"), 10)
	if len(e.buf) > keptBuffer || cap(e.data) > keptBuffer {
		t.Errorf("keeps %d and %d bytes of a giant", len(e.buf), cap(e.data))
	}
	if ev, err := e.Next(); err != nil || !same(ev, Event{Type: "message", Data: []byte("y")}) {
		t.Errorf("got %+v, %v", ev, err)
	}
	var zero EventReader
	zero.Reset(strings.NewReader("data: z\n\n"), 10)
	if ev, err := zero.Next(); err != nil || string(ev.Data) != "z" {
		t.Errorf("from the zero reader: got %+v, %v", ev, err)
	}
}

func TestAppendEvent(t *testing.T) {
	for in, want := range map[string]string{
		"{}":              "event: message\ndata: {}\n\n",
		"":                "event: message\ndata: \n\n",
		"{\r\n\"a\":1\r}": "event: message\ndata: {\ndata: \"a\":1\ndata: }\n\n",
		"{}\n":            "event: message\ndata: {}\ndata: \n\n",
	} {
		if got := string(AppendEvent(nil, []byte(in))); got != want {
			t.Errorf("AppendEvent(%q) = %q, want %q", in, got, want)
		}
	}
}

// Where to go on, and when, is known also from events without data, and never from
// one that was cut off.
func TestEventReaderPlace(t *testing.T) {
	for _, tt := range []struct {
		in    string
		id    string
		known bool
		retry int
	}{
		{"data: x\n\n", "", false, -1},
		{"id: 1\nretry: 500\ndata:\n\n", "1", true, 500},
		{"id: 1\n\n", "1", true, -1},
		{"id: 1\ndata: x\n\nid: 2\ndata: cut\n", "1", true, -1},
		{"id: 1\ndata: x\n\ndata: y\n\n", "1", true, -1},
		{"id: 1\ndata: x\n\nid\ndata: y\n\n", "", false, -1},
		{"retry: 0\n", "", false, 0},
		{"retry: 5\nretry: -1\nretry: x\nretry: 1.5\nretry\n\n", "", false, 5},
		{"retry: 99999999999999999999999\n", "", false, math.MaxInt32},
	} {
		t.Run(tt.in, func(t *testing.T) {
			e := NewEventReader(strings.NewReader(tt.in), 100)
			for {
				if _, err := e.Next(); err != nil {
					break
				}
			}
			id, known := e.LastID()
			if id != tt.id || known != tt.known || e.Retry() != tt.retry {
				t.Errorf("got %q, %v, %d; want %q, %v, %d", id, known, e.Retry(), tt.id, tt.known, tt.retry)
			}
			e.Reset(strings.NewReader(""), 100)
			if _, known := e.LastID(); known || e.Retry() != -1 {
				t.Error("the next stream begins where this one ended")
			}
		})
	}
}
