package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

var (
	smallCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__add","arguments":{"a":1,"b":2}}}`
	largeCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__echo","arguments":{"text":"` + strings.Repeat("x", 64<<10) + `"}}}`
	// What a tool that answers JSON inside a text looks like: the scan's worst case.
	quotedCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__echo","arguments":{"text":"` + strings.Repeat(`{\"key\":\"value\"},`, 64<<10/19) + `"}}}`
	nestedCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__echo","arguments":{"list":[` + strings.Repeat(`{"key":[1,2,3]},`, 64<<10/16) + `0]}}}`
)

func BenchmarkScan(b *testing.B) {
	for name, in := range map[string]string{"100B": smallCall, "64KiB": largeCall, "64KiB-quotes": quotedCall, "64KiB-nested": nestedCall} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(in)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			var m Message
			for b.Loop() {
				if err := m.Scan(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSplice(b *testing.B) {
	raw := []byte(largeCall)
	var m Message
	if err := m.Scan(raw); err != nil {
		b.Fatal(err)
	}
	id, name := []byte("42"), []byte(`"echo"`)
	out := make([]byte, 0, len(raw)+16)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		out = Splice(out[:0], raw, Edit{m.Name, name}, Edit{m.ID, id})
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	for name, in := range map[string]string{"64KiB": largeCall, "64KiB-CR": strings.Repeat("\r", 64<<10)} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(in)
			out := AppendEvent(nil, raw)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				out = AppendEvent(out[:0], raw)
			}
		})
	}
}

func BenchmarkEventReader(b *testing.B) {
	large := AppendEvent(nil, []byte(largeCall))
	small := bytes.Repeat(AppendEvent(nil, []byte(smallCall)), 500)
	returns := []byte(strings.Repeat("data: x\r", 8<<10) + "\r")
	for name, in := range map[string][]byte{"64KiB": large, "500x100B": small, "64KiB-CR": returns} {
		for _, pooled := range []bool{false, true} {
			if pooled {
				name += "-pooled"
			}
			b.Run(name, func(b *testing.B) {
				src := bytes.NewReader(in)
				e := NewEventReader(src, 1<<20)
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
					src.Reset(in)
					if pooled {
						e.Reset(src, 1<<20)
					} else {
						e = NewEventReader(src, 1<<20)
					}
					var err error
					for err == nil {
						_, err = e.Next()
					}
					if err != io.EOF {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
