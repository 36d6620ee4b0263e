package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// problem is an answer that says in one sentence what was wrong and what to do.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func fail(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

type errorAnswer struct {
	Error string `json:"error"`
}

// onError is the only place that answers errors. What is not meant for the
// caller goes to the log.
func (s *server) onError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := s.explain(err, c.Request())
	if c.Request().Method == http.MethodHead {
		_ = c.NoContent(status) // the connection has gone; nobody is left to tell
		return
	}
	_ = c.JSON(status, errorAnswer{message}) // likewise
}

func (s *server) explain(err error, r *http.Request) (int, string) {
	if p := (*problem)(nil); errors.As(err, &p) {
		return p.status, p.message
	}
	if h := (*echo.HTTPError)(nil); errors.As(err, &h) {
		// What is not routed has passed no guard.
		if refused := s.Check(r); refused != nil {
			return http.StatusForbidden, refused.Error()
		}
		switch h.Code {
		case http.StatusNotFound:
			return h.Code, fmt.Sprintf("there is nothing at %.200s; /api/openapi.json describes what there is", r.URL.Path)
		case http.StatusMethodNotAllowed:
			return h.Code, fmt.Sprintf("%.20s is not possible on %.200s; /api/openapi.json describes what is", r.Method, r.URL.Path)
		case http.StatusRequestEntityTooLarge:
			most := maxBody
			if strings.HasSuffix(r.URL.Path, "/api/session") {
				most = maxSignIn
			}
			return h.Code, "the body is larger than " + most
		}
	}
	s.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	return http.StatusInternalServerError, "the gateway failed to answer this; its log says why"
}

// guard refuses requests that a foreign web page may have made.
func (s *server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.Check(c.Request()); err != nil {
			return fail(http.StatusForbidden, "%v", err)
		}
		return next(c)
	}
}

// plain says of an answer that it is data of this moment, and no page.
func plain(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		return next(c)
	}
}

// whole reads the body of a request before it is served: who begins to send one and does
// not go on is not waited for.
func (s *server) whole(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Body == nil || r.Body == http.NoBody {
			return next(c)
		}
		// Not every connection has deadlines; a server's has.
		limit := http.NewResponseController(c.Response())
		_ = limit.SetReadDeadline(time.Now().Add(s.patience))
		body, err := io.ReadAll(r.Body)
		if h := (*echo.HTTPError)(nil); errors.As(err, &h) {
			return err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fail(http.StatusRequestTimeout, "the body did not come within %v", s.patience)
		}
		if err != nil {
			return fail(http.StatusBadRequest, "the body could not be read")
		}
		// What comes of it may take as long as it takes, as the answers to it.
		_ = limit.SetReadDeadline(time.Time{})
		r.Body = io.NopCloser(bytes.NewReader(body))
		return next(c)
	}
}

func (s *server) recovery() middleware.RecoverConfig {
	return middleware.RecoverConfig{
		DisableStackAll: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.Log.Error("handler panicked", "method", c.Request().Method, "path", c.Request().URL.Path, "err", err, "stack", string(stack))
			return &problem{http.StatusInternalServerError, "the gateway failed to answer this; its log says why"}
		},
	}
}

// serializer writes JSON without HTML escapes: the backends' own objects pass
// through it, and should look as they came.
type serializer struct{}

func (serializer) Serialize(c echo.Context, v any, indent string) error {
	enc := json.NewEncoder(c.Response())
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(v)
}

func (serializer) Deserialize(c echo.Context, v any) error {
	return decode(c.Request().Body, v)
}

// decode reads one JSON value and nothing after it.
func decode(body io.Reader, into any) error {
	dec := json.NewDecoder(body)
	err := dec.Decode(into)
	if err == nil {
		if _, extra := dec.Token(); extra != io.EOF {
			err = errors.New("something follows the JSON object")
			if h := (*echo.HTTPError)(nil); errors.As(extra, &h) {
				err = extra
			}
		}
	}
	var wrongType *json.UnmarshalTypeError
	var tooLarge *echo.HTTPError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return tooLarge
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fail(http.StatusBadRequest, "%s must be %s, not %s", wrongType.Field, typeName(wrongType), wrongType.Value)
	case errors.Is(err, io.EOF):
		return fail(http.StatusBadRequest, "the body must be a JSON object, and is empty")
	default:
		return fail(http.StatusBadRequest, "the body must be a JSON object: %v", err)
	}
}

func typeName(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "bool":
		return "true or false"
	case "map", "struct":
		return "an object"
	case "slice":
		return "an array"
	default:
		return "a " + e.Type.Kind().String()
	}
}
