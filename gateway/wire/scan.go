package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
)

// ErrSyntax means that bytes are not JSON; ErrInvalid that they are, but not the
// message that was expected. Both are wrapped with what was found and where.
var (
	ErrSyntax  = errors.New("not JSON")
	ErrInvalid = errors.New("not a JSON-RPC message")
)

// scanner walks JSON text once, front to back, without decoding it. It checks
// the structure of all that it descends into; inside a value that it only skips
// it checks no more than is needed to find the value's end, because those bytes
// are passed on as they are and their reader will judge them.
type scanner struct {
	b     []byte
	i     int
	keyAt int // where the member that object last called for begins
}

func (s *scanner) syntax(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, s.i)
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// str reads the string literal at i and answers its content, between the quotes
// and still escaped.
func (s *scanner) str() ([]byte, error) {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, s.syntax("a string was expected")
	}
	start := s.i + 1
	for i, n := start, bytes.IndexByte(s.b[start:], '"'); n >= 0; n = nextQuote(s.b[i:]) {
		quote, slashes := i+n, 0
		for quote-slashes > i && s.b[quote-slashes-1] == '\\' {
			slashes++
		}
		i = quote + 1
		if slashes%2 == 0 {
			s.i = i
			return s.b[start:quote], nil
		}
	}
	return nil, s.syntax("unterminated string")
}

// nextQuote answers where the first quote is, -1 when there is none. It follows
// an escaped one: text that has one (JSON in a string, say) has many, close
// together, and those are found sooner by looking at eight bytes at once than by
// a search that has to be called first.
func nextQuote(b []byte) int {
	const ones, tops, near = 0x0101010101010101, 0x8080808080808080, 32
	i := 0
	for ; i < near && i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:]) ^ ones*'"'
		// The lowest top bit that is set marks the first byte that is a quote.
		if hit := (x - ones) &^ x & tops; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	if n := bytes.IndexByte(b[i:], '"'); n >= 0 {
		return i + n
	}
	return -1
}

// key reads a member's name and the colon behind it, and leaves i at the value.
// The name is unescaped: "na\u006de" is the same member as "name" to whoever
// reads the message later, so it must be to us.
func (s *scanner) key() ([]byte, error) {
	s.keyAt = s.i
	k, err := s.str()
	if err != nil {
		return nil, err
	}
	if !plain(k) {
		var text string
		if err := json.Unmarshal(s.b[s.keyAt:s.i], &text); err != nil {
			s.i = s.keyAt
			return nil, s.syntax("a control character or bad escape in a name")
		}
		k = []byte(text)
	}
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != ':' {
		return nil, s.syntax("a colon was expected")
	}
	s.i++
	s.space()
	return k, nil
}

// object walks the object at i. member is called with each name, i at the value,
// and must move i behind the value.
func (s *scanner) object(member func(key []byte) error) error {
	if s.i >= len(s.b) || s.b[s.i] != '{' {
		return s.syntax("an object was expected")
	}
	s.i++
	s.space()
	if s.i < len(s.b) && s.b[s.i] == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		k, err := s.key()
		if err != nil {
			return err
		}
		if err := member(k); err != nil {
			return err
		}
		s.space()
		if s.i >= len(s.b) {
			return s.syntax("unterminated object")
		}
		switch s.b[s.i] {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.syntax("a comma or brace was expected")
		}
	}
}

// array walks the array at i. element is called with i at each element and must
// move i behind it.
func (s *scanner) array(element func() error) error {
	if s.i >= len(s.b) || s.b[s.i] != '[' {
		return s.syntax("an array was expected")
	}
	s.i++
	s.space()
	if s.i < len(s.b) && s.b[s.i] == ']' {
		s.i++
		return nil
	}
	for {
		s.space()
		if err := element(); err != nil {
			return err
		}
		s.space()
		if s.i >= len(s.b) {
			return s.syntax("unterminated array")
		}
		switch s.b[s.i] {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.syntax("a comma or bracket was expected")
		}
	}
}

// structural marks the bytes that skip has to look at inside a container.
var structural = [256]bool{'"': true, '{': true, '[': true, '}': true, ']': true}

// skip moves i behind the value at i. It does not recurse: depth costs nothing.
func (s *scanner) skip() error {
	if s.i >= len(s.b) {
		return s.syntax("a value was expected")
	}
	switch c := s.b[s.i]; c {
	case '"':
		_, err := s.str()
		return err
	case '{', '[':
		depth := 0
		for {
			i := s.i
			for i < len(s.b) && !structural[s.b[i]] {
				i++
			}
			if s.i = i; i >= len(s.b) {
				return s.syntax("unterminated value")
			}
			switch s.b[i] {
			case '"':
				if _, err := s.str(); err != nil {
					return err
				}
			case '{', '[':
				depth++
				s.i++
			default:
				depth--
				s.i++
				if depth == 0 {
					return nil
				}
			}
		}
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// value skips the value at i and answers where it lay.
func (s *scanner) value() (Span, error) {
	start := s.i
	err := s.skip()
	return Span{start, s.i}, err
}
