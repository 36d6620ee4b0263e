package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway"
)

type toolsAnswer struct {
	Tools []tool `json:"tools"`
	// Tokens is what listing them all costs a model, about.
	Tokens int `json:"tokens"`
}

type tool struct {
	gateway.ToolState
	// Tokens is what the tool's description costs a model, about.
	Tokens int `json:"tokens"`
}

// bytesPerToken is the rule of thumb for JSON and English.
const bytesPerToken = 4

func (s *server) listTools(c echo.Context) error {
	states := s.Gateway.Tools()
	a := toolsAnswer{Tools: make([]tool, len(states))}
	for i, t := range states {
		tokens := (len(t.Tool) + bytesPerToken - 1) / bytesPerToken
		a.Tools[i] = tool{t, tokens}
		a.Tokens += tokens
	}
	return c.JSON(http.StatusOK, a)
}
