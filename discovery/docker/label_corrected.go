package docker

import (
	"errors"
	"strings"
)

// valueHere stands for a value that cannot be repeated in a fix: it is secret, or too
// long to be typed.
const valueHere = "<value>"

// corrected is a label as it should have been written: the right key, and the value,
// or one that is good for that key where the value is not. hidden says that the value is
// masked under the wrong key.
func (s *spec) corrected(key, value string, hidden bool) string {
	_, rest, ok := strings.Cut(key, s.prefix+".")
	if !ok {
		return clip(key)
	}
	if _, own, several := cutBackend(rest); several {
		rest = own
	}
	l, member, known := lookup(rest)
	hidden = hidden || veil(lowerASCII(rest), value) != value
	value = strings.TrimSpace(value)
	switch {
	case known && namesSecret(lowerASCII(rest)) && hidden:
		value = "<secret name>"
	case hidden || len(value) > maxShown:
		value = valueHere
	case known && !strings.HasPrefix(member, "<"):
		scratch := defaults()
		_, err := l.set(&scratch, member, value)
		var v valueError
		switch {
		case errors.As(err, &v) && v.fix != "":
			value = v.fix
		case err != nil:
			value = l.example
		}
	}
	return clip(key) + "=" + strings.ToValidUTF8(value, "�")
}

// spelt mends the key of a label whose prefix was misspelt, should it be wrong too.
func (s *spec) spelt(key string) string {
	rest := key[len(s.prefix)+1:]
	name, own, several := cutBackend(rest)
	if !several {
		own = rest
	}
	if _, _, known := lookup(own); known {
		return key
	}
	g := guess(own)
	if g == "" {
		return key
	}
	if several {
		return s.prefix + "." + severalKey + name + "." + withMember(g, own)
	}
	return s.prefix + "." + withMember(g, own)
}

// withMember puts what the key of a family had behind its dot in the place of the
// placeholder.
func withMember(meant, key string) string {
	family, placeholder, ok := strings.Cut(meant, "<")
	if !ok || strings.Contains(placeholder, "<") {
		return meant
	}
	parts := strings.SplitN(key, ".", strings.Count(family, ".")+1)
	if len(parts) == 1 || parts[len(parts)-1] == "" {
		return meant
	}
	return family + parts[len(parts)-1]
}

// opposites are words for what tls.verify says the other way round.
var opposites = map[string]bool{"tls.insecure": true, "tls.skip-verify": true, "insecure": true}

func opposite(value string) string {
	switch on, err := parseBool(strings.TrimSpace(value)); {
	case err != nil:
		return value
	case on:
		return "false"
	}
	return "true"
}
