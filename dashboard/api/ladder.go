package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// The rungs of discovery.StepNames that only who connects knows.
const (
	rungReached = 5 + iota
	rungSpeaks
	rungListed
)

// failedAt is the rung at which a connect failed.
var failedAt = map[string]int{
	"dns": rungReached, "refused": rungReached, "timeout": rungReached, "unreachable": rungReached, "tls": rungReached,
	"no_answer": rungSpeaks, "closed": rungSpeaks, "http_status": rungSpeaks, "auth_required": rungSpeaks, "not_mcp": rungSpeaks, "protocol": rungSpeaks,
	"list_failed": rungListed,
}

// climb goes on where discovery ended: a container that is registered is not yet one
// whose tools are listed. Where it fails, the failure becomes the verdict.
func (s *server) climb(o discovery.Observed) discovery.Observed {
	o.Others = slices.Clone(o.Others)
	for i, other := range o.Others {
		x := about(o, other.Backend)
		x.Verdict, x.Reason, x.Fix = other.Verdict, other.Reason, other.Fix
		x = s.climbOne(x)
		o.Others[i].Verdict, o.Others[i].Reason, o.Others[i].Fix = x.Verdict, x.Reason, x.Fix
	}
	return s.climbOne(o)
}

// climbOne does it for one of a container's backends, that of o.
func (s *server) climbOne(o discovery.Observed) discovery.Observed {
	if !registered(o) {
		return o
	}
	b, ok := s.Gateway.Backend(o.Backend)
	if !ok || b.Source != discovery.SourceDocker {
		return o
	}
	b = show(b)
	o.Ladder = slices.Clone(o.Ladder)
	for i, step := range steps(b) {
		if rung := rungReached + i; rung < len(o.Ladder) {
			o.Ladder[rung] = step
		}
	}
	switch _, failed := failedAt[b.Failure]; {
	case b.State == "ready" && offersNothing(b):
		o.Verdict = "no_tools"
		o.Reason = fmt.Sprintf("registered as %s and connected, but the server offers no tools, prompts or resources", o.Backend)
		o.Fix = "docker logs " + o.Name + " may say why: a missing credential or setting, most often"
	case b.State == "ready" && o.Verdict == "registered":
		o.Reason = fmt.Sprintf("registered as %s: %s", o.Backend, offered(b))
	case b.State == "ready":
	case failed:
		o.Verdict, o.Reason, o.Fix = b.Failure, subject(b)+b.Reason, remedy(o, b)
	case b.DisabledBy == "dashboard":
		o.Reason = fmt.Sprintf("registered as %s, and switched off in the dashboard", o.Backend)
	}
	return o
}

// steps are the rungs of the ladder that only who connects knows.
func steps(b gateway.BackendState) []discovery.Step {
	rungs := make([]discovery.Step, 0, 3)
	add := func(state, detail string) {
		rungs = append(rungs, discovery.Step{Name: discovery.StepNames[rungReached+len(rungs)], State: state, Detail: detail})
	}
	failed, isFailed := failedAt[b.Failure]
	switch {
	case b.State == "ready":
		add("ok", reachedAt(b))
		add("ok", spoken(b))
		if offersNothing(b) {
			add("warn", "the server offers nothing")
		} else {
			add("ok", offered(b))
		}
	case isFailed:
		for i := rungReached; i < failed; i++ {
			add("ok", "")
		}
		add("failed", b.Reason)
	default:
		add("pending", cmp.Or(b.Reason, b.State))
	}
	for len(rungs) < cap(rungs) {
		add("pending", "")
	}
	return rungs
}

func registered(o discovery.Observed) bool {
	return o.Verdict == "registered" || o.Verdict == "registered_warn"
}

func reachedAt(b gateway.BackendState) string {
	if b.Transport == discovery.TransportStdio {
		return "by its standard input and output"
	}
	return b.URL
}

// spoken says what was agreed on.
func spoken(b gateway.BackendState) string {
	var server struct{ Name, Version string }
	_ = json.Unmarshal(b.ServerInfo, &server) // what a server calls itself may be anything
	text := "MCP " + b.ProtocolVersion
	if server.Name != "" {
		text += strings.TrimRight(fmt.Sprintf(", %.80s %.40s", server.Name, server.Version), " ")
	}
	return text
}

// offersNothing reports whether a server works and has nothing to offer.
func offersNothing(b gateway.BackendState) bool {
	return max(b.ToolCount, len(b.Tools))+b.Prompts+b.Resources == 0
}

// offered counts what a server has to offer.
func offered(b gateway.BackendState) string {
	all := max(b.ToolCount, len(b.Tools))
	what := count(all, "tool")
	if len(b.Tools) < all {
		what = fmt.Sprintf("%d of %s", len(b.Tools), what)
	}
	if b.Prompts+b.Resources > 0 {
		what += ", " + count(b.Prompts, "prompt") + ", " + count(b.Resources, "resource")
	}
	return what
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// subject names the address that a reason is about.
func subject(b gateway.BackendState) string {
	u, err := url.Parse(b.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Host + ": "
}

// remedy is what to do about a failed connect.
func remedy(o discovery.Observed, b gateway.BackendState) string {
	logs := "docker logs " + o.Name
	switch b.Failure {
	case "refused":
		return fmt.Sprintf("see in %s where the server listens. Another port: label %s=<port>. On 127.0.0.1: make it listen on 0.0.0.0", logs, labelOf(o, "port"))
	case "dns":
		return fmt.Sprintf("is the name in the label %s right?", labelOf(o, "url"))
	case "timeout", "unreachable":
		return fmt.Sprintf("is a firewall between them? Connect it anew: docker restart %s; its log: %s", o.Name, logs)
	case "no_answer", "closed":
		return fmt.Sprintf("is %s=%s the port of the MCP server? Its log: %s", labelOf(o, "port"), setting(o, "port").Value, logs)
	case "http_status":
		fix := fmt.Sprintf("set the label %s to the path at which the server answers MCP; %s often shows it", labelOf(o, "path"), logs)
		if t := setting(o, "transport"); t.Source == "label" && t.Value != "auto" {
			fix = fmt.Sprintf("remove the label %s=%s, so that the transport is found out; or %s", labelOf(o, "transport"), t.Value, fix)
		}
		return fix
	case "auth_required":
		return credentials(o)
	case "not_mcp":
		return fmt.Sprintf("set %s and %s to where the MCP server listens (tried: port %s)", labelOf(o, "port"), labelOf(o, "path"), setting(o, "port").Value)
	case "protocol":
		return "use a version of the server that speaks a revision from 2024-11-05 on; " + logs
	case "list_failed":
		return logs
	}
	// tls: its sentence names the label.
	return "set the label that the reason names, and start the container anew"
}

// credentials is how a server is given those that it wants.
func credentials(o discovery.Observed) string {
	if s := setting(o, "auth.secret"); s.Value != "" {
		return fmt.Sprintf("it does not take the secret of %s=%s as %s=%s sends it: write the right one into its file in the gateway's MCP_GW_SECRETS_DIR", labelOf(o, "auth.secret"), s.Value, labelOf(o, "auth"), setting(o, "auth").Value)
	}
	return fmt.Sprintf("%s=bearer and %s=<secret name>, with the token in a file of that name in the gateway's MCP_GW_SECRETS_DIR, and MCP_GW_SECRET_GRANTS=<secret name>:%s on the gateway", labelOf(o, "auth"), labelOf(o, "auth.secret"), o.Backend)
}

// labelOf is the label that gives a key to the backend of o, as the labels that it has
// are written: under another prefix than the usual, or for one of several backends.
func labelOf(o discovery.Observed, key string) string {
	labels := slices.Sorted(maps.Keys(o.Labels))
	own := ".backends." + o.Backend + "."
	for _, label := range labels {
		if root, _, several := strings.Cut(label, own); several {
			return root + own + key
		}
	}
	for _, label := range labels {
		for _, s := range o.Settings {
			if root, given := strings.CutSuffix(label, "."+s.Key); given && s.Source == "label" {
				return root + "." + key
			}
		}
	}
	return "mcp-gw." + key
}

// setting is one effective value, and where it came from.
func setting(o discovery.Observed, key string) discovery.Setting {
	i := slices.IndexFunc(o.Settings, func(s discovery.Setting) bool { return s.Key == key })
	if i < 0 {
		return discovery.Setting{Key: key}
	}
	return o.Settings[i]
}
