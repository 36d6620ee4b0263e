// Package engine starts and kills the containers of a measurement, and removes
// everything it made.
package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// mark is the label on everything made here. Its value is the network's name, so
// that two measurements on one engine leave each other alone.
const mark = "bench-of-the-gateway"

// limit is how long the engine may take for one request.
const limit = 30 * time.Second

// Engine is a container engine with a network and an image of our own.
type Engine struct {
	api     *client.Client
	network string
	image   string
}

// Open connects to the engine that the environment names (DOCKER_HOST and its
// siblings), removes what an earlier run that was killed may have left, makes a
// network of that name, and imports binary, which must be static, as an image
// with nothing else in it. Close undoes all of it.
func Open(ctx context.Context, networkName, binary string) (*Engine, error) {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("container engine: %w", err)
	}
	e := &Engine{api: api, network: networkName, image: mark + ":" + networkName}
	if err := e.prepare(ctx, binary); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Available returns nil if an engine answers, and what is wrong otherwise.
func Available(ctx context.Context) error {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer api.Close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err = api.Ping(ctx)
	return err
}

func (e *Engine) prepare(ctx context.Context, binary string) error {
	if _, err := e.api.Ping(ctx); err != nil {
		return fmt.Errorf("container engine: %w", err)
	}
	if err := e.sweep(ctx); err != nil {
		return err
	}
	if _, err := e.api.NetworkCreate(ctx, e.network, network.CreateOptions{Labels: map[string]string{mark: e.network}}); err != nil {
		return fmt.Errorf("create network %s: %w", e.network, err)
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err = w.WriteHeader(&tar.Header{Name: "server", Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(text)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	out, err := e.api.ImageImport(ctx, image.ImportSource{Source: &archive, SourceName: "-"}, e.image,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/server"]`, "USER 65532:65532", "LABEL " + mark + "=" + e.network}})
	if err != nil {
		return fmt.Errorf("import image: %w", err)
	}
	defer out.Close()
	_, err = io.Copy(io.Discard, out) // the import is done once the answer is read
	return err
}

// Socket is the path of the engine's socket, "" where it has none.
func (e *Engine) Socket() string {
	path, ok := strings.CutPrefix(e.api.DaemonHost(), "unix://")
	if !ok {
		return ""
	}
	return path
}

// Create makes a container of the image, on the network, with labels, and
// returns its id. The network's name is put before the container's.
func (e *Engine) Create(ctx context.Context, name string, labels map[string]string, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	all := map[string]string{mark: e.network}
	for k, v := range labels {
		all[k] = v
	}
	c, err := e.api.ContainerCreate(ctx, &container.Config{Image: e.image, Labels: all, Env: env},
		&container.HostConfig{NetworkMode: container.NetworkMode(e.network)}, nil, nil, e.network+"-"+name)
	if err != nil {
		return "", fmt.Errorf("create container %s: %w", name, err)
	}
	return c.ID, nil
}

// Start starts a container. It returns when the engine says that it runs.
func (e *Engine) Start(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.api.ContainerStart(ctx, id, container.StartOptions{})
}

// Kill kills a container.
func (e *Engine) Kill(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.api.ContainerKill(ctx, id, "KILL")
}

// Remove removes a container, running or not.
func (e *Engine) Remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
}

// Close removes all that was made, also after an interrupt, which is why it
// takes no context.
func (e *Engine) Close() error {
	err := e.sweep(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if _, gone := e.api.ImageRemove(ctx, e.image, image.RemoveOptions{Force: true}); gone != nil && !errdefs.IsNotFound(gone) {
		err = errors.Join(err, gone)
	}
	return errors.Join(err, e.api.Close())
}

// sweep removes marked containers, and the network. Each step has a limit of its own:
// there may be hundreds.
func (e *Engine) sweep(ctx context.Context) error {
	listing, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	list, err := e.api.ContainerList(listing, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", mark+"="+e.network))})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list {
		if e := e.Remove(ctx, c.ID); e != nil && !errdefs.IsNotFound(e) {
			err = errors.Join(err, e)
		}
	}
	removing, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if gone := e.api.NetworkRemove(removing, e.network); gone != nil && !errdefs.IsNotFound(gone) {
		err = errors.Join(err, fmt.Errorf("remove network %s: %w", e.network, gone))
	}
	return err
}
