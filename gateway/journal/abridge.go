package journal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// minBinary is from which length on base64 is taken for a file rather than for a word.
const minBinary = 64

// described is what a walker found out about the binary data in one object.
type described struct {
	hole int    // where its type belongs in the output; 0 for nowhere
	kind string // its media type
}

// described replaces the value of a key that stands for binary data (data of an image or
// a sound, blob of a resource) by its size and hash. False: it is something else.
func (w *walker) described(key string, parts *described) bool {
	if key != "data" && key != "blob" && key != "mimeType" {
		return false
	}
	start := w.pos
	for start < len(w.in) && strings.IndexByte(" \t\r\n", w.in[start]) >= 0 {
		start++
	}
	if w.in[start] != '"' {
		return false
	}
	end := start + 1
	for w.in[end] != '"' {
		if w.in[end] == '\\' {
			end++
		}
		end++
	}
	value := unquote(w.in[start : end+1])
	if key == "mimeType" {
		parts.kind = value
		return false
	}
	if len(value) < minBinary {
		return false
	}
	bytes, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		if bytes, err = base64.RawURLEncoding.DecodeString(value); err != nil {
			return false
		}
	}
	hash := sha256.Sum256(bytes)
	w.out = append(w.out, '{')
	parts.hole = len(w.out)
	w.out = fmt.Appendf(w.out, `"bytes":%d,"sha256":"%s"}`, len(bytes), hex.EncodeToString(hash[:]))
	w.pos = end + 1
	return true
}

// typed puts the media type, which stands beside the data, to the rest.
func (w *walker) typed(parts *described) {
	if parts.hole > 0 && parts.kind != "" {
		text := append(append([]byte(`"type":`), quote(RedactText(parts.kind))...), ',')
		w.out = slices.Insert(w.out, parts.hole, text...)
	}
}
