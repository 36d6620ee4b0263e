package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

type toolsAnswer struct {
	Tools []tool `json:"tools"`
	// Tokens is what the list that clients see costs a model, about.
	Tokens int `json:"tokens"`
	// Total is how many tools there are, Exposed how many of them clients see.
	Total   int `json:"total"`
	Exposed int `json:"exposed"`
	// SavedIn is the file in which switches are saved.
	SavedIn string `json:"savedIn"`
}

type tool struct {
	gateway.ToolState
	// SavedIn is the file that says that it is switched off.
	SavedIn string `json:"savedIn,omitempty"`
}

// exposed reports whether clients see the tool.
func exposed(t gateway.ToolState) bool { return t.Enabled && t.Hidden == "" }

func (s *server) tool(t gateway.ToolState) tool {
	shown := tool{ToolState: t}
	if !t.Enabled && t.Locked == "" && t.Hidden == "" {
		shown.SavedIn = s.Switches.Path()
	}
	return shown
}

func (s *server) listTools(c echo.Context) error {
	states := s.Gateway.Catalogue().Tools
	a := toolsAnswer{Tools: make([]tool, len(states)), Total: len(states), SavedIn: s.Switches.Path()}
	for i, t := range states {
		a.Tools[i] = s.tool(t)
		if exposed(t) {
			a.Exposed++
			a.Tokens += t.Tokens
		}
	}
	return c.JSON(http.StatusOK, a)
}

type callersAnswer struct {
	Callers []journal.Caller `json:"callers"` // the latest first
	// Since is when the oldest call was that is kept, of whatever; empty when none is.
	Since string `json:"since,omitempty"`
}

func (s *server) listCallers(c echo.Context) error {
	t, err := s.oneTool(param(c, "name"))
	if err != nil {
		return err
	}
	var a callersAnswer
	a.Callers, a.Since = s.Gateway.Journal().Callers(t.Backend, t.OriginalName)
	return c.JSON(http.StatusOK, a)
}

type resourcesAnswer struct {
	Resources []gateway.ResourceState `json:"resources"`
	Templates []gateway.TemplateState `json:"templates"`
}

func (s *server) listResources(c echo.Context) error {
	all := s.Gateway.Catalogue()
	return c.JSON(http.StatusOK, resourcesAnswer{all.Resources, all.Templates})
}

type promptsAnswer struct {
	Prompts []gateway.PromptState `json:"prompts"`
}

func (s *server) listPrompts(c echo.Context) error {
	return c.JSON(http.StatusOK, promptsAnswer{s.Gateway.Catalogue().Prompts})
}
