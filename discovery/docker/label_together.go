package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// together looks at labels that are good by themselves and cannot stand beside
// each other.
func (s *spec) together() {
	s.remarkIdleTLS()
	if s.url != "" {
		if key, ok := s.has("port", "path", "scheme"); ok {
			s.excludes("url", key, "the URL says it already")
		}
	}
	if s.transport == discovery.TransportStdio {
		if s.url != "" {
			s.excludes("transport", "url", "stdio has no address")
		}
		if key, ok := s.has("auth", "auth.secret", "secret-headers."); ok && s.auth != authNone {
			s.excludes("transport", key, "stdio has no headers; give the server its secret in the container itself")
		}
		for _, want := range []string{"port", "path", "scheme", "headers.", "network"} {
			if key, ok := s.has(want); ok {
				s.idle(key, "stdio has no address and no headers")
			}
		}
		s.togetherExec()
	} else if !s.refusedLabel("transport") {
		for _, want := range []string{"stdio.mode", "stdio.command", "stdio.session"} {
			if key, ok := s.has(want); ok {
				s.remark(discovery.SeverityWarning, codeNoEffect, s.prefix+"."+key, "",
					fmt.Sprintf("%s.%s has no effect: the transport is %s", s.prefix, key, s.transport), s.prefix+".transport=stdio")
			}
		}
	}
	s.togetherAuth()
	if slices.Contains(s.shape.DependsOn, s.name) && s.name != "" {
		s.fail(codeDependsOn, s.prefix+".depends-on", fmt.Sprintf("%s.depends-on: %s waits for itself; not registered", s.prefix, s.name), "remove "+s.name+" from it")
	}
}

func (s *spec) togetherExec() {
	switch {
	case s.stdioMode == stdioExec && s.stdioCommand == nil && !s.refusedLabel("stdio.command"):
		s.fail(codeExcludes, s.prefix+".stdio.mode", fmt.Sprintf("%s.stdio.mode=exec, and no command to start; not registered", s.prefix),
			s.prefix+`.stdio.command=["npx","-y","srv"]`)
	case s.stdioMode == stdioAttach && s.stdioSession == stdioPerClient && !s.refusedLabel("stdio.mode"):
		s.fail(codeExcludes, s.prefix+".stdio.session", fmt.Sprintf("%s.stdio.session=per-client: an attached process is one, and all clients share it; not registered", s.prefix),
			s.prefix+".stdio.session=shared")
	case s.stdioMode == stdioAttach && s.stdioCommand != nil && !s.refusedLabel("stdio.mode"):
		s.idle("stdio.command", "an attached process runs already")
	}
}

func (s *spec) togetherAuth() {
	needs := s.auth != "" && s.auth != authNone
	_, hasSecret := s.has("auth.secret")
	switch {
	case needs && !hasSecret && !s.refusedLabel("auth.secret"):
		s.fail(codeExcludes, s.prefix+".auth", fmt.Sprintf("%s.auth=%s, and no secret for it; not registered", s.prefix, s.auth), s.prefix+".auth.secret=<secret name>")
	case !needs && hasSecret && !s.refusedLabel("auth"):
		s.fail(codeExcludes, s.prefix+".auth.secret", fmt.Sprintf("%s.auth.secret without %[1]s.auth, which says how it is sent; not registered", s.prefix), s.prefix+".auth=bearer")
	}
	taken := maps.Clone(s.headers)
	if needs {
		if taken == nil {
			taken = map[string]string{}
		}
		if _, twice := taken["Authorization"]; twice {
			s.excludes("auth", "headers.Authorization", "both set the header Authorization")
		}
		taken["Authorization"] = ""
	}
	for _, h := range slices.Sorted(maps.Keys(s.secretHeaders)) {
		if _, twice := taken[h]; twice {
			other := "headers." + h
			if needs && h == "Authorization" {
				other = "auth"
			}
			s.excludes(other, "secret-headers."+h, "both set the header "+h)
		}
	}
}

// excludes notes that the label of key cannot stand beside the other one.
func (s *spec) excludes(other, key, why string) {
	s.fail(codeExcludes, s.prefix+"."+key, fmt.Sprintf("%s.%s beside %[1]s.%s: %s; not registered", s.prefix, clip(key), clip(other), why), fmt.Sprintf("remove %s.%s", s.prefix, key))
}

// idle notes that the label of key has no effect.
func (s *spec) idle(key, why string) {
	s.remark(discovery.SeverityWarning, codeNoEffect, s.prefix+"."+key, "",
		fmt.Sprintf("%s.%s has no effect: %s", s.prefix, clip(key), why), fmt.Sprintf("remove %s.%s", s.prefix, key))
}

// remarkIdleTLS tells of a label about TLS that can have no effect beside the others.
func (s *spec) remarkIdleTLS() {
	scheme := s.scheme
	if strings.HasPrefix(s.url, "https:") {
		scheme = "https"
	}
	setting, why := s.tls.Idle(scheme)
	if setting == "" || s.refusedLabel("scheme") {
		return
	}
	label, fix := s.prefix+".tls."+setting, s.prefix+".scheme=https"
	if scheme == "https" {
		fix = fmt.Sprintf("remove %s, or %s.tls.verify=false", label, s.prefix)
	}
	s.remark(discovery.SeverityWarning, codeNoEffect, label, "", fmt.Sprintf("%s has no effect: %s", label, why), fix)
}
