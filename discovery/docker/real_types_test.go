package docker

import mobycontainer "github.com/moby/moby/api/types/container"

// hostConfig is the part of a container that testcontainers leaves to its own
// engine types.
func hostConfig(w want) func(*mobycontainer.HostConfig) {
	return func(h *mobycontainer.HostConfig) {
		if w.policy != "" {
			h.RestartPolicy = mobycontainer.RestartPolicy{Name: mobycontainer.RestartPolicyMode(w.policy)}
		}
	}
}

func config(w want) func(*mobycontainer.Config) {
	return func(c *mobycontainer.Config) { c.OpenStdin, c.Tty = w.stdin, w.tty }
}
