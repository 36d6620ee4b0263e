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

func TestCookie(t *testing.T) {
	token := NewToken(secret)
	now := time.Now()
	c := token.Cookie(now)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != int(CookieLife.Seconds()) {
		t.Errorf("cookie %+v", c)
	}
	if strings.Contains(c.String(), secret) {
		t.Error("the token is in the cookie")
	}
	with := func(c *http.Cookie, header, value string) *http.Request {
		r := request(header, value)
		r.AddCookie(c)
		return r
	}
	for _, tt := range []struct {
		name string
		r    *http.Request
		want error
	}{
		{"as it was given", with(c, "", ""), nil},
		{"of the page itself", with(c, "Sec-Fetch-Site", "same-origin"), nil},
		{"typed by a person", with(c, "Sec-Fetch-Site", "none"), nil},
		{"of a page on another port", with(c, "Sec-Fetch-Site", "same-site"), ErrMissing},
		{"of a page elsewhere", with(c, "Sec-Fetch-Site", "cross-site"), ErrMissing},
		{"beside what a proxy asked for", with(c, "Authorization", "Basic eDp5"), nil},
		{"beside a wrong token", with(c, "Authorization", "Bearer x"), ErrWrong},
		{"of another token", with(NewToken(secret+"2").Cookie(now), "", ""), ErrMissing},
		{"under its name, of another token", with(&http.Cookie{Name: c.Name, Value: NewToken(secret + "2").Cookie(now).Value}, "", ""), ErrMissing},
		{"of long ago", with(token.Cookie(now.Add(-CookieLife-time.Second)), "", ""), ErrMissing},
		{"empty", with(token.NoCookie(), "", ""), ErrMissing},
		{"not base64", with(&http.Cookie{Name: c.Name, Value: "%"}, "", ""), ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := token.Check(tt.r); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	both := with(&http.Cookie{Name: c.Name, Value: "stale"}, "", "")
	both.AddCookie(c)
	if err := token.Check(both); err != nil {
		t.Errorf("behind a stale one of the same name: %v", err)
	}
}

// No end that is not sealed with the token is believed.
func FuzzCookie(f *testing.F) {
	token := NewToken(secret)
	now := time.Unix(1_800_000_000, 0)
	good := token.sealed(now.Add(time.Hour))
	f.Add([]byte(good), 0, byte(1))
	f.Add([]byte(good), 39, byte(0x80))
	f.Fuzz(func(t *testing.T, value []byte, at int, flip byte) {
		raw, err := base64.RawURLEncoding.DecodeString(string(value))
		if err == nil && len(raw) > 0 {
			raw[uint(at)%uint(len(raw))] ^= flip
			value = []byte(base64.RawURLEncoding.EncodeToString(raw))
		}
		if string(value) != good && token.good(string(value), now) {
			t.Errorf("%q is taken", value)
		}
	})
}
