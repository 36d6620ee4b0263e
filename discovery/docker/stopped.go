package docker

import (
	"fmt"
	"strings"

	"mcp-gw/discovery"
)

// oneOffFix starts as a service what was run once.
func oneOffFix(o observation) string {
	return strings.TrimRight("docker compose up -d "+o.labels[labelComposeService], " ")
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
