package docker

import "fmt"

// withheld says why the container's health check keeps its tools from clients, "" when
// it does not. Nobody has to wait for a check that is only starting, unless the label
// asks for it: the engine takes its first look after a whole interval.
func withheld(policy string, o observation) string {
	switch {
	case policy == healthMCP || policy == healthNone:
		return ""
	case o.health == "unhealthy":
		return fmt.Sprintf("the health check of %q fails", o.name)
	case policy == healthDocker && o.health == "starting":
		return fmt.Sprintf("the health check of %q has not passed yet", o.name)
	case policy == healthDocker && o.health == "":
		return fmt.Sprintf("%q has no health check to pass, and its label asks for one", o.name)
	}
	return ""
}

// healthCommand shows what the last checks said.
func healthCommand(o observation) string {
	return "docker inspect --format '{{json .State.Health}}' " + o.name
}
