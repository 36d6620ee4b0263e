package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

// CookieLife is how long a browser stays signed in.
const CookieLife = 30 * 24 * time.Hour

// Cookie is what a browser that has shown the token gets in its place. It cannot be made
// without the token, ends by itself, is out of scripts' reach, and is worth nothing once
// the gateway has another token. Path and Secure are the caller's to set.
func (t *Token) Cookie(now time.Time) *http.Cookie {
	c := t.blank()
	c.Value = t.sealed(now.Add(CookieLife))
	c.MaxAge = int(CookieLife / time.Second)
	return c
}

// NoCookie takes that cookie away again.
func (t *Token) NoCookie() *http.Cookie {
	c := t.blank()
	c.MaxAge = -1
	return c
}

func (t *Token) blank() *http.Cookie {
	return &http.Cookie{Name: t.cookie, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// sealed is the value of a cookie: when it ends, and the proof that this was said here.
func (t *Token) sealed(end time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(end.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(text, t.proof(text)...))
}

func (t *Token) proof(text []byte) []byte {
	mac := hmac.New(sha256.New, t.seal)
	_, _ = mac.Write(text) // never fails
	return mac.Sum(nil)
}

// signedIn reports whether r comes from the gateway's own page in a browser that is
// signed in.
func (t *Token) signedIn(r *http.Request) bool {
	// A browser sends cookies to all ports of a machine, and counts pages of another port
	// as of the same site. Those have to show the token themselves.
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	for _, c := range r.CookiesNamed(t.cookie) {
		if t.good(c.Value, time.Now()) {
			return true
		}
	}
	return false
}

func (t *Token) good(value string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(raw) != 8+sha256.Size {
		return false
	}
	end := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	return hmac.Equal(raw[8:], t.proof(raw[:8])) && now.Before(end)
}
