package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"

	"mcp-gw/discovery/docker"
	"mcp-gw/gateway/journal"
)

// config is everything a person can set. It is read once, at the start, here
// and nowhere else: no other package looks at the environment.
type config struct {
	Listen     string // host:port, host empty for all interfaces
	ConfigPath string

	Docker        bool // watch containers
	DockerHost    string
	DockerAPI     string
	DockerCerts   string
	DockerTLS     bool
	DockerNetwork string
	DockerPrefix  string
	DockerRules   docker.Rules
	ProxyListen   string // of the docker-proxy; host:port

	ShimListen string // of the shim; host:port
	ShimShared bool   // its clients share one process

	LogLevel  slog.Level
	LogFormat string
	NoColor   bool

	MaxBody     int64
	MaxMessage  int64
	MaxSessions int
	LogEntries  int
	Traffic     journal.Mode

	CallTimeout     time.Duration
	ConnectTimeout  time.Duration
	SessionIdle     time.Duration
	StartupWait     time.Duration
	PingInterval    time.Duration
	ShutdownTimeout time.Duration

	Token          string // what has to be shown, empty for nothing; see secret
	TokenFile      string // has it instead
	AllowedHosts   []string
	AllowedOrigins []string

	DescriptionPrefix bool

	Base      *url.URL // where people reach the gateway from outside; nil: as it listens
	Dashboard string   // dashboardOn, dashboardReadOnly or dashboardOff

	// Warnings are remarks on what was set but has no effect.
	Warnings []string

	port   int
	listen string
}

// What MCP_GW_DASHBOARD may be.
const (
	dashboardOn       = "on"
	dashboardReadOnly = "readonly"
	dashboardOff      = "off"
)

// setting is one thing a person can set: a row of the configuration table.
type setting struct {
	// flag is "" for a secret: everybody on the machine can read command lines.
	env, flag, def, help string
	// set stores value, or returns what it expected instead: "a number from 1
	// to 65535".
	set func(c *config, value string) error
}

// settings are all rows, in the order of the README's table, which a test
// compares with this list.
func settings() []setting {
	return []setting{
		{"PORT", "port", "3000", "Port to listen on.",
			func(c *config, v string) error { return number(&c.port, v, 1, 65535) }},
		{"MCP_GW_LISTEN", "listen", "", "Address to listen on, such as `127.0.0.1` or `127.0.0.1:8080`; a port here wins over `PORT`. Empty: all interfaces.",
			func(c *config, v string) error { return address(&c.listen, v) }},
		{"CONFIG_PATH", "config", "./config/backends.json", "File of the backends registered by hand. In the image: `/app/config/backends.json`.",
			func(c *config, v string) error { return nonEmpty(&c.ConfigPath, v, "the path of a file") }},

		{"MCP_GW_DOCKER", "docker", "auto", "`auto` watches the container engine, and waits for it when it is away; `off` leaves it alone.",
			func(c *config, v string) error {
				c.Docker = v == "auto"
				return oneOf(v, "auto", "off")
			}},
		{"MCP_GW_NETWORK", "network", "mcp-gw-net", "The network that containers share with the gateway. Several with commas between: a container is reached on the first that it is on, or on the one of its label `mcp-gw.network`.",
			func(c *config, v string) error { return networks(&c.DockerNetwork, v) }},
		{"MCP_GW_LABEL_PREFIX", "label-prefix", "mcp-gw", "What stands before the labels of containers, without the dot.",
			func(c *config, v string) error { return labelPrefix(&c.DockerPrefix, v) }},
		{"MCP_GW_INSTANCE", "instance", "", "This gateway's name, for containers whose label `mcp-gw.instance` says which gateways they are for.",
			func(c *config, v string) error { return instance(&c.DockerRules.Instance, v) }},
		{"MCP_GW_REQUIRE_ENABLE", "require-enable", "false", "`true` demands `mcp-gw.enable=true`; otherwise any label is consent.",
			func(c *config, v string) error { return boolean(&c.DockerRules.RequireEnable, v) }},
		{"MCP_GW_ALLOW_PROJECTS", "allow-projects", "", "Compose projects whose containers may register, such as `shop,dev-*`. Empty: all.",
			func(c *config, v string) error { return globs(&c.DockerRules.AllowProjects, v) }},
		{"MCP_GW_ALLOW_IMAGES", "allow-images", "", "Images whose containers may register, such as `acme/*`; a pattern without a slash is held against the last part of the image's name. Empty: all.",
			func(c *config, v string) error { return globs(&c.DockerRules.AllowImages, v) }},
		{"MCP_GW_ALLOW_URL_HOSTS", "allow-url-hosts", "", "Hosts that the label `mcp-gw.url` may name besides the container's own, such as `api.example.com,*.internal`.",
			func(c *config, v string) error { return globs(&c.DockerRules.AllowURLHosts, v) }},
		{"MCP_GW_ALLOW_UNPREFIXED", "allow-unprefixed", "false", "`true` allows `mcp-gw.tools.prefix=none`: tools under their own names.",
			func(c *config, v string) error { return boolean(&c.DockerRules.AllowUnprefixed, v) }},
		{"MCP_GW_ALLOW_EXEC", "allow-exec", "false", "`true` allows `mcp-gw.stdio.mode=exec`: commands that labels name are started in containers. `docker-proxy` has to allow it too.",
			func(c *config, v string) error { return boolean(&c.DockerRules.AllowExec, v) }},
		{"MCP_GW_NAME_POLICY", "name-policy", "first-live", "Who gets a name that several containers want: `first-live` gives it to the one that has it, then to the one that started first; `owner` keeps it for the service and image that had it first, until its record is removed from `names.json`, beside `CONFIG_PATH`.",
			func(c *config, v string) error {
				c.DockerRules.NamePolicy = v
				return oneOf(v, docker.NamesFirstLive, docker.NamesOwner)
			}},
		{"MCP_GW_SECRETS_DIR", "secrets-dir", "/run/secrets", "Folder of the secrets that labels name: a file each.",
			func(c *config, v string) error {
				return nonEmpty(&c.DockerRules.SecretsDir, v, "the path of a folder")
			}},
		{"MCP_GW_SECRET_GRANTS", "secret-grants", "", "Who may have which secret: `github_token:github,exa_key:shop/exa`, by backend or by compose project and service. Several for one secret: repeat it. Containers of the gateway's own compose project may have all.",
			func(c *config, v string) error { return grants(&c.DockerRules.SecretGrants, v) }},
		{"DOCKER_HOST", "docker-host", "", "Address of the engine, such as `unix:///var/run/docker.sock` or `tcp://docker-proxy:2375`. Empty: the local socket.",
			func(c *config, v string) error { return engineAddress(&c.DockerHost, v) }},
		{"MCP_GW_PROXY_LISTEN", "proxy-listen", ":2375", "Address that `mcp-gw docker-proxy` listens on. Whoever reaches it is told of the containers that concern the gateway, and of no others.",
			func(c *config, v string) error { return proxyAddress(&c.ProxyListen, v) }},
		{"MCP_GW_SHIM_LISTEN", "shim-listen", ":8080", "Address that `mcp-gw shim` listens on, with the server at `/mcp`.",
			func(c *config, v string) error { return proxyAddress(&c.ShimListen, v) }},
		{"MCP_GW_SHIM_SESSION", "session", "shared", "`shared`: `mcp-gw shim` starts one process, which all clients share. `per-client`: one a session, at most 100, until `MCP_GW_SESSION_IDLE`.",
			func(c *config, v string) error {
				c.ShimShared = v == "shared"
				return oneOf(v, "shared", "per-client")
			}},
		{"DOCKER_API_VERSION", "docker-api-version", "", "Engine API version to speak, such as `1.45`. Empty: agreed with the engine.",
			func(c *config, v string) error { return apiVersion(&c.DockerAPI, v) }},
		{"DOCKER_CERT_PATH", "docker-cert-path", "", "Folder of `ca.pem`, `cert.pem` and `key.pem` for an engine behind TLS.",
			func(c *config, v string) error { c.DockerCerts = v; return nil }},
		{"DOCKER_TLS_VERIFY", "docker-tls-verify", "", "Any value: check the engine's certificate, as the docker command does.",
			func(c *config, v string) error { c.DockerTLS = v != ""; return nil }},

		{"MCP_GW_LOG_LEVEL", "log-level", "info", "`debug`, `info`, `warn` or `error`.",
			func(c *config, v string) error { return level(&c.LogLevel, v) }},
		{"MCP_GW_LOG_FORMAT", "log-format", "text", "`text` or `json`, one line an entry, on standard error.",
			func(c *config, v string) error { c.LogFormat = v; return oneOf(v, "text", "json") }},
		{"NO_COLOR", "no-color", "", "Any value: `doctor` and `lint` print without colours, as they do when nobody watches.",
			func(c *config, v string) error { c.NoColor = v != ""; return nil }},
		{"MCP_GW_LOG_ENTRIES", "log-entries", "1000", "Calls and events kept in memory for the log of the dashboard and the API.",
			func(c *config, v string) error { return number(&c.LogEntries, v, 1, 1_000_000) }},
		{"MCP_GW_TRAFFIC", "traffic", "redacted", "What the dashboard may show of calls. `redacted`: arguments and results, secrets masked; `metadata`: who called what, and how it went; `full`: everything as it is, secrets too; `off`: nothing but numbers.",
			func(c *config, v string) error {
				c.Traffic = journal.Mode(v)
				return oneOf(v, string(journal.Redacted), string(journal.Metadata), string(journal.Full), string(journal.Off))
			}},

		{"MCP_GW_MAX_BODY", "max-body", "16MiB", "Largest request a client may send.",
			func(c *config, v string) error { return size(&c.MaxBody, v, 1<<10, 1<<30) }},
		{"MCP_GW_MAX_MESSAGE", "max-message", "64MiB", "Largest message taken from a backend.",
			func(c *config, v string) error { return size(&c.MaxMessage, v, 1<<10, 1<<30) }},
		{"MCP_GW_MAX_SESSIONS", "max-sessions", "10000", "Client sessions at a time; beyond, the one unused longest gives way.",
			func(c *config, v string) error { return number(&c.MaxSessions, v, 1, 1_000_000) }},

		{"MCP_GW_CALL_TIMEOUT", "call-timeout", "120s", "How long a call may stay silent. Progress starts it anew; label `mcp-gw.timeout.call` sets it for one backend.",
			func(c *config, v string) error { return duration(&c.CallTimeout, v, time.Second, 24*time.Hour) }},
		{"MCP_GW_CONNECT_TIMEOUT", "connect-timeout", "5s", "How long a backend may take to accept a connection and to answer the first request.",
			func(c *config, v string) error {
				return duration(&c.ConnectTimeout, v, 100*time.Millisecond, 10*time.Minute)
			}},
		{"MCP_GW_PING_INTERVAL", "ping-interval", "30s", "How often an idle backend is asked whether it is alive; a container that nobody calls, down to a tenth as often.",
			func(c *config, v string) error { return duration(&c.PingInterval, v, time.Second, 24*time.Hour) }},
		{"MCP_GW_SESSION_IDLE", "session-idle", "30m", "An unused client session ends after this time.",
			func(c *config, v string) error { return duration(&c.SessionIdle, v, time.Second, 30*24*time.Hour) }},
		{"MCP_GW_STARTUP_WAIT", "startup-wait", "3s", "How long the first lists may wait for the backends that are there at the start: many clients read them once. `0s`: not at all.",
			func(c *config, v string) error { return duration(&c.StartupWait, v, 0, 10*time.Second) }},
		{"MCP_GW_SHUTDOWN_TIMEOUT", "shutdown-timeout", "10s", "How long running calls may take to finish at shutdown.",
			func(c *config, v string) error { return duration(&c.ShutdownTimeout, v, 0, 10*time.Minute) }},

		{"MCP_GW_TOKEN", "", "", "What clients have to send as `Authorization: Bearer …`, and people type to see the dashboard: at least 16 characters, as `openssl rand -hex 24` prints. Only `/healthz` and `/readyz` answer without. Empty: whoever reaches the gateway may use it.",
			func(c *config, v string) error { return bearer(&c.Token, v) }},
		{"MCP_GW_TOKEN_FILE", "token-file", "", "A file that has the token, such as a compose secret's `/run/secrets/mcp_gw_token`, in place of `MCP_GW_TOKEN`. It is read at the start.",
			func(c *config, v string) error { c.TokenFile = v; return nil }},
		{"MCP_GW_BASE_URL", "base-url", "", "Where people reach the gateway from outside, such as `https://tools.example.com/gw` for a `/gw/mcp` behind a reverse proxy, whether that takes `/gw` away or not. Its name and its pages are allowed without the two settings below. Empty: as it listens.",
			func(c *config, v string) error { return baseURL(&c.Base, v) }},
		{"MCP_GW_DASHBOARD", "dashboard", "on", "`on`; `readonly`: the dashboard shows everything, and through the REST API nothing can be changed or called; `off`: no dashboard, the API alone.",
			func(c *config, v string) error {
				c.Dashboard = v
				return oneOf(v, dashboardOn, dashboardReadOnly, dashboardOff)
			}},
		{"MCP_GW_ALLOWED_HOSTS", "allowed-hosts", "", "Further Host names to answer to, such as `gw.example.org`, separated by commas. Addresses, names without a dot, and names below `.local`, `.internal` and `.localhost` always are.",
			func(c *config, v string) error { return hosts(&c.AllowedHosts, v) }},
		{"MCP_GW_ALLOWED_ORIGINS", "allowed-origins", "", "Origins whose pages may call the gateway, such as `https://app.example.org`, separated by commas. Its own page and pages of the same machine always may.",
			func(c *config, v string) error { return origins(&c.AllowedOrigins, v) }},
		{"MCP_GW_DESCRIPTION_PREFIX", "description-prefix", "false", "`true` writes `[backend]` before each tool's description.",
			func(c *config, v string) error { return boolean(&c.DescriptionPrefix, v) }},
	}
}

// basePath is what people have before the gateway's own paths: /gw, or nothing.
func (c config) basePath() string {
	if c.Base == nil {
		return ""
	}
	return c.Base.Path
}

// loadConfig reads flags, then the environment ("KEY=value", as os.Environ
// gives it), then defaults. The error holds every problem, one a line, each
// with the name and the value as the person wrote them. An empty variable
// counts as unset: compose files pass those on.
func loadConfig(args, environ []string) (config, error) {
	c, _, err := loadCommand(command{}, args, environ)
	return c, err
}

// loadCommand does the same for a command that takes more than settings: it sets its
// own flags, and answers what is neither.
func loadCommand(cmd command, args, environ []string) (config, []string, error) {
	rows := settings()
	flags := flag.NewFlagSet("mcp-gw", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if cmd.flags != nil {
		cmd.flags(flags)
	}
	given := map[string]*string{}
	for _, s := range rows {
		if s.flag != "" {
			given[s.flag] = flags.String(s.flag, "", "")
		}
	}
	rest, err := parseFlags(flags, args)
	if err != nil {
		return config{}, nil, err
	}
	if cmd.takes == "" && len(rest) > 0 {
		return config{}, nil, fmt.Errorf("unexpected argument %q; flags come after the command, as --name=value", rest[0])
	}
	byFlag := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { byFlag[f.Name] = true })
	env := map[string]string{}
	for _, kv := range environ {
		if key, value, ok := strings.Cut(kv, "="); ok {
			env[key] = value
		}
	}

	var c config
	var problems []error
	for _, s := range rows {
		name, value := s.env, strings.TrimSpace(env[s.env])
		switch {
		case s.flag != "" && byFlag[s.flag]:
			name, value = "--"+s.flag, *given[s.flag]
		case value == "":
			value = s.def
		}
		if err := s.set(&c, value); err != nil {
			if s.flag == "" {
				value = "…" // a secret, or near to one
			}
			problems = append(problems, fmt.Errorf("%s=%s: expected %w", name, value, err))
		}
	}
	if c.Token != "" && c.TokenFile != "" {
		problems = append(problems, errors.New("MCP_GW_TOKEN and MCP_GW_TOKEN_FILE are both set: take one of them away"))
	}
	if err := errors.Join(problems...); err != nil {
		return config{}, nil, err
	}
	c.Listen = joinAddress(c.listen, c.port)
	if c.Base != nil {
		// A proxy passes on the name that it was reached by, or one of its own, and
		// what the browser says of the page in either case.
		c.AllowedHosts = append(c.AllowedHosts, c.Base.Hostname())
		c.AllowedOrigins = append(c.AllowedOrigins, c.Base.Scheme+"://"+c.Base.Host)
	}
	c.Warnings = strangers(env, rows)
	return c, rest, nil
}

// parseFlags takes flags before, between and behind what is none. After "--" nothing
// is a flag.
func parseFlags(flags *flag.FlagSet, args []string) (rest []string, err error) {
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return append(rest, literal...), nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// strangers are the variables that look like ours and are none: misspelt,
// most likely. They are no errors, because orchestrators invent variables after
// a service's name (MCP_GW_PORT_3000_TCP).
func strangers(env map[string]string, rows []setting) []string {
	var out []string
	for key := range env {
		if !strings.HasPrefix(key, "MCP_GW_") || slices.ContainsFunc(rows, func(s setting) bool { return s.env == key }) {
			continue
		}
		best, distance := "", 4
		for _, s := range rows {
			if d := levenshtein.ComputeDistance(key, s.env); d < distance {
				best, distance = s.env, d
			}
		}
		if best != "" {
			out = append(out, fmt.Sprintf("%s is not a setting and has no effect; did you mean %s?", key, best))
		}
	}
	slices.Sort(out)
	return out
}
