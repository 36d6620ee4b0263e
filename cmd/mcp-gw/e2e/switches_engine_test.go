package e2e

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	switchesNet   = "switches-net"
	switchesImage = "switches-demo"
	switchesName  = "switches-lab"
)

// A backend that a label wants is switched off over what its container does and over
// the gateway's end; the label stays the label's, and the tools that it excludes have
// no switch.
func TestALabelledBackendStaysOff(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	if testing.Short() {
		t.Skip("starts a container")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	sweep := func() {
		_ = exec.Command("docker", "rm", "-f", switchesName).Run() // most often there is none
		_ = exec.Command("docker", "network", "rm", switchesNet).Run()
		_ = exec.Command("docker", "rmi", "-f", switchesImage).Run()
	}
	sweep()
	t.Cleanup(sweep)
	makeDemoImages(t, map[string]string{switchesImage: "HEALTHCHECK NONE"})
	docker(t, "network", "create", switchesNet)
	docker(t, "run", "-d", "--name="+switchesName, "--network="+switchesNet, "--label=mcp-gw.name=lab", "--label=mcp-gw.port=8080",
		"--label=mcp-gw.tools.exclude=add_*", switchesImage)
	g := startGateway(t, "MCP_GW_DOCKER=auto", "MCP_GW_NETWORK="+switchesNet)
	g.awaitStatus(t, "lab", "connected")
	is := func(health string) func() bool {
		return func() bool { return str(g.backend(t, "lab"), "health") == health }
	}

	if status, _, body := g.api(t, http.MethodPatch, "/api/tools/lab__add_note", `{"enabled":true}`); status != http.StatusConflict ||
		!bytes.Contains(body, []byte("the label mcp-gw.tools.exclude=add_* excludes it")) {
		t.Errorf("switching on what a label excludes: HTTP %d %s", status, body)
	}
	got := g.patch(t, "/api/backends/lab", `{"enabled":false}`)
	if str(got, "backend", "disabledBy") != "dashboard" || !strings.HasSuffix(str(got, "savedIn"), "switches.json") {
		t.Errorf("switched off: %.400s", got)
	}
	// It is held for a while: a connect would come within a second.
	stays := func(when string) {
		t.Helper()
		eventually(t, "the backend to be known "+when, func() bool { return g.backend(t, "lab") != nil })
		for range 10 {
			if b := g.backend(t, "lab"); b != nil && str(b, "health") != "disabled" {
				t.Fatalf("%s: %.400s", when, without(b, "tools"))
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	stays("switched off")
	docker(t, "restart", "-t", "1", switchesName)
	stays("when its container was restarted")
	g.kill()
	g.start(t)
	stays("when the gateway was killed")
	if _, _, body := g.api(t, http.MethodGet, "/api/discovery/"+switchesName, ""); !strings.Contains(str(body, "reason"), "switched off in the dashboard") {
		t.Errorf("discovery says %.400s", body)
	}
	if status, _, body := g.api(t, http.MethodDelete, "/api/backends/lab", ""); status != http.StatusConflict {
		t.Errorf("removing it: HTTP %d %s", status, body)
	}

	g.patch(t, "/api/backends/lab", `{"enabled":true}`)
	eventually(t, "the backend to be healthy", is("healthy"))
	docker(t, "stop", "-t", "1", switchesName)
	eventually(t, "the overview to say that it does not run", func() bool {
		_, _, body := g.api(t, http.MethodGet, "/api/overview", "")
		return bytes.Contains(get(body, "attention"), []byte("container "+switchesName))
	})
	docker(t, "start", switchesName)
	eventually(t, "the backend to be healthy again", is("healthy"))
	for _, want := range []string{"lab was switched on", "lab is connected: 7 tools", "container " + switchesName + ": registered as lab"} {
		eventually(t, "the change: "+want, func() bool {
			_, _, body := g.api(t, http.MethodGet, "/api/changes", "")
			return bytes.Contains(body, []byte(want))
		})
	}
}
