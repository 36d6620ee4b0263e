package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// asClient, as the first argument of this test binary, makes it the client under
// test: a gateway whose only backend is the suite's server, and the reference
// client that is its user.
const asClient = "as-client"

// TestClient runs what both revisions require of clients: with two clients alone,
// and with the gateway between each of them and the suite's server. The modern one
// does its part of the modern revision itself; with the legacy one, all of it is
// left to the gateway.
func TestClient(t *testing.T) {
	t.Parallel() // the suite waits most of the time
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	modernClient, legacyClient := []string{bin.client}, []string{suiteNode, "client.mjs"}
	for _, revision := range []string{legacy, modern} {
		r := readRequirements(t, revision, "client")
		run := func(name string, command []string, standard func(string) bool) (outcomes []outcome) {
			name = revision + ", " + name
			t.Run(name, func(t *testing.T) {
				outcomes = clientScenarios(t, revision, r, command)
				judge(t, "client: "+name, outcomes, standard)
			})
			return outcomes
		}
		direct := run("modern client directly", modernClient, nil)
		if revision == legacy {
			run("legacy client directly", legacyClient, nil)
		}
		passes := func(scenario string) bool {
			return slices.ContainsFunc(direct, func(o outcome) bool { return o.scenario == scenario && len(o.missed()) == 0 })
		}
		through := []string{self, asClient, bin.gateway}
		run("modern client, gateway", append(slices.Clone(through), modernClient...), passes)
		run("legacy client, gateway", append(slices.Clone(through), legacyClient...), passes)
	}
}

// clientScenarios runs the scenarios one by one, but for those that are left out.
func clientScenarios(t *testing.T, revision string, r requirements, command []string) []outcome {
	t.Helper()
	var outcomes []outcome
	for _, scenario := range slices.Concat(r.required, r.unscored) {
		if applies(scenario) {
			outcomes = append(outcomes, outcome{
				scenario: scenario,
				required: slices.Contains(r.required, scenario),
				checks:   clientScenario(t, revision, scenario, command),
			})
		}
	}
	return outcomes
}

func applies(scenario string) bool {
	for prefix := range leftOut {
		if strings.HasPrefix(scenario, prefix) {
			return false
		}
	}
	return true
}

// driveClient is this binary as the client under test: args are the gateway, the
// command of a client and, added by the suite, the address of its server. The
// scenario's name and context go to that client by the environment.
func driveClient(args []string) int {
	if len(args) < 3 {
		fmt.Fprintf(os.Stderr, "got arguments %q, want the gateway, a client's command and the server's address\n", args)
		return 2
	}
	last := len(args) - 1
	if err := drive(args[0], args[1:last], args[last]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func drive(gatewayBinary string, client []string, server string) (err error) {
	dir, err := os.MkdirTemp("", "mcp-gw-conformance-client-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := startGateway(gatewayBinary, dir)
	if err != nil {
		return err
	}
	defer func() {
		g.stop()
		if sign := g.complaint(); sign != "" {
			err = fmt.Errorf("the gateway said %q", sign)
		}
		// Shown by the suite when the scenario ends in an error.
		fmt.Fprintf(os.Stderr, "the gateway's output:\n%s\n", g.said.String())
	}()
	if err := g.connect("suite", server); err != nil {
		return err
	}
	cmd := exec.Command(client[0], append(client[1:], g.mcp("suite"))...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the client: %w", err)
	}
	return nil
}
