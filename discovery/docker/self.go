package docker

import (
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
)

// The gateway's own container is found by evidence, never by a setting alone:
// each of these fails somewhere. The files are mounted from the container's
// folder in the engine's data, Podman's from its own; the control group has the id
// on cgroup v1 only; the host name is the short id unless somebody set another.
var (
	mountID    = regexp.MustCompile(`/(?:overlay-|btrfs-|vfs-|zfs-)?containers/([0-9a-f]{64})/(?:userdata/)?(?:hostname|hosts|resolv\.conf|\.containerenv)`)
	anyID      = regexp.MustCompile(`[0-9a-f]{64}`)
	hostNameID = regexp.MustCompile(`^[0-9a-f]{12}$`)
)

// traces is what a process can see of the container it runs in.
type traces struct {
	configured string
	mountInfo  string
	cgroup     string
	hostName   string
	addrs      []netip.Addr
}

// ownTraces reads the traces of this process. What cannot be read is empty.
func ownTraces(configured string) traces {
	t := traces{configured: configured}
	if b, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		t.mountInfo = string(b)
	}
	if b, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		t.cgroup = string(b)
	}
	t.hostName, _ = os.Hostname()
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() {
			t.addrs = append(t.addrs, p.Addr().Unmap())
		}
	}
	return t
}

// findSelf returns the id of the container that left the traces, "" when it is
// none of list: the gateway runs outside, or under another engine.
func findSelf(t traces, list []observation) string {
	var sure, guesses []string
	if t.configured != "" {
		sure = append(sure, t.configured)
	}
	for _, m := range mountID.FindAllStringSubmatch(t.mountInfo, -1) {
		sure = append(sure, m[1])
	}
	// In a container of an engine in a container, the path names both. The inner
	// one, which is the later, is the process's own.
	groups := anyID.FindAllString(t.cgroup, -1)
	slices.Reverse(groups)
	sure = append(sure, groups...)
	if hostNameID.MatchString(t.hostName) {
		guesses = append(guesses, t.hostName)
	}
	for _, g := range append(sure, guesses...) {
		const shortest = 12 // as many digits as make an id unique in practice
		if len(g) < shortest {
			continue
		}
		if i := slices.IndexFunc(list, func(s observation) bool { return strings.HasPrefix(s.id, g) }); i >= 0 {
			return list[i].id
		}
	}
	if len(sure) > 0 {
		// It is in a container, and in none of this engine. That engine may well have
		// given one of its own the same address.
		return ""
	}
	for _, s := range list {
		for _, e := range s.endpoints {
			if slices.Contains(t.addrs, e.ipv4) || slices.Contains(t.addrs, e.ipv6) {
				return s.id
			}
		}
	}
	return ""
}
