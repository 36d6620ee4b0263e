package api

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// page serves the files that a browser asks for.
func (s *server) page(c echo.Context) error {
	if s.Page == nil {
		return fail(http.StatusNotFound, "the dashboard is switched off (MCP_GW_DASHBOARD=off); /api/openapi.json describes the API")
	}
	s.Page.ServeHTTP(c.Response(), c.Request())
	return nil
}

// basePath is the path of BaseURL, empty where that has none.
func (s *server) basePath() string {
	u, err := url.Parse(s.BaseURL)
	if err != nil {
		return "" // it was checked where it was set
	}
	return u.Path
}

// below serves everything under path as well as at the root: some proxies take the
// path away before they pass a request on, some do not, and whoever stands beside
// the proxy knows of no path.
func below(path string, next http.Handler) http.Handler {
	if path == "" {
		return next
	}
	stripped := http.StripPrefix(path, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, path+"/"):
			stripped.ServeHTTP(w, r)
		case r.URL.Path == path && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			// What the page refers to lies beside it, and that is decided by the slash.
			http.Redirect(w, r, path+"/", http.StatusPermanentRedirect)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// headerDeliberate says of a request that no foreign page can have made it: a browser
// asks the server first before it sends such a header elsewhere.
const headerDeliberate = "X-MCP-GW"

// deliberate refuses what would change something and that a form or a script of a
// foreign page could send without the browser asking first.
//
// The guard has seen Host and Origin already, and takes pages of this very machine,
// which is as much as many development servers. A browser gives its requests Origin
// or Sec-Fetch-Site, which no page can take off; whatever has neither is a program,
// and may send what it always could.
func deliberate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return next(c)
		}
		browser := r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		json := err == nil && kind == echo.MIMEApplicationJSON
		if browser && !json && r.Header.Get(headerDeliberate) == "" {
			return fail(http.StatusForbidden, "a page's request that changes something needs the header Content-Type: application/json, or %s: 1", headerDeliberate)
		}
		return next(c)
	}
}

// writable refuses everything that would change something where the dashboard is for
// reading only.
func (s *server) writable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if method := c.Request().Method; s.ReadOnly && method != http.MethodGet && method != http.MethodHead {
			return fail(http.StatusForbidden, "this gateway is read-only (MCP_GW_DASHBOARD=readonly): nothing can be changed or called through its API")
		}
		return next(c)
	}
}
