package api

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

func TestDiscoveryIsOff(t *testing.T) {
	h := newHouse(t)
	h.want(t, "GET", "/api/discovery", "", 200, `{"enabled":false,"engine":{"connected":false,"endpoint":"","network":""},"containers":[]}`)
	h.want(t, "GET", "/api/discovery/abc", "", 404, `{"error":"no single container has the id or name \"abc\"; GET /api/discovery lists all that were seen"}`)
	h.want(t, "POST", "/api/discovery/rescan", "", 503, `{"error":"containers are not watched: start the gateway with MCP_GW_DOCKER=auto"}`)
}

func TestDiscovery(t *testing.T) {
	d := &fakeDiscovery{report: discovery.Report{
		Engine: discovery.Engine{Connected: true, Endpoint: "unix:///var/run/docker.sock", Version: "28", Network: "mcp-gw-net", LastSyncAt: time.Unix(0, 0).UTC()},
		Containers: []discovery.Observed{
			{Container: discovery.Container{ID: "aaaa1111", Name: "web-1", Image: "web"}, State: "running", Verdict: "registered", Reason: "Registered.", Backend: "web", URL: "http://172.20.0.2/mcp"},
			{Container: discovery.Container{ID: "aaaa2222", Name: "db", Image: "pg"}, State: "running", Verdict: "not_labelled", Reason: "No label.", Fix: "Add one."},
			{Container: discovery.Container{ID: "bbbb3333", Name: "ha", Image: "ha"}, State: "running", Verdict: "registered_warn", Reason: "Registered.", Backend: "ha"},
		},
	}}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	h.call(t, "POST", "/api/backends", ha)

	web := `{"id":"aaaa1111","name":"web-1","image":"web","state":"running","verdict":"registered","reason":"Registered.","backend":"web","url":"http://172.20.0.2/mcp","diagnostics":[]}`
	db := `{"id":"aaaa2222","name":"db","image":"pg","state":"running","verdict":"not_labelled","reason":"No label.","fix":"Add one.","diagnostics":[]}`
	// The provider cannot know that the name went to a registration.
	lost := `{"id":"bbbb3333","name":"ha","image":"ha","state":"running","verdict":"conflict",` +
		`"reason":"The name \"ha\" is registered by hand for http://10.0.0.5:8123/sse, and a registration by hand wins.",` +
		`"fix":"Give the container another name with the label mcp-gw.name, or remove the registration with DELETE /api/backends/ha.","backend":"ha","diagnostics":[]}`
	whole := `{"enabled":true,"engine":{"connected":true,"endpoint":"unix:///var/run/docker.sock","version":"28","lastSyncAt":"1970-01-01T00:00:00Z","network":"mcp-gw-net"},"containers":[` + web + `,` + db + `,` + lost + `]}`
	h.want(t, "GET", "/api/discovery", "", 200, whole)
	if d.report.Containers[2].Verdict != "registered_warn" {
		t.Error("the provider's report was changed")
	}
	h.want(t, "GET", "/api/discovery/db", "", 200, db)
	h.want(t, "GET", "/api/discovery/bbbb", "", 200, lost)
	d.lastLog = map[string][]string{"aaaa2222": {"starting", "password=hunter22 is refused"}}
	h.want(t, "GET", "/api/discovery/db", "", 200, strings.TrimSuffix(db, "}")+`,"lastLog":["starting","password=•••• redacted, 8 chars is refused"]}`)
	h.want(t, "GET", "/api/discovery/aaaa1111", "", 200, web)
	if status, _ := h.call(t, "GET", "/api/discovery/aaaa", ""); status != 404 {
		t.Errorf("the beginning of two ids answers %d", status)
	}
	if _, got := h.call(t, "GET", "/metrics", ""); !strings.Contains(got, `mcp_gw_discovery_containers{verdict="conflict"} 1`) || !strings.Contains(got, "mcp_gw_docker_connected 1") {
		t.Errorf("metrics of discovery:\n%s", got)
	}

	var deadline bool
	d.rescan = func(ctx context.Context) error { _, deadline = ctx.Deadline(); return nil }
	h.want(t, "POST", "/api/discovery/rescan", "", 200, whole)
	if !deadline {
		t.Error("a rescan may last for ever")
	}
	d.rescan = func(context.Context) error { return errors.New("dial: refused") }
	h.want(t, "POST", "/api/discovery/rescan", "", 503, `{"error":"the containers cannot be listed: dial: refused"}`)
	d.report.Engine.Error = "Docker is not reachable: start it."
	h.want(t, "POST", "/api/discovery/rescan", "", 503, `{"error":"the containers cannot be listed: Docker is not reachable: start it."}`)
	if _, got := h.call(t, "GET", "/api/health", ""); field(t, got, "problems") != `["Docker is not reachable: start it."]` {
		t.Errorf("health: %s", got)
	}
}
