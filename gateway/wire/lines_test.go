package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func readLines(r io.Reader, max int) (lines []string, err error) {
	l := NewLineReader(r, max)
	for {
		line, err := l.Next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(line))
	}
}

func TestLineReader(t *testing.T) {
	big := strings.Repeat("x", 3*firstBuffer)
	for _, tt := range []struct {
		name, in string
		max      int
		want     []string
		err      error
	}{
		{"lines", "a\nb\n", 10, []string{"a", "b"}, io.EOF},
		{"CRLF", "a\r\nb\r\n", 10, []string{"a", "b"}, io.EOF},
		{"CR is no end", "a\rb\n", 10, []string{"a\rb"}, io.EOF},
		{"empty lines", "\n\r\n  \na\n\n", 10, []string{"a"}, io.EOF},
		{"half a line at the end", "a\nb", 10, []string{"a"}, io.EOF},
		{"exactly as long as allowed", "abc\n", 3, []string{"abc"}, io.EOF},
		{"as long as allowed, with CR", "abc\r\n", 3, []string{"abc"}, io.EOF},
		{"too long", "a\nabcd\nb\n", 3, []string{"a"}, ErrLineTooLong},
		{"too long, and endless", strings.Repeat("x", 10*firstBuffer), 3, nil, ErrLineTooLong},
		{"larger than the buffer", big + "\nb\n", len(big), []string{big, "b"}, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{"at once": strings.NewReader(tt.in), "in bytes": iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, err := readLines(r, tt.max)
				if strings.Join(got, "\n") != strings.Join(tt.want, "\n") || !errors.Is(err, tt.err) {
					t.Errorf("%s: got %d lines, %v; want %d, %v", name, len(got), err, len(tt.want), tt.err)
				}
			}
		})
	}
}

// One large line does not cost its size for ever.
func TestLineReaderShrinks(t *testing.T) {
	big := strings.Repeat("x", 8<<20)
	l := NewLineReader(io.MultiReader(strings.NewReader(big+"\n"), iotest.OneByteReader(strings.NewReader("a\nb\n"))), 16<<20)
	for _, want := range []int{8 << 20, 1, 1} {
		if line, err := l.Next(); len(line) != want || err != nil {
			t.Fatalf("got %d bytes, %v; want %d", len(line), err, want)
		}
	}
	if len(l.buf) > maxIdleBuffer {
		t.Errorf("the buffer has %d bytes still", len(l.buf))
	}
}

func TestAppendLine(t *testing.T) {
	got := string(AppendLine([]byte("x"), []byte("{\"a\":\r\n 1}")))
	if want := "x{\"a\":   1}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// However the bytes are cut, the lines are those between the line ends, none is
// longer than allowed, and none is made up.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{}\n\n{\"half\":{}\r\n"), 8, 3)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaa\nb"), 4, 1)
	f.Fuzz(func(t *testing.T, in []byte, max, cut int) {
		max, cut = 1+max&0xff, 1+cut&0xf
		got, err := readLines(&pieces{in, cut}, max)
		var want []string
		for rest := in; ; {
			line, after, ok := bytes.Cut(rest, []byte("\n"))
			line = bytes.TrimSuffix(line, []byte("\r"))
			if !ok || len(line) > max {
				break
			}
			if len(bytes.TrimSpace(line)) > 0 {
				want = append(want, string(line))
			}
			rest = after
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || err == nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	})
}

// pieces is a reader of a few bytes at a time.
type pieces struct {
	rest []byte
	cut  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.cut, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}
