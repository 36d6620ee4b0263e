package e2e

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var updateMistakes = flag.Bool("update", false, "write testdata/mistakes.golden")

const (
	mistakesNet   = "mistakes-net"
	mistakesWeb   = "mistakes-web"
	mistakesImage = "mistakes-demo"
	mistakesIll   = "mistakes-ill" // with a health check that fails
)

// What people do wrong is told where they look, in words that say what is wrong, why,
// and what to type: log, API, doctor and lint, with the real engine.
func TestMistakesAreTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many containers")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	sweepMistakes()
	t.Cleanup(sweepMistakes)
	makeDemoImages(t, mistakeImages)
	docker(t, "network", "create", mistakesNet)
	docker(t, "network", "create", mistakesWeb)
	makeMistakes(t, false)
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "granted_token"), []byte(grantedSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{"MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=" + mistakesNet, "MCP_GW_SECRETS_DIR=" + secrets, "MCP_GW_SECRET_GRANTS=granted_token:mistake-good-secret"}
	g := startGateway(t, append(settings, "MCP_GW_LOG_LEVEL=info")...)
	makeMistakes(t, true)
	told := map[string]string{}
	for _, m := range mistakes {
		var o *seen
		eventually(t, m.name+" to be "+m.verdict, func() bool {
			o = containerNamed(t, g, "mistake-"+m.name)
			return o != nil && o.Verdict == m.verdict && strings.Contains(o.Reason, m.reason)
		})
		told[m.name] = toldBy(o)
	}
	listen := "--listen=" + strings.TrimPrefix(g.url, "http://")
	var out string
	eventually(t, "the doctor to see the crash loop between two starts", func() bool {
		text, code := runTool(t, "", "doctor", "--docker=off", listen)
		out = text
		if code != 1 {
			t.Errorf("doctor exits with %d, want 1", code)
		}
		return strings.Contains(out, "it last exited")
	})
	log, lint := g.process.output(), lintMistakes(t, mistakes)
	t.Run("golden", func(t *testing.T) {
		var b strings.Builder
		for _, m := range mistakes {
			b.WriteString(m.section("docker run "+m.run+" "+m.args, told[m.name], log, out, lint))
		}
		holdMistakes(t, b.String())
	})
	t.Run("F27 secrets are shown nowhere", func(t *testing.T) {
		secretsAreNowhere(t, startGateway(t, append(settings, "MCP_GW_LOG_LEVEL=debug")...))
	})
}

// makeMistakes makes the containers that come before the gateway, or those that come
// after it.
func makeMistakes(t *testing.T, late bool) {
	t.Helper()
	for _, m := range mistakes {
		if m.late != late {
			continue
		}
		image := mistakesImage
		if m.ill {
			image = mistakesIll
		}
		args := append([]string{"run", "-d", "--name=mistake-" + m.name}, strings.Fields(m.run)...)
		docker(t, append(append(args, image), strings.Fields(m.args)...)...)
		if m.after != "" {
			docker(t, m.after, "mistake-"+m.name)
		}
	}
}

// secretsAreNowhere holds everything that the gateway and its commands say against the
// secrets that it was given in labels and in files.
func secretsAreNowhere(t *testing.T, g *gateway) {
	listen := "--listen=" + strings.TrimPrefix(g.url, "http://")
	for _, name := range []string{"mistake-good-secret", "mistake-label-secret"} {
		eventually(t, name+" to be connected", func() bool {
			return strings.Contains(body(t, g.url+"/api/tools"), name+"__time_in")
		})
	}
	client := dialLegacy(t, g.mcp())
	client.must(t, callTool("mistake-good-secret__time_in", `{"zone":"UTC"}`))
	client.must(t, callTool("mistake-label-secret__time_in", `{"zone":"UTC"}`))
	said := map[string]string{"log": g.process.output()}
	for _, path := range []string{"/metrics", "/api/health", "/api/backends", "/api/backends/mistake-good-secret", "/api/backends/mistake-label-secret", "/api/discovery",
		"/api/discovery/mistake-good-secret", "/api/discovery/mistake-label-secret", "/api/tools", "/api/logs", "/api/calls?protocol=true", "/api/calls/1", "/api/clients", "/api/stats", "/api/changes", "/api/overview", "/api/openapi.json"} {
		said[path] = body(t, g.url+path)
	}
	for name, args := range map[string][]string{"doctor": {"doctor"}, "doctor --json": {"doctor", "--json"}} {
		said[name], _ = runTool(t, "", append(args, "--network="+mistakesNet, listen)...)
	}
	file := composeOf(mistakes)
	said["lint"], _ = runTool(t, file, "lint", "--network="+mistakesNet, "-")
	said["lint --json"], _ = runTool(t, file, "lint", "--network="+mistakesNet, "--json", "-")
	for _, path := range []string{"/api/discovery", "doctor", "lint"} {
		if !strings.Contains(said[path], "secret-headers.Authorization") {
			t.Errorf("%s does not tell of the label at all:\n%s", path, said[path])
		}
	}
	if !strings.Contains(said["/api/logs"], "mistake-good-secret") {
		t.Errorf("the call is not in the journal: %s", said["/api/logs"])
	}
	for where, text := range said {
		for _, secret := range []string{labelSecret, grantedSecret} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s", where, secret)
			}
		}
	}
}

func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(b)
}

// runTool runs one of the program's commands, and answers what it says and its exit
// code.
func runTool(t *testing.T, stdin string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(gatewayBinary, args...)
	cmd.Env, cmd.Stdin = inherited(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// mistakeImages are images of the demo server, healthy and not.
var mistakeImages = map[string]string{mistakesImage: "HEALTHCHECK NONE",
	mistakesIll: `HEALTHCHECK --interval=1s --retries=1 CMD ["/demo","--no-such-flag"]`}

// makeDemoImages makes images of the demo server alone, without a registry, each with
// a line of a Dockerfile on top.
func makeDemoImages(t *testing.T, images map[string]string) {
	t.Helper()
	binary, err := demoBinary()
	if err != nil {
		t.Fatal(err)
	}
	tar, err := exec.Command("tar", "-C", filepath.Dir(binary), "-c", "demo").Output()
	if err != nil {
		t.Fatalf("tar: %v", err)
	}
	for image, change := range images {
		load := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/demo"]`, "--change", change, "-", image)
		load.Stdin = bytes.NewReader(tar)
		if out, err := load.CombinedOutput(); err != nil {
			t.Fatalf("docker import: %v\n%s", err, out)
		}
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
	_ = exec.Command("docker", "rmi", "-f", mistakesImage, mistakesIll).Run()
}
