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

// description is what one container means to the gateway: pure, made anew from
// every observation.
type description struct {
	obs   observation
	where place
	// concerns: it is on the network or its labels speak of the gateway, so
	// people are to see it.
	concerns bool
	// parts are its backends: one for most; none for a container that is not asked
	// what it wants, such as the gateway itself.
	parts []part
	// wants and routable: one of the parts is.
	wants, routable bool

	// verdict is that of the first part, or of the container as a whole.
	verdict, reason, fix string
	labels               map[string]string
	diagnostics          []discovery.Diagnostic // all parts'
}

// part is one backend of a container.
type part struct {
	settings
	name    string
	unnamed bool // no label gave the name
	// team is the set of containers that it may be one of, "" when it stands alone.
	team string
	// wants: it asks for a backend and nothing in how it was described prevents
	// one; whether its container runs is another question.
	wants bool
	// routable: it can be registered now, as backend.
	routable bool
	backend  discovery.Backend
	url      string

	verdict, reason, fix string
	shown                []discovery.Setting
	diagnostics          []discovery.Diagnostic // those of the root too
}

// part returns the part with a name, nil when there is none.
func (d *description) part(name string) *part {
	for i := range d.parts {
		if d.parts[i].name == name {
			return &d.parts[i]
		}
	}
	return nil
}

// describe judges one container. fixedName, unless empty, is the default name
// that it was registered under before somebody renamed the container.
func describe(o observation, w world, fixedName string) description {
	p := parseLabels(w.prefix, o.labels)
	where := w.locate(o)
	w = w.on(where.home)
	d := description{obs: o, where: where, labels: p.shown}
	d.concerns = where.attached && !where.host && where.generation == "" || p.labelled || p.nearMiss || o.id == w.self
	judge := func(verdict, reason, fix string) description {
		d.verdict, d.reason, d.fix = verdict, reason, fix
		d.diagnostics = sign(d.diagnostics, o)
		return d
	}

	switch {
	case o.id == w.self:
		if !where.attached && o.networkMode != "host" {
			return judge(verdictSelf, fmt.Sprintf("this is the gateway, and it is not attached to %q", w.home.name), connectCommand(w, o.name))
		}
		return judge(verdictSelf, "this is the gateway", "")
	case strings.EqualFold(o.labels[labelComposeOneOff], "true"):
		return judge(verdictOneOff, "a one-off container of docker compose run is not registered", oneOffFix(o))
	}
	switch {
	case !p.labelled && p.nearMiss:
		d.diagnostics = p.diagnostics
		first := p.diagnostics[0]
		return judge(verdictNearMissLabel, first.Message, first.Suggestion)
	case !p.labelled:
		return judge(verdictNotLabelled, fmt.Sprintf("on %q, without %s labels", w.home.name, w.prefix),
			fmt.Sprintf("to register it, start it with the label %s.enable=true", w.prefix))
	}
	if reason, fix := w.rules.excludes(o); reason != "" {
		d.diagnostics = p.diagnostics
		return judge(verdictNotAllowed, reason, fix)
	}
	specs, root := []spec{p.spec}, []discovery.Diagnostic(nil)
	if p.several != nil {
		specs, root = p.several, sign(p.diagnostics, o)
		d.diagnostics = root
	}
	for _, s := range specs {
		x := describePart(s, root, o, w, where, fixedName)
		d.parts = append(d.parts, x)
		d.diagnostics = append(d.diagnostics, x.diagnostics[len(root):]...)
		d.wants, d.routable = d.wants || x.wants, d.routable || x.routable
	}
	first := d.parts[0]
	return judge(first.verdict, first.reason, first.fix)
}

// oneOffFix starts as a service what was run once.
func oneOffFix(o observation) string {
	return strings.TrimRight("docker compose up -d "+o.labels[labelComposeService], " ")
}

// sign says whom remarks are about.
func sign(ds []discovery.Diagnostic, o observation) []discovery.Diagnostic {
	for i := range ds {
		ds[i].Container, ds[i].Generation = o.name, o.generation()
	}
	return ds
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

// judgeStopped is the judgement of a container without a process.
func judgeStopped(o observation) (verdict, reason, fix string) {
	switch o.status {
	case "restarting":
		return verdictRestarting, fmt.Sprintf("exited with code %d%s, the engine restarts it", o.exitCode, memory(o)), "docker logs " + o.name
	case "created":
		return verdictNotRunning, "created, not started yet", "docker start " + o.name
	case "exited", "dead":
		return verdictNotRunning, fmt.Sprintf("%s with code %d%s", o.status, o.exitCode, memory(o)), "docker start " + o.name
	}
	return verdictNotRunning, "not running (" + o.status + ")", ""
}

func memory(o observation) string {
	if o.oom {
		return ", out of memory"
	}
	return ""
}

// selfNotAttached is the problem of a gateway that its backends cannot be reached from.
func selfNotAttached(o observation, w world, waiting int) string {
	return fmt.Sprintf("mcp-gw (container %s, name %s) is not attached to %q; backends waiting for it: %d. Fix: %s",
		short(o.id), o.name, w.home.name, waiting, connectCommand(w, o.name))
}

func containerOf(o observation) *discovery.Container {
	project, service := composeOf(o.labels)
	return &discovery.Container{
		ID: o.id, Name: o.name, Image: o.image, ComposeProject: project, ComposeService: service,
		Health: o.health, StartedAt: o.startedAt,
	}
}
