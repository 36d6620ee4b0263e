package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/discovery/docker"
	"mcp-gw/gateway"
)

const (
	// examineTimeout bounds the doctor's own look at the engine, askTimeout each
	// question to a gateway.
	examineTimeout = 15 * time.Second
	askTimeout     = 3 * time.Second
	// maxAnswer bounds what is read of a gateway's answer, in bytes.
	maxAnswer = 64 << 20
)

// doctorCommand is `mcp-gw doctor`: why a container is not there, and what to type.
func doctorCommand() command {
	var asJSON bool
	return command{
		name: "doctor", help: "look at the engine, the network and each container, and say what to do; exit 0 when all is well, 1 with problems, 2 when the engine cannot be looked at",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "print findings as JSON: {ok, findings: [{area, subject, state, code, text, fix, more}]}")
		},
		run: func(ctx context.Context, cfg config, t terminal) error {
			return tell(t, cfg, examine(ctx, cfg), asJSON)
		},
	}
}

// examine looks at everything that stands between a container and a client's list.
func examine(ctx context.Context, cfg config) findings {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	var fs findings
	if !cfg.Docker {
		fs.add(finding{Area: "engine", State: stateInfo, Text: "containers are not watched (MCP_GW_DOCKER=off)"})
	}
	report := discovery.Report{}
	if cfg.Docker {
		report = docker.Examine(ctx, dockerConfig(cfg))
		fs.engine(report.Engine, docker.SocketFacts(cfg.DockerHost))
	}
	base := "http://" + loopback(cfg.Listen)
	// The gateway knows more than its containers do: who answers, and how.
	running := discovery.Report{}
	secret, err := cfg.secret()
	if err == nil {
		err = ask(ctx, secret, base+"/api/discovery", &running)
	}
	var backends []gateway.BackendState
	if err == nil {
		err = ask(ctx, secret, base+"/api/backends", &backends)
	}
	if errors.Is(err, errUnauthorized) {
		fs.add(finding{Area: "gateway", State: stateWarn, Code: "no_token", Text: fmt.Sprintf("the one at %s asks for its token, so it is not known which containers answer", base),
			Fix: "set MCP_GW_TOKEN, or MCP_GW_TOKEN_FILE, as it has it. Or ask in its container: docker exec <gateway> /mcp-gw doctor"})
	} else if err != nil {
		fs.add(finding{Area: "gateway", State: stateWarn, Code: "no_gateway", Text: fmt.Sprintf("none answers at %s (%v), so it is not known which containers answer", base, err),
			Fix: "start it: docker compose up -d. It listens elsewhere? mcp-gw doctor --port=<port>. Or ask in its container: docker exec <gateway> /mcp-gw doctor"})
	} else {
		fs.add(finding{Area: "gateway", State: stateOK, Text: "answers at " + base})
		if running.Engine.Endpoint != "" {
			report.Containers = running.Containers
			fs.engineOf(running.Engine, report.Engine)
		}
	}
	fs.network(cmp.Or(running.Engine.NetworkProblem, report.Engine.NetworkProblem), report.Engine, running.Engine)
	if cfg.Docker && !fs.blind {
		fs.self(report.Containers, cmp.Or(running.Engine.Endpoint, report.Engine.Endpoint))
	}
	fs.containers(report.Containers)
	fs.backends(backends)
	return fs
}

// dockerConfig is the part of the settings that is for the engine.
func dockerConfig(cfg config) docker.Config {
	return docker.Config{
		Host: cfg.DockerHost, APIVersion: cfg.DockerAPI, CertPath: cfg.DockerCerts, TLSVerify: cfg.DockerTLS,
		Network: cfg.DockerNetwork, LabelPrefix: cfg.DockerPrefix, Rules: cfg.DockerRules,
	}
}

// errUnauthorized: the gateway is there, and asks for another token, or for one at all.
var errUnauthorized = errors.New("401 Unauthorized")

func ask(ctx context.Context, secret, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	// No proxy: HTTP_PROXY is for the way out, never for asking oneself.
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			return op.Err // the rest says again who was asked
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		return errUnauthorized
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s is no gateway of this kind (%w)", url, err)
	}
	return nil
}

func (fs *findings) engine(e discovery.Engine, socket string) {
	switch {
	case e.Connected && e.Error == "":
		version := cmp.Or(e.Version, "of unknown version")
		fs.add(finding{Area: "engine", State: stateOK, Text: fmt.Sprintf("%s, API %s, at %s", version, e.APIVersion, e.Endpoint)})
	case e.Connected:
		fs.add(finding{Area: "engine", State: stateWarn, Code: "refusal", Text: e.Error})
	default:
		fs.blind = true
		fs.add(finding{Area: "engine", State: stateFail, Code: "engine", Text: cmp.Or(e.Error, "cannot be reached")})
	}
	if socket != "" {
		state := stateOK
		if !e.Connected {
			state = stateWarn
		}
		fs.add(finding{Area: "socket", State: state, Text: socket})
	}
}

// engineOf is the engine as the running gateway sees it. The doctor may stand
// elsewhere: what only one of the two can reach is told of both.
func (fs *findings) engineOf(e, own discovery.Engine) {
	switch {
	case e.Connected && e.Error == "":
		fs.blind = false
		if e.Endpoint != own.Endpoint {
			fs.add(finding{Area: "gateway", State: stateOK, Text: "reads the engine at " + e.Endpoint})
		}
	case e.Connected:
		fs.blind = false
		fs.add(finding{Area: "gateway", State: stateWarn, Code: "refusal", Text: e.Error})
	default:
		fs.add(finding{Area: "gateway", State: stateFail, Code: "engine", Text: "it does not reach the engine: " + e.Error})
	}
}

func (fs *findings) network(problem string, engines ...discovery.Engine) {
	name := ""
	known := false
	for _, e := range engines {
		name, known = cmp.Or(name, e.Network), known || e.Connected
	}
	switch {
	case problem != "":
		text, fix := problem, ""
		for _, word := range []string{" Fix: ", " Create it: ", " Remove all but one: "} {
			if before, after, ok := strings.Cut(problem, word); ok {
				text, fix = strings.TrimSuffix(before, "."), after
			}
		}
		fs.add(finding{Area: "network", State: stateFail, Code: "network", Text: text, Fix: fix})
	case known:
		fs.add(finding{Area: "network", State: stateOK, Text: fmt.Sprintf("%q is there", name)})
	}
}

func (fs *findings) self(containers []discovery.Observed, endpoint string) {
	i := slices.IndexFunc(containers, func(o discovery.Observed) bool { return o.Verdict == "self" })
	if i < 0 {
		fs.add(finding{Area: "self", State: stateInfo, Text: "not in a container of this engine: containers are reached by their addresses, which works on a Linux host only"})
		return
	}
	o := containers[i]
	state := stateOK
	if o.Fix != "" {
		state = stateFail
	}
	fs.add(finding{Area: "self", Subject: o.Name, State: state, Text: o.Reason, Fix: o.Fix})
	if strings.HasPrefix(endpoint, "unix://") {
		fs.add(finding{Area: "socket", Subject: o.Name, State: stateWarn, Code: "socket_mounted",
			Text: "the gateway's own container holds the engine's socket, which is as good as root on its machine, also when mounted read-only",
			Fix:  "let docker-proxy hold it, as compose.yaml does", More: hardened})
	}
}

// hardened is what to change in a compose file that mounts the socket, so that it is as
// compose.yaml is.
var hardened = []string{
	"   gateway:",
	"-    user: \"0:0\"",
	"+    user: \"65532:65532\"",
	"-    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]",
	"+    environment: { DOCKER_HOST: \"tcp://docker-proxy:2375\" }",
	"+    networks: [mcp-gw-net, docker-api]",
	"+  docker-proxy:",
	"+    image: mcp-gw",
	"+    command: [docker-proxy]",
	"+    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]",
	"+    networks: [docker-api]",
	"+    user: \"0:0\"",
	"+    cap_drop: [ALL]",
	"+    security_opt: [\"no-new-privileges:true\"]",
	"+    read_only: true",
	"+    restart: unless-stopped",
	" networks:",
	"+  docker-api: { internal: true }",
}

func (fs *findings) containers(containers []discovery.Observed) {
	for _, o := range containers {
		if o.Verdict == "self" {
			continue
		}
		f := finding{Area: "container", Subject: o.Name, State: stateOf(o.Verdict), Code: o.Verdict, Text: o.Reason, Fix: o.Fix}
		for _, d := range o.Diagnostics {
			if d.Message == o.Reason {
				continue
			}
			line := fmt.Sprintf("%s %s: %s", d.Severity, d.Code, d.Message)
			if d.Suggestion != "" {
				line += " → " + d.Suggestion
			}
			f.More = append(f.More, line)
		}
		for _, x := range o.Others {
			f.More = append(f.More, fmt.Sprintf("%s: %s: %s", x.Backend, x.Verdict, x.Reason))
		}
		fs.add(f)
	}
}

// stateOf ranks verdicts. What somebody asked for is no problem.
func stateOf(verdict string) state {
	switch verdict {
	case "registered", "self":
		return stateOK
	case "registered_warn", "no_tools", "not_running":
		return stateWarn
	case "disabled", "not_labelled", "one_off", "gone", "not_allowed", "not_enabled", "other_instance":
		return stateInfo
	}
	return stateFail
}

// backends are those registered by hand; the others were told with their containers.
func (fs *findings) backends(all []gateway.BackendState) {
	for _, b := range all {
		if b.Source != discovery.SourceManual {
			continue
		}
		f := finding{Area: "backend", Subject: b.Name, Code: b.State}
		switch {
		case b.State == "ready":
			f.State, f.Text = stateOK, fmt.Sprintf("%s, tools: %d", b.URL, len(b.Tools))
		case b.State == "disabled":
			f.State, f.Text = stateInfo, "disabled"
		default:
			f.State, f.Code, f.Text = stateFail, cmp.Or(b.Failure, b.State), b.URL+": "+cmp.Or(b.Reason, b.State)
			f.Fix = "mend the server or the registration; then POST /api/backends/" + b.Name + "/reconnect, or wait"
		}
		fs.add(f)
	}
}
