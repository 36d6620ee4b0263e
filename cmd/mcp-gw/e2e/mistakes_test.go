package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateMistakes = flag.Bool("update", false, "write testdata/mistakes.golden")

const (
	mistakesNet   = "mistakes-net"
	mistakesWeb   = "mistakes-web"
	mistakesImage = "mistakes-demo"
)

// mistake is one way not to be there. Each is a container that runs the demo server.
type mistake struct {
	name    string
	verdict string // in /api/discovery, once all has settled
	run     string // arguments of docker run before the image
	args    string // of the server
	after   string // a docker command, with the container's name behind
}

const onNet = "--network=" + mistakesNet + " "

// mistakes are those that people make. The first service is right, so that a name can
// be taken.
var mistakes = []mistake{
	{name: "good", verdict: "registered", run: onNet + "--label=mcp-gw.port=8080"},
	{name: "typo-in-key", verdict: "registered_warn", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.transprot=http"},
	{name: "typo-in-prefix", verdict: "near_miss_label", run: onNet + "--label=mcpgw.port=8080"},
	{name: "port-missing", verdict: "no_port", run: onNet + "--label=mcp-gw.enable=true"},
	{name: "two-ports", verdict: "port_ambiguous", run: onNet + "--label=mcp-gw.enable=true --expose=3000 --expose=8080"},
	{name: "wrong-network", verdict: "no_shared_network", run: "--network=" + mistakesWeb + " --label=mcp-gw.port=8080"},
	{name: "no-network", verdict: "no_shared_network", run: "--network=none --label=mcp-gw.port=8080"},
	{name: "host-network", verdict: "no_port", run: "--network=host --label=mcp-gw.enable=true", args: "--listen=127.0.0.1:0"},
	{name: "no-labels", verdict: "not_labelled", run: onNet}, // what is left of labels under deploy
	{name: "name-taken", verdict: "conflict", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.name=mistake-good"},
	{name: "label-secret", verdict: "registered_warn", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.headers.Authorization=Bearer-of-a-secret"},
	{name: "secret-not-granted", verdict: "secret", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.auth=bearer --label=mcp-gw.auth.secret=github_token"},
	{name: "bad-duration", verdict: "registered_warn", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.timeout.call=30"},
	{name: "paused", verdict: "registered_warn", run: onNet + "--label=mcp-gw.port=8080", after: "pause"},
	{name: "stopped", verdict: "not_running", run: onNet + "--label=mcp-gw.port=8080", after: "stop"},
	{name: "one-off", verdict: "one_off", run: onNet + "--label=mcp-gw.port=8080 --label=com.docker.compose.oneoff=True"},
	{name: "wrong-port", verdict: "refused", run: onNet + "--label=mcp-gw.port=8081"},
	{name: "localhost-only", verdict: "refused", run: onNet + "--label=mcp-gw.port=8080", args: "--listen=127.0.0.1:8080"}, // F26
	{name: "wrong-path", verdict: "http_status", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.path=/api"},
	{name: "wrong-transport", verdict: "http_status", run: onNet + "--label=mcp-gw.port=8080 --label=mcp-gw.transport=sse"},
}

// What people do wrong is told where they look, in words that say what is wrong, why,
// and what to type: log, API and doctor, with the real engine.
func TestMistakesAreTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many containers")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	sweepMistakes()
	t.Cleanup(sweepMistakes)
	makeDemoImage(t)
	docker(t, "network", "create", mistakesNet)
	docker(t, "network", "create", mistakesWeb)
	for _, m := range mistakes {
		args := append([]string{"run", "-d", "--name=mistake-" + m.name}, strings.Fields(m.run)...)
		docker(t, append(append(args, mistakesImage), strings.Fields(m.args)...)...)
		if m.after != "" {
			docker(t, m.after, "mistake-"+m.name)
		}
	}
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK="+mistakesNet, "MCP_GW_LOG_LEVEL=info")
	told := map[string]told{}
	for _, m := range mistakes {
		var o *seen
		eventually(t, m.name+" to be "+m.verdict, func() bool {
			o = containerNamed(t, g, "mistake-"+m.name)
			return o != nil && o.Verdict == m.verdict && (o.Verdict != "registered" || strings.Contains(o.Reason, "tools"))
		})
		told[m.name] = toldBy(o)
	}
	out, _ := exec.Command(gatewayBinary, "doctor", "--docker=off", "--listen="+strings.TrimPrefix(g.url, "http://")).Output() // exits with 1
	log := g.process.output()
	var b strings.Builder
	for _, m := range mistakes {
		fmt.Fprintf(&b, "== %s\n   docker run %s %s\n\n%s\nlog:\n%s\ndoctor:\n%s\n", m.name, m.run, m.args,
			told[m.name], logOf(log, "mistake-"+m.name), doctorOf(string(out), "mistake-"+m.name))
	}
	got := maskMistakes(b.String())
	const golden = "testdata/mistakes.golden"
	if *updateMistakes {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("another text than in %s (-update writes it):\n%s", golden, got)
	}
	page, err := http.Get(g.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(page.Body); err != nil || !strings.Contains(text.String(), "bind 0.0.0.0") {
		t.Errorf("the page does not say what to do about a server on localhost: %v", err)
	}
}

// seen is a container in /api/discovery.
type seen struct {
	Name, Verdict, Reason, Fix string
	Ladder                     []struct{ Name, State string }
	Diagnostics                []struct{ Severity, Code, Message, Suggestion string }
}

type told string

func toldBy(o *seen) told {
	var b strings.Builder
	fmt.Fprintf(&b, "API: %s: %s\n     fix: %s\n", o.Verdict, o.Reason, o.Fix)
	for _, s := range o.Ladder {
		if s.State != "ok" {
			fmt.Fprintf(&b, "     stops at: %s (%s)\n", s.Name, s.State)
			break
		}
	}
	for _, d := range o.Diagnostics {
		if d.Message != o.Reason {
			fmt.Fprintf(&b, "     %s %s: %s → %s\n", d.Severity, d.Code, d.Message, d.Suggestion)
		}
	}
	return told(b.String())
}

func containerNamed(t *testing.T, g *gateway, name string) *seen {
	t.Helper()
	resp, err := http.Get(g.url + "/api/discovery/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var o seen
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&o) != nil {
		return nil
	}
	return &o
}

// logOf are the log's warnings about a container, or its backend.
func logOf(log, name string) string {
	var b strings.Builder
	about := regexp.MustCompile(`(container|backend)=` + regexp.QuoteMeta(name) + ` `)
	for line := range strings.Lines(log + "\n") {
		if about.MatchString(line) && strings.Contains(line, "level=WARN") {
			b.WriteString("     " + line)
		}
	}
	if b.Len() == 0 {
		return "     nothing\n"
	}
	return b.String()
}

// doctorOf is the doctor's paragraph on a container.
func doctorOf(out, name string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(out) {
		if words := strings.Fields(line); len(words) > 1 && !strings.HasPrefix(line, "        ") {
			inside = words[1] == name
		}
		if inside && strings.TrimSpace(line) != "" {
			b.WriteString("     " + line)
		}
	}
	return b.String()
}

var mistakeMasks = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`time=\S+ `), ""},
	{regexp.MustCompile(`(http://|[a-z_]+: )\d+\.\d+\.\d+\.\d+:`), "${1}ADDRESS:"},
	{regexp.MustCompile(`retry_in=\S+`), "retry_in=…"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "ID"},
	{regexp.MustCompile(`[ \t]+\n`), "\n"},
}

func maskMistakes(s string) string {
	for _, m := range mistakeMasks {
		s = m.find.ReplaceAllString(s, m.put)
	}
	return s
}

// makeDemoImage makes an image of the demo server alone, without a registry.
func makeDemoImage(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "demo"), "mcp-gw/examples/demo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the demo: %v\n%s", err, out)
	}
	tar, err := exec.Command("tar", "-C", dir, "-c", "demo").Output()
	if err != nil {
		t.Fatalf("tar: %v", err)
	}
	load := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/demo"]`, "-", mistakesImage)
	load.Stdin = bytes.NewReader(tar)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("docker import: %v\n%s", err, out)
	}
}

func docker(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// sweepMistakes removes what this test, or an earlier run that was cut off, has left.
func sweepMistakes() {
	args := []string{"rm", "-f"}
	for _, m := range mistakes {
		args = append(args, "mistake-"+m.name)
	}
	_ = exec.Command("docker", args...).Run() // most are not there
	_ = exec.Command("docker", "network", "rm", mistakesNet, mistakesWeb).Run()
	_ = exec.Command("docker", "rmi", "-f", mistakesImage).Run()
}
