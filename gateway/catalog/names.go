package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxName is the longest name that a client is shown. Models' providers allow 64
// characters, and clients put their own prefix in front (`mcp__gw__`, `gw:`):
// what they make of a name of 50 still fits.
const MaxName = 50

const (
	separator = "__"
	// hashLen is the hex digits that a changed name ends in. Six are enough for
	// tools that share the rest; where two meet nevertheless, Build doubles them.
	hashLen     = 6
	longestHash = 24
)

// Expose answers the name under which clients see a backend's tool or prompt: the
// backend's name, two underscores, the tool's. What models' providers refuse
// ([A-Za-z0-9_-] is all that they take) becomes an underscore, and what is too
// long is cut. A name that was changed ends in a hash of the original, so that it
// stays the same whatever else is registered, and after a restart. So does one
// whose backend ends in an underscore: of the others the first "__" always ends
// the backend's name, so that no two of them can ever be the same.
func Expose(backend, name string) string {
	return expose(backend+separator, backend, name, name)
}

// expose is Expose with a prefix that somebody may have chosen, and for a tool that
// clients know as listed. The hash is of what the backend calls it.
func expose(prefix, backend, name, listed string) string {
	whole := prefix + listed
	exposed := clean(whole)
	if exposed == whole && len(whole) <= MaxName && !(prefix == backend+separator && strings.HasSuffix(backend, "_")) {
		return whole
	}
	return withHash(exposed, backend, name, hashLen)
}

// Exposed answers the name of one of the backend's tools, were it alone.
func (src *Source) Exposed(name string) string {
	return expose(src.prefix(), src.Backend, name, src.listed(Tools, name))
}

// claim answers a name that no other tool, or no other prompt, has. Two can meet
// when what made them differ was replaced or cut and their hashes are equal too, or
// when one is called by design what the other is by its hash. The later one takes a
// longer hash then. It answers false for what the backend itself listed before.
func (l *list) claim(src *Source, name, listed string) (exposed string, ok bool) {
	backend, prefix := src.Backend, src.prefix()
	exposed = expose(prefix, backend, name, listed)
	if src.imitates(exposed) { // behind the usual prefix it is its own, and a hash tells it from what is so by right
		prefix = backend + separator
		exposed = withHash(clean(prefix+listed), backend, name, hashLen)
	}
	for hash := hashLen; ; hash *= 2 {
		i, taken := l.byName[exposed]
		if !taken {
			return exposed, true
		}
		if e := l.at(i); e.Backend == backend && e.Name == name || hash > longestHash {
			return "", false
		}
		exposed = withHash(clean(prefix+listed), backend, name, hash)
	}
}

// clean replaces every byte that is not legal in a name.
func clean(name string) string {
	for i := range len(name) {
		if !legal(name[i]) {
			b := []byte(name)
			for ; i < len(b); i++ {
				if !legal(b[i]) {
					b[i] = '_'
				}
			}
			return string(b)
		}
	}
	return name
}

// withHash ends a name in n hex digits of the hash of what it stands for, within
// MaxName.
func withHash(exposed, backend, name string, n int) string {
	sum := sha256.Sum256([]byte(backend + "\x00" + name))
	exposed = exposed[:min(len(exposed), MaxName-n-1)]
	return exposed + "_" + hex.EncodeToString(sum[:])[:n]
}

func legal(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
