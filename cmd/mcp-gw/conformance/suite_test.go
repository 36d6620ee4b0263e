package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The suite needs Node 22, which comes as a package beside it.
const (
	suiteNode = "node_modules/.bin/node"
	suiteHome = "node_modules/@modelcontextprotocol/conformance"
)

// outcome is how one scenario went.
type outcome struct {
	scenario string
	required bool // by the revision; the others are run for information
	checks   []check
}

// check is one assertion of a scenario.
type check struct {
	ID, Status, Description, ErrorMessage string
}

// missed returns the checks that say no. A warning is a SHOULD that was not met,
// and the suite's own lists of expected failures count it as well.
func (o outcome) missed() []check {
	return slices.DeleteFunc(slices.Clone(o.checks), func(c check) bool {
		return c.Status != "FAILURE" && c.Status != "WARNING"
	})
}

// why is what the missed checks say.
func (o outcome) why() string {
	var text strings.Builder
	for _, c := range o.missed() {
		fmt.Fprintf(&text, "\n%s %s: %.3000s", c.Status, c.ID, cmp.Or(c.ErrorMessage, "not so: "+c.Description))
	}
	return text.String()
}

// suite runs the suite with args and returns what it printed. Its exit code says
// only that something was missed, which its files say better.
func suite(t *testing.T, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, suiteNode, append([]string{suiteHome + "/dist/index.js"}, args...)...)
	// A race detector waits a second at the end of each process, and there are many.
	cmd.Env = append(inherited(), "GORACE=atexit_sleep_ms=50")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		t.Fatalf("the suite: %v\n%s", err, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// requirements are the scenarios that a revision names for one side of the
// protocol ("server" or "client"), as frozen in the suite.
type requirements struct {
	required, unscored []string
}

// readRequirements takes the lists out of a file whose YAML is no more than keys
// and lists of names, and of maps with a scenario and a leg.
func readRequirements(t *testing.T, revision, leg string) requirements {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suiteHome, "requirements", revision+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var r requirements
	section, scenario := "", ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if key, ok := strings.CutSuffix(line, ":"); ok && !strings.HasPrefix(line, " ") {
			section = key
			continue
		}
		item := strings.TrimPrefix(strings.TrimSpace(line), "- ")
		key, value, _ := strings.Cut(item, ": ")
		switch {
		case section == leg && strings.HasPrefix(line, "  - "):
			r.required = append(r.required, item)
		case section == "not_scored" && key == "scenario":
			scenario = value
		case section == "not_scored" && key == "leg" && value == leg:
			r.unscored = append(r.unscored, scenario)
		}
	}
	if len(r.required) == 0 {
		t.Fatalf("no scenarios found in the requirements of %s for the %s", revision, leg)
	}
	return r
}

// serverScenarios runs what a revision requires of servers against url.
func serverScenarios(t *testing.T, revision, url string) []outcome {
	t.Helper()
	dir := t.TempDir()
	said, _ := suite(t, "server", "--url", url, "--requirements", revision, "-o", dir)
	found := readResults(t, dir, "server-")
	if len(found) == 0 {
		t.Fatalf("the suite left no results:\n%s", said)
	}
	r := readRequirements(t, revision, "server")
	var outcomes []outcome
	for _, scenario := range slices.Concat(r.required, r.unscored) {
		checks, ok := found[scenario]
		if !ok { // a scenario that gives up leaves nothing
			checks = []check{{ID: "result", Status: "FAILURE", ErrorMessage: "the suite left no result of it"}}
		}
		outcomes = append(outcomes, outcome{scenario, slices.Contains(r.required, scenario), checks})
	}
	return outcomes
}

// clientScenario runs one scenario with command as the client under test. That a
// client fails is a miss as well: it is one more check.
func clientScenario(t *testing.T, revision, scenario string, command []string) []check {
	t.Helper()
	dir := t.TempDir()
	said, code := suite(t, "client", "--command", strings.Join(command, " "), "--scenario", scenario,
		"--spec-version", revision, "-o", dir)
	checks, ok := readResults(t, dir, "")[scenario]
	if !ok {
		t.Fatalf("the suite left no result of %s:\n%s", scenario, said)
	}
	if code != 0 && len(outcome{checks: checks}.missed()) == 0 {
		checks = append(checks, check{ID: "client-exit", Status: "FAILURE", ErrorMessage: said})
	}
	return checks
}

// resultName is a folder of results: a scenario's name and a time.
var resultName = regexp.MustCompile(`^(.+)-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d+Z$`)

// readResults returns the checks in the suite's output folder, by scenario.
func readResults(t *testing.T, dir, prefix string) map[string][]check {
	t.Helper()
	found := map[string][]check{}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "checks.json" {
			return err
		}
		folder, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		name := resultName.FindStringSubmatch(strings.TrimPrefix(filepath.ToSlash(folder), prefix))
		if name == nil {
			return fmt.Errorf("unexpected folder of results: %s", folder)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var checks []check
		if err := json.Unmarshal(bytes.TrimSpace(text), &checks); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		found[name[1]] = checks
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
