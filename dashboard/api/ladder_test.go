package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// F26: a server on 127.0.0.1 inside its container is told apart from one that is
// not there yet, with what to do.
func TestF26TheLadderOfABackend(t *testing.T) {
	tool := []json.RawMessage{json.RawMessage(`{"name":"a"}`)}
	info := json.RawMessage(`{"name":"demo","version":"1.2"}`)
	for name, test := range map[string]struct {
		backend              gateway.BackendState
		verdict, reason, fix string
		states               string // of the last three rungs
	}{
		"ready":       {gateway.BackendState{State: "ready", Tools: tool, ProtocolVersion: "2025-11-25", ServerInfo: info}, "registered", "registered as web: 1 tool", "", "ok ok ok"},
		"nothing":     {gateway.BackendState{State: "ready"}, "no_tools", "offers no tools", "docker logs web-1", "ok ok warn"},
		"prompts":     {gateway.BackendState{State: "ready", Prompts: 2}, "registered", "0 tools, 2 prompts, 0 resources", "", "ok ok ok"},
		"refused":     {gateway.BackendState{State: "probing", Failure: "refused", Reason: "refused the connection: bind 0.0.0.0"}, "refused", "172.20.0.2:8080: refused the connection: bind 0.0.0.0", "listen on 0.0.0.0", "failed pending pending"},
		"TLS":         {gateway.BackendState{State: "failed", Failure: "tls", Reason: "its certificate is self-signed"}, "tls", "self-signed", "label", "failed pending pending"},
		"silent":      {gateway.BackendState{State: "failed", Failure: "no_answer", Reason: "accepted the connection and did not answer"}, "no_answer", "did not answer", "mcp-gw.port=8080", "ok failed pending"},
		"wrong path":  {gateway.BackendState{State: "failed", Failure: "http_status", Reason: "answered 404"}, "http_status", "answered 404", "remove the label mcp-gw.transport=sse", "ok failed pending"},
		"credentials": {gateway.BackendState{State: "failed", Failure: "auth_required", Reason: "answered 401"}, "auth_required", "401", "MCP_GW_SECRET_GRANTS=<secret name>:web", "ok failed pending"},
		"web page":    {gateway.BackendState{State: "failed", Failure: "not_mcp", Reason: "answered no MCP"}, "not_mcp", "no MCP", "port 8080", "ok failed pending"},
		"revision":    {gateway.BackendState{State: "failed", Failure: "protocol", Reason: "offers 1999"}, "protocol", "1999", "version", "ok failed pending"},
		"no list":     {gateway.BackendState{State: "failed", Failure: "list_failed", Reason: "error"}, "list_failed", "error", "docker logs", "ok ok failed"},
		"connecting":  {gateway.BackendState{State: "probing"}, "registered", "Registered.", "", "pending pending pending"},
	} {
		t.Run(name, func(t *testing.T) {
			o := discovery.Observed{Container: discovery.Container{ID: "aaaa1111", Name: "web-1"}, Verdict: "registered", Reason: "Registered.", Backend: "web"}
			o.Settings = []discovery.Setting{{Key: "port", Value: "8080", Source: "inferred"}, {Key: "transport", Value: "sse", Source: "label"}}
			for i, n := range discovery.StepNames {
				o.Ladder = append(o.Ladder, discovery.Step{Name: n, State: []string{"ok", "pending"}[i/5]})
			}
			d := &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{o}}}
			h := newHouse(t, func(c *Config) { c.Discovery = d })
			test.backend.Name, test.backend.Source, test.backend.URL = "web", discovery.SourceDocker, "http://172.20.0.2:8080/mcp"
			h.gateway.docker = []gateway.BackendState{test.backend}
			var got discovery.Observed
			if status, text := h.call(t, "GET", "/api/discovery/web-1", ""); status != 200 || json.Unmarshal([]byte(text), &got) != nil {
				t.Fatalf("%d %s", status, text)
			}
			var states []string
			for _, s := range got.Ladder[5:] {
				states = append(states, s.State)
			}
			if got.Verdict != test.verdict || !strings.Contains(got.Reason, test.reason) || !strings.Contains(got.Fix, test.fix) || strings.Join(states, " ") != test.states {
				t.Errorf("got %s, %q, %q, %v\nwant %s, %q, %q, %s", got.Verdict, got.Reason, got.Fix, states, test.verdict, test.reason, test.fix, test.states)
			}
			if d.report.Containers[0].Ladder[5].State != "pending" {
				t.Error("the provider's report was changed")
			}
		})
	}
}

// One of several backends in a container has labels of its own, and so has its fix; the
// others come as far as they come.
func TestTheLadderOfSeveralBackends(t *testing.T) {
	setting := func(key, value, source string) []discovery.Setting {
		return []discovery.Setting{{Key: key, Value: value, Source: source}}
	}
	o := discovery.Observed{Container: discovery.Container{ID: "aaaa1111", Name: "box"}, Verdict: "registered", Backend: "one", URL: "http://172.20.0.2:1/mcp",
		Labels:   map[string]string{"acme.backends.one.port": "1", "acme.backends.two.port": "2"},
		Settings: setting("port", "1", "label"),
		Others:   []discovery.ObservedBackend{{Backend: "two", Verdict: "registered", Settings: setting("port", "2", "label")}}}
	d := &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{o}}}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	for i, name := range []string{"one", "two"} {
		h.gateway.docker = append(h.gateway.docker, gateway.BackendState{Name: name, Source: discovery.SourceDocker, State: "failed",
			URL: "http://172.20.0.2:8080/mcp", Failure: []string{"refused", "not_mcp"}[i], Reason: "no"})
	}
	var got discovery.Observed
	if status, text := h.call(t, "GET", "/api/discovery/box", ""); status != 200 || json.Unmarshal([]byte(text), &got) != nil {
		t.Fatalf("%d %s", status, text)
	}
	if got.Verdict != "refused" || !strings.Contains(got.Fix, "label acme.backends.one.port=<port>") {
		t.Errorf("the first: %s, %q", got.Verdict, got.Fix)
	}
	two := got.Others[0]
	if two.Verdict != "not_mcp" || two.Fix != "set acme.backends.two.port and acme.backends.two.path to where the MCP server listens (tried: port 2)" {
		t.Errorf("the second: %s, %q", two.Verdict, two.Fix)
	}
	if d.report.Containers[0].Others[0].Verdict != "registered" {
		t.Error("the provider's report was changed")
	}
	plain := discovery.Observed{Labels: map[string]string{"acme.path": "/x"}, Settings: setting("path", "/x", "label")}
	if got := labelOf(plain, "port"); got != "acme.port" {
		t.Errorf("another prefix: %s", got)
	}
}

func TestDiscoveryMetrics(t *testing.T) {
	d := &fakeDiscovery{report: discovery.Report{
		Engine: discovery.Engine{LastEventAt: time.Unix(1700000000, 0), LastSyncAt: time.Unix(1700000001, 0)},
		Containers: []discovery.Observed{{Verdict: "label_value", Diagnostics: []discovery.Diagnostic{{Code: "L002"}, {Code: "L001"}}},
			{Verdict: "label_value", Diagnostics: []discovery.Diagnostic{{Code: "L002"}}}},
	}}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	_, got := h.call(t, "GET", "/metrics", "")
	for _, want := range []string{"mcp_gw_docker_connected 0", `mcp_gw_discovery_containers{verdict="label_value"} 2`,
		`mcp_gw_discovery_diagnostics{code="L002"} 2`, `mcp_gw_discovery_diagnostics{code="L001"} 1`,
		"mcp_gw_discovery_last_event_timestamp_seconds 1.7e+09", "mcp_gw_discovery_last_sync_timestamp_seconds 1.700000001e+09"} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}
