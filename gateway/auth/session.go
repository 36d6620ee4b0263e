package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

// SessionLife is how long a browser stays signed in.
const SessionLife = 30 * 24 * time.Hour

// HeaderKey has the key of a session, which a page sends with each request. What cannot
// have a header, as a stream of events, has it in the query, as QueryKey.
const (
	HeaderKey = "X-MCP-GW-Key"
	QueryKey  = "key"
)

// Session is what a browser that has shown the token gets in its place: two halves, each
// worth nothing without the other. A browser sends its cookies to every port of a
// machine, and so to servers that are not to have this one; the key is the page's own,
// and stands in addresses. Neither can be made without the token, both end by themselves,
// and with another token of the gateway.
type Session struct {
	Cookie *http.Cookie
	Key    string
}

// NewSession makes a session. secure says that the page was reached over TLS: then the
// cookie is sent over nothing else.
func (t *Token) NewSession(now time.Time, secure bool) Session {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	c := t.blank(secure)
	c.MaxAge = int(SessionLife / time.Second)
	s := Session{Cookie: c}
	c.Value, s.Key = t.halves(now.Add(SessionLife), nonce)
	return s
}

func (t *Token) halves(end time.Time, nonce [16]byte) (cookie, key string) {
	text := append(binary.BigEndian.AppendUint64(nil, uint64(end.Unix())), nonce[:]...)
	return encode(append(text, t.proof("cookie", text)...)), encode(t.proof("key", text))
}

// NoSession are the cookies that take those of a session away.
func (t *Token) NoSession(secure bool) []*http.Cookie {
	all := []*http.Cookie{t.blank(false)}
	if secure { // over anything else a browser takes nothing back that is for TLS only
		all = append(all, t.blank(true))
	}
	for _, c := range all {
		c.MaxAge = -1
	}
	return all
}

// blank is a cookie without a value. One that is for TLS only has a name of its own: a
// browser that has it lets nothing take its place that is not.
func (t *Token) blank(secure bool) *http.Cookie {
	name := t.cookie
	if secure {
		name += "-tls"
	}
	return &http.Cookie{Name: name, Path: "/", Secure: secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (t *Token) proof(what string, text []byte) []byte {
	mac := hmac.New(sha256.New, t.seal)
	_, _ = mac.Write(append([]byte(what), text...)) // never fails
	return mac.Sum(nil)
}

// signedIn reports whether r has both halves of one session.
func (t *Token) signedIn(r *http.Request, now time.Time) bool {
	given := r.Header.Get(HeaderKey)
	if given == "" && r.Method == http.MethodGet {
		given = r.URL.Query().Get(QueryKey)
	}
	key, err := base64.RawURLEncoding.DecodeString(given)
	if err != nil || len(key) == 0 {
		return false
	}
	for _, secure := range []bool{false, true} {
		for _, c := range r.CookiesNamed(t.blank(secure).Name) {
			if t.good(c.Value, key, now) {
				return true
			}
		}
	}
	return false
}

func (t *Token) good(value string, key []byte, now time.Time) bool {
	const head = 8 + 16
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(raw) != head+sha256.Size {
		return false
	}
	text := raw[:head]
	return hmac.Equal(raw[head:], t.proof("cookie", text)) && hmac.Equal(key, t.proof("key", text)) &&
		now.Before(time.Unix(int64(binary.BigEndian.Uint64(text)), 0))
}
