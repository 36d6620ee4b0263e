package docker

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Routine looks rest on it: whatever state a container is in, its line in the listing
// is what an inspect of it says.
func TestListingSaysWhatInspectsSay(t *testing.T) {
	l := newLab(t)
	all := map[string]string{
		"running": l.start(want{ports: []string{"8080/tcp"}}),
		"created": l.start(want{create: true}),
		"exited":  l.start(want{}),
		"paused":  l.start(want{}),
		"failed":  l.start(want{cmd: []string{"no port"}, policy: "no"}),
	}
	for what, command := range map[string]string{"healthy": "check=8080", "unhealthy": "check=1"} {
		all[what] = l.make(want{}, func(c *container.Config, _ *container.HostConfig) {
			c.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "/server", command}, Interval: time.Second, Timeout: 5 * time.Second, Retries: 1}
		})
	}
	l.must("stop", l.cli.ContainerStop(t.Context(), all["exited"], container.StopOptions{}))
	l.must("pause", l.cli.ContainerPause(t.Context(), all["paused"]))
	t.Cleanup(func() { _ = l.cli.ContainerUnpause(t.Context(), all["paused"]) })
	e, err := dial(t.Context(), New(Config{Log: testLog(t)}).cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for what, id := range all {
		waitFor(t, "line and inspect of the one that is "+what+" to agree", func() bool {
			list, err := e.containers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(list, func(o observation) bool { return o.id == id })
			o, err := e.inspect(t.Context(), id)
			if err != nil || i < 0 {
				t.Fatalf("%s: in the listing at %d, %v", what, i, err)
			}
			if (what == "healthy" || what == "unhealthy") && o.health != what {
				return false // not checked yet
			}
			return o.says(list[i])
		})
	}
}
