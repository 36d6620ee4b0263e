// Package wire finds its way in JSON-RPC messages and event streams, and changes
// single values in them, without decoding the rest. Arguments and results pass
// through a gateway as the bytes that they came in: numbers beyond 2^53, the
// order of members, escapes and unknown fields all survive.
//
// The package is pure: no I/O of its own, no goroutines, no clock.
package wire

import (
	"bytes"
	"fmt"
)

// Span is a half-open range of bytes in a message. The zero Span means absent.
type Span struct{ Start, End int }

// Present reports whether the value was there.
func (s Span) Present() bool { return s.End > s.Start }

// In answers the bytes of s in b, nil when absent.
func (s Span) In(b []byte) []byte {
	if !s.Present() {
		return nil
	}
	return b[s.Start:s.End]
}

// Kind is what a message is in JSON-RPC.
type Kind uint8

const (
	// KindRequest has a method and an id.
	KindRequest Kind = iota + 1
	// KindNotification has a method and no id.
	KindNotification
	// KindResponse has a result or an error.
	KindResponse
)

// Message is one JSON-RPC message: the bytes, and where in them the values lie
// that a gateway reads or replaces. All values are raw JSON.
type Message struct {
	Raw    []byte
	Kind   Kind
	Method string // unescaped

	ID, Params, Result, Error Span

	// Members of params.
	Name, URI, Cursor, Arguments, RequestID, ProgressToken, Meta Span
	// Ref says what a completion is for.
	Ref Span
	// TaskID names a task in the methods that are about one.
	TaskID Span
	// Level is that of logging/setLevel and notifications/message.
	Level Span
	// Notifications is the filter of subscriptions/listen.
	Notifications Span
	// RequestState and InputResponses repeat a request that asked for input.
	RequestState, InputResponses Span

	// Members of params._meta.
	MetaProgressToken, MetaVersion, MetaClientInfo, MetaCapabilities, MetaLogLevel, MetaSubscription Span

	// Members of result.
	ResultType Span
	IsError    bool // result.isError is true
	// InputRequests and ResultState are what a result asks for before there is one.
	InputRequests, ResultState Span
	// Members of error.
	Code Span

	// Status is the HTTP status that a response came with when that was not 200. It is
	// no part of the bytes: who reads the message from a connection sets it.
	Status int
}

// The members of _meta that 2026-07-28 reserves for one hop.
const (
	metaPrefix       = "io.modelcontextprotocol/"
	metaVersion      = metaPrefix + "protocolVersion"
	metaClientInfo   = metaPrefix + "clientInfo"
	metaCapabilities = metaPrefix + "clientCapabilities"
	metaLogLevel     = metaPrefix + "logLevel"
	metaSubscription = metaPrefix + "subscriptionId"
)

// IsBatch reports whether b is a JSON array, which only 2025-03-26 knows.
func IsBatch(b []byte) bool {
	s := scanner{b: b}
	s.space()
	return s.i < len(b) && b[s.i] == '['
}

// The names of a level that a message is steered by, for lookalike.
var (
	topNames    = names("jsonrpc", "id", "method", "params", "result", "error")
	paramsNames = names("name", "uri", "cursor", "arguments", "requestId", "progressToken", "ref", "taskId",
		"level", "notifications", "requestState", "inputResponses", "_meta")
	metaNames = names("progressToken", metaVersion, metaClientInfo, metaCapabilities, metaLogLevel, metaSubscription)
)

// Scan reads one message into m. m keeps b. A member that m has a field for may
// be there only once, and no other may differ from it only in case: otherwise the
// gateway and the backend could read different ones, and a check passed by the
// first would let the second through.
func (m *Message) Scan(b []byte) error {
	*m = Message{Raw: b}
	s := scanner{b: b}
	s.space()
	if s.i < len(b) && b[s.i] != '{' {
		if err := s.skip(); err != nil {
			return err
		}
		return fmt.Errorf("%w: an object was expected", ErrInvalid)
	}
	var version, method Span
	if err := s.object(func(key []byte) error {
		switch string(key) {
		case "jsonrpc":
			return once(&s, &version, key)
		case "id":
			return once(&s, &m.ID, key)
		case "method":
			return once(&s, &method, key)
		case "params":
			return m.params(&s)
		case "result":
			return m.result(&s)
		case "error":
			return m.error(&s)
		default:
			return other(&s, key, topNames)
		}
	}); err != nil {
		return err
	}
	s.space()
	if s.i != len(b) {
		return s.syntax("more after the message")
	}
	return m.check(version, method)
}

func (m *Message) check(version, method Span) error {
	if string(version.In(m.Raw)) != `"2.0"` {
		return fmt.Errorf(`%w: "jsonrpc" must be "2.0"`, ErrInvalid)
	}
	if id := m.ID.In(m.Raw); id != nil {
		switch c := id[0]; {
		case c == '"', c == '-', c >= '0' && c <= '9':
		case c == 'n' && m.Error.Present(): // the answer to what nobody could read
		default:
			return fmt.Errorf(`%w: "id" must be a string or a number`, ErrInvalid)
		}
	}
	switch {
	case method.Present() && (m.Result.Present() || m.Error.Present()):
		return fmt.Errorf(`%w: it has "method" and an answer's "result" or "error"`, ErrInvalid)
	case method.Present():
		var ok bool
		if m.Method, ok = methodName(method.In(m.Raw)); !ok {
			return fmt.Errorf(`%w: "method" must be a string`, ErrInvalid)
		}
		m.Kind = KindNotification
		if m.ID.Present() {
			m.Kind = KindRequest
		}
	case m.ID.Present() && m.Result.Present() != m.Error.Present():
		m.Kind = KindResponse
	default:
		return fmt.Errorf(`%w: it needs "method", or "id" with one of "result" and "error"`, ErrInvalid)
	}
	return nil
}

// once reads the value at s.i into sp, which must not have one yet. A string is
// checked to the last byte, because the gateway repeats such values in messages of
// its own.
func once(s *scanner, sp *Span, key []byte) error {
	if err := unread(s, sp, key); err != nil {
		return err
	}
	if s.b[sp.Start] == '"' && !wellFormed(s.b[sp.Start+1:sp.End-1]) {
		s.i = sp.Start
		return s.syntax("a control character or bad escape in the string")
	}
	return nil
}

// unread is once for a value that the gateway passes on without looking inside.
func unread(s *scanner, sp *Span, key []byte) (err error) {
	if sp.Present() {
		return fmt.Errorf("%w: %q is there twice", ErrInvalid, key)
	}
	*sp, err = s.value()
	return err
}

// other skips a member that m has no field for, unless its name is a lookalike.
// JSON tells "Name" from "name", but many a reader does not, Go's encoding/json
// among them: a call that passed all checks as one tool would run as another.
func other(s *scanner, key []byte, known [][]byte) error {
	for _, name := range known {
		if bytes.EqualFold(key, name) {
			return fmt.Errorf("%w: %.80q must be written %q", ErrInvalid, key, name)
		}
	}
	return s.skip()
}

func names(list ...string) [][]byte {
	out := make([][]byte, len(list))
	for i, name := range list {
		out[i] = []byte(name)
	}
	return out
}

// within reads the object at s.i into sp, member by member; another kind of
// value is skipped, for its reader to judge.
func within(s *scanner, sp *Span, name string, member func(key []byte) error) error {
	if sp.Present() {
		return fmt.Errorf("%w: %q is there twice", ErrInvalid, name)
	}
	start := s.i
	var err error
	if s.i < len(s.b) && s.b[s.i] == '{' {
		err = s.object(member)
	} else {
		err = s.skip()
	}
	*sp = Span{start, s.i}
	return err
}

func (m *Message) params(s *scanner) error {
	return within(s, &m.Params, "params", func(key []byte) error {
		switch string(key) {
		case "name":
			return once(s, &m.Name, key)
		case "uri":
			return once(s, &m.URI, key)
		case "cursor":
			return once(s, &m.Cursor, key)
		case "arguments":
			return unread(s, &m.Arguments, key)
		case "requestId":
			return once(s, &m.RequestID, key)
		case "progressToken":
			return once(s, &m.ProgressToken, key)
		case "ref":
			return once(s, &m.Ref, key)
		case "taskId":
			return once(s, &m.TaskID, key)
		case "level":
			return once(s, &m.Level, key)
		case "notifications":
			return once(s, &m.Notifications, key)
		case "requestState":
			return once(s, &m.RequestState, key)
		case "inputResponses":
			return unread(s, &m.InputResponses, key)
		case "_meta":
			return m.meta(s)
		default:
			return other(s, key, paramsNames)
		}
	})
}

func (m *Message) meta(s *scanner) error {
	return within(s, &m.Meta, "_meta", func(key []byte) error {
		switch string(key) {
		case "progressToken":
			return once(s, &m.MetaProgressToken, key)
		case metaVersion:
			return once(s, &m.MetaVersion, key)
		case metaClientInfo:
			return once(s, &m.MetaClientInfo, key)
		case metaCapabilities:
			return once(s, &m.MetaCapabilities, key)
		case metaLogLevel:
			return once(s, &m.MetaLogLevel, key)
		case metaSubscription:
			return once(s, &m.MetaSubscription, key)
		default:
			return other(s, key, metaNames)
		}
	})
}

func (m *Message) result(s *scanner) error {
	var isError Span
	return within(s, &m.Result, "result", func(key []byte) error {
		switch string(key) {
		case "isError":
			err := once(s, &isError, key)
			m.IsError = string(isError.In(s.b)) == "true"
			return err
		case "resultType":
			return once(s, &m.ResultType, key)
		case "inputRequests":
			return unread(s, &m.InputRequests, key)
		case "requestState":
			return once(s, &m.ResultState, key)
		default:
			return s.skip()
		}
	})
}

func (m *Message) error(s *scanner) error {
	return within(s, &m.Error, "error", func(key []byte) error {
		if string(key) == "code" {
			return once(s, &m.Code, key)
		}
		return s.skip()
	})
}
