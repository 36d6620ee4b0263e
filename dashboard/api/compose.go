package api

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mcp-gw/discovery"
	"mcp-gw/gateway"
)

// composed writes a backend as a service of a compose file: the labels that it has, or
// those that would make it what it is registered as.
func (s *server) composed(b gateway.BackendState, labels map[string]string) string {
	if b.Source == discovery.SourceDocker {
		service := "service"
		if b.Container != nil {
			service = b.Container.Name
			if b.Container.ComposeService != "" {
				service = b.Container.ComposeService
			}
		}
		return serviceText(service, nil, labels)
	}
	r, ok := s.Manual.Lookup(b.Name)
	if !ok {
		return ""
	}
	service := strings.Trim(strings.ReplaceAll(r.Name, "_", "-"), "-")
	var notes []string
	labels = map[string]string{}
	if discovery.CheckName(service) == nil {
		labels["mcp-gw.name"] = service
	} else {
		notes = append(notes, fmt.Sprintf("%s is too long for the label mcp-gw.name", r.Name))
		service = "service"
	}
	if u, err := url.Parse(r.URL); err == nil {
		notes = append(notes, "the service that serves "+discovery.ShowURL(r.URL))
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443"}[u.Scheme]
		}
		if port == "" {
			port = "80"
		}
		labels["mcp-gw.port"], labels["mcp-gw.path"] = port, u.EscapedPath()
		if u.Path == "" {
			labels["mcp-gw.path"] = "/"
		}
		if u.Scheme != "http" {
			labels["mcp-gw.scheme"] = u.Scheme
		}
	}
	labels["mcp-gw.transport"] = string(r.Transport)
	if len(r.Groups) > 0 {
		labels["mcp-gw.groups"] = strings.Join(discovery.Groups(r.Groups), ",")
	}
	if r.TLS.SkipVerify {
		labels["mcp-gw.tls.verify"] = "false"
	}
	if r.TLS.ServerName != "" {
		labels["mcp-gw.tls.server-name"] = r.TLS.ServerName
	}
	if r.TLS.CAFile != "" {
		labels["mcp-gw.tls.ca"] = r.TLS.CAFile
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		labels["mcp-gw.secret-headers."+name] = "<secret name>"
	}
	if len(r.Headers) > 0 {
		notes = append(notes, "each secret is a file in MCP_GW_SECRETS_DIR of the gateway, and granted with MCP_GW_SECRET_GRANTS")
	}
	return serviceText(service, notes, labels)
}

// serviceText is YAML: names and values are quoted as JSON quotes them, where they need
// it.
func serviceText(service string, notes []string, labels map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "services:\n  %s:\n", yamlKey(service))
	for _, note := range notes {
		fmt.Fprintf(&b, "    # %s\n", strings.Map(printable, note))
	}
	if len(labels) == 0 {
		return b.String()
	}
	b.WriteString("    labels:\n")
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "      %s: %s\n", yamlKey(key), yamlText(labels[key]))
	}
	return b.String()
}

func printable(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// yamlKey leaves the usual names as they are.
func yamlKey(key string) string {
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	}) < 0
	if _, err := strconv.ParseFloat(key, 64); plain && err != nil && key[0] != '-' && key[0] != '.' {
		return key
	}
	return yamlText(key)
}

// yamlText is a double-quoted scalar; compose takes a dollar for a variable.
func yamlText(text string) string {
	return strings.ReplaceAll(strconv.Quote(strings.ToValidUTF8(text, "\uFFFD")), "$", "$$")
}
