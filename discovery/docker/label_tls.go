package docker

import (
	"fmt"
	"net/url"
	"strings"

	"mcp-gw/discovery"
)

func setTLSVerify(s *settings, _, value string) (string, error) {
	verify, err := parseBool(value)
	s.tls.SkipVerify = err == nil && !verify
	return "", err
}

func setTLSServerName(s *settings, _, value string) (string, error) {
	if err := discovery.CheckServerName(value); err != nil {
		return "", refuse(hostIn(value), "%v", err)
	}
	s.tls.ServerName = strings.ToLower(value)
	return "", nil
}

// hostIn finds the host name in a URL or an address, "" when there is none.
func hostIn(value string) string {
	if !strings.Contains(value, "//") {
		value = "//" + value
	}
	u, err := url.Parse(value)
	if err != nil {
		return ""
	}
	if host := strings.Trim(u.Hostname(), "."); discovery.CheckServerName(host) == nil {
		return host
	}
	return ""
}

func setTLSCA(s *settings, _, value string) (string, error) {
	if err := discovery.CheckCAFile(value); err != nil {
		return "", refuse("", "%v", err)
	}
	s.tls.CAFile = value
	return "", nil
}

// remarkIdleTLS tells of a label about TLS that can have no effect beside the others.
func (p *parsed) remarkIdleTLS(prefix string) {
	setting, why := p.tls.Idle(p.scheme)
	if setting == "" || p.refusedLabel(prefix+".scheme") {
		return
	}
	label, fix := prefix+".tls."+setting, prefix+".scheme=https"
	if p.scheme == "https" {
		fix = fmt.Sprintf("remove %s, or %s.tls.verify=false", label, prefix)
	}
	p.remark(discovery.SeverityWarning, codeNoEffect, label, "", fmt.Sprintf("%s has no effect: %s", label, why), fix)
}
