package docker

import (
	"net/textproto"
	"strings"
	"unicode/utf8"

	"mcp-gw/discovery"
)

// masked stands for a value that nobody is to read.
const masked = "***"

// maxShown bounds the values that diagnostics and reports repeat, in bytes.
const maxShown = 120

// commandHides reports whether one of the words of a command seems to be a secret, or to
// have one behind it.
func commandHides(value string) bool {
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("[]\"', \t", r) })
	for i, w := range words {
		name, set, _ := strings.Cut(w, "=")
		switch {
		case secretValue(w), secretValue(set), discovery.SecretName(lowerASCII(name)) && (set != "" || strings.HasPrefix(w, "-") && i+1 < len(words)):
			return true
		}
	}
	return false
}

// addressLike reports whether value may be an address, whatever it is called: keys are
// misspelt.
func addressLike(key, value string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(value), " ")
	return key == "url" || key == "path" || strings.Contains(first, "://") || strings.HasPrefix(first, "/") && strings.Contains(first, "?")
}

// show returns value as it may be shown: masked where it may be a secret, cut
// where it is long. key is lower case, without prefix.
func show(key, value string) string {
	value = veil(key, value)
	if len(value) <= maxShown {
		return strings.ToValidUTF8(value, "�")
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(value[cut]) {
		cut--
	}
	return strings.ToValidUTF8(value[:cut], "�") + "…"
}

// veil masks what may be a secret in the value of a label. Nothing that is told may be
// made of a value that it changes.
func veil(key, value string) string {
	if strings.HasPrefix(key, severalKey) {
		if _, rest, ok := cutBackend(key); ok {
			key = rest
		}
	}
	switch {
	case secretValue(value) || strings.HasPrefix(key, "headers."):
		return masked
	case key == "stdio.command" && commandHides(value):
		return masked
	case namesSecret(key):
		if !nameLike(value) {
			return masked
		}
	case discovery.SecretName(key) && !strings.HasPrefix(key, "tools.rename."):
		return masked
	case addressLike(key, value):
		return discovery.ShowURL(value)
	}
	return value
}

// nameLike reports whether value looks like the name of a secret, rather than like
// the secret itself written where its name belongs: words, and few digits.
func nameLike(value string) bool {
	const longest, longestWord, mostDigits = 40, 16, 4
	if len(value) > longest || !secretName.MatchString(value) {
		return false
	}
	digits := strings.Count(strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '0'
		}
		return r
	}, value), "0")
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("_.-", r) }) {
		if len(word) > longestWord {
			return false
		}
	}
	return digits <= mostDigits
}

// secretPrefixes begin the tokens of well-known issuers.
var secretPrefixes = []string{
	"bearer ", "basic ", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "sk-", "xoxb-", "xoxp-", "akia", "eyj", "hf_", "npm_",
}

// secretValue reports whether value has the form of a well-known kind of token.
func secretValue(value string) bool {
	const shortest = 12 // "sk-learn" is a word
	if len(value) < shortest {
		return false
	}
	lower := strings.ToLower(value[:shortest])
	for _, p := range secretPrefixes {
		if strings.HasPrefix(lower, p) {
			return true
		}
	}
	return false
}

// ownHeaders are set by the gateway or by HTTP itself; a label that set one
// would break the protocol, or smuggle a second request.
var ownHeaders = map[string]bool{
	"Accept": true, "Connection": true, "Content-Length": true, "Content-Type": true, "Expect": true, "Host": true,
	"Keep-Alive": true, "Last-Event-Id": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true,
}

// checkHeader validates a header and returns its canonical name.
func checkHeader(name, value string) (string, error) {
	if len(name) > 128 || name == "" || strings.ContainsFunc(name, func(r rune) bool { return !tokenRune(r) }) {
		return "", refuse("", "is not the name of an HTTP header")
	}
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	if ownHeaders[canonical] || strings.HasPrefix(canonical, "Mcp-") {
		return "", refuse("", "is a header that the gateway sets itself")
	}
	for i := range len(value) {
		if c := value[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return "", refuse("", "has a control character or a line break in its value")
		}
	}
	return canonical, nil
}

// tokenRune reports whether r may stand in a header name (RFC 9110, token).
func tokenRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return r < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
