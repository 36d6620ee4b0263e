package wire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// chunks hands out its bytes in pieces of random size.
type chunks struct {
	b   []byte
	rnd *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := c.rnd.IntN(min(len(c.b), len(p), 1+c.rnd.IntN(300)) + 1)
	copy(p, c.b[:n])
	c.b = c.b[n:]
	return n, nil
}

// naive reads a whole stream at once, line by line, as the standard words it.
func naive(stream string, max int) (events []Event, err error) {
	stream = strings.TrimPrefix(stream, "\xef\xbb\xbf")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	ev, data := Event{}, ""
	for i, line := range lines {
		if len(line) > max+lineSlack {
			return events, ErrTooLarge
		}
		if i == len(lines)-1 {
			break // without an end
		}
		if line == "" {
			if data != "" {
				if ev.Type == "" {
					ev.Type = "message"
				}
				ev.Data = []byte(data[:len(data)-1])
				events = append(events, ev)
			}
			ev, data = Event{}, ""
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			if data += value + "\n"; len(data)-1 > max {
				return events, ErrTooLarge
			}
		case "event":
			ev.Type = value
		case "id":
			if !strings.Contains(value, "\x00") {
				ev.ID, ev.HasID = value, true
			}
		}
	}
	return events, io.EOF
}

func same(a, b Event) bool {
	return a.Type == b.Type && a.ID == b.ID && a.HasID == b.HasID && bytes.Equal(a.Data, b.Data)
}

// FuzzEvents holds EventReader, fed in random pieces, against naive.
func FuzzEvents(f *testing.F) {
	corpus(f)
	for _, s := range []string{
		"data: x\n\n",
		"\xef\xbb\xbfdata:x\r\rdata: y\r\n\r\n",
		"\xef\xbb", "\xef\xbbdata\n\n",
		": note\nid: 7\nevent: endpoint\ndata: a\ndata:  b\ndata\n\n:\n\nevent: lost\n\ndata:\n\n",
		"id: \x00\nid\nretry: 5\ndata: z\n\r\ndata: cut",
		"data: " + strings.Repeat("long ", 3000) + "\n\ndata: after\n\n",
		":" + strings.Repeat("c", 5000) + "\r\rdata: 1\r\r",
	} {
		f.Add([]byte(s), uint64(1), uint16(100))
		f.Add([]byte(s), uint64(2), uint16(20000))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, max uint16) {
		want, wantErr := naive(string(stream), int(max))
		var e EventReader
		for range 2 { // the second time in the memory of the first
			e.Reset(&chunks{stream, rand.New(rand.NewPCG(seed, 0))}, int(max))
			agree(t, &e, want, wantErr)
			seed++
		}
	})
}

func agree(t *testing.T, e *EventReader, want []Event, wantErr error) {
	t.Helper()
	for i := 0; ; i++ {
		got, err := e.Next()
		if err != nil {
			if i != len(want) || err != wantErr {
				t.Fatalf("got %d events and %v, want %d and %v", i, err, len(want), wantErr)
			}
			return
		}
		if i >= len(want) || !same(got, want[i]) {
			t.Fatalf("event %d: got %+v of %+v", i, got, want)
		}
	}
}

// FuzzAppendEvent: what AppendEvent writes is one event with the data that went
// in, line ends turned to LF.
func FuzzAppendEvent(f *testing.F) {
	for _, s := range []string{"", "{}", "a\nb", "a\r\nb\rc\n", "\n", " x", "data: y\n\n", ":\r\n"} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		stream := AppendEvent(AppendEvent([]byte(": hello\n\n"), data), []byte("next"))
		e := NewEventReader(&chunks{stream, rand.New(rand.NewPCG(seed, 0))}, len(data))
		if len(data) < 4 {
			e.max = 4
		}
		want := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
		for _, want := range []string{want, "next"} {
			ev, err := e.Next()
			if err != nil || ev.Type != "message" || string(ev.Data) != want {
				t.Fatalf("got %+v, %v, want %q", ev, err, want)
			}
		}
		if ev, err := e.Next(); err != io.EOF {
			t.Fatalf("got %+v, %v, want the end", ev, err)
		}
	})
}
