package docker

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

var (
	testWorld = world{prefix: "mcp-gw", home: home{name: "net", id: "netid"}, self: "selfid"}
	testStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// running is a container that has all it needs.
func running(id string, change ...func(*observation)) observation {
	o := observation{
		id: id, name: "c-" + id, image: "img", created: testStart, startedAt: testStart, status: "running",
		labels: map[string]string{"mcp-gw.enable": "true"}, tcpPorts: []int{8080}, networkMode: "net",
		endpoints: []endpoint{{network: "net", networkID: "netid", ipv4: netip.MustParseAddr("10.0.0.2")}},
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func labelled(kv ...string) func(*observation) {
	return func(o *observation) {
		o.labels = maps.Clone(o.labels)
		for i := 0; i < len(kv); i += 2 {
			o.labels[kv[i]] = kv[i+1]
		}
	}
}

func status(s string) func(*observation) {
	return func(o *observation) {
		o.status, o.endpoints = s, slices.Clone(o.endpoints)
		if s != "running" && s != "paused" {
			for i := range o.endpoints {
				o.endpoints[i].ipv4 = netip.Addr{}
			}
		}
	}
}

func unlabelled(o *observation) { o.labels = nil }

func offNetwork(o *observation) {
	o.networkMode = "foo"
	o.endpoints = []endpoint{{network: "foo", networkID: "fooid", ipv4: netip.MustParseAddr("10.1.0.2")}}
}

func ports(p ...int) func(*observation) { return func(o *observation) { o.tcpPorts = p } }

func TestDescribe(t *testing.T) {
	tests := []struct {
		name     string
		obs      observation
		verdict  string
		remarks  string
		reason   string // part of it
		fix      string // part of it
		routable bool
		concerns bool
	}{
		{"good", running("a"), verdictRegistered, "", "registered as c-a", "", true, true},
		{"with a remark", running("a", labelled("mcp-gw.transprot", "http")), verdictRegisteredWarn, "L001w", "transprot", "mcp-gw.transport", true, true},
		{"an alias is no worry", running("a", labelled("mcp-gw.transport", "streamable-http")), verdictRegistered, "L007i", "", "", true, true},
		{"no labels", running("a", unlabelled), verdictNotLabelled, "", "without mcp-gw labels", "mcp-gw.enable=true", false, true},
		{"says what it is", running("a", unlabelled, labelledNew(LabelServerName, "io.github.acme/notes\n")), verdictNotLabelled, "", `says that it is the MCP server "io.github.acme/notes\n"`, "mcp-gw.enable=true", false, true},
		{"not ours at all", running("a", unlabelled, offNetwork), verdictNotLabelled, "", "", "", false, false},
		{"near miss", running("a", unlabelled, labelledNew("mcpgw.port", "1")), verdictNearMissLabel, "L005w", "did you mean", "mcp-gw.port=1", false, true},
		{"near miss elsewhere", running("a", unlabelled, offNetwork, labelledNew("mcp_gw.enable", "1")), verdictNearMissLabel, "L005w", "", "", false, true},
		{"disabled", running("a", labelled("mcp-gw.enable", "false")), verdictDisabled, "", "mcp-gw.enable=false", "", false, true},
		{"unclear whether disabled", running("a", labelled("mcp-gw.enable", "nope")), verdictLabelValue, "L002e", "", "mcp-gw.enable=", false, true},
		{"bad port", running("a", labelled("mcp-gw.port", "x")), verdictLabelValue, "L002e", "is not a number", "mcp-gw.port=8080", false, true},
		{"bad port, two exposed", running("a", ports(1, 2), labelled("mcp-gw.port", "x")), verdictLabelValue, "L002e", "", "", false, true},
		{"bad timeout", running("a", labelled("mcp-gw.timeout.call", "x")), verdictRegisteredWarn, "L002w", "", "", true, true},
		{"bad group", running("a", labelled("mcp-gw.groups", "ops,Dev")), verdictLabelValue, "L002e", "not registered", "mcp-gw.groups=dev,ops", false, true},
		{"TLS without TLS", running("a", labelled("mcp-gw.tls.verify", "false")), verdictRegisteredWarn, "L013w", "the scheme is http", "mcp-gw.scheme=https", true, true},
		{"TLS as usual without TLS", running("a", labelled("mcp-gw.tls.verify", "true")), verdictRegistered, "", "", "", true, true},
		{"TLS, unclear whether", running("a", labelled("mcp-gw.tls.ca", "/ca.pem", "mcp-gw.scheme", "x")), verdictLabelValue, "L002e", "", "mcp-gw.scheme=http", false, true},
		{"CA for nothing", running("a", labelled("mcp-gw.tls.ca", "/ca.pem", "mcp-gw.tls.verify", "0", "mcp-gw.scheme", "https")), verdictRegisteredWarn, "L013w", "mcp-gw.tls.ca has no effect", "remove mcp-gw.tls.ca", true, true},
		{"no port", running("a", ports()), verdictNoPort, "L011e", "exposes no TCP port", "mcp-gw.port", false, true},
		{"stdio?", running("a", ports(), func(o *observation) { o.openStdin = true }), verdictNoPort, "L011e", "stdio", "", false, true},
		{"two ports", running("a", ports(6379, 9090)), verdictPortAmbiguous, "L010e", "6379, 9090", "mcp-gw.port=6379 or mcp-gw.port=9090, whichever", false, true},
		{"off the network", running("a", offNetwork), verdictNoSharedNetwork, "N001e", `is on [foo], not on "net"`, "docker network connect net c-a", false, true},
		{"off the network, bad label", running("a", offNetwork, labelled("mcp-gw.port", "x")), verdictNoSharedNetwork, "L002e N001e", "", "", false, true},
		{"host network", running("a", offNetwork, func(o *observation) { o.networkMode = "host" }), verdictNoSharedNetwork, "L011e N001e", "host's network", "--network net", false, true},
		{"another's network", running("a", func(o *observation) { o.networkMode, o.endpoints = "container:x", nil }), verdictNoSharedNetwork, "N001e", "shares the network of container x", "", false, true},
		{"no address", running("a", func(o *observation) { o.endpoints[0].ipv4 = netip.Addr{} }), verdictNoSharedNetwork, "N002e", "no address", "docker network disconnect", false, true},
		{"created", running("a", status("created")), verdictNotRunning, "", "not started", "docker start c-a", false, true},
		{"created, networks not told", running("a", status("created"), func(o *observation) { o.endpoints = nil }), verdictNotRunning, "", "not started", "", false, true},
		{"exited", running("a", status("exited"), func(o *observation) { o.exitCode = 137 }), verdictNotRunning, "", "137", "", false, true},
		{"restarting", running("a", status("restarting")), verdictRestarting, "", "restarts", "docker logs", false, true},
		{"paused", running("a", status("paused")), verdictRegisteredWarn, "C001w", "paused", "docker unpause", true, true},
		{"one-off", running("a", labelled(labelComposeOneOff, "True")), verdictOneOff, "", "", "", false, true},
		{"self", running("selfid"), verdictSelf, "", "this is the gateway", "", false, true},
		{"self elsewhere", running("selfid", unlabelled, offNetwork), verdictSelf, "", "not attached", "docker network connect net c-selfid", false, true},
		{"reserved default name", running("a", func(o *observation) { o.name = "mcp-gw" }), verdictLabelValue, "L012e", "reserved", "mcp-gw.name", false, true},
		{"no default name", running("a", func(o *observation) { o.name = "___" }), verdictLabelValue, "L012e", "no usable name", "mcp-gw.name", false, true},
		{"named after all", running("a", func(o *observation) { o.name = "mcp-gw" }, labelled("mcp-gw.name", "x")), verdictRegistered, "", "", "", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := describe(tt.obs, testWorld, "")
			if d.concerns != tt.concerns {
				t.Errorf("concerns %v", d.concerns)
			}
			if !tt.concerns {
				return
			}
			if d.verdict != tt.verdict || d.routable != tt.routable {
				t.Errorf("%s, routable %v; want %s, %v", d.verdict, d.routable, tt.verdict, tt.routable)
			}
			if !strings.Contains(d.reason, tt.reason) || d.reason == "" {
				t.Errorf("reason %q, want %q in it", d.reason, tt.reason)
			}
			if !strings.Contains(d.fix, tt.fix) {
				t.Errorf("fix %q, want %q in it", d.fix, tt.fix)
			}
			if got := codes(d.diagnostics); got != tt.remarks {
				t.Errorf("remarks %q, want %q", got, tt.remarks)
			}
			for _, r := range d.diagnostics {
				if r.Container != tt.obs.name || r.Generation != tt.obs.generation() {
					t.Errorf("a remark without its container: %+v", r)
				}
			}
		})
	}
}

func labelledNew(kv ...string) func(*observation) {
	return func(o *observation) {
		o.labels = map[string]string{}
		labelled(kv...)(o)
	}
}

func TestDescribeBackendOverTLS(t *testing.T) {
	d := describe(running("a", labelled("mcp-gw.scheme", "https", "mcp-gw.groups", "ops,dev",
		"mcp-gw.tls.server-name", "a.internal", "mcp-gw.tls.ca", "/certs/ca.pem", "mcp-gw.tls.verify", "true")), testWorld, "")
	if d.verdict != verdictRegistered {
		t.Fatalf("%s: %s", d.verdict, d.reason)
	}
	if b := d.parts[0].backend; b.TLS != (discovery.TLS{ServerName: "a.internal", CAFile: "/certs/ca.pem"}) || !slices.Equal(b.Groups, []string{"dev", "ops"}) {
		t.Errorf("%+v", b)
	}
	for _, want := range []discovery.Setting{
		{Key: "scheme", Value: "https", Source: "label"}, {Key: "groups", Value: "ops,dev", Source: "label"},
		{Key: "tls.verify", Value: "true", Source: "label"}, {Key: "tls.server-name", Value: "a.internal", Source: "label"},
		{Key: "tls.ca", Value: "/certs/ca.pem", Source: "label"},
	} {
		if !slices.Contains(d.parts[0].shown, want) {
			t.Errorf("settings %+v lack %+v", d.parts[0].shown, want)
		}
	}
}

func TestDescribeBackend(t *testing.T) {
	d := describe(running("a", labelled(
		"mcp-gw.name", "x", "mcp-gw.headers.X-T", "v", "mcp-gw.timeout.call", "7s", labelComposeProject, "p", labelComposeService, "s", labelComposeNumber, "1",
	), func(o *observation) { o.health = "healthy" }), testWorld, "")
	b := d.parts[0].backend
	if b.Name != "x" || b.Source != discovery.SourceDocker || b.URL != "http://10.0.0.2:8080/mcp" || len(b.Alternatives) != 2 ||
		b.Transport != discovery.TransportAuto || b.Headers["X-T"] != "v" || b.CallTimeout != 7*time.Second ||
		b.Generation != "a@2026-01-02T03:04:05Z" || b.Held {
		t.Errorf("%+v", b)
	}
	if c := *b.Container; c != (discovery.Container{ID: "a", Name: "c-a", Image: "img", ComposeProject: "p", ComposeService: "s", Health: "healthy", StartedAt: testStart}) {
		t.Errorf("%+v", c)
	}
	want := []discovery.Setting{
		{Key: "name", Value: "x", Source: "label"}, {Key: "port", Value: "8080", Source: "inferred"},
		{Key: "scheme", Value: "http", Source: "default"}, {Key: "path", Value: "/mcp", Source: "default"},
		{Key: "transport", Value: "auto", Source: "default"}, {Key: "headers.X-T", Value: masked, Source: "label"},
		{Key: "timeout.call", Value: "7s", Source: "label"},
	}
	if len(d.parts[0].shown) != len(want) {
		t.Fatalf("settings %+v", d.parts[0].shown)
	}
	for i, w := range want {
		if d.parts[0].shown[i] != w {
			t.Errorf("setting %+v, want %+v", d.parts[0].shown[i], w)
		}
	}
	if d.labels["mcp-gw.headers.X-T"] != masked {
		t.Errorf("labels %+v", d.labels)
	}
}
