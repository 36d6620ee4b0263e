package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"mcp-gw/gateway"
)

// maxNames bounds the tools of one batch.
const maxNames = 5000

// turn is the body of a PATCH of one thing.
type turn struct {
	Enabled *bool `json:"enabled"`
}

// turnTools is the body of a PATCH of many tools.
type turnTools struct {
	Names   []string `json:"names"`
	Enabled *bool    `json:"enabled"`
}

func readTurn(c echo.Context) (on bool, err error) {
	var body turn
	if err := decode(c.Request().Body, &body); err != nil {
		return false, err
	}
	if body.Enabled == nil {
		return false, fail(http.StatusBadRequest, "enabled is required: true or false")
	}
	return *body.Enabled, nil
}

type toolAnswer struct {
	OK      bool   `json:"ok"`
	Tool    tool   `json:"tool"`
	SavedIn string `json:"savedIn"`
}

func (s *server) switchTool(c echo.Context) error {
	on, err := readTurn(c)
	if err != nil {
		return err
	}
	name := param(c, "name")
	if _, err := s.turnTools(c.Request().Context(), []string{name}, on); err != nil {
		return err
	}
	t, err := s.oneTool(name)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, toolAnswer{true, s.tool(t), s.Switches.Path()})
}

type toolsChanged struct {
	OK bool `json:"ok"`
	// Changed is how many were otherwise before.
	Changed int    `json:"changed"`
	SavedIn string `json:"savedIn"`
}

func (s *server) switchTools(c echo.Context) error {
	var body turnTools
	if err := decode(c.Request().Body, &body); err != nil {
		return err
	}
	switch {
	case body.Enabled == nil:
		return fail(http.StatusBadRequest, "enabled is required: true or false")
	case len(body.Names) == 0:
		return fail(http.StatusBadRequest, "names is required: the tools' names, as GET /api/tools has them")
	case len(body.Names) > maxNames:
		return fail(http.StatusBadRequest, "names has %d names, and may have %d: send several batches", len(body.Names), maxNames)
	}
	changed, err := s.turnTools(c.Request().Context(), body.Names, *body.Enabled)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, toolsChanged{true, changed, s.Switches.Path()})
}

// turnTools throws the switches of tools, all or none, and waits until clients see it.
func (s *server) turnTools(ctx context.Context, names []string, on bool) (changed int, err error) {
	states := s.Gateway.Catalogue().Tools
	byName := make(map[string]int, len(states))
	for i, t := range states {
		byName[t.Name] = i
	}
	own := map[string][]string{} // by backend
	for _, name := range names {
		i, ok := byName[name]
		if !ok {
			return 0, noTool(name)
		}
		t := states[i]
		if t.Locked != "" {
			return 0, fail(http.StatusConflict, "the tool %q has no switch: %s", name, t.Locked)
		}
		own[t.Backend] = append(own[t.Backend], t.OriginalName)
	}
	if changed, err = s.Switches.Tools(ctx, own, on); err != nil {
		return 0, s.registryProblem(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.Gateway.WaitSwitched(ctx)
	return changed, nil
}

func noTool(name string) error {
	return fail(http.StatusNotFound, "no tool is called %.200q; GET /api/tools lists all", name)
}

// oneTool answers the tool that clients call name.
func (s *server) oneTool(name string) (gateway.ToolState, error) {
	states := s.Gateway.Catalogue().Tools
	i := slices.IndexFunc(states, func(t gateway.ToolState) bool { return t.Name == name })
	if i < 0 {
		return gateway.ToolState{}, noTool(name)
	}
	return states[i], nil
}

// switchBackend throws a backend's switch: a registration's own, or one that is kept
// for what labels want.
func (s *server) switchBackend(c echo.Context) error {
	on, err := readTurn(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	name := param(c, "name")
	b, known := s.Gateway.Backend(name)
	r, byHand := s.Manual.Lookup(name)
	if !known && !byHand {
		return noBackend(name)
	}
	savedIn := s.Switches.Path()
	if byHand && !on {
		savedIn = s.Manual.Path()
	}
	if on || !byHand {
		if _, err := s.Switches.Backend(ctx, name, on); err != nil {
			return s.registryProblem(err)
		}
	}
	if byHand && r.Enabled != on {
		savedIn = s.Manual.Path()
		if _, err := s.Manual.Enable(ctx, name, on); err != nil {
			return s.registryProblem(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.Gateway.WaitSwitched(ctx)
	s.Gateway.WaitAttempt(ctx, name)
	if now, ok := s.Gateway.Backend(name); ok {
		b = now
	}
	return c.JSON(http.StatusOK, backendAnswer{OK: true, Backend: s.show(b), SavedIn: savedIn})
}
