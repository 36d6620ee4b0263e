package wire

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// corpus adds what earlier fuzzing found interesting: testdata/corpus has one input a
// line, its arguments as Go writes them, with tabs between.
func corpus(f *testing.F) {
	f.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "corpus", f.Name()+".txt"))
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var args []any
		for literal := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\t") {
			args = append(args, argument(f, literal))
		}
		f.Add(args...)
	}
}

// argument reads one literal such as []byte("x"), uint64(7) or byte('\x02').
func argument(f *testing.F, literal string) any {
	f.Helper()
	kind, value, _ := strings.Cut(strings.TrimSuffix(literal, ")"), "(")
	switch kind {
	case "[]byte", "string":
		text, err := strconv.Unquote(value)
		if err != nil {
			f.Fatalf("%s: %v", literal, err)
		}
		if kind == "string" {
			return text
		}
		return []byte(text)
	case "byte":
		c, _, _, err := strconv.UnquoteChar(value[1:len(value)-1], '\'')
		if err != nil {
			f.Fatalf("%s: %v", literal, err)
		}
		return byte(c)
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(kind, "uint"))
	if err != nil {
		f.Fatalf("%s: a kind that no target has", literal)
	}
	n, err := strconv.ParseUint(value, 10, bits)
	if err != nil {
		f.Fatalf("%s: %v", literal, err)
	}
	switch bits {
	case 8:
		return uint8(n)
	case 16:
		return uint16(n)
	}
	return n
}
