package api

import (
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

// usualCalls is how many calls are answered when nobody says how many, maxCalls the most.
const (
	usualCalls = 100
	maxCalls   = 500
)

type callsAnswer struct {
	Calls []journal.Call `json:"calls"` // newest first
	// Oldest is the id of the oldest call that is kept, 0 for none; Kept how many are.
	Oldest    uint64       `json:"oldest"`
	Kept      int          `json:"kept"`
	Redaction journal.Mode `json:"redaction"`
}

func (s *server) listCalls(c echo.Context) error {
	before, err := numberParam(c, "before", math.MaxInt64, math.MaxInt64)
	if err != nil {
		return err
	}
	limit, err := numberParam(c, "limit", usualCalls, maxCalls)
	if err != nil {
		return err
	}
	book := s.Gateway.Journal()
	a := callsAnswer{Redaction: book.Traffic()}
	a.Calls, a.Oldest, a.Kept = book.CallsBefore(before, int(limit), c.QueryParam("protocol") == "true")
	return c.JSON(http.StatusOK, a)
}

// numberParam reads a parameter of the query, from 1 to most.
func numberParam(c echo.Context, name string, usual, most uint64) (uint64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > most {
		return 0, fail(http.StatusBadRequest, "%s=%.40q is not a number from 1 to %d", name, text, most)
	}
	return n, nil
}

func (s *server) showCall(c echo.Context) error {
	text := param(c, "id")
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fail(http.StatusNotFound, "%.40q is not the id of a call; GET /api/calls lists them", text)
	}
	book := s.Gateway.Journal()
	d, there := book.CallByID(id)
	if !there {
		if _, oldest, kept := book.CallsBefore(1, 1, false); kept > 0 {
			return fail(http.StatusNotFound, "call %d is not kept any more, or was never made: the oldest that is kept is %d", id, oldest)
		}
		return fail(http.StatusNotFound, "there is no call %d: none is kept", id)
	}
	return c.JSON(http.StatusOK, d)
}
