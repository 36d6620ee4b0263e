package docker

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
)

func TestLadder(t *testing.T) {
	remark := func(severity discovery.Severity, code, message string) []discovery.Diagnostic {
		return []discovery.Diagnostic{{Severity: severity, Code: code, Message: message}}
	}
	for name, test := range map[string]struct {
		in     discovery.Observed
		states string // first letters
		detail string // of the rung that is not ok
	}{
		"registered": {discovery.Observed{Verdict: verdictRegistered, State: "running", URL: "http://172.20.0.2:80/mcp"}, "oooooppp", ""},
		"registered, a label is unknown": {discovery.Observed{Verdict: verdictRegisteredWarn, State: "running",
			Diagnostics: remark(discovery.SeverityWarning, codeUnknownLabel, "unknown label")}, "oowooppp", "unknown label"},
		"registered, paused": {discovery.Observed{Verdict: verdictRegisteredWarn, State: "paused",
			Diagnostics: remark(discovery.SeverityWarning, codePaused, "it is paused")}, "ooowoppp", "it is paused"},
		"not labelled": {discovery.Observed{Verdict: verdictNotLabelled, State: "running", Reason: "no labels"}, "ofpppppp", "no labels"},
		"one-off":      {discovery.Observed{Verdict: verdictOneOff, State: "running", Reason: "compose run"}, "ofpppppp", "compose run"},
		"a bad value":  {discovery.Observed{Verdict: verdictLabelValue, State: "running", Reason: "no port"}, "oofppppp", "no port"},
		"not running":  {discovery.Observed{Verdict: verdictNotRunning, State: "exited", Reason: "exited with code 1"}, "ooofpppp", "exited with code 1"},
		"wrong network": {discovery.Observed{Verdict: verdictNoSharedNetwork, State: "running", Reason: "on [web]",
			Diagnostics: remark(discovery.SeverityError, codeNotOnNetwork, "on [web]")}, "oooofppp", "on [web]"},
		"wrong network, not running": {discovery.Observed{Verdict: verdictNoSharedNetwork, State: "exited", Reason: "on [web]"}, "ooowfppp", "not running (exited)"},
		"a verdict with a remark on the labels": {discovery.Observed{Verdict: "another", State: "running", Reason: "why",
			Diagnostics: remark(discovery.SeverityError, "L099", "why")}, "oofppppp", "why"},
		"a verdict with a remark on the network": {discovery.Observed{Verdict: "another", State: "running", Reason: "why",
			Diagnostics: remark(discovery.SeverityError, "N099", "why")}, "oooofppp", "why"},
		"a verdict without remarks": {discovery.Observed{Verdict: "another", State: "running", Reason: "why"}, "ooofpppp", "why"},
	} {
		t.Run(name, func(t *testing.T) {
			states, detail := "", ""
			for i, s := range ladder(test.in) {
				if s.Name != discovery.StepNames[i] {
					t.Errorf("rung %d is %q", i, s.Name)
				}
				states += s.State[:1]
				if detail == "" && s.State != "ok" {
					detail = s.Detail
				}
			}
			if states != test.states || !strings.Contains(detail, test.detail) {
				t.Errorf("got %s %q, want %s %q", states, detail, test.states, test.detail)
			}
		})
	}
	if got := ladder(discovery.Observed{Verdict: verdictSelf}); got != nil {
		t.Errorf("the gateway climbs %v", got)
	}
}
