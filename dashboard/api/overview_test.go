package api

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

func (h *house) overview(t *testing.T) (o overview) {
	t.Helper()
	status, body := h.call(t, "GET", "/api/overview", "")
	if err := json.Unmarshal([]byte(body), &o); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	return o
}

// told writes what needs attention, a line each.
func told(all []attention) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "%s %s [%s|%s] %s {%s} %s\n", a.Severity, a.Code, a.Backend, a.Container, a.Message, a.Action, a.Fix)
	}
	return b.String()
}

func TestOverview(t *testing.T) {
	h := newRealHouse(t)
	h.want(t, "GET", "/api/overview", "", 200, `{"endpoint":"http://localhost:3000/mcp","backends":{"total":0,"healthy":0},"tools":{"exposed":0,"total":0,"tokens":0},`+
		`"calls":{"perMinute":0,"errorShare15m":0,"p95Ms":null},"attention":[]}`)
	h.register(t, "a", newMCPServer(t).url)
	h.call(t, "PATCH", "/api/tools/a__put", `{"enabled":false}`)
	for _, tool := range []string{"get", "get", "get", "fail"} {
		h.call(t, "POST", "/api/tools/a__"+tool+"/call", `{}`)
	}
	o := h.overview(t)
	if o.Backends != (overviewBackends{1, 1}) || o.Tools.Total != 3 || o.Tools.Exposed != 2 || o.Tools.Tokens == 0 || len(o.Attention) != 0 {
		t.Errorf("%+v", o)
	}
	if o.Calls.PerMinute != 4 || o.Calls.ErrorShare15m != 0.25 {
		t.Errorf("%+v", o.Calls)
	}
	h.server.BaseURL = "https://tools.example.com/gw"
	if o := h.overview(t); o.Endpoint != "https://tools.example.com/gw/mcp" {
		t.Errorf("%s", o.Endpoint)
	}
}

// What is wrong is said worst first, each once, with what to do.
func TestAttention(t *testing.T) {
	soon := time.Now().Add(12 * time.Second)
	box := func(name string) *discovery.Container { return &discovery.Container{ID: "id-" + name, Name: name} }
	warning := func(code, label, message, fix string) discovery.Diagnostic {
		return discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: code, Label: label, Message: message, Suggestion: fix}
	}
	typo := observed("notes", "registered_warn", "registered as notes")
	typo.Diagnostics = []discovery.Diagnostic{{Severity: discovery.SeverityInfo, Code: "L000", Message: "by the way"},
		warning("L001", "mcp-gw.prot", "mcp-gw.prot=9000 is no label; did you mean mcp-gw.port?", "mcp-gw.port=9000"), warning("L002", "mcp-gw.x", "x", "")}
	port := observed("web", "no_port", "no port is known")
	port.Fix = "mcp-gw.port=<port>"
	d := &fakeDiscovery{report: discovery.Report{
		Engine: discovery.Engine{Code: "D003", Error: "permission denied on /var/run/docker.sock."},
		Containers: []discovery.Observed{typo, port, observed("fine", "registered", ""), observed("idle", "not_labelled", ""), observed("off", "disabled", ""),
			observed("gone", "gone", "it is gone")},
	}}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	h.gateway.docker = []gateway.BackendState{
		{Name: "zulu", Source: "docker", Enabled: true, Health: "down", State: "failed", Failure: "refused", Reason: "refused the connection.", NextRetryAt: &soon, Container: box("zulu")},
		{Name: "auth", Source: "manual", Enabled: true, Health: "auth_required", State: "failed", Failure: "auth_required", Reason: "answered 401", URL: "http://h"},
		{Name: "sick", Source: "docker", Enabled: true, Health: "degraded", State: "degraded", Reason: "its container is unhealthy", Container: box("sick")},
		{Name: "slow", Source: "manual", Enabled: true, Health: "degraded", State: "ready", Reason: "it is slow"},
		{Name: "notes", Source: "docker", Enabled: true, Health: "healthy", State: "ready", Container: box("notes"),
			Diagnostics: []discovery.Diagnostic{typo.Diagnostics[1], warning("T001", "", "tool x is left out", "mend it")}},
		{Name: "off", Source: "docker", Health: "disabled", State: "disabled"},
		{Name: "new", Source: "docker", Enabled: true, Health: "connecting", State: "probing"},
	}
	unseen, off := altered("slow", "x"), altered("web", "get") // which mislead nobody
	unseen.Hidden, off.Locked = "its container is unhealthy", "a label excludes it"
	h.gateway.tools = []gateway.ToolState{{Name: "a__x", Backend: "a", OriginalName: "x", Enabled: true, Tool: json.RawMessage(`{}`)},
		{Name: "a__x#2", Backend: "a", OriginalName: "x", Hidden: "double", Locked: "double", Tool: json.RawMessage(`{}`)},
		{Name: "sick__y", Backend: "sick", OriginalName: "y", Enabled: true, Hidden: "its container is unhealthy", Tool: json.RawMessage(`{}`)},
		altered("slow", "z"), altered("slow", "y"), altered("notes", "add"), unseen, off}
	if err := os.WriteFile(h.board, []byte(`[`), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broken file", func() bool { return len(h.server.Switches.Problems()) == 1 })
	got := told(h.overview(t).Attention)
	got = strings.ReplaceAll(got, h.board, "FILE")
	want := `error D003 [|] permission denied on /var/run/docker.sock. No new containers are discovered. {fix} 
error file [|] FILE cannot be used: line 1: unexpected end of JSON input. It is left as it is, and nothing is switched off, as before. Mend it, or switch something: then it is kept as switches.json.broken-<time>, and a new one is written. {} 
error auth_required [auth|] auth needs credentials: answered 401. {fix} set headers.Authorization, "Bearer <token>" most often
error refused [zulu|zulu] zulu is down: refused the connection. {reconnect} 
warning L001 [|notes] container notes: mcp-gw.prot=9000 is no label; did you mean mcp-gw.port? (and 1 more) {discovery} mcp-gw.port=9000
warning no_port [|web] container web: no port is known {discovery} mcp-gw.port=<port>
warning degraded [sick|sick] sick is degraded: its container is unhealthy. {discovery} 
warning degraded [slow|] slow is degraded: it is slow. {reconnect} 
warning T001 [notes|] notes: tool x is left out {} mend it
warning altered [notes|] notes describes add otherwise than before. Look at what changed before a model trusts it. {tools} 
warning altered [slow|] slow describes 2 tools otherwise than before: y, z. Look at what changed before a model trusts them. {tools} 
warning hidden [|] 1 tool is hidden because another one of its backend has the same name: x of a. {tools} 
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// altered is a tool that its backend describes otherwise than before.
func altered(backend, name string) gateway.ToolState {
	return gateway.ToolState{Name: backend + "__" + name, Backend: backend, OriginalName: name, Tool: json.RawMessage(`{"description":"new"}`),
		Altered: &gateway.Altered{At: time.Now(), Before: json.RawMessage(`{"description":"old"}`)}}
}

// Containers on other networks are warnings, and many of them are one line.
func TestAttentionToContainersElsewhere(t *testing.T) {
	away := func(name string) discovery.Observed {
		o := observed(name, "no_shared_network", name+" is on [web]")
		o.Diagnostics = []discovery.Diagnostic{{Severity: discovery.SeverityError, Code: "N001", Message: name + " is on [web]", Suggestion: "docker network connect net " + name}}
		return o
	}
	d := &fakeDiscovery{report: discovery.Report{Engine: discovery.Engine{Connected: true, Network: "net"}, Containers: []discovery.Observed{away("b"), away("a")}}}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	want := "warning N001 [|a] container a: a is on [web] {discovery} docker network connect net a\nwarning N001 [|b] container b: b is on [web] {discovery} docker network connect net b\n"
	if got := told(h.overview(t).Attention); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	d.report.Containers = append(d.report.Containers, away("c"))
	want = "warning no_shared_network [|] 3 containers have labels for the gateway, and are not on its network \"net\": a, b, c. {discovery} \n"
	if got := told(h.overview(t).Attention); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAttentionIsBounded(t *testing.T) {
	d := &fakeDiscovery{}
	for i := range 300 {
		d.report.Containers = append(d.report.Containers, observed(fmt.Sprint("c", i), "no_port", "no port is known"))
	}
	if n := len(newHouse(t, func(c *Config) { c.Discovery = d }).overview(t).Attention); n != maxAttention {
		t.Errorf("%d lines", n)
	}
}
