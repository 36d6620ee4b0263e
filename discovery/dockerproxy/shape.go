package dockerproxy

import (
	"slices"
	"strings"

	"mcp-gw/discovery/docker"
)

// The types of this file are the whole of what can be read through the proxy. A
// field is here because the gateway reads it. Not here, on purpose: environment,
// command, arguments, entry point, mounts, binds, devices, the health check's
// command and its output (which prints what the server prints, tokens too),
// State.Error (which quotes the command line), paths on the host, process ids.

type endpointShape struct {
	NetworkID         string
	EndpointID        string
	Gateway           string
	IPAddress         string
	IPPrefixLen       int
	IPv6Gateway       string
	GlobalIPv6Address string
}

type networkSettingsShape struct {
	Networks map[string]*endpointShape
	// Ports are keyed by port and protocol.
	Ports map[string][]portShape `json:",omitempty"`
}

type portShape struct{ HostIp, HostPort string }

// rowShape is one line of a listing of containers.
type rowShape struct {
	Id              string
	Names           []string
	Image           string
	ImageID         string
	Created         int64
	State           string
	Status          string
	Labels          map[string]string
	HostConfig      struct{ NetworkMode string }
	NetworkSettings *networkSettingsShape
}

type containerShape struct {
	Id           string
	Name         string
	Created      string
	Image        string
	Platform     string `json:",omitempty"`
	RestartCount int
	State        *struct {
		Status     string
		Running    bool
		Paused     bool
		Restarting bool
		OOMKilled  bool
		Dead       bool
		ExitCode   int
		StartedAt  string
		FinishedAt string
		Health     *struct {
			Status        string
			FailingStreak int
			Log           []struct {
				Start    string
				End      string
				ExitCode int
			}
		} `json:",omitempty"`
	}
	Config *struct {
		Image        string
		Labels       map[string]string
		ExposedPorts map[string]struct{} `json:",omitempty"`
		AttachStdin  bool
		OpenStdin    bool
		StdinOnce    bool
		Tty          bool
	}
	HostConfig *struct {
		NetworkMode   string
		RestartPolicy struct {
			Name              string
			MaximumRetryCount int
		}
		AutoRemove bool
	}
	NetworkSettings *networkSettingsShape
}

// execShape is what is told of a command that was started.
type execShape struct {
	ID          string
	ContainerID string
	Running     bool
	ExitCode    *int // null while it runs
}

type networkShape struct {
	Id         string
	Name       string
	Created    string
	Scope      string
	Driver     string
	EnableIPv6 bool
	Internal   bool
	Attachable bool
	IPAM       struct {
		Config []struct{ Subnet, Gateway string }
	}
}

type serviceShape struct {
	ID   string
	Spec struct {
		Name   string
		Labels map[string]string
	}
}

type versionShape struct {
	Version       string
	ApiVersion    string
	MinAPIVersion string
	Os            string
	Arch          string
	Platform      struct{ Name string }
	Components    []struct{ Name, Version string }
}

type infoShape struct {
	ServerVersion   string
	OperatingSystem string
	OSType          string
	Architecture    string
	CgroupVersion   string
	SecurityOptions []string
	Swarm           struct {
		LocalNodeState   string
		ControlAvailable bool
	}
}

type eventShape struct {
	Type   string
	Action string
	Actor  struct {
		ID         string
		Attributes map[string]string
	}
	Scope    string `json:"scope,omitempty"`
	Time     int64  `json:"time,omitempty"`
	TimeNano int64  `json:"timeNano,omitempty"`
}

// foreignLabels are labels of others that the gateway reads: who made a
// container, as which part of what, and which MCP server its image has.
var foreignLabels = map[string]bool{
	"com.docker.compose.project":          true,
	"com.docker.compose.service":          true,
	"com.docker.compose.container-number": true,
	"com.docker.compose.oneoff":           true,
	"com.docker.compose.image":            true,
	"com.docker.compose.config-hash":      true,
	"com.docker.compose.replace":          true,
	"com.docker.swarm.service.id":         true,
	"com.docker.swarm.service.name":       true,
	"com.docker.swarm.task.id":            true,
	"com.docker.swarm.task.name":          true,
	"com.docker.stack.namespace":          true,
	docker.LabelServerName:                true,
}

// keepLabels drops the labels of others: people write tokens into those as well.
func (p *Proxy) keepLabels(labels map[string]string) map[string]string {
	kept := map[string]string{}
	for key, v := range labels {
		if foreignLabels[key] || docker.Concerns(p.cfg.LabelPrefix, key) {
			kept[key] = v
		}
	}
	return kept
}

// labelled reports whether any label is meant for the gateway, or looks so.
func (p *Proxy) labelled(labels map[string]string) bool {
	for key := range labels {
		if docker.Concerns(p.cfg.LabelPrefix, key) {
			return true
		}
	}
	return false
}

// ours reports whether a network of that name is one shared with the gateway: by its
// name, or by the one compose makes of it.
func (p *Proxy) ours(network string) bool {
	return slices.ContainsFunc(docker.Networks(p.cfg.Network), func(name string) bool {
		return network == name || strings.HasSuffix(network, "_"+name)
	})
}

func (p *Proxy) onNetwork(mode string, s *networkSettingsShape) bool {
	if p.ours(mode) {
		return true // created, never started: the engine lists no networks yet
	}
	if s != nil {
		for name := range s.Networks {
			if p.ours(name) {
				return true
			}
		}
	}
	return false
}

// eventAttributes are what the gateway reads of an event's attributes, besides
// labels.
var eventAttributes = map[string]bool{
	"name": true, "oldName": true, "image": true, "container": true, "type": true, "signal": true,
	"exitCode": true, "containerExitCode": true, "health_status": true, "healthStatus": true,
}

// eventActions are those that pass. The exec_* ones have a command line in them.
var eventActions = map[string]bool{
	"create": true, "start": true, "die": true, "died": true, "kill": true, "stop": true, "restart": true, "pause": true,
	"unpause": true, "rename": true, "update": true, "destroy": true, "remove": true, "oom": true, "health_status": true,
	"connect": true, "disconnect": true, "reload": true,
}

// reduce leaves of an event what the gateway reads. ok is false when nothing is
// to be told of it.
func (p *Proxy) reduce(e *eventShape) (ok bool) {
	action, detail, _ := strings.Cut(e.Action, ":")
	if !eventActions[action] {
		return false
	}
	// What stands behind the colon of a health check is one of three words.
	switch detail = strings.TrimSpace(detail); {
	case detail == "":
	case action == "health_status" && (detail == "healthy" || detail == "unhealthy" || detail == "starting"):
	default:
		e.Action = action
	}
	kept := p.keepLabels(e.Actor.Attributes)
	for key, v := range e.Actor.Attributes {
		if eventAttributes[key] {
			kept[key] = v
		}
	}
	e.Actor.Attributes = kept
	return true
}
