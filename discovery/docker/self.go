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

// traces is what a process can see of the container it runs in. Nothing of it but the
// addresses changes while the process lives.
type traces struct {
	configured string
	mountInfo  string
	cgroup     string
	hostName   string
	// addrs asks for the addresses that the process has now; nil when they tell nothing.
	addrs func() []netip.Addr
}

// identity is what follows from traces: ids of the container, or their beginnings, the
// best first.
type identity struct {
	sure, guesses []string
	addrs         func() []netip.Addr
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
	// Docker's mark of a container, and Podman's. A process that is in none may have any
	// address, and asking for them is dear on a machine with many containers.
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			t.addrs = ownAddrs
		}
	}
	return t
}

func ownAddrs() (all []netip.Addr) {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() {
			all = append(all, p.Addr().Unmap())
		}
	}
	return all
}

func (t traces) identity() identity {
	who := identity{addrs: t.addrs}
	if t.configured != "" {
		who.sure = append(who.sure, t.configured)
	}
	for _, m := range mountID.FindAllStringSubmatch(t.mountInfo, -1) {
		who.sure = append(who.sure, m[1])
	}
	// In a container of an engine in a container, the path names both. The inner
	// one, which is the later, is the process's own.
	groups := anyID.FindAllString(t.cgroup, -1)
	slices.Reverse(groups)
	who.sure = append(who.sure, groups...)
	if hostNameID.MatchString(t.hostName) {
		who.guesses = append(who.guesses, t.hostName)
	}
	return who
}

// findSelf returns the id of the container that a process is in, "" when it is none of
// list: the gateway runs outside, or under another engine.
func findSelf(who identity, list []observation) string {
	for _, g := range slices.Concat(who.sure, who.guesses) {
		const shortest = 12 // as many digits as make an id unique in practice
		if len(g) < shortest {
			continue
		}
		if i := slices.IndexFunc(list, func(s observation) bool { return strings.HasPrefix(s.id, g) }); i >= 0 {
			return list[i].id
		}
	}
	if len(who.sure) > 0 || who.addrs == nil {
		// It is in a container, and in none of this engine, or in none at all. That engine
		// may well have given one of its own the same address.
		return ""
	}
	addrs := who.addrs()
	for _, s := range list {
		for _, e := range s.endpoints {
			if slices.Contains(addrs, e.ipv4) || slices.Contains(addrs, e.ipv6) {
				return s.id
			}
		}
	}
	return ""
}
