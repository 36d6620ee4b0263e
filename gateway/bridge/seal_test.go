package bridge

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	key := [32]byte{1}
	s := NewSeal(key, "one", "mark.")
	for _, content := range []string{"", "x", strings.Repeat("long ", 500), "\x00\xff"} {
		text := s.Close([]byte(content), []byte("bound"))
		if again := s.Close([]byte(content), []byte("bound")); again == text {
			t.Error("two texts are equal")
		}
		if !s.Ours(text) || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("text %q", text)
		}
		if len(content) > 1 && strings.Contains(text, content) {
			t.Errorf("the content can be read in %q", text)
		}
		got, err := s.Open(text, []byte("bound"))
		if err != nil || string(got) != content {
			t.Errorf("%q: %q, %v", content, got, err)
		}
		for what, opened := range map[string]func() ([]byte, error){
			"other bound":   func() ([]byte, error) { return s.Open(text, []byte("other")) },
			"no bound":      func() ([]byte, error) { return s.Open(text, nil) },
			"other purpose": func() ([]byte, error) { return NewSeal(key, "two", "mark.").Open(text, []byte("bound")) },
			"other key":     func() ([]byte, error) { return NewSeal([32]byte{2}, "one", "mark.").Open(text, []byte("bound")) },
			"without mark":  func() ([]byte, error) { return s.Open(strings.TrimPrefix(text, "mark."), []byte("bound")) },
			"mark twice":    func() ([]byte, error) { return s.Open("mark."+text, []byte("bound")) },
		} {
			if got, err := opened(); err == nil {
				t.Errorf("%s: %q was opened", what, got)
			}
		}
	}
	if got, err := NewSeal(key, "one", "mark.").Open(s.Close([]byte("x"), nil), nil); err != nil || string(got) != "x" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
}

// The last letter of base64 may have bits that say nothing, and decoders that forgive
// them: then one text would have several forms.
func TestSealHasOneForm(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := NewSeal([32]byte{1}, "one", "")
	for n := range 6 { // all remainders
		text := s.Close(bytes.Repeat([]byte("x"), n), nil)
		for _, c := range alphabet {
			if other := text[:len(text)-1] + string(c); other != text {
				if _, err := s.Open(other, nil); err == nil {
					t.Errorf("%q opens as %q does", other, text)
				}
			}
			if _, err := s.Open(text+string(c), nil); err == nil {
				t.Errorf("%q with %q opens", text, c)
			}
		}
		for _, more := range []string{"\n", "\r", "=", "==", "AAAA", "\x00"} {
			for _, other := range []string{text + more, more + text, text[:5] + more + text[5:]} {
				if _, err := s.Open(other, nil); err == nil {
					t.Errorf("%q opens", other)
				}
			}
		}
	}
}

func TestTicket(t *testing.T) {
	for n := range 40 {
		if _, ok := readTicket(make([]byte, n)); ok != (n == 16) {
			t.Errorf("%d bytes: %v", n, ok)
		}
	}
}

func FuzzSeal(f *testing.F) {
	s := NewSeal([32]byte{1}, "one", "m.")
	made := s.Close([]byte("content"), []byte("bound"))
	f.Add(made, []byte("bound"))
	f.Add(made+"A", []byte("bound"))
	f.Add("m.", []byte(""))
	f.Add("m.AAAAAAAAAAAAAAAA", []byte(""))
	f.Add("", []byte("bound"))
	f.Fuzz(func(t *testing.T, text string, bound []byte) {
		content, err := s.Open(text, bound)
		if err == nil {
			raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "m."))
			if string(bound) != "bound" || string(content) != "content" || text != "m."+base64.RawURLEncoding.EncodeToString(raw) {
				t.Errorf("%q was opened with %q: %q", text, bound, content)
			}
		}
		again := s.Close([]byte(text), bound)
		if content, err = s.Open(again, bound); err != nil || string(content) != text {
			t.Errorf("%q comes back as %q: %v", text, content, err)
		}
	})
}
