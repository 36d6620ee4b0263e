package upstream

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/wire"
)

// endpoint is the address of one generation of a backend and the connections to
// it. A later generation gets an endpoint of its own, so that a kept connection
// or a redial never reaches another container that inherited the address.
type endpoint struct {
	url       *url.URL    // without a user
	given     *url.URL    // as it was asked for
	header    http.Header // the user's, for every request
	transport *carrier
	max       int64

	ctx      context.Context // of the link
	patience time.Duration   // for one reply to the backend
	replies  chan struct{}   // one for each reply under way
	work     group           // replies, and streams being read to their end
}

// maxReplies is how many requests of a backend are being answered at once. What
// one asks beyond that stays unanswered.
const maxReplies = 16

// newEndpoint is the endpoint at u. A user in it, with a password or without, goes as
// Basic with every request, unless headers say otherwise.
func newEndpoint(ctx context.Context, u *url.URL, headers map[string]string, cfg Config) *endpoint {
	dialer := &net.Dialer{Timeout: cmp.Or(cfg.DialTimeout, cfg.ConnectTimeout), KeepAlive: 30 * time.Second}
	plain := *u
	plain.User = nil
	e := &endpoint{url: &plain, given: u, header: http.Header{}, max: cfg.MaxMessage, ctx: ctx, patience: cfg.ConnectTimeout,
		replies: make(chan struct{}, maxReplies)}
	e.transport = newCarrier(&http.Transport{
		DialContext: func(dial context.Context, network, addr string) (net.Conn, error) {
			if err := ctx.Err(); err != nil {
				return nil, &net.OpError{Op: "dial", Net: network, Err: context.Cause(ctx)}
			}
			return dialer.DialContext(dial, network, addr)
		},
		TLSHandshakeTimeout: cfg.ConnectTimeout,
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 512,
		IdleConnTimeout:     90 * time.Second,
		// Of a large answer only the beginning passes through this buffer, and most of
		// hundreds of connections wait for years.
		ReadBufferSize: 2 << 10,
		// It would ask for compressed answers.
		DisableCompression: true,
	}, u)
	for k, v := range headers {
		e.header.Set(k, v)
	}
	if _, has := e.header["Authorization"]; !has && u.User != nil {
		password, _ := u.User.Password()
		(&http.Request{Header: e.header}).SetBasicAuth(u.User.Username(), password)
	}
	if cfg.Instance != "" {
		e.header.Set(HeaderInstance, cfg.Instance)
	}
	return e
}

func (e *endpoint) close() {
	e.transport.CloseIdleConnections()
	e.work.close()
}

// Header values that every request shares.
var (
	typeJSON   = []string{"application/json"}
	acceptBoth = []string{"application/json, text/event-stream"}
	acceptSSE  = []string{"text/event-stream"}
	noAgent    = []string{"mcp-gw"}
)

// newRequest prepares a request to u; h is kept.
func (e *endpoint) newRequest(ctx context.Context, method string, u *url.URL, h http.Header, body *buffer) *http.Request {
	h["Accept-Encoding"] = noEncoding
	for k, v := range e.header {
		h[k] = v
	}
	h["User-Agent"] = noAgent
	r := &http.Request{Method: method, URL: u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if body != nil {
		h["Content-Type"] = typeJSON
		r.ContentLength = int64(len(body.b))
		r.Body = body.reader()
		r.GetBody = func() (io.ReadCloser, error) { return body.reader(), nil }
	}
	return r.WithContext(ctx)
}

// post sends body and hands every message of the answer to receive, until the
// answer ends or final, the id of the request, is answered. An empty answer is no
// error: it is what notifications get.
func (e *endpoint) post(ctx context.Context, h http.Header, body *buffer, final int64, receive func(*wire.Message) error) (http.Header, error) {
	h["Accept"] = acceptBoth
	res, err := e.transport.RoundTrip(e.newRequest(ctx, http.MethodPost, e.url, h, body))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 && eventStream(res.Header) {
		return res.Header, e.readStream(res, final, receive)
	}
	defer res.Body.Close()
	in := getBuffer()
	defer in.release()
	if err := in.readAll(res.Body, max(res.ContentLength, 0), e.max); err != nil {
		return res.Header, err
	}
	if res.StatusCode/100 == 2 {
		return res.Header, receiveOne(in.b, res.StatusCode, final, receive)
	}
	status := newStatusError(res, in.b)
	// An error of the protocol comes with a status that fits it, in 2026-07-28. It
	// names the request; a server that does not know the session names none.
	var m wire.Message
	_, inSession := h["Mcp-Session-Id"]
	if m.Scan(in.b) != nil {
		m = wire.Message{}
	}
	named := m.Error.Present() && isID(m.ID.In(m.Raw), final)
	switch {
	case inSession && status.sessionLost():
	case status.status == http.StatusBadRequest && otherEra(h, &m):
		other := &eraError{status: status}
		if named {
			other.answer = bytes.Clone(in.b)
		}
		return res.Header, other
	case named:
		m.Status = res.StatusCode
		return res.Header, receive(&m)
	}
	return res.Header, status
}

// otherEra reports whether a 400, with error m if it has one, says that its sender
// does not speak the era in which it was asked (basic/transports, backwards
// compatibility): a server of 2025 knows none of the codes of 2026-07-28, and one
// of 2026-07-28 gives a reason in them. It may be the answer to the request as well:
// the codes that the eras share are anybody's.
func otherEra(sent http.Header, m *wire.Message) bool {
	code := 0
	if m.Error.Present() {
		code = rpcErrorOf(m).code
	}
	if _, modern := sent[mcp.HeaderMethod]; modern {
		return code == mcp.UNSUPPORTED_PROTOCOL_VERSION || code == 0 || code <= -32000 && code > mcp.HEADER_MISMATCH
	}
	return code <= mcp.HEADER_MISMATCH && code >= mcp.UNSUPPORTED_PROTOCOL_VERSION
}

// answers reports whether m is the response to our request id. An error without
// an id counts: its sender could not read the request.
func answers(m *wire.Message, id int64) bool {
	raw := m.ID.In(m.Raw)
	return string(raw) == "null" || isID(raw, id)
}

func isID(raw []byte, id int64) bool {
	var text [20]byte
	return bytes.Equal(raw, strconv.AppendInt(text[:0], id, 10))
}

// errStreamEnded means that a response stream ended without the response.
var errStreamEnded = errors.New("closed the stream before it answered")

// get opens an event stream and answers its body. The caller closes it.
func (e *endpoint) get(ctx context.Context, h http.Header) (*http.Response, error) {
	h["Accept"] = acceptSSE
	res, err := e.transport.RoundTrip(e.newRequest(ctx, http.MethodGet, e.url, h, nil))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 && eventStream(res.Header) {
		return readable(res)
	}
	defer res.Body.Close()
	head, _ := io.ReadAll(io.LimitReader(res.Body, 512))
	if res.StatusCode/100 == 2 {
		return nil, &statusError{status: res.StatusCode, body: "no event stream: " + string(head)}
	}
	return nil, newStatusError(res, head)
}

func newStatusError(res *http.Response, body []byte) *statusError {
	e := &statusError{status: res.StatusCode, body: string(body[:min(len(body), 512)])}
	if res.StatusCode/100 == 3 {
		e.moved = res.Header.Get("Location")
	}
	return e
}

func eventStream(h http.Header) bool { return hasType(h, "text/event-stream") }

func hasType(h http.Header, want string) bool {
	ct := h["Content-Type"]
	if len(ct) == 0 {
		return false
	}
	if ct[0] == want {
		return true
	}
	got, _, err := mime.ParseMediaType(ct[0])
	return err == nil && strings.EqualFold(got, want)
}
