package engine

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"mcp-gw/cmd/mcp-gw-bench/internal/subject"
)

func TestEngine(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("starts a container")
	}
	if err := Available(t.Context()); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs a container engine: %v", err)
	}
	binary, err := subject.Build(t.Context(), t.TempDir(), "examples/demo")
	if err != nil {
		t.Fatal(err)
	}
	const name = "mcp-gw-bench-engine-net"
	e, err := Open(t.Context(), name, binary)
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.Create(t.Context(), "c", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	c, err := e.api.ContainerInspect(t.Context(), id)
	if err != nil || !c.State.Running || c.Config.Labels["a"] != "b" || c.NetworkSettings.Networks[name] == nil {
		t.Errorf("%+v, %v: want it running on %s with its label", c.State, err, name)
	}
	if err := e.Kill(t.Context(), id); err != nil {
		t.Error(err)
	}
	// Close takes what is still there.
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	again, err := Open(t.Context(), name, binary)
	if err != nil {
		t.Fatal(err)
	}
	left, err := again.api.ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", mark+"="+name))})
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenWithoutEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	if err := Available(t.Context()); err == nil {
		t.Error("an engine answers at a socket that is not there")
	}
	_, err := Open(t.Context(), "mcp-gw-bench-none", os.DevNull)
	if err == nil || !strings.Contains(err.Error(), "container engine") {
		t.Errorf("%v, want it to name the container engine", err)
	}
}
