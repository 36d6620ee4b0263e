package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mcp-gw/discovery"
	"mcp-gw/discovery/manual"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

func (s *server) listBackends(c echo.Context) error {
	states := s.Gateway.Backends()
	if c.QueryParam("tools") == "false" {
		for i := range states {
			states[i].Tools = nil
		}
	}
	shown, shower := make([]backend, len(states)), s.shower()
	for i, b := range states {
		shown[i] = shower(b)
	}
	return c.JSON(http.StatusOK, shown)
}

// detail is one backend with all that is known of it.
type detail struct {
	backend
	Settings []discovery.Setting `json:"settings"`
	// History is what the log still has of it, oldest first.
	History []journal.Entry `json:"history"`
	// Checks are the last ones, oldest first.
	Checks []gateway.Check `json:"checks"`
	// Labels are its container's that concern the gateway, secrets masked.
	Labels map[string]string `json:"labels,omitempty"`
	// Changes are its latest ones, newest first.
	Changes []journal.Change `json:"changes"`
	// Compose is the backend as a service of a compose file.
	Compose string `json:"compose"`
}

// maxHistory bounds the history of a backend.
const maxHistory = 50

func (s *server) showBackend(c echo.Context) error {
	name := param(c, "name")
	b, ok := s.Gateway.Backend(name)
	if !ok {
		return noBackend(name)
	}
	d := detail{backend: s.show(b), Settings: s.settings(b), History: []journal.Entry{}, Checks: s.checks(name),
		Labels: s.labels(b), Changes: s.Gateway.Journal().Changes(name)}
	d.Changes = d.Changes[:min(len(d.Changes), maxHistory)]
	d.Compose = s.composed(b, d.Labels)
	for _, entry := range s.Gateway.Journal().Entries(0) {
		if entry.Type == journal.TypeBackend && entry.Backend == name {
			d.History = append(d.History, entry)
		}
	}
	d.History = d.History[max(0, len(d.History)-maxHistory):]
	return c.JSON(http.StatusOK, d)
}

// checks answers the last checks of a backend; what a server said in them is looked at
// once more.
func (s *server) checks(name string) []gateway.Check {
	checks := s.Gateway.Checks(name)
	for i := range checks {
		checks[i].Error = journal.RedactText(checks[i].Error)
	}
	return checks
}

// labels are those of a backend's container, as discovery shows them.
func (s *server) labels(b gateway.BackendState) map[string]string {
	if s.Discovery == nil || b.Container == nil {
		return nil
	}
	for _, o := range s.Discovery.Report().Containers {
		if o.ID == b.Container.ID {
			return o.Labels
		}
	}
	return nil
}

func noBackend(name string) error {
	return fail(http.StatusNotFound, "no backend is called %.200q; GET /api/backends lists all", name)
}

// settings says of each effective setting where it came from.
func (s *server) settings(b gateway.BackendState) []discovery.Setting {
	if r, ok := s.Manual.Lookup(b.Name); ok && b.Source == discovery.SourceManual {
		settings := []discovery.Setting{
			{Key: "url", Value: discovery.ShowURL(r.URL), Source: "file"},
			{Key: "transport", Value: string(r.Transport), Source: "file"},
			{Key: "enabled", Value: boolText(r.Enabled), Source: "file"},
		}
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			settings = append(settings, discovery.Setting{Key: "headers." + name, Value: manual.Masked, Source: "file"})
		}
		return append(settings, shaped(r)...)
	}
	if s.Discovery != nil && b.Container != nil {
		for _, o := range s.Discovery.Report().Containers {
			if o = about(o, b.Name); o.ID == b.Container.ID && o.Settings != nil {
				return o.Settings
			}
		}
	}
	return []discovery.Setting{}
}

// shaped are the settings of r that most registrations leave out.
func shaped(r manual.Registration) []discovery.Setting {
	var settings []discovery.Setting
	add := func(key, value string) {
		settings = append(settings, discovery.Setting{Key: key, Value: value, Source: "file"})
	}
	if len(r.Groups) > 0 {
		add("groups", strings.Join(discovery.Groups(r.Groups), ","))
	}
	if r.TLS.SkipVerify {
		add("tls.verify", "false")
	}
	if r.TLS.ServerName != "" {
		add("tls.serverName", r.TLS.ServerName)
	}
	if r.TLS.CAFile != "" {
		add("tls.ca", r.TLS.CAFile)
	}
	return settings
}

// registration is the body of POST /api/backends.
type registration struct {
	Name      string            `json:"name"`
	URL       string            `json:"url"`
	Transport string            `json:"transport"`
	Headers   map[string]string `json:"headers"`
	Enabled   *bool             `json:"enabled"`
	Groups    []string          `json:"groups"`
	TLS       manual.TLS        `json:"tls"`
}

type backendAnswer struct {
	OK      bool    `json:"ok"`
	Backend backend `json:"backend"`
	// SavedIn is the file in which the registration or the switch is saved.
	SavedIn string `json:"savedIn,omitempty"`
}

func (s *server) register(c echo.Context) error {
	var body registration
	if err := decode(c.Request().Body, &body); err != nil {
		return err
	}
	r := manual.Registration{
		Name: body.Name, URL: body.URL, Transport: discovery.Transport(body.Transport),
		Headers: body.Headers, Enabled: body.Enabled == nil || *body.Enabled,
		Groups: body.Groups, TLS: body.TLS.Settings(),
	}
	if err := r.Validate(); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	old, known := s.Manual.Lookup(r.Name)
	if b, ok := s.Gateway.Backend(r.Name); ok && !known && b.Source == discovery.SourceDocker {
		return fail(http.StatusConflict, "the name %q belongs to %s, by its labels: take another name, or give that container another one with the label mcp-gw.name", r.Name, containerOf(b))
	}
	if err := s.Manual.Register(c.Request().Context(), r); err != nil {
		return s.registryProblem(err)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), patience)
	defer cancel()
	if now, _ := s.Manual.Lookup(r.Name); known && r.Enabled && now.Equal(old) {
		s.Gateway.Reconnect(ctx, r.Name) // nothing has changed: somebody wants it anew
	} else {
		s.Gateway.WaitAttempt(ctx, r.Name)
	}
	b, ok := s.Gateway.Backend(r.Name)
	if ok && r.Enabled && b.DisabledBy == "dashboard" { // one of that name was switched off once
		if _, err := s.Switches.Backend(ctx, r.Name, true); err != nil {
			return s.registryProblem(err)
		}
		s.Gateway.WaitSwitched(ctx)
		s.Gateway.WaitAttempt(ctx, r.Name)
		b, ok = s.Gateway.Backend(r.Name)
	}
	if !ok {
		b = unborn(r) // the gateway is busy, and will come to it
	}
	return c.JSON(http.StatusOK, backendAnswer{OK: true, Backend: s.show(b), SavedIn: s.Manual.Path()})
}

func (s *server) registryProblem(err error) error {
	var wrong *manual.InvalidError
	if errors.As(err, &wrong) {
		return fail(http.StatusBadRequest, "%v", err)
	}
	s.Log.Error("registration not saved", "err", err)
	return fail(http.StatusInternalServerError, "%v", err)
}

// unborn is a backend that the gateway has not begun to connect yet.
func unborn(r manual.Registration) gateway.BackendState {
	b := gateway.BackendState{
		Name: r.Name, URL: r.URL, Transport: r.Transport, Enabled: r.Enabled, Headers: r.Headers,
		Status: "connecting", State: "probing", Source: discovery.SourceManual, Replicas: 1,
	}
	if !r.Enabled {
		b.Status, b.State = "disconnected", "disabled"
	}
	return b
}

func (s *server) remove(c echo.Context) error {
	name := param(c, "name")
	if _, known := s.Manual.Lookup(name); !known {
		if b, ok := s.Gateway.Backend(name); ok && b.Source == discovery.SourceDocker {
			return fail(http.StatusConflict, "%q belongs to %s, by its labels: stop the container, or give it the label mcp-gw.enable=false", name, containerOf(b))
		}
	}
	found, err := s.Manual.Remove(c.Request().Context(), name)
	if err != nil {
		return s.registryProblem(err)
	}
	if found {
		s.awaitGone(c.Request().Context(), name)
	}
	return c.JSON(http.StatusOK, map[string]bool{"ok": true})
}

// awaitGone waits until the gateway has let go of what was removed, so that
// whoever asks next does not find it. Here is nobody to be told by: it looks.
func (s *server) awaitGone(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		b, ok := s.Gateway.Backend(name)
		if _, again := s.Manual.Lookup(name); !ok || again || b.Source != discovery.SourceManual {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) reconnect(c echo.Context) error {
	name := param(c, "name")
	ctx, cancel := context.WithTimeout(c.Request().Context(), patience)
	defer cancel()
	if s.Gateway.Reconnect(ctx, name) {
		if b, ok := s.Gateway.Backend(name); ok {
			return c.JSON(http.StatusOK, backendAnswer{OK: true, Backend: s.show(b)})
		}
	}
	return fail(http.StatusNotFound, "Backend not found in config")
}

func containerOf(b gateway.BackendState) string {
	if b.Container == nil {
		return "a container"
	}
	return "container " + b.Container.Name
}

// param is a part of the path as the caller meant it. The router hands out what
// stands between the slashes, and that is escaped.
func param(c echo.Context, name string) string {
	value := c.Param(name)
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
