package e2e

import (
	"os/exec"
	"testing"
)

const (
	pageNet   = "mcp-gw-page"
	pageImage = "mcp-gw-page-demo"
)

// pageContainers are all that these tests start.
var pageContainers = []string{"page-arrives", "page-typo", "page-stops"}

// watchedByPage starts a gateway that watches the real engine, on a network of its own.
func watchedByPage(t *testing.T, env ...string) *gateway {
	t.Helper()
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	sweep := func() {
		_ = exec.Command("docker", append([]string{"rm", "-f"}, pageContainers...)...).Run() // most are not there
		_ = exec.Command("docker", "network", "rm", pageNet).Run()
		_ = exec.Command("docker", "rmi", "-f", pageImage).Run()
	}
	sweep()
	t.Cleanup(sweep)
	makeDemoImages(t, map[string]string{pageImage: "EXPOSE 8080"})
	docker(t, "network", "create", pageNet)
	return startGateway(t, append([]string{"MCP_GW_DOCKER=auto", "MCP_GW_NETWORK=" + pageNet, "MCP_GW_LOG_LEVEL=error"}, env...)...)
}

// A label has a typo, and Discovery names it with what to write instead.
func TestPageStoryALabelHasATypo(t *testing.T) {
	b := sharedBrowser(t)
	g := watchedByPage(t)
	docker(t, "run", "-d", "--name=page-typo", "--network="+pageNet, "--label=mcp-gw.enable=true", "--label=mcp-gw.prot=8080", pageImage)
	tb := b.open(t, g.url, "#/discovery", look{})
	tb.click(t, `main >> text=page-typo`)
	tb.says(t, "main", `"mcp-gw\.prot" is ignored: did you mean mcp-gw\.port`) // what is wrong, and what was meant
	tb.says(t, "main", `(?s)Fix.*mcp-gw\.port: "?8080"?`)                      // as it is written
	tb.says(t, "main", `(?s)What we read.*mcp-gw\.prot.*8080`)                 // and what was read

	// One that stops says itself why.
	docker(t, "run", "-d", "--name=page-stops", "--network="+pageNet, "--label=mcp-gw.port=8080", pageImage, "--nonsense")
	tb.click(t, `main >> text=page-stops`)
	tb.says(t, "main", `(?s)Exited with code.*What it printed last.*nonsense`)
}
