package bridge

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Seal makes texts that clients keep for the gateway and can neither read nor
// change: they are encrypted and authenticated (AES-256-GCM). Purposes keep one
// kind of text from being taken for another.
type Seal struct {
	mark string
	aead cipher.AEAD
}

// NewSeal derives the seal of one purpose from the gateway's key. mark begins each
// of its texts, which tells them from other people's.
func NewSeal(key [32]byte, purpose, mark string) *Seal {
	derived := sha256.Sum256(append(key[:], purpose...))
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &Seal{mark, aead}
}

// Close seals content, and binds it to bound, which Open has to give again.
func (s *Seal) Close(content, bound []byte) string {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(content)+s.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return s.mark + base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, content, bound))
}

// Ours reports whether text looks as if Close had made it.
func (s *Seal) Ours(text string) bool { return strings.HasPrefix(text, s.mark) }

var errSeal = errors.New("it was changed, or is not of this gateway")

// strict refuses what decoders forgive: bits behind the last byte, line ends.
var strict = base64.RawURLEncoding.Strict()

// Open answers what Close was given.
func (s *Seal) Open(text string, bound []byte) ([]byte, error) {
	text, ok := strings.CutPrefix(text, s.mark)
	if !ok || strings.ContainsAny(text, "\r\n") {
		return nil, errSeal
	}
	raw, err := strict.DecodeString(text)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return nil, errSeal
	}
	content, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], bound)
	if err != nil {
		return nil, errSeal
	}
	return content, nil
}

// ticket is what a parked call's state says: which call, and until when.
type ticket struct {
	call    uint64
	expires time.Time
}

func (t ticket) bytes() []byte {
	b := binary.BigEndian.AppendUint64(nil, t.call)
	return binary.BigEndian.AppendUint64(b, uint64(t.expires.Unix()))
}

func readTicket(b []byte) (ticket, bool) {
	if len(b) != 16 {
		return ticket{}, false
	}
	return ticket{binary.BigEndian.Uint64(b), time.Unix(int64(binary.BigEndian.Uint64(b[8:])), 0)}, true
}
