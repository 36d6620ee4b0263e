package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Failure says in one stable word how far a connect came. The words are the API's.
type Failure string

// The server was not reached.
const (
	FailureDNS         Failure = "dns"         // its name is not known
	FailureRefused     Failure = "refused"     // nothing listens there
	FailureTimeout     Failure = "timeout"     // no connection in time
	FailureUnreachable Failure = "unreachable" // no route, or another error of the network
	FailureTLS         Failure = "tls"         // the handshake failed, or its certificate is not taken
)

// The server was reached, and no MCP session came of it.
const (
	FailureNoAnswer   Failure = "no_answer"     // it took the connection and said nothing
	FailureClosed     Failure = "closed"        // it closed the connection
	FailureHTTPStatus Failure = "http_status"   // an HTTP error: another path, most often
	FailureAuth       Failure = "auth_required" // 401: it wants credentials
	FailureNotMCP     Failure = "not_mcp"       // something else than MCP, or than HTTP
	FailureProtocol   Failure = "protocol"      // MCP, and nothing that both sides speak
)

// FailureList: there is a session, and its tools cannot be listed.
const FailureList Failure = "list_failed"

// listError is a connect that failed at the last step.
type listError struct{ error }

func (e *listError) Error() string { return "its tools cannot be listed: " + e.error.Error() }
func (e *listError) Unwrap() error { return e.error }

// nowhereError means that a server speaks MCP at none of the paths that were tried.
type nowhereError struct {
	refusals []string
	odd      bool   // one of them was no HTTP error
	answer   string // the beginning of what tells most: of what was no error, else of the first
}

func (e *nowhereError) Error() string {
	return "answered no MCP: " + strings.Join(e.refusals, ", ") + "; say where it is with mcp-gw.path"
}

// failureOf classifies an error of connect or of the first listing.
func failureOf(err error) Failure {
	var (
		list    *listError
		nowhere *nowhereError
		status  *statusError
		rpc     *rpcError
		secure  *tlsError
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case errors.As(err, &list):
		return FailureList
	case errors.As(err, &nowhere) && nowhere.odd, errors.Is(err, errNoMessage), notHTTP(err):
		return FailureNotMCP
	case errors.As(err, &nowhere):
		return FailureHTTPStatus
	case errors.As(err, &secure):
		return FailureTLS
	case errors.As(err, &dns):
		return FailureDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return FailureRefused
	case errors.Is(err, errUnanswered):
		return FailureNoAnswer
	case errors.As(err, &status) && status.status == http.StatusUnauthorized:
		return FailureAuth
	case errors.As(err, &status):
		return FailureHTTPStatus
	case errors.As(err, &rpc), errors.Is(err, errContradicts), errors.Is(err, errRevision), errors.Is(err, errOtherEra):
		return FailureProtocol
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return FailureTimeout
	case neverRan(err):
		return FailureUnreachable
	case closed(err), errors.Is(err, errStreamEnded):
		return FailureClosed
	}
	return FailureUnreachable
}

// answerOf is the beginning of what a server answered that was no MCP, "" when there is
// none of it.
func answerOf(err error) string {
	var (
		nowhere *nowhereError
		odd     *noMessageError
		status  *statusError
	)
	switch {
	case errors.As(err, &nowhere):
		return nowhere.answer
	case errors.As(err, &odd):
		return oneLine(odd.body)
	case errors.As(err, &status):
		return oneLine(status.body)
	}
	return ""
}

// notHTTP reports whether the HTTP client could not read what came.
func notHTTP(err error) bool {
	text := err.Error()
	return strings.Contains(text, "malformed HTTP") || strings.Contains(text, "readLoopPeekFail") || strings.Contains(text, "malformed MIME header")
}
