package upstream

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"mcp-gw/discovery"
)

// carrier is the connections of one endpoint, with what servers, and proxies in
// front of them, do to a plain answer set right: a Host header that they refuse
// (here), a body that they compress (encoding.go), a certificate that is not theirs
// (tls.go).
type carrier struct {
	*http.Transport
	// big makes the connections for large requests; nil until there was one.
	big      atomic.Pointer[http.Transport]
	secure   bool // https
	tls      discovery.TLS
	tlsError error // why no connection can be made

	name  string // the Host header, as the URL has it
	local string // the same port on localhost
	// host is what became of the name: 0 while the server takes it, the status with
	// which it was refused where localhost was taken instead, refusedBoth where
	// neither was.
	host atomic.Int32
}

const refusedBoth = -1

func newCarrier(t *http.Transport, u *url.URL) *carrier {
	c := &carrier{Transport: t, secure: u.Scheme == "https", name: u.Host, local: "localhost"}
	if port := u.Port(); port != "" {
		c.local = net.JoinHostPort(c.local, port)
	}
	return c
}

// Most requests fit the usual buffer of a connection, header and body, and go out in
// one write. Of a large one the transport copies the body through a buffer of its own,
// in several: such requests have connections whose buffer takes most of them whole. As
// each keeps it for life, hundreds of connections that carry little must not have one.
const (
	usualRequest = 3 << 10
	largeBuffer  = 80 << 10 // 64 KiB of text, quoted, with what stands around it
)

func (c *carrier) large() *http.Transport {
	if t := c.big.Load(); t != nil {
		return t
	}
	t := c.Transport.Clone()
	t.WriteBufferSize = largeBuffer
	if !c.big.CompareAndSwap(nil, t) {
		return c.big.Load()
	}
	return t
}

// CloseIdleConnections closes those of both kinds.
func (c *carrier) CloseIdleConnections() {
	c.Transport.CloseIdleConnections()
	if t := c.big.Load(); t != nil {
		t.CloseIdleConnections()
	}
}

// RoundTrip carries r. Frameworks guard themselves against DNS rebinding by a list
// of the names that they are called by, which has localhost and seldom the name of
// their container. Such a refusal comes before everything else, so that the request
// never ran: it is sent again as to localhost, and if that is taken all later ones
// are too.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	host := c.host.Load()
	if host > 0 {
		r.Host = c.local
	}
	res, err := c.send(r)
	if err != nil || host != 0 || c.local == c.name || !refusesHost(res) {
		return res, err
	}
	return c.asLocal(r, res)
}

// asLocal sends r again after refusal, an answer that is left alone when it stays the
// last word.
func (c *carrier) asLocal(r *http.Request, refusal *http.Response) (*http.Response, error) {
	again := r.WithContext(r.Context())
	again.Host = c.local
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return refusal, nil
		}
		again.Body = body
	}
	res, err := c.send(again)
	if err == nil && refusesHost(res) {
		c.host.CompareAndSwap(0, refusedBoth)
		res.Body.Close()
		return refusal, nil
	}
	refusal.Body.Close()
	if err == nil && res.StatusCode < 500 {
		c.host.CompareAndSwap(0, int32(refusal.StatusCode))
	}
	return res, err
}

func (c *carrier) send(r *http.Request) (*http.Response, error) {
	if c.tlsError != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, c.tlsError
	}
	transport := c.Transport
	if r.ContentLength > usualRequest {
		transport = c.large()
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return nil, c.certificateProblem(err)
	}
	if len(res.Header["Content-Encoding"]) > 0 {
		decode(res)
	}
	return res, nil
}

// refusesHost reports whether res refuses the Host header of its request: 421 says
// so by itself, 403 in words.
func refusesHost(res *http.Response) bool {
	switch res.StatusCode {
	case http.StatusMisdirectedRequest:
		return true
	case http.StatusForbidden:
		return bytes.Contains(bytes.ToLower(peek(res, 4<<10)), []byte("host"))
	}
	return false
}

// peek reads up to n bytes of res and leaves them to its reader.
func peek(res *http.Response, n int64) []byte {
	head, err := io.ReadAll(io.LimitReader(res.Body, n))
	rest := io.Reader(res.Body)
	if err != nil {
		rest = failed{err}
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), res.Body}
	return head
}

// failed is a reader that has failed before.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// codeLocalHost is the code of the remark on a server that is called localhost;
// labels.md explains it.
const codeLocalHost = "H001"

// localHost reports whether the server took no other Host header than localhost.
func (e *endpoint) localHost() bool { return e.transport.host.Load() > 0 }

// hostRemark is what to tell people of localHost; false while there is nothing.
func (e *endpoint) hostRemark() (discovery.Diagnostic, bool) {
	status := e.transport.host.Load()
	if status <= 0 {
		return discovery.Diagnostic{}, false
	}
	return hostRemark(e.transport.name, e.transport.local, int(status)), true
}

func hostRemark(name, local string, status int) discovery.Diagnostic {
	d := discovery.Diagnostic{Severity: discovery.SeverityInfo, Code: codeLocalHost, Value: name,
		Message:    fmt.Sprintf("the server refuses the Host header %q (%d): the gateway calls it with Host: %s", name, status, local),
		Suggestion: fmt.Sprintf("add %q to the server's allowed hosts to make this unnecessary", name)}
	if host := (&url.URL{Host: name}).Hostname(); net.ParseIP(host) != nil {
		// A container has another address tomorrow.
		d.Suggestion = "nothing needs to be done; a server that allows any host makes this unnecessary"
	}
	return d
}
