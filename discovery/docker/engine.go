package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	apinetwork "github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
)

// Deadlines of the calls to the engine. The event stream has none; a client-wide
// timeout would cut it.
const (
	pingTimeout    = 2 * time.Second
	versionTimeout = 5 * time.Second
	listTimeout    = 10 * time.Second
	inspectTimeout = 5 * time.Second
	// subscribeTimeout bounds the wait for the head of the event stream: an
	// endpoint that accepts and stays silent must not hold the provider.
	subscribeTimeout = 5 * time.Second
)

// errGone says that the engine knows no such container. No other error means that.
var errGone = errors.New("no such container")

// engine is the door to one Docker engine: its methods, here, in attach.go and in the
// files engine_*.go, are all that knows the engine's types. It serves one connection
// attempt and is thrown away with it, because the client negotiates its API version once
// and keeps the result, however wrong.
type engine struct {
	cli        *client.Client
	version    string // of the engine, "" when it would not say
	apiVersion string // agreed on
	podman     bool
	manager    bool        // of a swarm
	socket     fs.FileInfo // what was connected to; nil where it is no socket in the file system

	limits    limits
	inspected atomic.Bool // an inspect was answered
}

// dial connects to the engine and agrees on an API version.
func dial(ctx context.Context, cfg Config) (*engine, error) {
	opts, err := clientOptions(cfg)
	if err != nil {
		return nil, settingsError{err}
	}
	cli, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, settingsError{fmt.Errorf("docker endpoint %q: %w", cfg.Host, err)}
	}
	e := &engine{cli: cli, socket: socketOf(cfg.Host), limits: limits{host: cfg.Host}}
	if err := e.negotiate(ctx, cfg.APIVersion != ""); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func clientOptions(cfg Config) ([]client.Opt, error) {
	var opts []client.Opt
	if cfg.CertPath != "" {
		tlsConfig, err := tlsconfig.Client(tlsconfig.Options{
			CAFile:             filepath.Join(cfg.CertPath, "ca.pem"),
			CertFile:           filepath.Join(cfg.CertPath, "cert.pem"),
			KeyFile:            filepath.Join(cfg.CertPath, "key.pem"),
			InsecureSkipVerify: !cfg.TLSVerify,
		})
		if err != nil {
			return nil, fmt.Errorf("docker certificates in %q: %w", cfg.CertPath, err)
		}
		opts = append(opts, client.WithHTTPClient(&http.Client{
			Transport:     &http.Transport{TLSClientConfig: tlsConfig},
			CheckRedirect: client.CheckRedirect,
		}))
	}
	opts = append(opts, client.WithHost(cfg.Host), client.WithUserAgent("mcp-gw"))
	if cfg.APIVersion != "" {
		return append(opts, client.WithVersion(cfg.APIVersion)), nil
	}
	return append(opts, client.WithAPIVersionNegotiation()), nil
}

// negotiate pings by itself rather than leave it to the client, which swallows a
// failed ping and then speaks its newest version, and which takes a ping without
// a version for an engine of 2016.
func (e *engine) negotiate(ctx context.Context, pinned bool) error {
	pingCtx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	ping, err := e.cli.Ping(pingCtx)
	switch {
	case cerrdefs.IsNotFound(err): // every engine has it
		return fmt.Errorf("%w: %w", errNoAPIVersion, err)
	case err != nil:
		return fmt.Errorf("ping: %w", asked(pathPing, err))
	}
	if ping.APIVersion == "" {
		return errNoAPIVersion
	}
	if !pinned {
		e.cli.NegotiateAPIVersionPing(ping)
	}
	e.apiVersion = e.cli.ClientVersion()
	// A proxy may refuse /version. Nothing depends on it but what people see,
	// and the dialect of the event stream. An engine that has just started takes
	// longer for it than for a ping.
	versionCtx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	v, err := e.cli.ServerVersion(versionCtx)
	if unfit := readVersionError(err, e.apiVersion, ping.APIVersion); unfit != nil {
		return unfit
	}
	if err == nil {
		e.version = v.Version
		e.podman = slices.ContainsFunc(v.Components, func(c types.ComponentVersion) bool {
			return strings.Contains(strings.ToLower(c.Name), "podman")
		})
	}
	e.manager = ping.SwarmStatus != nil && ping.SwarmStatus.ControlAvailable
	if ping.SwarmStatus == nil && !e.podman { // an engine before 23.0, or a proxy in between
		if i, err := e.cli.Info(versionCtx); err == nil {
			e.manager = i.Swarm.ControlAvailable
		}
	}
	return nil
}

// ping asks for a sign of life, on a connection of its own: one that is kept open
// says nothing of whether another could be made.
func (e *engine) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	e.close()
	if _, err := e.cli.Ping(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// Versions of the engine's API that the client speaks.
const (
	minAPIVersion = api.MinSupportedAPIVersion
	maxAPIVersion = api.DefaultVersion
)

// asked gives a refused GET its path, and leaves other errors as they are.
func asked(path string, err error) error {
	status := ""
	switch {
	case err == nil:
	case cerrdefs.IsPermissionDenied(err), strings.Contains(err.Error(), "403 Forbidden"):
		status = "403 Forbidden"
	case cerrdefs.IsUnauthorized(err):
		status = "401 Unauthorized"
	case containsAny(err.Error(), "Method Not Allowed", "status 405"):
		status = "405 Method Not Allowed"
	}
	if status == "" {
		return err
	}
	return refusal{http.MethodGet, path, status, err}
}

func (e *engine) close() { _ = e.cli.Close() } // closes idle connections, cannot fail usefully

// containers lists all containers, running or not. It has no filter: a container
// with a misspelt label, or none, is to be seen too.
func (e *engine) containers(ctx context.Context) ([]observation, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := e.cli.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", asked(pathContainers, err))
	}
	out := make([]observation, 0, len(list))
	for _, c := range list {
		out = append(out, observeLine(c))
	}
	return out, nil
}

// networks returns the networks whose name contains name.
func (e *engine) networks(ctx context.Context, name string) ([]netInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := e.cli.NetworkList(ctx, apinetwork.ListOptions{Filters: filters.NewArgs(filters.Arg("name", name))})
	if err != nil {
		err = asked(pathNetworks, err)
		e.limits.meet(err)
		return nil, fmt.Errorf("list networks: %w", err)
	}
	e.limits.lift(pathNetworks)
	out := make([]netInfo, len(list))
	for i, n := range list {
		out[i] = netInfo{id: n.ID, name: n.Name}
		for _, c := range n.IPAM.Config {
			if a, err := netip.ParseAddr(c.Gateway); err == nil && (!out[i].gateway.IsValid() || a.Is4() && !out[i].gateway.Is4()) {
				out[i].gateway = a
			}
		}
	}
	return out, nil
}

// inspect returns errGone when the engine knows no such container. It may block
// for half a second while the engine starts or stops the container.
func (e *engine) inspect(ctx context.Context, id string) (observation, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	if e.limits.has(pathInspect) && !e.inspected.Load() {
		return e.glimpse(ctx, id) // all of them are refused
	}
	c, err := e.cli.ContainerInspect(ctx, id)
	if cerrdefs.IsNotFound(err) {
		return observation{}, errGone
	}
	if err = asked(pathInspect, err); e.limits.meet(err) {
		return e.glimpse(ctx, id)
	}
	if err != nil {
		return observation{}, fmt.Errorf("inspect container %s: %w", short(id), err)
	}
	e.inspected.Store(true)
	if c.ContainerJSONBase == nil || c.State == nil || c.Config == nil || c.NetworkSettings == nil {
		return observation{}, fmt.Errorf("inspect container %s: the answer lacks State, Config or NetworkSettings", short(id))
	}
	return observe(c), nil
}

func observe(c container.InspectResponse) observation {
	o := observation{
		id:         c.ID,
		name:       strings.TrimPrefix(c.Name, "/"),
		image:      c.Config.Image,
		imageID:    c.Image,
		created:    engineTime(c.Created),
		startedAt:  engineTime(c.State.StartedAt),
		finishedAt: engineTime(c.State.FinishedAt),
		status:     string(c.State.Status),
		exitCode:   c.State.ExitCode,
		oom:        c.State.OOMKilled,
		restarts:   c.RestartCount,
		labels:     c.Config.Labels,
		endpoints:  endpoints(c.NetworkSettings.Networks),
		openStdin:  c.Config.OpenStdin,
		tty:        c.Config.Tty,
	}
	if c.State.Health != nil && c.State.Health.Status != container.NoHealthcheck {
		o.health = string(c.State.Health.Status)
		if n := len(c.State.Health.Log); n > 0 && c.State.Health.Log[n-1] != nil {
			o.said = oneLine(c.State.Health.Log[n-1].Output)
		}
	}
	if c.HostConfig != nil {
		o.networkMode = string(c.HostConfig.NetworkMode)
	}
	// Both places: on an internal network NetworkSettings.Ports is empty, and a
	// published port need not be exposed by the image.
	for p := range c.Config.ExposedPorts {
		if p.Proto() == "tcp" {
			o.tcpPorts = append(o.tcpPorts, p.Int())
		}
	}
	for p := range c.NetworkSettings.Ports {
		if p.Proto() == "tcp" {
			o.tcpPorts = append(o.tcpPorts, p.Int())
		}
	}
	slices.Sort(o.tcpPorts)
	o.tcpPorts = slices.Compact(o.tcpPorts)
	return o
}

func endpoints(byName map[string]*apinetwork.EndpointSettings) []endpoint {
	var out []endpoint
	for name, s := range byName {
		e := endpoint{network: name}
		if s != nil {
			e.networkID = s.NetworkID
			e.aliases = append(slices.Clone(s.Aliases), s.DNSNames...)
			e.ipv4, _ = netip.ParseAddr(s.IPAddress)
			e.ipv6, _ = netip.ParseAddr(s.GlobalIPv6Address)
		}
		out = append(out, e)
	}
	// The engine keeps them in a map. Nothing may depend on its order.
	slices.SortFunc(out, func(a, b endpoint) int { return strings.Compare(a.network, b.network) })
	return out
}

// engineTime reads the engine's time stamps; year one is its way to say never.
func engineTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
