package wire

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Unquote answers the text of a JSON string literal, and false when raw is not
// one. It reads what encoding/json reads: bytes that are not UTF-8 become U+FFFD.
func Unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	if plain(raw[1:len(raw)-1]) && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), true
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// plain reports whether the content of a literal stands for itself: nothing in
// it is escaped, or would have to be.
func plain(content []byte) bool {
	for _, c := range content {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// methodName is Unquote; the methods that a gateway hears all day cost no memory.
func methodName(raw []byte) (string, bool) {
	switch string(raw) {
	case `"tools/call"`:
		return "tools/call", true
	case `"tools/list"`:
		return "tools/list", true
	case `"server/discover"`:
		return "server/discover", true
	case `"subscriptions/listen"`:
		return "subscriptions/listen", true
	case `"initialize"`:
		return "initialize", true
	case `"ping"`:
		return "ping", true
	case `"prompts/list"`:
		return "prompts/list", true
	case `"prompts/get"`:
		return "prompts/get", true
	case `"resources/list"`:
		return "resources/list", true
	case `"resources/read"`:
		return "resources/read", true
	case `"resources/templates/list"`:
		return "resources/templates/list", true
	case `"completion/complete"`:
		return "completion/complete", true
	case `"notifications/initialized"`:
		return "notifications/initialized", true
	case `"notifications/cancelled"`:
		return "notifications/cancelled", true
	case `"notifications/progress"`:
		return "notifications/progress", true
	case `"notifications/message"`:
		return "notifications/message", true
	case `"notifications/tools/list_changed"`:
		return "notifications/tools/list_changed", true
	case `"notifications/subscriptions/acknowledged"`:
		return "notifications/subscriptions/acknowledged", true
	}
	return Unquote(raw)
}

// errStop ends a walk early; it never reaches a caller.
var errStop = errors.New("stopped")

// Elements calls f with each element of the array raw, until f fails.
func Elements(raw []byte, f func(value []byte) error) error {
	return ElementSpans(raw, func(v Span) error { return f(v.In(raw)) })
}

// ElementSpans calls f with where in the array raw each element lies, until f fails.
func ElementSpans(raw []byte, f func(value Span) error) error {
	s := scanner{b: raw}
	s.space()
	return s.array(func() error {
		v, err := s.value()
		if err != nil {
			return err
		}
		return f(v)
	})
}

// Members calls f with each member of the object raw, until f fails: its name,
// unescaped, and where in raw its value lies. A name may come several times.
func Members(raw []byte, f func(name []byte, value Span) error) error {
	s := scanner{b: raw}
	s.space()
	return s.object(func(key []byte) error {
		v, err := s.value()
		if err != nil {
			return err
		}
		return f(key, v)
	})
}

// Find answers where the value of one member of the object raw lies, the first
// if there are several, and the zero Span when raw has none or is no object.
func Find(raw []byte, name string) (found Span) {
	_ = Members(raw, func(key []byte, value Span) error {
		if string(key) == name {
			found = value
			return errStop
		}
		return nil
	})
	return found
}

// Member answers the raw value that Find finds, nil when there is none.
func Member(raw []byte, name string) []byte { return Find(raw, name).In(raw) }
