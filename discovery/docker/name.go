package docker

import (
	"strings"

	"mcp-gw/discovery"
)

const maxName = 32

func checkName(name string) error {
	if err := discovery.CheckName(name); err != nil {
		return refuse(otherName(name), "%v", err)
	}
	return nil
}

// otherName is the name that was meant by one that cannot be used, "" when there
// is no telling.
func otherName(name string) string {
	if fix := toName(name); discovery.CheckName(fix) == nil {
		return fix
	}
	return ""
}

// toName makes a valid name of s, "" when nothing in it can stand in one.
func toName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if b.Len() == maxName {
			break
		}
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

const (
	labelComposeProject = "com.docker.compose.project"
	labelComposeService = "com.docker.compose.service"
	labelComposeNumber  = "com.docker.compose.container-number"
	labelComposeOneOff  = "com.docker.compose.oneoff"
	labelSwarmService   = "com.docker.swarm.service.name"
	labelSwarmServiceID = "com.docker.swarm.service.id"
	labelSwarmStack     = "com.docker.stack.namespace"
)

// composeOf answers the compose project and service of a container, empty when
// compose did not make it. Compose labels the images that it builds with both too,
// and whatever runs from them inherits that; the number only its containers have.
func composeOf(labels map[string]string) (project, service string) {
	if labels[labelComposeNumber] == "" {
		return "", ""
	}
	return labels[labelComposeProject], labels[labelComposeService]
}

// defaultName is the name of a backend whose labels give none, and where it was
// taken from. The name may turn out reserved, or be empty; the caller checks.
func defaultName(container string, labels map[string]string) (name, from string) {
	project, service := composeOf(labels)
	if service != "" {
		return toName(service), "compose service"
	}
	if service := labels[labelSwarmService]; service != "" {
		if stack := labels[labelSwarmStack]; stack != "" {
			service = strings.TrimPrefix(service, stack+"_")
		}
		return toName(service), "swarm service"
	}
	if project != "" {
		for _, sep := range []string{"-", "_"} { // compose v2, v1
			if rest, ok := strings.CutPrefix(container, project+sep); ok {
				if base, ok := strings.CutSuffix(rest, sep+"1"); ok {
					rest = base
				}
				return toName(rest), "container name"
			}
		}
	}
	return toName(container), "container name"
}
