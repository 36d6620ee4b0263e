package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/auth"
	"mcp-gw/gateway/journal"
)

// known refuses whoever does not show the gateway's token, where it has one.
func (s *server) known(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.Token.Check(c.Request()); err != nil {
			auth.Challenge(c.Response().Header(), err)
			return fail(http.StatusUnauthorized, "%v", err)
		}
		return next(c)
	}
}

// noOAuth answers clients that look for a place to sign in: there is none. Some show what
// they get here instead of what refused them, so it says the same.
func (s *server) noOAuth(c echo.Context) error {
	if s.Token == nil {
		return echo.ErrNotFound
	}
	return fail(http.StatusNotFound, "there is no OAuth here: %v", auth.ErrMissing)
}

type sessionAnswer struct {
	// Required says whether the gateway asks for a token.
	Required bool `json:"required"`
	// SignedIn says whether this browser needs no further one.
	SignedIn bool `json:"signedIn"`
}

func (s *server) showSession(c echo.Context) error {
	return c.JSON(http.StatusOK, sessionAnswer{Required: s.Token != nil, SignedIn: s.Token.Check(c.Request()) == nil})
}

type signInAnswer struct {
	// Key is the page's half of the session.
	Key string `json:"key"`
}

// signIn takes the token once, and gives the browser a session for it: no script has to
// keep the token.
func (s *server) signIn(c echo.Context) error {
	if s.Token == nil {
		return fail(http.StatusNotFound, "this gateway asks for no token; MCP_GW_TOKEN sets one")
	}
	var body struct {
		Token string `json:"token"`
	}
	if err := decode(c.Request().Body, &body); err != nil {
		return err
	}
	if !s.Token.Is(strings.TrimSpace(body.Token)) {
		if s.wrong.Allow() { // or whoever tries them all would fill the log
			s.Gateway.Journal().System(journal.LevelWarn, "Somebody at "+c.RealIP()+" tried to sign in with a wrong token")
		}
		return fail(http.StatusUnauthorized, "%v", auth.ErrWrong)
	}
	session := s.Token.NewSession(time.Now(), overTLS(c.Request()))
	c.SetCookie(session.Cookie)
	return c.JSON(http.StatusOK, signInAnswer{session.Key})
}

func (s *server) signOut(c echo.Context) error {
	if s.Token != nil {
		for _, cookie := range s.Token.NoSession(overTLS(c.Request())) {
			c.SetCookie(cookie)
		}
	}
	return c.NoContent(http.StatusNoContent)
}

// overTLS reports whether the browser has reached this over TLS, on whose side of a proxy
// ever that ends: with what is no GET, a browser says where its page is from.
func overTLS(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Origin"), "https://")
}
