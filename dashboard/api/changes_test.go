package api

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/journal"
)

func observed(name, verdict, reason string) discovery.Observed {
	return discovery.Observed{Container: discovery.Container{ID: "id-" + name, Name: name}, Verdict: verdict, Reason: reason}
}

// What is otherwise with containers and their engine is told; what was there first is
// not, nor what asked for nothing.
func TestChangesOfContainersAreTold(t *testing.T) {
	d := &fakeDiscovery{}
	h := newHouse(t, func(c *Config) { c.Discovery = d })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.server.watchContainers(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	synced := discovery.Engine{Connected: true, LastSyncAt: time.Now()}
	show := func(e discovery.Engine, all ...discovery.Observed) {
		d.set(discovery.Report{Engine: e, Containers: all})
	}
	told := func(want string) {
		t.Helper()
		eventually(t, want, func() bool {
			var all []string
			for _, c := range h.gateway.journal.Changes("") {
				all = append(all, c.Kind+" "+c.From+">"+c.To+" "+c.Message)
			}
			return strings.Join(all, "; ") == want
		})
	}
	old, idle := observed("old", "registered", "registered as old"), observed("idle", "not_labelled", "without labels")
	show(discovery.Engine{Error: "not connected yet"})
	show(discovery.Engine{Code: "D003", Error: "permission denied"})
	const away = "engine >away the container engine cannot be reached: permission denied"
	told(away)
	show(synced, old, idle)
	const back = "engine away>connected the container engine is reached again"
	told(back + "; " + away)
	show(synced, old, idle, observed("more", "not_labelled", ""), observed("notes", "no_port", "no port is known"))
	const fresh = "container >no_port container notes is new: no port is known"
	told(fresh + "; " + back + "; " + away)
	show(synced, old, observed("notes", "registered", "registered as notes"))
	const mended = "container no_port>registered container notes: registered as notes"
	told(mended + "; " + fresh + "; " + back + "; " + away)
	show(discovery.Engine{Code: "D001", Error: "gone"}) // says nothing of containers
	eventually(t, "the engine", func() bool { return h.gateway.journal.LastChange() == 5 })
	show(synced, observed("notes", "registered", "registered as notes"), observed("old", "gone", "it is gone"))
	eventually(t, "the end", func() bool { return h.gateway.journal.LastChange() == 7 })

	status, body := h.call(t, "GET", "/api/changes", "")
	var a changesAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || len(a.Changes) != 7 {
		t.Fatalf("%d %s", status, body)
	}
	if c := a.Changes[0]; c.ID != 7 || c.Container != "old" || c.Message != "container old is gone" || c.From != "registered" {
		t.Errorf("%+v", c)
	}
}

func TestNothingHasChanged(t *testing.T) {
	newHouse(t).want(t, "GET", "/api/changes", "", 200, `{"changes":[]}`)
}

// A backend alone has its history, its checks, and what it would be in a compose file.
func TestABackendHasItsStory(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	h.register(t, "a", m.url)
	h.register(t, "b", m.url)
	eventually(t, "the change", func() bool { return len(h.gw.Journal().Changes("a")) == 1 })
	_, body := h.call(t, "GET", "/api/backends/a", "")
	var d detail
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Changes) != 1 || d.Changes[0].Message != "a is connected: 3 tools" || d.Changes[0].Kind != journal.ChangeBackend {
		t.Errorf("changes: %+v", d.Changes)
	}
	if len(d.Checks) != 1 || !d.Checks[0].OK || d.Checks[0].What != "connect" || d.Checks[0].Ms == nil || len(d.Beats) != 1 || d.Beats[0].Ms != *d.Checks[0].Ms {
		t.Errorf("checks: %+v, beats %+v", d.Checks, d.Beats)
	}
	if d.Health != "healthy" || d.ToolCount != 3 || d.EnabledTools != 3 || d.Tokens == 0 {
		t.Errorf("%+v", d.BackendState)
	}
	h.gw.Put(discovery.SourceManual, nil)
	status, body := h.call(t, "POST", "/api/backends", `{"name":"down","url":"http://127.0.0.1:1/mcp","transport":"http"}`)
	if status != 200 {
		t.Fatal(body)
	}
	_, body = h.call(t, "GET", "/api/backends/down", "")
	if !strings.Contains(field(t, body, "fix"), "start the server on 127.0.0.1") || !strings.Contains(field(t, body, "checks"), `"ok":false,"error":`) {
		t.Errorf("%s", body)
	}
}

func TestCompose(t *testing.T) {
	h := newHouse(t)
	h.call(t, "POST", "/api/backends", `{"name":"my_ha","url":"https://u:s3cr3t@ha.local:8123/mcp_server/sse?x=1","transport":"sse","headers":{"Authorization":"Bearer s3cr3t"},"groups":["home","a"],"tls":{"verify":false}}`)
	_, body := h.call(t, "GET", "/api/backends/my_ha", "")
	var text string
	_ = json.Unmarshal([]byte(field(t, body, "compose")), &text)
	want := `services:
  my-ha:
    # the service that serves https://u:xxxxx@ha.local:8123/mcp_server/sse?x=1
    # each secret is a file in MCP_GW_SECRETS_DIR of the gateway, and granted with MCP_GW_SECRET_GRANTS
    labels:
      mcp-gw.groups: "a,home"
      mcp-gw.name: "my-ha"
      mcp-gw.path: "/mcp_server/sse"
      mcp-gw.port: "8123"
      mcp-gw.scheme: "https"
      mcp-gw.secret-headers.Authorization: "<secret name>"
      mcp-gw.tls.verify: "false"
      mcp-gw.transport: "sse"
`
	if text != want || strings.Contains(body, "s3cr3t") {
		t.Errorf("got\n%s", text)
	}

	d := &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{{Container: discovery.Container{ID: "c1", Name: "web-1"}, Verdict: "registered", Backend: "web",
		Labels: map[string]string{"mcp-gw.enable": "true", "mcp-gw.title": "a \"b\"\n$HOME: x"}}}}}
	h = newHouse(t, func(c *Config) { c.Discovery = d })
	web := labelled("web")
	web.Container = &discovery.Container{ID: "c1", Name: "web-1", ComposeService: "web"}
	h.gateway.docker = append(h.gateway.docker, web)
	_, body = h.call(t, "GET", "/api/backends/web", "")
	_ = json.Unmarshal([]byte(field(t, body, "compose")), &text)
	want = "services:\n  web:\n    labels:\n      mcp-gw.enable: \"true\"\n      mcp-gw.title: \"a \\\"b\\\"\\n$$HOME: x\"\n"
	if text != want || field(t, body, "labels") == "" {
		t.Errorf("got\n%s", text)
	}
}

// One container may have several backends: each is told of its own settings.
func TestAFixIsAboutItsOwnBackend(t *testing.T) {
	o := observed("box", "registered", "")
	o.ID, o.Backend = "c1", "one"
	o.Settings = []discovery.Setting{{Key: "port", Value: "1111"}}
	o.Others = []discovery.ObservedBackend{{Backend: "two", Settings: []discovery.Setting{{Key: "port", Value: "2222"}}}}
	h := newHouse(t, func(c *Config) {
		c.Discovery = &fakeDiscovery{report: discovery.Report{Containers: []discovery.Observed{o}}}
	})
	for _, name := range []string{"one", "two"} {
		b := labelled(name)
		b.Container, b.State, b.Failure, b.Enabled = &discovery.Container{ID: "c1", Name: "box"}, "failed", "no_answer", true
		h.gateway.docker = append(h.gateway.docker, b)
	}
	for name, port := range map[string]string{"one": "1111", "two": "2222"} {
		_, body := h.call(t, "GET", "/api/backends/"+name, "")
		if !strings.Contains(field(t, body, "fix"), "mcp-gw.port="+port) || !strings.Contains(field(t, body, "settings"), port) {
			t.Errorf("%s: %s", name, body)
		}
	}
}
