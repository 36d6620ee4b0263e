package upstream

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// noEncoding is what every request asks for: a body that has to be read here costs
// less as it is than compressed and unpacked again, and saying nothing would mean
// that any coding is welcome (RFC 9110, 12.5.3). Some compress all the same.
var noEncoding = []string{"identity"}

// decode makes the body of res what it was before it was compressed. Nothing is read
// yet: the first byte of a stream may be long in coming.
func decode(res *http.Response) {
	coding := codingOf(res.Header["Content-Encoding"])
	var open func(*bufio.Reader) (io.Reader, error)
	switch coding {
	case "":
		return
	case "gzip", "x-gzip":
		open = func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		open = inflate
	default:
		refuse(res, &encodingError{coding})
		return
	}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength, res.Uncompressed = -1, true
	res.Body = &decoder{body: res.Body, coding: coding, open: open}
}

// codingOf is the one coding of a body; "" when there is none. Several are answered
// as they are written, which is none that we know.
func codingOf(header []string) string {
	var codings []string
	for _, c := range strings.Split(strings.Join(header, ","), ",") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
			codings = append(codings, c)
		}
	}
	return strings.Join(codings, ", ")
}

// inflate reads deflate in both forms that are called so: within zlib, as the
// standard has it, and bare.
func inflate(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(r)
	}
	return flate.NewReader(r), nil
}

// decoder unpacks a body as it comes: what its sender flushed can be read at once.
// It holds no more than a window; how much comes out is bounded by its reader. Close
// may be called while Read runs, as with any body.
type decoder struct {
	body   io.ReadCloser
	coding string
	open   func(*bufio.Reader) (io.Reader, error)
	r      io.Reader // nil before the first Read
	err    error     // that Read ended with
}

func (d *decoder) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.r == nil {
		d.err = d.begin()
	}
	if d.err == nil {
		n, d.err = d.r.Read(p)
	}
	if notPacked(d.err) {
		d.err = fmt.Errorf("sent a body that is not the %s that its Content-Encoding says: %w", d.coding, d.err)
	}
	return n, d.err
}

func (d *decoder) begin() error {
	packed := bufio.NewReader(d.body)
	if _, err := packed.Peek(1); err != nil {
		return err // io.EOF: no body at all
	}
	var err error
	d.r, err = d.open(packed)
	return err
}

func (d *decoder) Close() error { return d.body.Close() }

// notPacked reports whether err is of the unpacking, and not of what it reads from.
func notPacked(err error) bool {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return true
	}
	for _, e := range []error{gzip.ErrHeader, gzip.ErrChecksum, zlib.ErrHeader, zlib.ErrChecksum, zlib.ErrDictionary} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// encodingError says that a body is compressed in a way that we do not read.
type encodingError struct{ coding string }

func (e *encodingError) Error() string {
	return fmt.Sprintf("sent a body with Content-Encoding %.40q, though asked for identity; gzip and deflate can be read: turn compression off in the server, or in the proxy before it", e.coding)
}

// refuse makes the body of res say that it cannot be read. That of an error is read
// for what it says, and the status counts more; in any other, a body that is not empty
// is the error.
func refuse(res *http.Response, err *encodingError) {
	if res.StatusCode/100 == 2 {
		res.Body = &unreadable{res.Body, err}
		return
	}
	res.ContentLength = -1
	res.Body = struct {
		io.Reader
		io.Closer
	}{strings.NewReader(err.Error()), res.Body}
}

type unreadable struct {
	io.ReadCloser
	err *encodingError
}

func (u *unreadable) Read([]byte) (int, error) {
	var one [1]byte
	if n, err := u.ReadCloser.Read(one[:]); n == 0 {
		return 0, err
	}
	return 0, u.err
}

// readable answers res, a stream, unless it is known already that it cannot be read.
func readable(res *http.Response) (*http.Response, error) {
	if u, ok := res.Body.(*unreadable); ok {
		u.Close()
		return nil, u.err
	}
	return res, nil
}
