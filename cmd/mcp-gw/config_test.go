package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery/docker"
	"mcp-gw/gateway/journal"
)

var update = flag.Bool("update", false, "write the configuration table into README.md")

func TestDefaultsAreValidAndComplete(t *testing.T) {
	c, err := loadConfig(nil, nil)
	if err != nil {
		t.Fatalf("the defaults do not pass their own checks: %v", err)
	}
	want := config{
		Listen: ":3000", ConfigPath: "./config/backends.json",
		Docker: true, DockerNetwork: "mcp-gw-net", DockerPrefix: "mcp-gw", DockerRules: docker.Rules{NamePolicy: "first-live", SecretsDir: "/run/secrets"}, ProxyListen: ":2375", ShimListen: ":8080", ShimShared: true,
		LogLevel: slog.LevelInfo, LogFormat: "text", LogEntries: 1000, Traffic: journal.Redacted,
		MaxBody: 16 << 20, MaxMessage: 64 << 20, MaxSessions: 10000,
		CallTimeout: 2 * time.Minute, ConnectTimeout: 5 * time.Second, PingInterval: 30 * time.Second,
		SessionIdle: 30 * time.Minute, StartupWait: 3 * time.Second, ShutdownTimeout: 10 * time.Second,
		Dashboard: "on", port: 3000,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestSources(t *testing.T) {
	for _, tc := range []struct {
		name    string
		args    []string
		environ []string
		listen  string
		network string
	}{
		{"environment", nil, []string{"PORT=8080", "MCP_GW_NETWORK=tools"}, ":8080", "tools"},
		{"a flag wins over the environment", []string{"--port=9090", "--network", "lab"}, []string{"PORT=8080", "MCP_GW_NETWORK=tools"}, ":9090", "lab"},
		{"an empty variable is unset", nil, []string{"PORT=", "MCP_GW_NETWORK= "}, ":3000", "mcp-gw-net"},
		{"white space around a value", nil, []string{"PORT= 8080 "}, ":8080", "mcp-gw-net"},
		{"the listen address has its own port", nil, []string{"PORT=8080", "MCP_GW_LISTEN=127.0.0.1:4000"}, "127.0.0.1:4000", "mcp-gw-net"},
		{"the listen address takes the port", nil, []string{"PORT=8080", "MCP_GW_LISTEN=127.0.0.1"}, "127.0.0.1:8080", "mcp-gw-net"},
		{"IPv6 without brackets", nil, []string{"MCP_GW_LISTEN=::1"}, "[::1]:3000", "mcp-gw-net"},
		{"IPv6 with a port", nil, []string{"MCP_GW_LISTEN=[::1]:4000"}, "[::1]:4000", "mcp-gw-net"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := loadConfig(tc.args, tc.environ)
			if err != nil {
				t.Fatal(err)
			}
			if c.Listen != tc.listen || c.DockerNetwork != tc.network {
				t.Errorf("listen %q, network %q; want %q, %q", c.Listen, c.DockerNetwork, tc.listen, tc.network)
			}
		})
	}
}

// Whoever starts the gateway wrongly learns everything at once, in the words
// that they used themselves.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := loadConfig(
		[]string{"--max-body=16 elephants"},
		[]string{"PORT=abc", "MCP_GW_DOCKER=maybe", "MCP_GW_CALL_TIMEOUT=5", "MCP_GW_MAX_BODY=1MiB"})
	if err == nil {
		t.Fatal("a wrong configuration was accepted")
	}
	want := strings.Join([]string{
		"PORT=abc: expected a number from 1 to 65535",
		"MCP_GW_DOCKER=maybe: expected auto or off",
		"--max-body=16 elephants: expected a size from 1KiB to 1GiB, such as 16MiB",
		"MCP_GW_CALL_TIMEOUT=5: expected a duration from 1s to 24h, such as 90s, 5m or 1h30m",
	}, "\n")
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEachSettingRefusesNonsense(t *testing.T) {
	for _, kv := range []string{
		"PORT=0", "PORT=65536", "PORT=-1", "PORT=3000x",
		"MCP_GW_LISTEN=http://localhost:3000", "MCP_GW_LISTEN=localhost:99999", "MCP_GW_LISTEN=a b", "MCP_GW_LISTEN=1:2:3:zz",
		"MCP_GW_DOCKER=AUTO", "MCP_GW_NETWORK=a,,b", "MCP_GW_NETWORK=a,a", "MCP_GW_NETWORK=a b", "MCP_GW_NAME_POLICY=mine", "DOCKER_HOST=docker:2375", "DOCKER_HOST=ssh://host", "DOCKER_API_VERSION=v1.45", "MCP_GW_PROXY_LISTEN=2375", "MCP_GW_PROXY_LISTEN=tcp://:2375",
		"MCP_GW_LOG_LEVEL=loud", "MCP_GW_LOG_FORMAT=xml", "MCP_GW_LOG_ENTRIES=0", "MCP_GW_TRAFFIC=some",
		"MCP_GW_MAX_BODY=-1", "MCP_GW_MAX_BODY=9999999999GiB", "MCP_GW_MAX_MESSAGE=MiB", "MCP_GW_MAX_SESSIONS=many",
		"MCP_GW_CONNECT_TIMEOUT=0s", "MCP_GW_SHUTDOWN_TIMEOUT=-1s", "MCP_GW_PING_INTERVAL=never", "MCP_GW_SESSION_IDLE=1y",
		"MCP_GW_ALLOWED_HOSTS=gw.example.org:3000", "MCP_GW_ALLOWED_HOSTS=https://gw.example.org", "MCP_GW_ALLOWED_ORIGINS=example.org", "MCP_GW_ALLOWED_ORIGINS=https://a.example/path", "MCP_GW_DESCRIPTION_PREFIX=perhaps",
		"MCP_GW_DASHBOARD=yes", "MCP_GW_BASE_URL=tools.example.com", "MCP_GW_BASE_URL=/gw", "MCP_GW_BASE_URL=ftp://tools.example.com", "MCP_GW_BASE_URL=https://", "MCP_GW_BASE_URL=https://:443/gw",
		"MCP_GW_BASE_URL=https://user:pw@tools.example.com", "MCP_GW_BASE_URL=https://tools.example.com/gw?x=1", "MCP_GW_BASE_URL=https://tools.example.com/gw#/", "MCP_GW_BASE_URL=https://tools.example.com//evil.example",
		"MCP_GW_BASE_URL=https://tools.example.com/gw/../x", "MCP_GW_BASE_URL=https://tools.example.com/mcp", "MCP_GW_BASE_URL=https://tools.example.com/gw/mcp", "MCP_GW_BASE_URL=https://tools.example.com/api/x", "MCP_GW_BASE_URL=https://tools.example.com/%67w",
	} {
		_, err := loadConfig(nil, []string{kv})
		if err == nil {
			t.Errorf("%s was accepted", kv)
			continue
		}
		if !strings.HasPrefix(err.Error(), kv+": expected ") {
			t.Errorf("%s: the error does not name setting and value: %v", kv, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{
		"1024": 1024, "2k": 2048, "2KiB": 2048, "3mb": 3 << 20, "3 MiB": 3 << 20, "1GiB": 1 << 30, "4096b": 4096,
	} {
		var got int64
		if err := size(&got, in, 1, 1<<30); err != nil || got != want {
			t.Errorf("size(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestListsAndOrigins(t *testing.T) {
	c, err := loadConfig(nil, []string{
		"MCP_GW_ALLOWED_HOSTS= gw.example.org ,,gw.lan",
		"MCP_GW_ALLOWED_ORIGINS=https://app.example.org/, http://localhost:5173",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"gw.example.org", "gw.lan"}; !slices.Equal(c.AllowedHosts, want) {
		t.Errorf("hosts %q, want %q", c.AllowedHosts, want)
	}
	if want := []string{"https://app.example.org", "http://localhost:5173"}; !slices.Equal(c.AllowedOrigins, want) {
		t.Errorf("origins %q, want %q", c.AllowedOrigins, want)
	}
}

func TestBaseURL(t *testing.T) {
	for in, want := range map[string]struct{ url, path, host, origin string }{
		"https://tools.example.com/gw":         {"https://tools.example.com/gw", "/gw", "tools.example.com", "https://tools.example.com"},
		"https://Tools.Example.com:443/gw/":    {"https://tools.example.com/gw", "/gw", "tools.example.com", "https://tools.example.com"},
		"http://10.0.0.5:8080":                 {"http://10.0.0.5:8080", "", "10.0.0.5", "http://10.0.0.5:8080"},
		"https://[fd00::1]:8443/team-a/mcp.gw": {"https://[fd00::1]:8443/team-a/mcp.gw", "/team-a/mcp.gw", "fd00::1", "https://[fd00::1]:8443"},
	} {
		c, err := loadConfig(nil, []string{"MCP_GW_ALLOWED_HOSTS=gw.lan", "MCP_GW_BASE_URL=" + in})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if c.Base.String() != want.url || c.basePath() != want.path || !slices.Equal(c.AllowedHosts, []string{"gw.lan", want.host}) || !slices.Equal(c.AllowedOrigins, []string{want.origin}) {
			t.Errorf("%s: %s, path %q, hosts %q, origins %q", in, c.Base, c.basePath(), c.AllowedHosts, c.AllowedOrigins)
		}
	}
}

func TestMisspeltVariableIsNamed(t *testing.T) {
	c, err := loadConfig(nil, []string{
		"MCP_GW_NETWROK=tools",
		"MCP_GW_PORT_3000_TCP=tcp://10.0.0.1:3000", // an orchestrator's invention
		"HOME=/root",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"MCP_GW_NETWROK is not a setting and has no effect; did you mean MCP_GW_NETWORK?"}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("got %q, want %q", c.Warnings, want)
	}
}

func TestFlagsAndVariablesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range settings() {
		for _, name := range []string{s.env, "--" + s.flag} {
			if seen[name] && name != "--" {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if s.help == "" || !strings.HasSuffix(s.help, ".") {
			t.Errorf("%s: help %q is no sentence", s.env, s.help)
		}
	}
}

const (
	readme     = "../../README.md"
	tableBegin = "<!-- configuration: generated by 'go test ./cmd/mcp-gw -update' -->\n"
	tableEnd   = "<!-- end of configuration -->"
)

// The README's configuration table is written by this test, so it cannot say
// anything that the code does not.
func TestReadmeHasTheConfigurationTable(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	got, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table; it goes between %q and %q", readme, tableBegin, tableEnd)
	}
	want := configurationTable()
	if *update {
		if err := os.WriteFile(readme, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table in README.md is not that of the code; run: go test ./cmd/mcp-gw -update\ngot\n%s\nwant\n%s", got, want)
	}
}

func configurationTable() string {
	var b strings.Builder
	b.WriteString("| variable | flag | default | what it does |\n|---|---|---|---|\n")
	for _, s := range settings() {
		def := ""
		if s.def != "" {
			def = "`" + s.def + "`"
		}
		flag := ""
		if s.flag != "" {
			flag = "`--" + s.flag + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.env, flag, def, s.help)
	}
	return b.String()
}

// Commands may take more than settings: flags of their own, arguments, in any order.
func TestArgumentsOfCommands(t *testing.T) {
	for _, test := range []struct {
		args string
		json bool
		rest string
		err  string
	}{
		{"a.yaml --json --port=4000 b.yaml", true, "a.yaml b.yaml", ""},
		{"--json a.yaml", true, "a.yaml", ""},
		{"a.yaml -- --json", false, "a.yaml --json", ""},
		{"-- server --json", false, "server --json", ""},
		{"a.yaml --jason", false, "", "jason"},
	} {
		var asJSON bool
		cmd := command{takes: "FILE…", flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") }}
		cfg, rest, err := loadCommand(cmd, strings.Fields(test.args), nil)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q in it", test.args, err, test.err)
			}
			continue
		}
		if err != nil || asJSON != test.json || strings.Join(rest, " ") != test.rest || cfg.Listen == "" {
			t.Errorf("%s: json %v, rest %q, %v", test.args, asJSON, rest, err)
		}
	}
}
