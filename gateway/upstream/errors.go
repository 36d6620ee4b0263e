package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"mcp-gw/discovery"
)

// UnavailableError says that a call did not reach its backend, or that its answer
// did not come back. The message is for people, and names what to do where there
// is something.
type UnavailableError struct {
	Backend string
	Reason  string
	// NotRun tells that the backend provably never saw the request, so that it
	// may be sent again.
	NotRun bool
	again  bool // another connection or session may make a difference
	late   bool // it took too long
	cause  error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("backend %q: %s", e.Backend, e.Reason)
}

func (e *UnavailableError) Unwrap() error { return e.cause }

// At is the error with the name of the one process of several that it tells of.
func (e *UnavailableError) At(process string) *UnavailableError {
	named := *e
	named.Reason = process + ": " + e.Reason
	return &named
}

// Passing reports whether another connection may make a difference.
func (e *UnavailableError) Passing() bool { return e.again }

// TimedOut reports whether an answer may have been on its way, and did not come in time.
func (e *UnavailableError) TimedOut() bool { return e.late }

// Broken reports whether the connection failed, rather than what came over it: the
// process behind it is gone, most likely.
func (e *UnavailableError) Broken() bool {
	return neverRan(e.cause) || errors.Is(e.cause, io.EOF) || errors.Is(e.cause, io.ErrUnexpectedEOF) ||
		errors.Is(e.cause, syscall.ECONNRESET) || errors.Is(e.cause, syscall.EPIPE)
}

// errSessionLost means that the backend does not know the session that a request
// named, and therefore did not run it.
var errSessionLost = errors.New("the backend does not know the session any more")

// errOtherEra means that the backend refused a request because it speaks another
// era than it did: a server that was upgraded in its place.
var errOtherEra = errors.New("the backend speaks another revision than before")

// eraError is an answer that may mean errOtherEra.
type eraError struct {
	status *statusError
	answer []byte // a JSON-RPC error that names the request, which it may answer; or nil
}

func (e *eraError) Error() string   { return errOtherEra.Error() + ": " + e.status.Error() }
func (e *eraError) Unwrap() []error { return []error{errOtherEra, e.status} }

// Causes with which calls are ended from outside.
var (
	errSilent   = errors.New("timed out")
	errReplaced = errors.New("it was restarted or replaced while the call ran")
	errRemoved  = errors.New("it was removed while the call ran")
	errStopped  = errors.New("the gateway was stopped while the call ran")
	errTooLarge = errors.New("sent a message larger than allowed (MCP_GW_MAX_MESSAGE)")
	errOverflow = errors.New("the client takes the answers more slowly than the backend sends them")
)

// errNoMessage means that a request was answered with something else than MCP: a
// web page, most often.
var errNoMessage = errors.New("answered no JSON-RPC message")

// noMessageError is an errNoMessage of an answer that there is something to show of.
type noMessageError struct {
	body string // the beginning of the answer
	err  error  // what is wrong with it
}

func (e *noMessageError) Error() string {
	return fmt.Sprintf("%v (%v): %s", errNoMessage, e.err, oneLine(e.body))
}

func (e *noMessageError) Unwrap() []error { return []error{errNoMessage, e.err} }

// statusError is an HTTP answer that is no MCP message.
type statusError struct {
	status int
	body   string // the beginning of it
	moved  string // the Location of a redirect
	// transport is the one that somebody chose, and that was not answered; "" when
	// it was to be found out.
	transport discovery.Transport
}

func (e *statusError) Error() string {
	switch e.status {
	case 401:
		return "answered 401 Unauthorized: it needs credentials, and got none that it takes (mcp-gw.auth and mcp-gw.auth.secret, or headers of the registration)"
	case 403, 421:
		return fmt.Sprintf("answered %d: %s (is the server's allowed Host list missing the name it is called by?)", e.status, oneLine(e.body))
	case 404, 405:
		if e.transport != "" {
			return fmt.Sprintf("answered %d to transport %s: does it speak another (mcp-gw.transport=auto finds out), or this one at another path (mcp-gw.path)?", e.status, e.transport)
		}
	}
	if e.status == 404 {
		return "answered 404: is the path right (mcp-gw.path)?"
	}
	if e.body == "" {
		return fmt.Sprintf("answered HTTP %d", e.status)
	}
	return fmt.Sprintf("answered HTTP %d: %s", e.status, oneLine(e.body))
}

// sessionLost reports whether this is how servers answer a session that they do
// not know. 404 is the specified way; real servers say 400 or 401 too.
func (e *statusError) sessionLost() bool {
	return e.status == 404 || e.status == 410 ||
		(e.status == 400 || e.status == 401) && strings.Contains(strings.ToLower(e.body), "session")
}

// permanent reports whether asking again later is of no use.
func (e *statusError) permanent() bool { return e.status < 500 || e.status == 501 }

func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

// rpcError is a JSON-RPC error in the gateway's own dealings with a backend.
type rpcError struct {
	code    int
	message string
	object  []byte // all of it, raw
}

func (e *rpcError) Error() string {
	return fmt.Sprintf("answered error %d: %s", e.code, oneLine(e.message))
}

// late reports whether time ran out for a request that failed with err under ctx.
func late(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return errors.Is(cause, errSilent) || cause == nil && errors.Is(err, context.DeadlineExceeded)
}

// neverRan reports whether a request that failed with err cannot have reached the
// backend's code: no connection came to be.
func neverRan(err error) bool {
	var op *net.OpError
	var closed *notOpenedError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &closed)
}

// explain turns an error of the network into words.
func explain(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %q cannot be resolved", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused the connection: nothing listens there (a server bound to 127.0.0.1 inside its container is not reachable; bind 0.0.0.0)"
	case reset(err):
		return "closed the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "cannot be reached from here: no route to its address"
	case errors.Is(err, context.DeadlineExceeded):
		return "did not answer in time"
	}
	text := err.Error()
	if notHTTP(err) {
		return "does not speak HTTP at this port"
	}
	if closed(err) {
		return "closed the connection before it answered"
	}
	return oneLine(text)
}

// reset reports whether a connection was closed while something was under way on it.
func reset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// closed reports whether a connection was closed, in whatever way. For one that the
// other side closed just as a request went out on it, net/http has no error to compare
// with.
func closed(err error) bool {
	text := err.Error()
	return reset(err) || strings.HasSuffix(text, "EOF") || strings.HasSuffix(text, "server closed idle connection")
}
