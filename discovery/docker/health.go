package docker

import (
	"fmt"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// sickTime is how long a health check has to fail before the tools are hidden: one
// slow answer is no reason to take them from everybody.
const sickTime = 10 * time.Second

// withheld says why the container's health check keeps its tools from clients, "" when
// it does not. Nobody has to wait for a check that is only starting, unless the label
// asks for it: the engine takes its first look after a whole interval.
func withheld(policy string, o observation) string {
	switch {
	case policy == healthMCP || policy == healthNone:
		return ""
	case o.health == "unhealthy" && o.said != "":
		return fmt.Sprintf("the health check of %q fails: %s", o.name, o.said)
	case o.health == "unhealthy":
		return fmt.Sprintf("the health check of %q fails", o.name)
	case policy == healthDocker && o.health == "starting":
		return fmt.Sprintf("the health check of %q has not passed yet", o.name)
	case policy == healthDocker && o.health == "":
		return fmt.Sprintf("%q has no health check to pass, and its label asks for one", o.name)
	}
	return ""
}

// sickUntil is when the failing health check of a part begins to count; zero when it
// does already, or none fails.
func (m *member) sickUntil(p *part, now time.Time) time.Time {
	if p.backend.Withheld == "" || p.health != healthAuto || m.sick.IsZero() {
		return time.Time{}
	}
	if until := m.sick.Add(sickTime); now.Before(until) {
		return until
	}
	return time.Time{}
}

// fall ill, and recover: what a fresh observation says of the health, before it is
// taken. A container that is met ill has been so for long enough.
func (m *member) noteHealth(o observation, known bool, now time.Time) {
	switch {
	case o.health != "unhealthy":
		m.sick = time.Time{}
	case known && m.obs.health != "unhealthy":
		m.sick = now
	}
}

// healthCommand shows what the last checks said.
func healthCommand(o observation) string {
	return "docker inspect --format '{{json .State.Health}}' " + o.name
}

// oneLine makes one short line of a command's output, or hides it where it may hold
// a secret.
func oneLine(output string) string {
	const most = 4096 // of which maxShown are shown
	if len(output) > most {
		output = output[:most]
	}
	words := strings.FieldsFunc(output, func(r rune) bool { return r <= ' ' || r == 0x7f })
	for i, w := range words {
		// What follows a scheme is the secret, so the pair is looked at too.
		if secretValue(w) || i > 0 && secretValue(words[i-1]+" "+w) {
			return masked
		}
		if name, value, ok := strings.Cut(w, "="); ok && value != "" && discovery.SecretName(name) {
			return masked
		}
		if name, ok := strings.CutSuffix(w, ":"); ok && discovery.SecretName(name) {
			return masked
		}
	}
	return show("", strings.Join(words, " "))
}
