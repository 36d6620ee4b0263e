package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	doctorNet   = "doctor-net"
	doctorAPI   = "doctor-api"
	doctorImage = "doctor-mcp-gw"
)

// As compose.yaml has it: the gateway in a container without a socket, docker-proxy in
// another. Who asks doctor there, in the gateway's container, is told all the same.
func TestDoctorBehindTheDockerProxy(t *testing.T) {
	t.Parallel() // it waits for the engine most of the time
	if testing.Short() {
		t.Skip("starts containers")
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		missing(t, "no container engine, or no docker command")
	}
	if _, err := os.Stat("/var/run/docker.sock"); err != nil {
		missing(t, "the engine's socket is elsewhere")
	}
	sweepDoctor()
	t.Cleanup(sweepDoctor)
	t.Cleanup(sweepMistakes)
	makeDemoImages(t, mistakeImages)
	makeGatewayImage(t)
	docker(t, "network", "create", doctorNet)
	docker(t, "network", "create", "--internal", doctorAPI)
	bare := []string{"--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--read-only", "--env=MCP_GW_NETWORK=" + doctorNet}
	create := func(name, network string, args ...string) {
		t.Helper()
		docker(t, append(append([]string{"create", "--name=" + name, "--network=" + network}, bare...), args...)...)
	}
	create("doctor-proxy", doctorAPI, "--user=0:0", "--volume=/var/run/docker.sock:/var/run/docker.sock", doctorImage, "docker-proxy")
	create("doctor-gateway", doctorNet, "--user=65532:65532", "--env=DOCKER_HOST=tcp://doctor-proxy:2375", "--env=CONFIG_PATH=/data/backends.json", "--tmpfs=/data:mode=1777", doctorImage)
	create("doctor-demo", doctorNet, "--label=mcp-gw.port=8080", mistakesImage)
	docker(t, "network", "connect", doctorAPI, "doctor-gateway")
	docker(t, "start", "doctor-proxy", "doctor-gateway", "doctor-demo")

	ask := func() (string, int) {
		cmd := exec.Command("docker", "exec", "doctor-gateway", "/mcp-gw", "doctor")
		out, _ := cmd.CombinedOutput() // its exit code is what counts
		return string(out), cmd.ProcessState.ExitCode()
	}
	var said string
	var code int
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("doctor exits with %d:\n%s", code, said)
		}
	})
	eventually(t, "the demo's tools to be listed", func() bool {
		said, code = ask()
		return strings.Contains(said, "registered as doctor-demo: 7 tools")
	})
	for _, want := range []string{"ok  engine", "at tcp://doctor-proxy:2375", `"` + doctorNet + `" is there`, "ok  gateway", "answers at http://127.0.0.1:3000", "ok  doctor-gateway", "this is the gateway"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing", want)
		}
	}
	// Others' containers may have problems of their own.
	if strings.Contains(said, "holds the engine's socket") || strings.Contains(said, "FAIL  engine") || code > 1 {
		t.Errorf("exit %d, or a complaint about a socket that is not there", code)
	}

	docker(t, "stop", "--time=1", "doctor-proxy")
	eventually(t, "the proxy's end to be told", func() bool {
		said, code = ask()
		return code == 2 && strings.Contains(said, "FAIL  engine") && strings.Contains(said, "tcp://doctor-proxy:2375")
	})
	if !strings.Contains(said, "put it and this container on one network") && !strings.Contains(said, "Is the engine or the proxy running") {
		t.Error("it does not say what to do")
	}
}

// makeGatewayImage makes an image of the program alone.
func makeGatewayImage(t *testing.T) {
	t.Helper()
	binary, err := staticBinary()
	if err != nil {
		t.Fatal(err)
	}
	tar, err := exec.Command("tar", "-C", filepath.Dir(binary), "-c", "mcp-gw").Output()
	if err != nil {
		t.Fatalf("tar: %v", err)
	}
	load := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/mcp-gw"]`, "-", doctorImage)
	load.Stdin = bytes.NewReader(tar)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("docker import: %v\n%s", err, out)
	}
}

func sweepDoctor() {
	_ = exec.Command("docker", "rm", "-f", "-v", "doctor-proxy", "doctor-gateway", "doctor-demo").Run() // most are not there
	_ = exec.Command("docker", "network", "rm", doctorNet, doctorAPI).Run()
	_ = exec.Command("docker", "rmi", "-f", doctorImage).Run()
}
