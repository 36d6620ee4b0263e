package docker

import (
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
	verdictGone            = "gone"
)

// world is what the description of a container depends on besides itself.
type world struct {
	prefix string
	home   home
	self   string // id of the gateway's own container, "" when it runs outside
}

// description is what one container means to the gateway: pure, made anew from
// every observation.
type description struct {
	obs observation
	// concerns: it is on the network or its labels speak of the gateway, so
	// people are to see it.
	concerns bool
	// wants: it asks for a backend and nothing in how it was described prevents
	// one; whether it runs is another question.
	wants bool
	// routable: it can be registered now, as backend.
	routable bool
	backend  discovery.Backend
	name     string
	unnamed  bool // no label gave the name
	url      string

	verdict, reason, fix string
	labels               map[string]string
	settings             []discovery.Setting
	diagnostics          []discovery.Diagnostic
}

// describe judges one container. fixedName, unless empty, is the default name
// that it was registered under before somebody renamed the container.
func describe(o observation, w world, fixedName string) description {
	p := parseLabels(w.prefix, o.labels)
	at, attached := w.home.find(o.endpoints)
	if !attached && o.networkMode == w.home.name && len(o.endpoints) == 0 {
		attached = true // created, never started: the engine lists no networks yet
	}
	d := description{obs: o, labels: p.shown}
	d.concerns = attached || p.labelled || p.nearMiss || o.id == w.self
	generation := o.generation()
	remark := func(code, label, message, fix string) {
		d.diagnostics = append(d.diagnostics, discovery.Diagnostic{
			Severity: discovery.SeverityError, Code: code, Label: label, Message: message, Suggestion: fix,
		})
	}
	defer func() {
		for i := range d.diagnostics {
			d.diagnostics[i].Container = o.name
			d.diagnostics[i].Generation = generation
		}
	}()
	judge := func(verdict, reason, fix string) description {
		d.verdict, d.reason, d.fix = verdict, reason, fix
		return d
	}

	switch {
	case o.id == w.self:
		if !attached && o.networkMode != "host" {
			return judge(verdictSelf, fmt.Sprintf("this is the gateway, and it is not attached to %q", w.home.name), connectCommand(w, o))
		}
		return judge(verdictSelf, "this is the gateway", "")
	case strings.EqualFold(o.labels[labelComposeOneOff], "true"):
		return judge(verdictOneOff, "a one-off container of docker compose run is not registered", "")
	}
	p.remarkIdleTLS(w.prefix)
	d.diagnostics = p.diagnostics
	switch {
	case !p.labelled && p.nearMiss:
		first := p.diagnostics[0]
		return judge(verdictNearMissLabel, first.Message, first.Suggestion)
	case !p.labelled:
		return judge(verdictNotLabelled, fmt.Sprintf("on %q, without %s labels", w.home.name, w.prefix),
			fmt.Sprintf("to register it, start it with the label %s.enable=true", w.prefix))
	case !p.enabled && p.given["enable"]:
		return judge(verdictDisabled, w.prefix+".enable=false", "")
	}

	name, nameFrom := p.name, "label"
	if name == "" {
		name, nameFrom = fixedName, "inferred"
		if name == "" {
			var from string
			name, from = defaultName(o.name, o.labels)
			if err := checkName(name); err != nil {
				remark(codeNoName, w.prefix+".name", fmt.Sprintf("the %s gives no usable name: %q %v", from, name, err),
					fmt.Sprintf("%s.name=…", w.prefix))
			}
		}
	}
	d.name, d.unnamed = name, p.name == ""
	port, portFrom := p.port, "label"
	if port == 0 {
		portFrom = "inferred"
		var ok bool
		if port, ok = inferPort(o.tcpPorts); !ok && !p.refusedLabel(w.prefix+".port") {
			d.remarkPort(w, remark)
		}
	}
	d.settings = p.list(name, nameFrom, port, portFrom)
	if !attached {
		message, fix := notAttached(w, o)
		remark(codeNotOnNetwork, "", message, fix)
		return judge(verdictNoSharedNetwork, message, fix)
	}
	if bad, ok := d.bad(); ok {
		return judge(verdictOf(bad.Code), bad.Message, bad.Suggestion)
	}
	d.wants = true
	if !o.up() {
		return judgeStopped(d)
	}
	addr := at.addr()
	if !addr.IsValid() {
		fix := fmt.Sprintf("docker network disconnect %[1]s %[2]s && docker network connect %[1]s %[2]s", w.home.name, o.name)
		message := fmt.Sprintf("%q runs, but has no address on %q", o.name, w.home.name)
		remark(codeNoAddress, "", message, fix)
		return judge(verdictNoSharedNetwork, message, fix)
	}
	first, alternatives := urls(p.settings, addr, port)
	paused := o.status == "paused"
	if paused {
		d.diagnostics = append(d.diagnostics, discovery.Diagnostic{
			Severity: discovery.SeverityWarning, Code: codePaused,
			Message: fmt.Sprintf("%q is paused; calls do not get through", o.name), Suggestion: "docker unpause " + o.name,
		})
	}
	d.routable, d.url = true, first
	d.verdict, d.reason = verdictRegistered, "registered as "+name
	if i := slices.IndexFunc(d.diagnostics, func(x discovery.Diagnostic) bool { return x.Severity == discovery.SeverityWarning }); i >= 0 {
		d.verdict, d.reason, d.fix = verdictRegisteredWarn, d.diagnostics[i].Message, d.diagnostics[i].Suggestion
	}
	d.backend = discovery.Backend{
		Name: name, Source: discovery.SourceDocker, URL: first, Alternatives: alternatives,
		Transport: p.transport, Headers: p.headers, CallTimeout: p.callTimeout,
		TLS: p.tls, Groups: p.groups,
		Generation: generation, Held: paused, Container: containerOf(o), Diagnostics: d.diagnostics,
	}
	return d
}

// bad returns the first diagnostic that keeps the container out.
func (d description) bad() (discovery.Diagnostic, bool) {
	return parsed{diagnostics: d.diagnostics}.bad()
}

func (d description) remarkPort(w world, remark func(code, label, message, fix string)) {
	o, label, fix := d.obs, w.prefix+".port", w.prefix+".port=8080"
	switch {
	case len(o.tcpPorts) > 0:
		message := fmt.Sprintf("%q exposes %s, and none of them stands out; set %s", o.name, portList(o.tcpPorts), label)
		remark(codeAmbiguousPort, label, message, fmt.Sprintf("%s=%d", label, o.tcpPorts[0]))
	case o.openStdin:
		remark(codeNoPort, label, fmt.Sprintf("%q exposes no TCP port, but keeps its input open: a stdio server? This version reaches servers by HTTP only; otherwise set %s", o.name, label), fix)
	default:
		remark(codeNoPort, label, fmt.Sprintf("%q exposes no TCP port; set %s", o.name, label), fix)
	}
}

func verdictOf(code string) string {
	switch code {
	case codeAmbiguousPort:
		return verdictPortAmbiguous
	case codeNoPort:
		return verdictNoPort
	}
	return verdictLabelValue
}

func judgeStopped(d description) description {
	o := d.obs
	switch o.status {
	case "restarting":
		d.verdict, d.reason = verdictRestarting, fmt.Sprintf("exited with code %d, the engine restarts it", o.exitCode)
		d.fix = "docker logs " + o.name
	case "created":
		d.verdict, d.reason, d.fix = verdictNotRunning, "created, not started yet", "docker start "+o.name
	case "exited", "dead":
		d.verdict, d.reason, d.fix = verdictNotRunning, fmt.Sprintf("%s with code %d", o.status, o.exitCode), "docker start "+o.name
	default:
		d.verdict, d.reason = verdictNotRunning, "not running ("+o.status+")"
	}
	return d
}

func notAttached(w world, o observation) (message, fix string) {
	switch {
	case o.networkMode == "host":
		return fmt.Sprintf("%q uses the host's network, so it has no address on %q", o.name, w.home.name),
			fmt.Sprintf("start it with --network %s instead", w.home.name)
	case strings.HasPrefix(o.networkMode, "container:"):
		return fmt.Sprintf("%q shares the network of another container, so it has no address of its own on %q", o.name, w.home.name),
			fmt.Sprintf("start it with --network %s instead, or label the other container", w.home.name)
	}
	return fmt.Sprintf("%q has %s labels but is on [%s], not on %q", o.name, w.prefix, strings.Join(o.networks(), ", "), w.home.name), connectCommand(w, o)
}

// selfNotAttached is the problem of a gateway that its backends cannot be reached from.
func selfNotAttached(o observation, w world, waiting int) string {
	return fmt.Sprintf("mcp-gw (container %s, name %s) is not attached to %q; backends waiting for it: %d. Fix: %s",
		short(o.id), o.name, w.home.name, waiting, connectCommand(w, o))
}

func connectCommand(w world, o observation) string {
	return fmt.Sprintf("docker network connect %s %s", w.home.name, o.name)
}

func containerOf(o observation) *discovery.Container {
	project, service := composeOf(o.labels)
	return &discovery.Container{
		ID: o.id, Name: o.name, Image: o.image, ComposeProject: project, ComposeService: service,
		Health: o.health, StartedAt: o.startedAt,
	}
}

// refusedLabel reports whether label is among the remarks already: one mistake
// is told once.
func (p parsed) refusedLabel(label string) bool {
	return slices.ContainsFunc(p.diagnostics, func(d discovery.Diagnostic) bool { return strings.EqualFold(d.Label, label) })
}
