package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

type changesAnswer struct {
	// Changes are the last ones, newest first.
	Changes []journal.Change `json:"changes"`
}

func (s *server) listChanges(c echo.Context) error {
	return c.JSON(http.StatusOK, changesAnswer{s.Gateway.Journal().Changes("")})
}
