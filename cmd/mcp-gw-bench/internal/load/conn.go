package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// conn is one keep-alive HTTP/1.1 connection that sends requests already
// written out as bytes. It does what net/http's client does for this job at a
// fraction of the cost, so that the machine is left to what is measured.
type conn struct {
	addr    string
	timeout time.Duration
	c       net.Conn
	release func() bool // undoes the tie between c and the context it was dialled with
	r       *bufio.Reader
	body    []byte // of the latest answer, reused
	session string // Mcp-Session-Id of the latest answer, if it had one
	sse     bool   // the latest answer is an event stream
}

func (c *conn) close() {
	if c.c != nil {
		c.release()
		c.c.Close()
		c.c = nil
	}
}

// send writes one request and reads its answer into c.body. It returns the
// HTTP status. After an error the connection is closed; the next send dials.
// The end of ctx breaks the connection, in the middle of an answer too.
func (c *conn) send(ctx context.Context, request []byte) (status int, err error) {
	if c.c == nil {
		dialer := net.Dialer{Timeout: c.timeout}
		dialled, err := dialer.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return 0, err
		}
		c.c = dialled
		c.release = context.AfterFunc(ctx, func() { dialled.Close() })
		if c.r == nil {
			c.r = bufio.NewReaderSize(nil, 64<<10)
		}
		c.r.Reset(c.c)
	}
	keep := false
	if err = c.c.SetDeadline(time.Now().Add(c.timeout)); err == nil {
		_, err = c.c.Write(request)
	}
	if err == nil {
		status, keep, err = c.read()
	}
	if err != nil || !keep {
		c.close()
	}
	return status, err
}

func (c *conn) read() (status int, keep bool, err error) {
	line, err := c.line()
	if err != nil {
		return 0, false, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, false, fmt.Errorf("not an HTTP/1.1 answer: %.60q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, false, err
	}
	length, chunked := -1, false
	keep, c.sse = true, false
	for {
		if line, err = c.line(); err != nil {
			return status, false, err
		}
		if len(line) == 0 {
			break
		}
		key, val, _ := bytes.Cut(line, []byte(":"))
		val = bytes.TrimSpace(val)
		switch {
		case equalFold(key, "content-length"):
			if length, err = strconv.Atoi(string(val)); err != nil {
				return status, false, err
			}
		case equalFold(key, "transfer-encoding"):
			chunked = equalFold(val, "chunked")
		case equalFold(key, "connection"):
			keep = !equalFold(val, "close")
		case equalFold(key, "content-type"):
			c.sse = bytes.HasPrefix(val, []byte("text/event-stream"))
		case equalFold(key, "mcp-session-id"):
			c.session = string(val)
		}
	}
	c.body = c.body[:0]
	switch {
	case status == 204 || status == 304:
	case chunked:
		if err = c.fill(httputil.NewChunkedReader(c.r)); err != nil {
			return status, false, err
		}
		for { // the trailer, up to an empty line
			if line, err = c.line(); err != nil || len(line) == 0 {
				break
			}
		}
	case length >= 0:
		if cap(c.body) < length {
			c.body = make([]byte, 0, length)
		}
		c.body = c.body[:length]
		_, err = io.ReadFull(c.r, c.body)
	default:
		keep = false
		err = c.fill(c.r)
	}
	return status, keep, err
}

func (c *conn) fill(r io.Reader) error {
	for {
		if len(c.body) == cap(c.body) {
			c.body = append(c.body, make([]byte, max(4096, len(c.body)))...)[:len(c.body)]
		}
		n, err := r.Read(c.body[len(c.body):cap(c.body)])
		c.body = c.body[:len(c.body)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *conn) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func equalFold(b []byte, lower string) bool {
	return len(b) == len(lower) && strings.EqualFold(string(b), lower)
}

var errNoAnswer = errors.New("no JSON-RPC answer to this request in the event stream")

// message returns the JSON-RPC message with the given raw id out of the latest
// answer, be it plain JSON or an event stream with other messages before it.
func (c *conn) message(id []byte) ([]byte, error) {
	if !c.sse {
		return c.body, nil
	}
	var joined []byte // data of an event that has several data lines
	var data []byte
	for rest := c.body; ; {
		line, more, found := bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0: // the end of an event
			if data != nil && bytes.Equal(messageID(data), id) {
				return data, nil
			}
			data = nil
		case bytes.HasPrefix(line, []byte("data:")):
			d := bytes.TrimPrefix(line[5:], []byte(" "))
			if data == nil {
				data = d
			} else {
				joined = append(append(append([]byte(nil), data...), '\n'), d...)
				data = joined
			}
		}
		if !found {
			break
		}
		rest = more
	}
	if data != nil && bytes.Equal(messageID(data), id) {
		return data, nil
	}
	return nil, errNoAnswer
}
