package wire

import (
	"bytes"
	"errors"
	"io"
)

// ErrLineTooLong means that a line is longer than the reader takes. What follows it
// cannot be told apart any more, so that it ends the reading.
var ErrLineTooLong = errors.New("line longer than allowed")

// LineReader reads the lines of MCP's stdio framing: one message a line, LF or CRLF
// at its end. Empty lines are nothing. What comes last without a line end is half a
// message, and is never handed out.
type LineReader struct {
	r        io.Reader
	max      int
	buf      []byte
	pos, end int // what was read and not handed out
	searched int // of that, without a line end
}

// NewLineReader answers a reader of lines of at most max bytes, their ends not
// counted. Its buffer grows with the lines, and shrinks after a large one.
func NewLineReader(r io.Reader, max int) *LineReader {
	return &LineReader{r: r, max: max, buf: make([]byte, firstBuffer)}
}

// Next answers the next line that is not empty; it is valid until the next call.
// Errors are those of the reader behind it, and ErrLineTooLong.
func (l *LineReader) Next() ([]byte, error) {
	for {
		n := bytes.IndexByte(l.buf[l.pos+l.searched:l.end], '\n')
		if n < 0 {
			if l.searched = l.end - l.pos; l.searched > l.max+1 { // CR may be one of them
				return nil, ErrLineTooLong
			}
			if err := l.fill(); err != nil {
				return nil, err
			}
			continue
		}
		line := l.buf[l.pos : l.pos+l.searched+n]
		l.pos, l.searched = l.pos+len(line)+1, 0
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) > l.max {
			return nil, ErrLineTooLong
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

func (l *LineReader) fill() error {
	size := len(l.buf)
	switch left := l.end - l.pos; {
	case left == size:
		size = min(2*size, l.max+firstBuffer)
	case left < firstBuffer && size > maxIdleBuffer:
		size = firstBuffer
	}
	if size != len(l.buf) {
		sized := make([]byte, size)
		l.end = copy(sized, l.buf[l.pos:l.end])
		l.buf, l.pos = sized, 0
	} else if l.pos > 0 {
		l.end = copy(l.buf, l.buf[l.pos:l.end])
		l.pos = 0
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// maxIdleBuffer is the largest buffer that a LineReader keeps between lines.
const maxIdleBuffer = 1 << 20

// AppendLine appends message, a JSON value, to dst as one line. A line end inside it
// can only be white space between values, and becomes a space.
func AppendLine(dst, message []byte) []byte {
	from := len(dst)
	dst = append(dst, message...)
	for i, c := range dst[from:] {
		if c == '\n' || c == '\r' {
			dst[from+i] = ' '
		}
	}
	return append(dst, '\n')
}
