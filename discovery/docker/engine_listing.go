package docker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// glimpse is what the listing says of one container, for engines that let nobody
// inspect. It lacks when the process started, and much else: the observation is
// partial.
func (e *engine) glimpse(ctx context.Context, id string) (observation, error) {
	list, err := e.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("id", id))})
	if err != nil {
		return observation{}, fmt.Errorf("list container %s: %w", short(id), asked(pathContainers, err))
	}
	// A proxy may drop the filter, and an id is a prefix to the engine.
	i := slices.IndexFunc(list, func(c container.Summary) bool { return c.ID == id })
	if i < 0 {
		return observation{}, errGone
	}
	return observeLine(list[i]), nil
}

// The listing says these in words for people, and nowhere else.
var (
	exitedWith = regexp.MustCompile(`^Exited \((-?[0-9]+)\)`)
	healthWord = regexp.MustCompile(`\((?:health: )?(starting|healthy|unhealthy)\)$`)
)

func observeLine(c container.Summary) observation {
	o := observation{
		id: c.ID, image: c.Image, imageID: c.ImageID, created: time.Unix(c.Created, 0).UTC(),
		status: string(c.State), labels: c.Labels, networkMode: c.HostConfig.NetworkMode, partial: true,
	}
	for _, n := range c.Names {
		// Names with another slash are those that other containers link to it by.
		if n = strings.TrimPrefix(n, "/"); !strings.Contains(n, "/") {
			o.name = n
			break
		}
	}
	if c.NetworkSettings != nil {
		o.endpoints = endpoints(c.NetworkSettings.Networks)
	}
	for _, p := range c.Ports {
		if p.Type == "tcp" {
			o.tcpPorts = append(o.tcpPorts, int(p.PrivatePort))
		}
	}
	slices.Sort(o.tcpPorts)
	o.tcpPorts = slices.Compact(o.tcpPorts)
	if m := exitedWith.FindStringSubmatch(c.Status); m != nil {
		o.exitCode, _ = strconv.Atoi(m[1]) // digits
	}
	if m := healthWord.FindStringSubmatch(c.Status); m != nil {
		o.health = m[1]
	}
	return o
}

// services lists those of the swarm, of which only managers know.
func (e *engine) services(ctx context.Context) ([]service, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := e.cli.ServiceList(ctx, swarm.ServiceListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", asked("/services", err))
	}
	out := make([]service, 0, len(list))
	for _, s := range list {
		x := service{id: s.ID, name: s.Spec.Name, labels: s.Spec.Labels}
		if c := s.Spec.TaskTemplate.ContainerSpec; c != nil {
			x.image, x.containerLabels = c.Image, c.Labels
		}
		out = append(out, x)
	}
	return out, nil
}
