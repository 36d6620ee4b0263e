package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
	"mcp-gw/gateway/journal"
)

// attention is something that a person should look at.
type attention struct {
	Severity  discovery.Severity `json:"severity"`
	Code      string             `json:"code"`
	Message   string             `json:"message"`
	Backend   string             `json:"backend,omitempty"`
	Container string             `json:"container,omitempty"`
	// Action is what helps most: reconnect, discovery, fix or tools.
	Action string `json:"action,omitempty"`
	// Fix is what to do, ready to copy.
	Fix string `json:"fix,omitempty"`

	weight int // the lower, the worse
}

// What helps most.
const (
	actReconnect = "reconnect"
	actDiscovery = "discovery"
	actFix       = "fix"
	actTools     = "tools"
)

// The order of what is equally severe.
const (
	weightEngine = iota
	weightFile
	weightDown
	weightContainer
	weightDegraded
	weightRemark
	weightAltered
	weightTools
)

// maxAttention bounds the list: whoever has more to do finds it on the other pages.
const maxAttention = 100

// attend lists what a person should look at, worst first.
func (s *server) attend(report discovery.Report, backends []backend, tools []gateway.ToolState) []attention {
	all := []attention{}
	all = append(all, ofEngine(report.Engine)...)
	for _, problem := range slices.Concat(s.Manual.Problems(), s.Switches.Problems()) {
		a := attention{Severity: discovery.SeverityWarning, Code: "file", Message: problem, weight: weightFile}
		if strings.Contains(problem, " cannot be used: ") {
			a.Severity = discovery.SeverityError
		}
		all = append(all, a)
	}
	for _, b := range backends {
		all = append(all, ofBackend(b)...)
	}
	var elsewhere []discovery.Observed
	for _, o := range report.Containers {
		if o.Verdict == "no_shared_network" {
			elsewhere = append(elsewhere, o)
			continue
		}
		all = append(all, ofContainer(s.contest(o))...)
	}
	all = append(all, ofElsewhere(elsewhere, report.Engine.Network)...)
	all = append(all, ofAltered(tools)...)
	all = append(all, ofTools(tools)...)
	slices.SortStableFunc(all, func(a, b attention) int {
		return cmp.Or(rank(a.Severity)-rank(b.Severity), a.weight-b.weight, cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Container, b.Container))
	})
	all = all[:min(len(all), maxAttention)]
	for i := range all {
		all[i].Message, all[i].Fix = journal.RedactText(all[i].Message), journal.RedactText(all[i].Fix)
	}
	return all
}

func rank(s discovery.Severity) int {
	if s == discovery.SeverityError {
		return 0
	}
	return 1
}

func ofEngine(e discovery.Engine) (all []attention) {
	switch {
	case e.Error == "" || !e.Connected && e.Code == "": // well, or not known yet
	case e.Connected:
		all = append(all, attention{Severity: discovery.SeverityWarning, Code: cmp.Or(e.Code, "engine"), Message: e.Error, Action: actFix, weight: weightEngine})
	default:
		all = append(all, attention{Severity: discovery.SeverityError, Code: e.Code,
			Message: fmt.Sprintf("%s. No new containers are discovered.", strings.TrimSuffix(e.Error, ".")), Action: actFix, weight: weightEngine})
	}
	if e.NetworkProblem != "" {
		all = append(all, attention{Severity: discovery.SeverityError, Code: "network", Message: e.NetworkProblem, Action: actFix, weight: weightEngine})
	}
	return all
}

func ofBackend(b backend) (all []attention) {
	a := attention{Code: cmp.Or(b.Failure, b.Health), Backend: b.Name, Fix: b.Fix, Action: actReconnect}
	if b.Container != nil {
		a.Container = b.Container.Name
	}
	switch b.Health {
	case gateway.HealthDown:
		a.Severity, a.weight = discovery.SeverityError, weightDown
		a.Message = fmt.Sprintf("%s is down: %s.", b.Name, strings.TrimSuffix(b.Reason, "."))
		all = append(all, a)
	case gateway.HealthAuthRequired:
		a.Severity, a.weight, a.Action = discovery.SeverityError, weightDown, actFix
		a.Message = fmt.Sprintf("%s needs credentials: %s.", b.Name, strings.TrimSuffix(b.Reason, "."))
		all = append(all, a)
	case gateway.HealthDegraded:
		a.Severity, a.weight = discovery.SeverityWarning, weightDegraded
		if b.State == "degraded" && b.Source == discovery.SourceDocker {
			a.Action = actDiscovery
		}
		a.Message = fmt.Sprintf("%s is degraded: %s.", b.Name, strings.TrimSuffix(b.Reason, "."))
		all = append(all, a)
	}
	for _, d := range b.Diagnostics {
		// What is about a label stands at its container.
		if d.Severity == discovery.SeverityInfo || b.Source == discovery.SourceDocker && d.Label != "" {
			continue
		}
		all = append(all, attention{Severity: discovery.SeverityWarning, Code: d.Code, Backend: b.Name, Container: d.Container,
			Message: fmt.Sprintf("%s: %s", b.Name, d.Message), Fix: d.Suggestion, weight: weightRemark})
	}
	return all
}

// ofContainer is one line a container, about the first thing that is wrong with it.
func ofContainer(o discovery.Observed) (all []attention) {
	a := attention{Container: o.Name, Backend: o.Backend, Action: actDiscovery, weight: weightContainer}
	if i := slices.IndexFunc(o.Diagnostics, func(d discovery.Diagnostic) bool { return d.Severity != discovery.SeverityInfo }); i >= 0 && !slices.Contains(unasked, o.Verdict) {
		d := o.Diagnostics[i]
		a.Severity, a.Code, a.Fix = d.Severity, d.Code, cmp.Or(d.Suggestion, o.Fix)
		a.Message = fmt.Sprintf("container %s: %s", o.Name, d.Message)
		if more := len(o.Diagnostics) - i - 1; more > 0 {
			a.Message += fmt.Sprintf(" (and %d more)", more)
		}
		return append(all, a)
	}
	if registered(o) || o.Verdict == "gone" || slices.Contains(unasked, o.Verdict) {
		return all
	}
	a.Severity, a.Code, a.Fix = discovery.SeverityWarning, o.Verdict, o.Fix
	a.Message = fmt.Sprintf("container %s: %s", o.Name, o.Reason)
	return append(all, a)
}

// fewElsewhere is how many containers on other networks have a line each.
const fewElsewhere = 2

// ofElsewhere is about containers that have labels for the gateway, and are on other
// networks. Nothing is broken by that, and where a host has another gateway it is as it
// should be: so they are warnings, and many of them are one line.
func ofElsewhere(containers []discovery.Observed, network string) (all []attention) {
	if len(containers) <= fewElsewhere {
		for _, o := range containers {
			for _, a := range ofContainer(o) {
				a.Severity = discovery.SeverityWarning
				all = append(all, a)
			}
		}
		return all
	}
	names := make([]string, len(containers))
	for i, o := range containers {
		names[i] = o.Name
	}
	slices.Sort(names)
	return []attention{{Severity: discovery.SeverityWarning, Code: "no_shared_network", Action: actDiscovery, weight: weightContainer,
		Message: fmt.Sprintf("%d containers have labels for the gateway, and are not on its network %q: %s.", len(names), network, journal.NameSome(names))}}
}

// ofAltered is one line for each backend that describes tools otherwise than before:
// the text is what a model goes by, and nobody has looked at it yet. One that clients do
// not see misleads nobody.
func ofAltered(tools []gateway.ToolState) (all []attention) {
	names := map[string][]string{}
	for _, t := range tools {
		if t.Altered != nil && exposed(t) {
			names[t.Backend] = append(names[t.Backend], t.OriginalName)
		}
	}
	for name, altered := range names {
		slices.Sort(altered)
		what := journal.NameSome(altered)
		message := fmt.Sprintf("%s describes %s otherwise than before. Look at what changed before a model trusts it.", name, what)
		if len(altered) > 1 {
			message = fmt.Sprintf("%s describes %d tools otherwise than before: %s. Look at what changed before a model trusts them.", name, len(altered), what)
		}
		all = append(all, attention{Severity: discovery.SeverityWarning, Code: "altered", Message: message, Backend: name, Action: actTools, weight: weightAltered})
	}
	return all
}

// ofTools is one line for the tools that no client sees although nobody wanted that.
func ofTools(tools []gateway.ToolState) (all []attention) {
	var names []string
	for _, t := range tools {
		if t.Hidden != "" && t.Locked != "" { // what is hidden with its backend stands there
			names = append(names, t.OriginalName+" of "+t.Backend)
		}
	}
	if len(names) == 0 {
		return nil
	}
	message := "1 tool is hidden because another one of its backend has the same name: "
	if len(names) > 1 {
		message = fmt.Sprintf("%d tools are hidden because others of their backends have the same names: ", len(names))
	}
	return []attention{{Severity: discovery.SeverityWarning, Code: "hidden", Message: message + journal.NameSome(names) + ".", Action: actTools, weight: weightTools}}
}
