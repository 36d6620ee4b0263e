package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

type healthAnswer struct {
	Status            string `json:"status"`
	Version           string `json:"version"`
	UptimeMs          int64  `json:"uptimeMs"`
	BackendCount      int    `json:"backendCount"`
	ConnectedBackends int    `json:"connectedBackends"`
	ToolCount         int    `json:"toolCount"`
	// Docker is the connection to the container engine.
	Docker dockerHealth `json:"docker"`
	// Problems are sentences about what a person should mend.
	Problems []string `json:"problems"`
}

type dockerHealth struct {
	Enabled   bool   `json:"enabled"`
	Connected bool   `json:"connected"`
	Error     string `json:"error,omitempty"`
}

func (s *server) health(c echo.Context) error {
	a := healthAnswer{
		Status:    "ok",
		Version:   s.Version,
		UptimeMs:  max(1, time.Since(s.started).Milliseconds()),
		ToolCount: len(s.Gateway.Tools()),
		Problems:  s.problems(),
	}
	for _, b := range s.Gateway.Backends() {
		a.BackendCount++
		if b.Status == "connected" {
			a.ConnectedBackends++
		}
	}
	if s.Discovery != nil {
		engine := s.Discovery.Report().Engine
		a.Docker = dockerHealth{Enabled: true, Connected: engine.Connected, Error: engine.Error}
	}
	return c.JSON(http.StatusOK, a)
}

// problems is what is wrong with the gateway itself; what is wrong with a
// backend stands in its state.
func (s *server) problems() []string {
	problems := append(append([]string{}, s.Manual.Problems()...), s.Switches.Problems()...)
	if s.Discovery != nil {
		engine := s.Discovery.Report().Engine
		for _, p := range []string{engine.Error, engine.NetworkProblem} {
			if p != "" {
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// healthz: the process is alive.
func (s *server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// readyz: clients are served. That Docker is away or a backend is down does not
// count: the others are served all the same.
func (s *server) readyz(c echo.Context) error {
	if !s.Ready() {
		return fail(http.StatusServiceUnavailable, "the gateway is starting or shutting down")
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}
