package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
)

// discoveryAnswer is a Report, and whether there is anybody to make one.
type discoveryAnswer struct {
	Enabled bool `json:"enabled"`
	discovery.Report
}

func (s *server) showDiscovery(c echo.Context) error {
	return c.JSON(http.StatusOK, s.discovery())
}

func (s *server) showContainer(c echo.Context) error {
	id := param(c, "id")
	if o, ok := find(s.discovery().Containers, id); ok {
		lines, err := s.Discovery.LastLog(c.Request().Context(), o.ID)
		if err != nil {
			s.Log.Debug("the log of a container could not be read", "container", o.Name, "err", err)
		}
		for _, line := range lines {
			o.LastLog = append(o.LastLog, journal.RedactText(line))
		}
		return c.JSON(http.StatusOK, o)
	}
	return fail(http.StatusNotFound, "no single container has the id or name %q; GET /api/discovery lists all that were seen", id)
}

func (s *server) rescan(c echo.Context) error {
	if s.Discovery == nil {
		return fail(http.StatusServiceUnavailable, "containers are not watched: start the gateway with MCP_GW_DOCKER=auto")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), rescanPatience)
	defer cancel()
	if err := s.Discovery.Rescan(ctx); err != nil {
		reason := err.Error()
		if known := s.Discovery.Report().Engine.Error; known != "" {
			reason = known // says what to do as well
		}
		return fail(http.StatusServiceUnavailable, "the containers cannot be listed: %s", reason)
	}
	return c.JSON(http.StatusOK, s.discovery())
}

// discovery is the provider's report, corrected by what only the gateway knows:
// who won a name that two wanted, and how far it came with whom.
func (s *server) discovery() discoveryAnswer {
	if s.Discovery == nil {
		return discoveryAnswer{Report: discovery.Report{Containers: []discovery.Observed{}}}
	}
	report := s.Discovery.Report()
	containers := make([]discovery.Observed, len(report.Containers))
	for i, o := range report.Containers {
		if o.Diagnostics == nil {
			o.Diagnostics = []discovery.Diagnostic{}
		}
		o = s.climb(s.contest(o))
		o.URL = discovery.ShowURL(o.URL)
		for k := range o.Others { // climb has made them its own
			o.Others[k].URL = discovery.ShowURL(o.Others[k].URL)
		}
		containers[i] = o
	}
	report.Containers = containers
	return discoveryAnswer{Enabled: true, Report: report}
}

// contest says of a container that its name went to a registration. The container
// is well described, so its provider cannot know.
func (s *server) contest(o discovery.Observed) discovery.Observed {
	if o.Backend == "" || !registered(o) {
		return o
	}
	winner, ok := s.Gateway.Backend(o.Backend)
	if !ok || winner.Source != discovery.SourceManual {
		return o
	}
	o.Verdict = "conflict"
	o.Reason = fmt.Sprintf("The name %q is registered by hand for %s, and a registration by hand wins.", o.Backend, discovery.ShowURL(winner.URL))
	o.Fix = fmt.Sprintf("Give the container another name with the label mcp-gw.name, or remove the registration with DELETE /api/backends/%s.", o.Backend)
	return o
}

// find takes an id, a name, or the beginning of an id when only one has it.
func find(containers []discovery.Observed, id string) (discovery.Observed, bool) {
	var found []discovery.Observed
	for _, o := range containers {
		if o.ID == id || o.Name == id {
			return o, true
		}
		if len(id) >= 4 && strings.HasPrefix(o.ID, id) {
			found = append(found, o)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return discovery.Observed{}, false
}
