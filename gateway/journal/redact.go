package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// secretKey matches the names whose values are nobody's business, wherever in
// the JSON they stand. It errs on the safe side: max_tokens is hidden too.
var secretKey = regexp.MustCompile(`(?i)pass|secret|token|authorization|(?:api|access|encryption|signing)[-_]?key|cookie|credential|private`)

// plainKeys are the words before _key that tell of no secret: of databases, caches, queues
// and trackers.
var plainKeys = regexp.MustCompile(`(?i)(?:^|[-_.])(?:primary|foreign|unique|natural|composite|sort|partition|range|row|object|index|public|cache|idempotency|dedup|group|parent|project|issue|epic|space|translation|message)[-_.]key$`)

// namesSecret reports whether the value behind a key is nobody's business.
func namesSecret(key string) bool {
	if secretKey.MatchString(key) {
		return true
	}
	const suffix = "_key" // or with another sign
	at := len(key) - len(suffix)
	return at >= 0 && strings.IndexByte("-_.", key[at]) >= 0 && strings.EqualFold(key[at+1:], suffix[1:]) && !plainKeys.MatchString(key)
}

// secretShapes match what looks like a secret whatever it is called. Where there
// is a group, the group is the secret.
var secretShapes = []struct {
	// hints are lower case; a text with none of them cannot match, and is not searched.
	hints   []string
	pattern *regexp.Regexp
}{
	{[]string{"-----begin"}, regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|$)`)},
	{[]string{"authorization"}, regexp.MustCompile(`(?i)\bauthorization["']?\s*[:=]\s*["']?((?:(?:bearer|basic|token)\s+)?[^\s"']+)`)},
	{[]string{"bearer"}, regexp.MustCompile(`(?i)\bbearer\s+([A-Za-z0-9+/._~-]{20,}=*)`)},
	{[]string{"://"}, regexp.MustCompile(`://[^\s/:@?#]*:([^\s/@]+)@`)},
	{[]string{"://"}, regexp.MustCompile(`://([^\s/:@?#"']+)@`)}, // a user alone is most often a token
	{[]string{"key="}, regexp.MustCompile(`(?i)[?&]key=([^\s&"';,]+)`)},
	{telling, regexp.MustCompile(`(?i)(?:pass|passwd|password|secret|token|api[-_]?key|credential)s?=["']?([^\s&"';,]+)`)},
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, regexp.MustCompile(`gh[pousr]_[A-Za-z0-9]{16,}`)},
	{[]string{"github_pat_"}, regexp.MustCompile(`github_pat_[A-Za-z0-9_]{16,}`)},
	{[]string{"sk-"}, regexp.MustCompile(`(?:^|[^A-Za-z0-9])(sk-[A-Za-z0-9_-]{16,})`)},
	{[]string{"akia"}, regexp.MustCompile(`AKIA[A-Z0-9]{12,}`)},
	{[]string{"xox"}, regexp.MustCompile(`xox[a-z]-[A-Za-z0-9-]{8,}`)},
	{[]string{"eyj"}, regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?`)},
	{[]string{"glpat-"}, regexp.MustCompile(`glpat-[A-Za-z0-9_-]{16,}`)},
	{[]string{"aiza"}, regexp.MustCompile(`AIza[A-Za-z0-9_-]{30,}`)},
	// JSON, or the like, in the middle of a text.
	{telling, regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credential)[A-Za-z0-9_-]*\\?["']\s*:\s*\\?["']([^"'\\]+)`)},
}

// telling are the words that stand before a secret. The longs of s and k, which count as
// these letters in a pattern that minds no case, are not looked for: nobody writes so.
var telling = []string{"pass", "secret", "token", "api", "credential"}

// maxNested bounds how deep JSON within strings within JSON is looked into.
const maxNested = 3

// mask says that something was there, and how long it was.
func mask(chars int) string { return fmt.Sprintf("•••• redacted, %d chars", chars) }

// RedactText masks what looks like a secret in a text.
func RedactText(s string) string {
	lower := strings.ToLower(s)
	for _, shape := range secretShapes {
		if slices.ContainsFunc(shape.hints, func(hint string) bool { return strings.Contains(lower, hint) }) {
			s = replaceGroup(shape.pattern, s)
		}
	}
	return s
}

// shownURL is the mask of discovery.ShowURL.
const shownURL = "xxxxx"

// replaceGroup masks the last group of every match, or all of it.
func replaceGroup(p *regexp.Regexp, s string) string {
	var out strings.Builder
	last := 0
	for _, m := range p.FindAllStringSubmatchIndex(s, -1) {
		from, to := m[len(m)-2], m[len(m)-1]
		if s[from:to] == shownURL || s[from:to] == "••••" || strings.HasPrefix(s[from:to], "•••• redacted, ") {
			continue // masked already
		}
		out.WriteString(s[last:from])
		out.WriteString(mask(utf8.RuneCountInString(s[from:to])))
		last = to
	}
	out.WriteString(s[last:])
	return out.String()
}

// redaction is how a text is shown.
type redaction struct {
	// names are further keys whose values are masked; all says that all are.
	names secretNames
	// below is the key in whose value names count; empty for everywhere.
	below string
	// abridge replaces binary data by its type, size and hash.
	abridge bool
}

// of masks the secrets in a JSON text: whole values behind telling keys, and whatever
// looks like a secret in any other string. All other bytes stay as and where they are.
// The text must be valid.
func (r redaction) of(raw []byte) []byte { return r.nested(raw, 0, r.below == "") }

func (r redaction) nested(raw []byte, nested int, named bool) []byte {
	w := walker{redaction: r, in: raw, nested: nested, named: named, out: make([]byte, 0, len(raw))}
	w.value(false)
	w.space()
	return w.out
}

// walker copies JSON from in to out. It relies on the text being valid, which
// its caller has checked; encoding/json also bounds how deep it nests.
type walker struct {
	redaction
	in     []byte
	pos    int
	nested int
	named  bool // names count here
	out    []byte
}

// space copies white space.
func (w *walker) space() {
	start := w.pos
	for w.pos < len(w.in) && strings.IndexByte(" \t\r\n", w.in[w.pos]) >= 0 {
		w.pos++
	}
	w.out = append(w.out, w.in[start:w.pos]...)
}

// punct copies the next byte: a bracket, a comma or a colon.
func (w *walker) punct() byte {
	b := w.in[w.pos]
	w.pos++
	w.out = append(w.out, b)
	return b
}

// value copies a value, or its mask when it stands behind a secret's key.
func (w *walker) value(secret bool) {
	w.space()
	switch w.in[w.pos] {
	case '{', '[':
		if secret {
			mark := len(w.out)
			w.members()
			w.out = append(w.out[:mark], `"•••• redacted"`...)
			return
		}
		w.members()
	case '"':
		w.text(secret)
	default:
		start := w.pos
		for w.pos < len(w.in) && strings.IndexByte(" \t\r\n,]}", w.in[w.pos]) < 0 {
			w.pos++
		}
		literal := w.in[start:w.pos]
		// true, false and null are no secrets, and say whether one was given.
		if isNumber := literal[0] == '-' || literal[0] <= '9'; secret && isNumber {
			literal = quote(mask(len(literal)))
		}
		w.out = append(w.out, literal...)
	}
}

// members copies an object or an array.
func (w *walker) members() {
	object := w.punct() == '{'
	w.space()
	if end := w.in[w.pos]; end == '}' || end == ']' {
		w.punct()
		return
	}
	var parts described
	outside := w.named
	for {
		secret, key := false, ""
		if object {
			w.space()
			key = w.text(false)
			secret = namesSecret(key) || w.named && w.names.has(key)
			w.space()
			w.punct() // the colon
			w.named = outside || w.below != "" && key == w.below
		}
		if !secret && object && w.abridge && w.described(key, &parts) {
			// nothing is left of it
		} else {
			w.value(secret)
		}
		w.named = outside
		w.space()
		if w.punct() != ',' {
			w.typed(&parts)
			return
		}
	}
}

// text copies a string, and returns what it said. Only a string that has to be
// changed is written anew.
func (w *walker) text(secret bool) string {
	start := w.pos
	for w.pos++; w.in[w.pos] != '"'; w.pos++ {
		if w.in[w.pos] == '\\' {
			w.pos++
		}
	}
	w.pos++
	raw := w.in[start:w.pos]
	s := unquote(raw)
	shown := s
	switch {
	case secret:
		shown = mask(utf8.RuneCountInString(s))
	case !looksLikeJSON(s):
		shown = RedactText(s)
	case w.nested < maxNested:
		shown = string(w.redaction.nested([]byte(s), w.nested+1, w.named))
	default:
		shown = mask(utf8.RuneCountInString(s))
	}
	if shown == s {
		w.out = append(w.out, raw...)
	} else {
		w.out = append(w.out, quote(shown)...)
	}
	return s
}

// looksLikeJSON: an object or an array was packed into a string, as is done with
// request bodies.
func looksLikeJSON(s string) bool {
	s = strings.TrimLeft(s, " \t\r\n")
	return s != "" && (s[0] == '{' || s[0] == '[') && json.Valid([]byte(s))
}

func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return []byte(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
