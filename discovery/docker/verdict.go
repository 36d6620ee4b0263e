package docker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// Verdicts on containers. They are stable words of the API.
const (
	verdictRegistered      = "registered"
	verdictRegisteredWarn  = "registered_warn"
	verdictNotLabelled     = "not_labelled"
	verdictNearMissLabel   = "near_miss_label"
	verdictLabelValue      = "label_value"
	verdictDisabled        = "disabled"
	verdictNoPort          = "no_port"
	verdictPortAmbiguous   = "port_ambiguous"
	verdictNotRunning      = "not_running"
	verdictRestarting      = "restarting"
	verdictNoSharedNetwork = "no_shared_network"
	verdictConflict        = "conflict"
	verdictSelf            = "self"
	verdictOneOff          = "one_off"
	verdictNotAllowed      = "not_allowed"
	verdictUnhealthy       = "unhealthy"
	verdictFlapping        = "flapping"
	verdictNotEnabled      = "not_enabled"
	verdictOtherInstance   = "other_instance"
	verdictSecret          = "secret"
	verdictStdio           = "stdio"
	verdictDeployLabels    = "deploy_labels"
	verdictGone            = "gone"
)

// world is what the description of a container depends on besides itself.
type world struct {
	prefix string
	home   home
	// more are further networks that containers may share with the gateway. What a
	// container is told is about the one that it is found on, else about home.
	more []home
	self string // id of the gateway's own container, "" when it runs outside
	// peer is the container whose network the one that is judged shares, nil when it
	// has its own, or that one is not known.
	peer *observation
	// selfProject is the compose project of that container, "" without one.
	selfProject string
	rules       Rules
	// secrets are those that labels name, as their files were read last.
	secrets map[string]secret
}

// describePart judges one backend of a container. root are the remarks on what the
// container says of all its backends.
func describePart(s spec, root []discovery.Diagnostic, o observation, w world, where place, fixedName string) (x part) {
	judge := func(verdict, reason, fix string) part {
		x.settings, x.verdict, x.reason, x.fix = s.settings, verdict, reason, fix
		x.diagnostics = append(slices.Clip(root), sign(s.diagnostics, o)...)
		x.backend.Diagnostics = x.diagnostics
		return x
	}
	x.name, x.unnamed, x.team = s.name, s.name == "", team(w.prefix, o)
	switch _, given := s.given["enable"]; {
	case !s.enabled && given:
		return judge(verdictDisabled, s.prefix+".enable=false", "")
	case w.rules.RequireEnable && !given && !s.refusedLabel("enable"):
		return judge(verdictNotEnabled, fmt.Sprintf("the gateway demands %s.enable=true (MCP_GW_REQUIRE_ENABLE)", w.prefix), s.prefix+".enable=true")
	case len(s.instances) > 0 && !slices.Contains(s.instances, w.rules.Instance):
		return judge(verdictOtherInstance, fmt.Sprintf("it is for the gateway %s, and this one is %s", strings.Join(s.instances, ", "), cmp.Or(w.rules.Instance, "nameless")),
			"MCP_GW_INSTANCE="+s.instances[0]+" on the gateway")
	}
	s.together()
	s.permit(w.rules)

	nameFrom := "label"
	if x.unnamed {
		x.name, nameFrom = fixedName, "inferred"
		if x.name == "" {
			var from string
			x.name, from = defaultName(o.name, o.labels)
			if err := checkName(x.name); err != nil && !s.refusedLabel("name") {
				s.fail(codeNoName, s.prefix+".name", fmt.Sprintf("the %s gives no usable name: %q %v", from, x.name, err), fmt.Sprintf("%s.name=…", s.prefix))
			}
		}
	}
	port, portFrom := s.port, "label"
	switch {
	case s.transport == discovery.TransportStdio && s.stdioMode == stdioExec:
		s.tuning.Init = cmp.Or(s.tuning.Init, execPatience)
		s.tuning.Startup = cmp.Or(s.tuning.Startup, execPatience)
	case s.transport == discovery.TransportStdio:
		s.remarkStdio(o)
	case port == 0 && s.url == "" && where.host:
		// What the image exposes says nothing of the host, where others listen too.
		if !s.refusedLabel("port") {
			s.fail(codeNoPort, s.prefix+".port", fmt.Sprintf("%q uses the host's network, where others listen too; set %s.port", o.name, s.prefix), s.prefix+".port=8080, or wherever the MCP server listens")
		}
	case port == 0 && s.url == "":
		portFrom = "inferred"
		var ok bool
		if port, ok = inferPort(o.tcpPorts); !ok && !s.refusedLabel("port") && !s.refusedLabel("transport") && !s.refusedLabel("url") {
			s.remarkPort(o)
		}
	}
	if s.network != "" && s.transport != discovery.TransportStdio {
		if h, ok := w.homeNamed(s.network); ok {
			w = w.on(h)
			alone := w
			alone.more = nil
			where = alone.locate(o)
		} else {
			s.fail(codeNotPermitted, s.prefix+".network", fmt.Sprintf("%s.network=%s: this gateway's network is %s; not registered", s.prefix, s.network, w.homeNames()),
				fmt.Sprintf("%s.network=%s", s.prefix, w.home.name))
		}
	}
	s.unlock(w, o, x.name)
	own := ""
	if s.url != "" && where.attached {
		own, _ = s.ownURL(w.rules, o, where.at)
	}
	x.shown = s.list(x.name, nameFrom, port, portFrom)
	if !where.attached {
		s.fail(codeNotOnNetwork, "", where.problem, where.fix)
		return judge(verdictNoSharedNetwork, where.problem, where.fix)
	}
	if bad, ok := firstError(append(slices.Clip(root), s.diagnostics...)); ok {
		return judge(verdictOf(bad.Code), bad.Message, bad.Suggestion)
	}
	x.wants = true
	if !o.up() {
		return judge(judgeStopped(o))
	}
	addr := where.at.addr()
	if !addr.IsValid() && s.transport != discovery.TransportStdio {
		fix := fmt.Sprintf("docker network disconnect %[1]s %[2]s && docker network connect %[1]s %[2]s", w.home.name, o.name)
		message := fmt.Sprintf("%q runs, but has no address on %q", o.name, w.home.name)
		s.fail(codeNoAddress, "", message, fix)
		return judge(verdictNoSharedNetwork, message, fix)
	}
	var alternatives []string
	switch {
	case s.transport == discovery.TransportStdio:
	case own != "":
		x.url = own
	default:
		x.url, alternatives = urls(s.settings, addr, port)
	}
	paused := o.status == "paused"
	if paused {
		s.remark(discovery.SeverityWarning, codePaused, "", "", fmt.Sprintf("%q is paused; calls do not get through", o.name), "docker unpause "+o.name)
	}
	x.routable = true
	x.backend = discovery.Backend{
		Name: x.name, Source: discovery.SourceDocker, URL: x.url, Alternatives: alternatives,
		Transport: s.transport, Headers: s.headers, CallTimeout: s.callTimeout, Tuning: s.tuning, Shape: s.shape,
		TLS: s.tls, Groups: s.groups, Balance: s.balance,
		Replica: role(s.settings, x.team, o), PerClient: s.stdioSession == stdioPerClient,
		Generation: o.generation(), Held: paused, Container: containerOf(o),
	}
	if s.transport != discovery.TransportStdio {
		x.backend.Generation += where.suffix()
	}
	if x.backend.Withheld = withheld(s.health, o); x.backend.Withheld != "" {
		return judge(verdictUnhealthy, x.backend.Withheld+"; its tools are not shown", healthCommand(o))
	}
	if i := slices.IndexFunc(s.diagnostics, isWarning); i >= 0 {
		return judge(verdictRegisteredWarn, s.diagnostics[i].Message, s.diagnostics[i].Suggestion)
	}
	if i := slices.IndexFunc(root, isWarning); i >= 0 {
		return judge(verdictRegisteredWarn, root[i].Message, root[i].Suggestion)
	}
	return judge(verdictRegistered, "registered as "+x.name, "")
}

func role(s settings, team string, o observation) discovery.ReplicaRole {
	r := discovery.ReplicaRole{Weight: s.weight, Drain: s.weight == 0}
	if team != "" {
		r.ID = short(o.id)
	}
	return r
}

func isWarning(d discovery.Diagnostic) bool { return d.Severity == discovery.SeverityWarning }

// eachPort offers a label with each of several ports: which is the right one is not
// known here.
func eachPort(label string, ports []int) string {
	const most = 4
	var offers []string
	for _, p := range ports[:min(len(ports), most)] {
		offers = append(offers, fmt.Sprintf("%s=%d", label, p))
	}
	if len(ports) > most {
		offers = append(offers, "…")
	}
	return strings.Join(offers, " or ") + ", whichever the MCP server listens on"
}

func (s *spec) remarkPort(o observation) {
	label := s.prefix + ".port"
	switch {
	case len(o.tcpPorts) > 0:
		s.fail(codeAmbiguousPort, label, fmt.Sprintf("%q exposes %s, and which of them is the MCP server's cannot be told; set %s", o.name, portList(o.tcpPorts), label),
			eachPort(label, o.tcpPorts))
	case o.openStdin && s.transport == discovery.TransportAuto:
		s.fail(codeNoPort, label, fmt.Sprintf("%q exposes no TCP port, but keeps its input open: a stdio server? Set %s.transport=stdio, or %s where it listens", o.name, s.prefix, label),
			s.prefix+".transport=stdio")
	default:
		s.fail(codeNoPort, label, fmt.Sprintf("%q exposes no TCP port; set %s", o.name, label), label+"=8080, or wherever the MCP server listens")
	}
}

// remarkStdio looks at whether the container's process can be spoken to by its
// input and output.
func (s *spec) remarkStdio(o observation) {
	label := s.prefix + ".transport"
	if o.tty {
		s.fail(codeTTY, label, fmt.Sprintf("%q has a terminal, which mixes output with errors and echoes what it is sent; not registered", o.name),
			"start it without tty: true (docker run without -t)")
	}
	if !o.openStdin && !o.partial {
		s.fail(codeStdinClosed, label, fmt.Sprintf("%q has its input closed, so nobody can speak to it; not registered", o.name),
			"start it with stdin_open: true (docker run -i)")
	}
}

func verdictOf(code string) string {
	switch code {
	case codeAmbiguousPort:
		return verdictPortAmbiguous
	case codeNoPort:
		return verdictNoPort
	case codeNotGranted, codeNoSecret, codeBadSecret:
		return verdictSecret
	case codeStdinClosed, codeTTY:
		return verdictStdio
	}
	return verdictLabelValue
}
