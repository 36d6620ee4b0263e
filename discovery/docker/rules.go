package docker

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// Rules are what whoever runs the gateway allows containers. The zero value is the
// usual strictness.
type Rules struct {
	// Instance is the gateway's own name. Containers may be for other ones.
	Instance string
	// RequireEnable demands mcp-gw.enable=true; otherwise any label will do.
	RequireEnable bool
	// AllowProjects and AllowImages are globs (path.Match) on compose projects and
	// image names. Empty: all.
	AllowProjects, AllowImages []string
	// AllowURLHosts are globs on the hosts that mcp-gw.url may have besides the
	// container's own.
	AllowURLHosts []string
	// AllowUnprefixed allows tools without a prefix, AllowExec to start commands in
	// containers.
	AllowUnprefixed, AllowExec bool
	// NamePolicy is NamesFirstLive or NamesOwner; "" = NamesFirstLive.
	NamePolicy string
	// SecretsDir is the folder of the secrets: a file each, by name.
	SecretsDir string
	// SecretGrants say who may have a secret: its name, and backend names or compose
	// projects and services ("shop/exa"). Containers of the gateway's own compose
	// project may have all.
	SecretGrants map[string][]string
}

// excludes says why the rules leave a container out that has labels; "" when they
// do not.
func (r Rules) excludes(o observation) (reason, fix string) {
	if project, _ := composeOf(o.labels); len(r.AllowProjects) > 0 && !matches(r.AllowProjects, project) {
		what := fmt.Sprintf("its compose project %q", project)
		if project == "" {
			what = "it has no compose project, and that"
		}
		return what + " is not among MCP_GW_ALLOW_PROJECTS", "MCP_GW_ALLOW_PROJECTS=" + strings.Join(append(slices.Clone(r.AllowProjects), project), ",")
	}
	if len(r.AllowImages) > 0 && !matches(r.AllowImages, o.image) {
		return fmt.Sprintf("its image %q is not among MCP_GW_ALLOW_IMAGES", o.image), "MCP_GW_ALLOW_IMAGES=" + strings.Join(append(slices.Clone(r.AllowImages), o.image), ",")
	}
	return "", ""
}

// matches reports whether one of the globs is s. A star does not cross slashes, but
// a glob without any is also held against what is behind the last one, so that
// "acme-*" finds images of every registry.
func matches(globs []string, s string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		if g == "*" {
			return true
		}
		ok, err := path.Match(g, s)
		if !ok && err == nil && !strings.Contains(g, "/") {
			ok, err = path.Match(g, s[strings.LastIndexByte(s, '/')+1:])
		}
		return ok && err == nil
	})
}

// permit looks at what the rules have to say on one backend's labels.
func (s *spec) permit(r Rules) {
	if prefix := s.shape.Prefix; prefix != nil && *prefix == "" && !r.AllowUnprefixed {
		s.fail(codeNotPermitted, s.prefix+".tools.prefix", fmt.Sprintf("%s.tools.prefix=none: tools without a prefix may shadow others, and this gateway does not allow them; not registered", s.prefix),
			"set MCP_GW_ALLOW_UNPREFIXED=true on the gateway, or a prefix")
	}
	if s.transport == discovery.TransportStdio && s.stdioMode == stdioExec && !r.AllowExec {
		s.fail(codeNotPermitted, s.prefix+".stdio.mode", fmt.Sprintf("%s.stdio.mode=exec: this gateway starts no commands in containers; not registered", s.prefix),
			"set MCP_GW_ALLOW_EXEC=true on the gateway, or remove the label")
	}
}

// ownURL makes the URL to connect to of mcp-gw.url. A name of the container becomes
// its address, so that nobody else can answer to it.
func (s *spec) ownURL(r Rules, o observation, at endpoint) (string, bool) {
	u, err := url.Parse(s.url)
	if err != nil { // checked when the label was read
		return "", false
	}
	host := strings.TrimSuffix(lowerASCII(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	if err == nil && (addr == at.ipv4 || addr == at.ipv6) {
		return s.url, true
	}
	own := err != nil && (host == lowerASCII(o.name) || slices.ContainsFunc(at.aliases, func(a string) bool { return lowerASCII(a) == host }))
	switch {
	case own && at.addr().IsValid():
		return withHost(u, at.addr()), true
	case own || matches(r.AllowURLHosts, host) || matches(r.AllowURLHosts, u.Host):
		return s.url, true
	}
	if err == nil && !o.up() {
		return s.url, true // its address is known once it runs
	}
	s.fail(codeNotPermitted, s.prefix+".url", fmt.Sprintf("%s.url leads to %q, which is neither a name nor an address of %q on the network; not registered", s.prefix, clip(host), o.name),
		"MCP_GW_ALLOW_URL_HOSTS="+strings.Join(append(slices.Clone(r.AllowURLHosts), clip(host)), ",")+" on the gateway")
	return "", false
}

func withHost(u *url.URL, addr netip.Addr) string {
	host := addr.String()
	if addr.Is6() {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	v := *u
	v.Host = host
	return v.String()
}
