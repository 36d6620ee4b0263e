package auth

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const secret = "correct-horse-battery-staple"

func request(header, value string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	return r
}

func TestCheck(t *testing.T) {
	token := NewToken(secret)
	for _, tt := range []struct {
		name, header string
		want         error
		says         string
	}{
		{"the token", "Bearer " + secret, nil, ""},
		{"another case", "bearer  " + secret, nil, ""},
		{"nothing", "", ErrMissing, "MCP_GW_TOKEN"},
		{"another token", "Bearer " + secret + "r", ErrWrong, "MCP_GW_TOKEN"},
		{"a part of it", "Bearer " + secret[:5], ErrWrong, ""},
		{"no token", "Bearer", ErrWrong, ""},
		{"the token alone", secret, ErrMissing, "another word than Bearer"},
		{"another scheme", "Basic " + secret, ErrMissing, `is "Basic"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("", "")
			if tt.header != "" {
				r.Header.Set("Authorization", tt.header)
			}
			err := token.Check(r)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), secret[:5])) {
				t.Errorf("it says %q", err)
			}
		})
	}
}

func TestNoToken(t *testing.T) {
	token := NewToken("")
	if token != nil {
		t.Fatal("an empty token asks for something")
	}
	if err := token.Check(request("", "")); err != nil {
		t.Error(err)
	}
}

func TestChallenge(t *testing.T) {
	for err, want := range map[error]string{
		ErrMissing: `Bearer realm="mcp-gw"`,
		ErrWrong:   `Bearer realm="mcp-gw", error="invalid_token"`,
	} {
		h := http.Header{}
		if Challenge(h, err); h.Get("WWW-Authenticate") != want {
			t.Errorf("%v: %s", err, h)
		}
	}
}

// with adds both halves of a session to a request.
func (s Session) with(r *http.Request) *http.Request {
	r.AddCookie(s.Cookie)
	r.Header.Set(HeaderKey, s.Key)
	return r
}

func TestSession(t *testing.T) {
	token := NewToken(secret)
	now := time.Now()
	one, two, secure := token.NewSession(now, false), token.NewSession(now, false), token.NewSession(now, true)
	for _, s := range []Session{one, secure} {
		c := s.Cookie
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != int(SessionLife.Seconds()) || c.Path != "/" || c.Secure != (s == secure) {
			t.Errorf("cookie %+v", c)
		}
		if strings.Contains(c.String()+s.Key, secret) || strings.Contains(c.Value, s.Key) {
			t.Error("the token, or the other half, is in a half")
		}
	}
	if one.Cookie.Name == secure.Cookie.Name {
		t.Error("a browser keeps one of the two only")
	}
	query := httptest.NewRequest(http.MethodGet, "/api/events?key="+one.Key, nil)
	query.AddCookie(one.Cookie)
	posted := httptest.NewRequest(http.MethodPost, "/mcp?key="+one.Key, nil)
	posted.AddCookie(one.Cookie)
	alone := request("", "")
	alone.AddCookie(one.Cookie)
	mixed := one.with(request("", ""))
	mixed.Header.Set(HeaderKey, two.Key)
	both := httptest.NewRequest(http.MethodGet, "/", nil)
	both.AddCookie(&http.Cookie{Name: one.Cookie.Name, Value: "stale"})
	other := NewToken(secret+"2").NewSession(now, false)
	other.Cookie.Name = one.Cookie.Name
	for _, tt := range []struct {
		name string
		r    *http.Request
		want error
	}{
		{"both halves", one.with(request("", "")), nil},
		{"over TLS", secure.with(request("", "")), nil},
		{"of a stream", query, nil},
		{"what changes something has the key in its header", posted, ErrMissing},
		{"as another port of the machine gets it", alone, ErrMissing},
		{"as it stands in an address", request(HeaderKey, one.Key), ErrMissing},
		{"halves of two sessions", mixed, ErrMissing},
		{"behind a stale cookie of the same name", one.with(both), nil},
		{"beside what a proxy asked for", one.with(request("Authorization", "Basic eDp5")), nil},
		{"beside a token that a proxy adds", one.with(request("Authorization", "Bearer x")), nil},
		{"of another token", other.with(request("", "")), ErrMissing},
		{"of long ago", token.NewSession(now.Add(-SessionLife-time.Second), false).with(request("", "")), ErrMissing},
		{"not base64", Session{&http.Cookie{Name: one.Cookie.Name, Value: "%"}, one.Key}.with(request("", "")), ErrMissing},
		{"no key", Session{one.Cookie, ""}.with(request("", "")), ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := token.Check(tt.r); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	for _, tls := range []bool{false, true} {
		for _, c := range token.NoSession(tls) {
			if c.MaxAge >= 0 || c.Value != "" || c.Name != one.Cookie.Name && c.Name != secure.Cookie.Name {
				t.Errorf("taken away by %+v", c)
			}
		}
	}
	if n := len(token.NoSession(true)); n != 2 {
		t.Errorf("over TLS %d cookies are taken away", n)
	}
}

// No half that is not sealed with the token is believed.
func FuzzSession(f *testing.F) {
	token := NewToken(secret)
	now := time.Unix(1_800_000_000, 0)
	// Not a random one: each of the processes that look has to know it.
	cookie, half := token.halves(now.Add(time.Hour), [16]byte{1, 2, 3})
	key, _ := base64.RawURLEncoding.DecodeString(half)
	f.Add([]byte(cookie), key, 0, byte(1))
	f.Add([]byte(cookie), key, 55, byte(0x80))
	f.Add([]byte(cookie), key[:31], 0, byte(0))
	f.Fuzz(func(t *testing.T, value, given []byte, at int, flip byte) {
		raw, err := base64.RawURLEncoding.DecodeString(string(value))
		if err == nil && len(raw) > 0 {
			raw[uint(at)%uint(len(raw))] ^= flip
			value = []byte(encode(raw))
		}
		same := string(value) == cookie && string(given) == string(key)
		if !same && token.good(string(value), given, now) {
			t.Errorf("%q and %q are taken", value, given)
		}
	})
}
