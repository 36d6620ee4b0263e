package catalog

import (
	"strconv"
	"strings"
)

// How a URI is written when it must tell whose it is, which is when several
// backends list it:
//
//	ui://x             ui://<backend>/x, for hosts know an app by its scheme
//	everything else    mcp-gw+<backend>+<the URI>
//
// Both are the URI with something in front, so that a template stays one, and
// what it expands to is written as the URI itself would be. A listed URI that
// happens to look like one that is written so makes the backend write another
// number of the same form: ui://<backend>+2/x, mcp-gw-2+<backend>+<the URI>.
const (
	ownScheme = "mcp-gw"
	appPrefix = "ui://"
)

// form is one of the ways to write a URI.
type form uint8

const (
	byScheme form = iota
	byHost        // ui://
	forms
)

func formOf(uri string) form {
	if strings.HasPrefix(uri, appPrefix) {
		return byHost
	}
	return byScheme
}

// code answers the backend's name as it may stand in a scheme or host, the
// same for no other name: lower case letters, digits and hyphens are themselves,
// every other byte is a full stop and two hexadecimal digits.
func code(backend string) string {
	const hex = "0123456789abcdef"
	var b []byte
	for i := range len(backend) {
		c := backend[i]
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
		if !plain && b == nil {
			b = append(make([]byte, 0, 3*len(backend)), backend[:i]...)
		}
		switch {
		case !plain:
			b = append(b, '.', hex[c>>4], hex[c&15])
		case b != nil:
			b = append(b, c)
		}
	}
	if b == nil {
		return backend
	}
	return string(b)
}

// front answers what the nth form of a backend's URIs begins with in place of
// what they begin with themselves (nothing, or ui://).
func front(f form, code string, n int) string {
	number := ""
	if n > 1 {
		number = strconv.Itoa(n)
	}
	switch {
	case f == byHost && n > 1:
		return appPrefix + code + "+" + number + "/"
	case f == byHost:
		return appPrefix + code + "/"
	case n > 1:
		return ownScheme + "-" + number + "+" + code + "+"
	}
	return ownScheme + "+" + code + "+"
}

// written is a URI read as one that front was put in front of.
type written struct {
	form form
	n    int
	code string
	uri  string // as its backend knows it
}

// read undoes front. Whether there is a backend with this code is for the caller
// to find out.
func read(exposed string) (w written, ok bool) {
	if host, ok := strings.CutPrefix(exposed, appPrefix); ok {
		host, rest, ok := strings.Cut(host, "/")
		code, number, numbered := strings.Cut(host, "+")
		w = written{byHost, 1, code, appPrefix + rest}
		if numbered {
			w.n = count(number)
		}
		return w, ok && w.n > 0
	}
	rest, ok := strings.CutPrefix(exposed, ownScheme)
	if !ok {
		return w, false
	}
	head, rest, ok := strings.Cut(rest, "+")
	if !ok {
		return w, false
	}
	n := 1
	if number, numbered := strings.CutPrefix(head, "-"); numbered {
		n = count(number)
	} else if head != "" {
		return w, false
	}
	code, uri, ok := strings.Cut(rest, "+")
	return written{byScheme, n, code, uri}, ok && n > 0 && uri != ""
}

// count reads a number of a form as front writes it, from 2 on, and answers 0
// for everything else.
func count(number string) int {
	n, err := strconv.Atoi(number)
	if err != nil || n < 2 || len(number) > 9 || strconv.Itoa(n) != number {
		return 0
	}
	return n
}

// absolute reports whether a URI has a scheme (RFC 3986, 3.1): clients that read
// it as a URL refuse the whole list when it has none.
func absolute(uri string) bool {
	for i := range len(uri) {
		switch c := uri[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return i > 0 && c == ':'
		}
	}
	return false
}
