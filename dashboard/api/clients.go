package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway/journal"
)

type clientsAnswer struct {
	Clients []journal.ClientState `json:"clients"` // those used last first
	Refused []journal.Refusal     `json:"refused"` // newest first
}

func (s *server) listClients(c echo.Context) error {
	clients, refused := s.Gateway.Journal().Clients()
	return c.JSON(http.StatusOK, clientsAnswer{clients, refused})
}

// endClient ends a client's session. The client may begin another one.
func (s *server) endClient(c echo.Context) error {
	id := param(c, "id")
	if s.Gateway.EndSession(id) {
		return c.JSON(http.StatusOK, map[string]bool{"ok": true})
	}
	client, known := s.Gateway.Journal().Client(id)
	switch {
	case !known:
		return fail(http.StatusNotFound, "no client has the id %.100q; GET /api/clients lists those that were seen", id)
	case client.Era == "modern":
		return fail(http.StatusConflict, "%s has no session that could be ended: its requests stand each for itself", client.Name)
	}
	return fail(http.StatusConflict, "the session of %s is over already", client.Name)
}
