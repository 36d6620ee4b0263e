package docker

import (
	"net/netip"
	"slices"
	"time"
)

// observation is what one inspect said of a container: the engine's answer
// without the engine's types. It is a value; nobody changes one.
type observation struct {
	id    string
	name  string // without the leading slash
	image string
	// imageID is of the image's content: a tag that was moved keeps its name.
	imageID string

	created    time.Time
	startedAt  time.Time // zero: never started
	finishedAt time.Time // zero: never ended

	status   string // created, running, paused, restarting, removing, exited, dead
	exitCode int
	oom      bool   // the kernel ended it for want of memory
	health   string // "" where the container has no health check
	// said is what the latest health check printed.
	said string
	// restarts is how often the engine started it again by itself.
	restarts int

	labels      map[string]string
	tcpPorts    []int // exposed by the image or the container; sorted, without duplicates
	networkMode string
	endpoints   []endpoint
	openStdin   bool
	tty         bool
	// partial: it is a line of a listing, which knows neither startedAt nor finishedAt,
	// openStdin and tty. Listings say which containers there are; what a container is,
	// only an inspect says, because an engine may serve listings from a copy that lags
	// behind its events (20.10 does).
	partial bool
}

// endpoint is one attachment of a container to a network. A stopped container
// keeps its endpoints, without addresses.
type endpoint struct {
	network   string
	networkID string // may be empty before the first start
	ipv4      netip.Addr
	ipv6      netip.Addr
	aliases   []string // names that lead to it on the network
}

// addr is the address to connect to, IPv4 before IPv6; invalid when there is none.
func (e endpoint) addr() netip.Addr {
	if e.ipv4.IsValid() {
		return e.ipv4
	}
	return e.ipv6
}

// generation names one run of one container. A quick `docker restart` keeps the
// id, and mostly the address; only the start time tells that the process, and
// every MCP session with it, is another.
func (o observation) generation() string {
	if o.startedAt.IsZero() {
		return o.id + "@"
	}
	return o.id + "@" + o.startedAt.UTC().Format(time.RFC3339Nano)
}

// up reports whether there is a process that can own an address. Status is
// asked, not the engine's Running flag, which is true while a container waits
// for its next restart.
func (o observation) up() bool { return o.status == "running" || o.status == "paused" }

// says reports whether a line of a listing, taken by itself, is what an inspect that
// found o would have put there. What listings do not tell may be otherwise.
func (o observation) says(line observation) bool {
	return line.id == o.id && line.name == o.name && line.status == o.status && line.exitCode == o.exitCode && line.health == o.health &&
		line.networkMode == o.networkMode && slices.EqualFunc(line.endpoints, o.endpoints, func(a, b endpoint) bool {
		return a.network == b.network && a.networkID == b.networkID && a.ipv4 == b.ipv4 && a.ipv6 == b.ipv6
	})
}

// networks returns the names of the networks the container is attached to, sorted.
func (o observation) networks() []string {
	names := make([]string, len(o.endpoints))
	for i, e := range o.endpoints {
		names[i] = e.network
	}
	slices.Sort(names)
	return names
}

// event is one message of the engine's event stream.
type event struct {
	kind      string // container, network, daemon
	action    string // health checks come as "health_status"
	health    string // of health_status: the result; "" where it was not told
	exitCode  string // of die; "" where it was not told
	id        string // of the container or network
	name      string
	container string // of network events: whom it concerns
	signal    string // of kill
	at        time.Time
}

// service is one service of a swarm.
type service struct {
	id, name, image string
	labels          map[string]string // of the service: deploy.labels in a compose file
	containerLabels map[string]string // that its containers get
}

// netInfo is one network of the engine.
type netInfo struct {
	id, name string
	gateway  netip.Addr // the host's address there, IPv4 before IPv6; may be invalid
}

// short is an id as people read it.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
