package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// gatewayWith is a gateway that has seen these containers.
func gatewayWith(t *testing.T, report discovery.Report, backends ...gateway.BackendState) (listen string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]any{"/api/discovery": report, "/api/backends": backends}
		_ = json.NewEncoder(w).Encode(answers[r.URL.Path]) // to a test that is there
	}))
	t.Cleanup(s.Close)
	return "--listen=" + s.Listener.Addr().String()
}

func doctor(args ...string) (int, string) {
	var out, errs bytes.Buffer
	code := run(context.Background(), append([]string{"doctor", "--docker=off"}, args...), nil, &out, &errs)
	return code, out.String() + errs.String()
}

func TestDoctorSaysWhatToType(t *testing.T) {
	engine := discovery.Engine{Connected: true, Endpoint: "unix:///var/run/docker.sock", Network: "mcp-gw-net",
		NetworkProblem: `network "mcp-gw-net" does not exist. Create it: docker network create mcp-gw-net`}
	listen := gatewayWith(t, discovery.Report{Engine: engine, Containers: []discovery.Observed{
		{Container: discovery.Container{Name: "gw"}, Verdict: "self", Reason: "this is the gateway"},
		{Container: discovery.Container{Name: "web"}, Verdict: "no_port", Reason: `"web" exposes no TCP port`, Fix: "mcp-gw.port=8080",
			Diagnostics: []discovery.Diagnostic{{Severity: "error", Code: "L011", Message: `"web" exposes no TCP port`},
				{Severity: "warning", Code: "L001", Message: `unknown label "mcp-gw.prot"`, Suggestion: "mcp-gw.port"}}},
		{Container: discovery.Container{Name: "evil\x1b[2J"}, Verdict: "registered", Reason: "registered as evil"},
	}}, gateway.BackendState{Name: "ha", Source: discovery.SourceManual, State: "failed", Failure: "refused", URL: "http://ha", Reason: "refused the connection"})
	code, out := doctor(listen)
	for _, want := range []string{
		"FAIL  network", "fix: docker network create mcp-gw-net\n",
		"FAIL  web", "no_port: \"web\" exposes no TCP port\n        fix: mcp-gw.port=8080\n",
		"warning L001: unknown label \"mcp-gw.prot\" → mcp-gw.port\n",
		"  ok  evil?[2J", "FAIL  ha",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "L011") || strings.Contains(out, "\x1b") {
		t.Errorf("told twice, or steers the terminal:\n%s", out)
	}
	if code != 1 || !strings.HasSuffix(out, "3 problems, 0 warnings.\n") {
		t.Errorf("exit %d, %s", code, out)
	}
	code, out = doctor(listen, "--json")
	var got struct {
		OK       bool
		Findings []finding
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.OK || len(got.Findings) != 7 {
		t.Errorf("exit %d, %v, %s", code, err, out)
	}
}

func TestDoctorIsContent(t *testing.T) {
	listen := gatewayWith(t, discovery.Report{Containers: []discovery.Observed{
		{Container: discovery.Container{Name: "web"}, Verdict: "registered", Reason: "registered as web: 4 tools"},
		{Container: discovery.Container{Name: "db"}, Verdict: "not_labelled", Reason: "without labels"},
	}})
	if code, out := doctor(listen); code != 0 || !strings.HasSuffix(out, "All is well.\n") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// Without an engine, doctor cannot look; that is another answer than "no problem".
func TestDoctorCannotLook(t *testing.T) {
	var out bytes.Buffer
	code := run(context.Background(), []string{"doctor", "--port=1", "--docker-host=unix:///nowhere.sock"}, nil, &out, &out)
	if code != 2 || !strings.Contains(out.String(), "no Docker socket at /nowhere.sock") || !strings.Contains(out.String(), "none answers") {
		t.Errorf("exit %d, %s", code, out.String())
	}
}

// A gateway with a token is asked with it, and one that wants another is not taken for
// one that is not there.
func TestDoctorShowsTheToken(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+goodToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(map[string]string{"/api/discovery": "{}", "/api/backends": "[]"}[r.URL.Path]))
	}))
	t.Cleanup(s.Close)
	for token, want := range map[string]string{goodToken: "ok  gateway", goodToken + "=": "asks for its token", "": "asks for its token"} {
		var out bytes.Buffer
		run(t.Context(), []string{"doctor", "--docker=off", "--listen=" + s.Listener.Addr().String()}, []string{"MCP_GW_TOKEN=" + token}, &out, &out)
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), goodToken) {
			t.Errorf("with %q: %s", token, out.String())
		}
	}
}
