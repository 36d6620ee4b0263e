// Package auth decides who may use the gateway: everybody, or whoever has its token.
package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Token is the one secret that whoever uses the gateway has to show: programs in the
// header of each request, a browser once, for a session. A nil *Token asks for nothing.
// Its methods may be called at the same time.
type Token struct {
	sum    [sha256.Size]byte // compared in place of the secret: of one length, whatever is sent
	cookie string            // the cookie's name
	seal   []byte            // what sessions are sealed with
}

// NewToken answers the token that is secret, nil for "". The secret itself is not kept.
func NewToken(secret string) *Token {
	if secret == "" {
		return nil
	}
	derive := func(what string) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write([]byte("mcp-gw " + what)) // never fails
		return mac.Sum(nil)
	}
	return &Token{
		sum: sha256.Sum256([]byte(secret)),
		// Cookies do not know of ports: two gateways of one machine have one each, unless
		// they have the same token.
		cookie: "mcp-gw-" + hex.EncodeToString(derive("cookie name")[:4]),
		seal:   derive("session seal"),
	}
}

// What Check says of a request. Both are sentences for a person.
var (
	ErrMissing = errors.New("this gateway asks for its token, the value of MCP_GW_TOKEN, as a bearer token in the header Authorization")
	ErrWrong   = errors.New("the token is not the one that this gateway was started with (MCP_GW_TOKEN)")
)

// Is reports whether secret is the token. How long it takes tells nothing of the token.
func (t *Token) Is(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1
}

// Check answers why r may not pass, nil when it may: it has the token as bearer token
// (RFC 6750, section 2.1), or a browser's session. The error wraps ErrMissing or ErrWrong.
func (t *Token) Check(r *http.Request) error {
	if t == nil {
		return nil
	}
	header := r.Header.Get("Authorization")
	scheme, secret, both := strings.Cut(header, " ")
	bearer := strings.EqualFold(scheme, "Bearer")
	// What else is there may be meant for a proxy on the way, or come from it.
	if bearer && t.Is(strings.TrimSpace(secret)) || t.signedIn(r, time.Now()) {
		return nil
	}
	switch {
	case bearer:
		return ErrWrong
	case both:
		return fmt.Errorf("%w; what is there is %.20q", ErrMissing, scheme)
	case header != "":
		return fmt.Errorf("%w; what is there begins with another word than Bearer", ErrMissing) // what is there may be a token
	}
	return ErrMissing
}

// Challenge says in the header of an answer with status 401 what is asked for (RFC 6750,
// section 3). It names no resource_metadata: there is nobody here who gives out tokens.
func Challenge(h http.Header, err error) {
	challenge := `Bearer realm="mcp-gw"`
	if errors.Is(err, ErrWrong) {
		challenge += `, error="invalid_token"`
	}
	h.Set("WWW-Authenticate", challenge)
}
