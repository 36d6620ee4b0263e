package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

const (
	// callPatience is how long a call may take that nobody said more of.
	callPatience    = time.Minute
	maxCallPatience = 10 * time.Minute
)

// toolCall is the body of POST /api/tools/:name/call.
type toolCall struct {
	Arguments json.RawMessage `json:"arguments"`
	TimeoutMs *int64          `json:"timeoutMs"`
}

type toolCalled struct {
	OK         bool              `json:"ok"`
	DurationMs float64           `json:"durationMs"`
	Result     json.RawMessage   `json:"result,omitempty"`
	Error      string            `json:"error,omitempty"`
	ErrorKind  journal.ErrorKind `json:"errorKind,omitempty"`
	CallID     uint64            `json:"callId,omitempty"`
}

// callTool calls a tool once, on the way of all calls.
func (s *server) callTool(c echo.Context) error {
	var body toolCall
	if err := decode(c.Request().Body, &body); err != nil {
		return err
	}
	arguments := []byte(body.Arguments)
	switch {
	case len(arguments) == 0 || string(arguments) == "null":
		arguments = []byte("{}")
	case arguments[0] != '{':
		return fail(http.StatusBadRequest, "arguments must be an object")
	}
	limit := callPatience
	if body.TimeoutMs != nil {
		limit = time.Duration(min(*body.TimeoutMs, maxCallPatience.Milliseconds()+1)) * time.Millisecond
		if limit <= 0 || limit > maxCallPatience {
			return fail(http.StatusBadRequest, "timeoutMs is %d, must be from 1 to %d", *body.TimeoutMs, maxCallPatience.Milliseconds())
		}
	}
	name := param(c, "name")
	if _, err := s.oneTool(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), limit)
	defer cancel()
	r := s.Gateway.Call(ctx, name, arguments)
	return c.JSON(http.StatusOK, toolCalled{OK: r.Kind == "", DurationMs: float64(r.Took.Microseconds()) / 1000,
		Result: r.Result, Error: r.Error, ErrorKind: r.Kind, CallID: r.ID})
}
