package wire

import (
	"bytes"
	"encoding/json"
)

// Quote answers text as a JSON string literal, with no more escaped than has to be:
// what HTML would take for its own stays as it is.
func Quote(text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always can be
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return s.syntax("an unknown word")
	}
	s.i += len(word)
	return nil
}

func (s *scanner) number() error {
	b, i := s.b, s.i
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := i
	i = digits(b, i)
	ok := i > whole && (b[whole] != '0' || i == whole+1)
	if i < len(b) && b[i] == '.' {
		from := i + 1
		i = digits(b, from)
		ok = ok && i > from
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		i = digits(b, from)
		ok = ok && i > from
	}
	if !ok {
		return s.syntax("a value was expected")
	}
	s.i = i
	return nil
}

// digits answers the end of the digits that begin at i.
func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

// wellFormed reports whether the content of a string literal, as str answers it,
// is what JSON allows: no control characters, no unknown escapes.
func wellFormed(content []byte) bool {
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c < ' ':
			return false
		case c == '\\':
			i++ // str saw to it that there is one more
			switch content[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if !fourHex(content[i+1:]) {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

func fourHex(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	for _, c := range b[:4] {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
