package docker

import (
	"fmt"
	"strings"

	"mcp-gw/discovery"
)

// The rungs of discovery.StepNames that the provider knows.
const (
	rungSeen = iota
	rungLabelled
	rungLabels
	rungRunning
	rungNetwork
)

// ladder says how far a container came on the way to a client's list, as far as the
// engine knows; what is beyond is pending until somebody connects. It is made of the
// judgement alone, whatever that was made of. The gateway itself climbs no ladder.
func ladder(o discovery.Observed) []discovery.Step {
	if o.Verdict == verdictSelf {
		return nil
	}
	steps := make([]discovery.Step, len(discovery.StepNames))
	for i, name := range discovery.StepNames {
		steps[i] = discovery.Step{Name: name, State: "pending"}
	}
	end := failedRung(o)
	for i := range min(end, rungNetwork+1) {
		steps[i].State = "ok"
	}
	steps[rungSeen].Detail = fmt.Sprintf("container %s, image %s", short(o.ID), o.Image)
	// What does not keep a container out may slow it down, or be its next problem.
	for _, d := range o.Diagnostics {
		if i := rungOf(d); i < end && d.Severity == discovery.SeverityWarning && steps[i].State == "ok" {
			steps[i].State, steps[i].Detail = "warn", d.Message
		}
	}
	if end == rungNetwork && !hasProcess(o.State) {
		steps[rungRunning].State, steps[rungRunning].Detail = "warn", "not running ("+o.State+")"
	}
	if end <= rungNetwork {
		steps[end].State, steps[end].Detail = "failed", o.Reason
	} else if o.URL != "" && steps[rungNetwork].Detail == "" {
		steps[rungNetwork].Detail = "at " + o.URL
	}
	return steps
}

func hasProcess(state string) bool { return state == "running" || state == "paused" }

// failedRung is the rung that a container does not stand on, len(StepNames) when the
// provider sees nothing in its way.
func failedRung(o discovery.Observed) int {
	switch o.Verdict {
	case verdictRegistered, verdictRegisteredWarn:
		return len(discovery.StepNames)
	case verdictNotLabelled, verdictNearMissLabel, verdictOneOff, verdictNotAllowed, verdictNotEnabled, verdictOtherInstance:
		return rungLabelled
	case verdictNoSharedNetwork:
		return rungNetwork
	case verdictLabelValue, verdictDisabled, verdictNoPort, verdictPortAmbiguous, verdictConflict, verdictSecret:
		return rungLabels
	case verdictNotRunning, verdictRestarting, verdictGone, verdictStdio, verdictUnhealthy, verdictFlapping:
		return rungRunning
	}
	// Another judgement has its reason among the remarks.
	for _, d := range o.Diagnostics {
		if d.Severity == discovery.SeverityError {
			return rungOf(d)
		}
	}
	return rungRunning
}

// rungOf is the rung that a remark is about, by the letter of its code.
func rungOf(d discovery.Diagnostic) int {
	switch {
	case strings.HasPrefix(d.Code, "N"):
		return rungNetwork
	case strings.HasPrefix(d.Code, "C"), strings.HasPrefix(d.Code, "S"):
		return rungRunning
	}
	return rungLabels
}
