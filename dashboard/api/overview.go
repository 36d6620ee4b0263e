package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

type overview struct {
	// Endpoint is the URL of /mcp, as clients reach it.
	Endpoint  string           `json:"endpoint"`
	Backends  overviewBackends `json:"backends"`
	Tools     overviewTools    `json:"tools"`
	Calls     overviewCalls    `json:"calls"`
	Attention []attention      `json:"attention"`
}

type overviewBackends struct {
	Total   int `json:"total"`
	Healthy int `json:"healthy"`
}

type overviewTools struct {
	Exposed int `json:"exposed"`
	Total   int `json:"total"`
	Tokens  int `json:"tokens"`
}

type overviewCalls struct {
	// PerMinute is of the last minute, the others of the last 15.
	PerMinute     float64  `json:"perMinute"`
	ErrorShare15m float64  `json:"errorShare15m"`
	P95Ms         *float64 `json:"p95Ms"`
}

func (s *server) showOverview(c echo.Context) error {
	o := overview{Endpoint: s.endpoint(c), Calls: s.recentCalls()}
	states, shower := s.Gateway.Backends(), s.shower()
	backends := make([]backend, len(states))
	for i, b := range states {
		backends[i] = shower(b)
		if b.Health == gateway.HealthHealthy {
			o.Backends.Healthy++
		}
	}
	o.Backends.Total = len(states)
	tools := s.Gateway.Catalogue().Tools
	for _, t := range tools {
		if exposed(t) {
			o.Tools.Exposed++
			o.Tools.Tokens += t.Tokens
		}
	}
	o.Tools.Total = len(tools)
	var report discovery.Report
	if s.Discovery != nil {
		report = s.Discovery.Report()
	}
	o.Attention = s.attend(report, backends, tools)
	return c.JSON(http.StatusOK, o)
}

// endpoint is the URL of /mcp: as it was configured, else as the asker reached us.
func (s *server) endpoint(c echo.Context) string {
	if s.BaseURL != "" {
		return s.BaseURL + "/mcp"
	}
	scheme := "http"
	if c.Request().TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Request().Host + "/mcp"
}

// recentCalls are the numbers of the last minutes.
func (s *server) recentCalls() (o overviewCalls) {
	n := s.Gateway.Journal().Numbers(journal.Range15m, "", "")
	rows := int(time.Minute / n.Step)
	// With the row that is under way, so that a call is seen at once.
	for i := max(0, len(n.Series.OK)-rows); i < len(n.Series.OK); i++ {
		o.PerMinute += float64(n.Series.OK[i] + n.Series.Errors[i])
	}
	if n.Total.Calls > 0 {
		o.ErrorShare15m = float64(n.Total.Errors) / float64(n.Total.Calls)
	}
	o.P95Ms = n.Total.P95Ms
	return o
}
