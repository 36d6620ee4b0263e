package api

import (
	"net/http"
	"net/url"
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

// signIn takes the token once, and gives the browser a cookie for it: a stream of events
// cannot send a header, and no script has to keep the token.
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
	s.setCookie(c, s.Token.Cookie(time.Now()))
	return c.NoContent(http.StatusNoContent)
}

func (s *server) signOut(c echo.Context) error {
	if s.Token != nil {
		s.setCookie(c, s.Token.NoCookie())
	}
	return c.NoContent(http.StatusNoContent)
}

// setCookie sets a cookie for as little as possible: where the page is reached from
// outside as BaseURL says, for what is below its path; over TLS, for nothing else.
func (s *server) setCookie(c echo.Context, cookie *http.Cookie) {
	cookie.Path = "/"
	origin := c.Request().Header.Get("Origin") // which each browser sends with what is no GET
	if base, err := url.Parse(s.BaseURL); err == nil && origin != "" && origin == base.Scheme+"://"+base.Host {
		cookie.Path = base.Path + "/"
	}
	cookie.Secure = strings.HasPrefix(origin, "https://")
	c.SetCookie(cookie)
}
