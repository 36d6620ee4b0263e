package docker

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func having(addr string) func() []netip.Addr {
	return func() []netip.Addr { return []netip.Addr{netip.MustParseAddr(addr)} }
}

func TestFindSelf(t *testing.T) {
	own, other := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	list := []observation{
		{id: other, endpoints: []endpoint{{network: "net", ipv4: netip.MustParseAddr("172.20.0.9")}, {network: "stopped"}}},
		{id: own, endpoints: []endpoint{{network: "net", ipv4: netip.MustParseAddr("172.20.0.3"), ipv6: netip.MustParseAddr("fd00::3")}}},
	}
	mount := func(id, file string) string {
		return "700 600 254:1 /var/lib/docker/containers/" + id + "/" + file + " /etc/" + file + " rw - ext4 /dev/vda rw\n"
	}
	tests := []struct {
		name string
		t    traces
		want string
	}{
		{"outside", traces{hostName: "myhost", cgroup: "0::/user.slice", addrs: having("172.20.0.1")}, ""},
		{"configured", traces{configured: own[:12]}, own},
		{"configured, not there", traces{configured: "ffffffffffff"}, ""},
		{"configured, too short to be sure", traces{configured: "a1"}, ""},
		{"mounted files", traces{mountInfo: "1 2 3\n" + mount(own, "resolv.conf"), hostName: "gw"}, own},
		{"a mount that is nobody's file", traces{mountInfo: mount(other, "mounts/shm")}, ""},
		{"cgroup v1", traces{cgroup: "12:pids:/docker/" + own + "\n"}, own},
		{"host name", traces{cgroup: "0::/\n", hostName: own[:12]}, own},
		{"address", traces{cgroup: "0::/\n", hostName: "gw", addrs: having("172.20.0.3")}, own},
		{"address, IPv6", traces{hostName: "gw", addrs: having("fd00::3")}, own},
		{"cgroup v1, systemd driver", traces{cgroup: "1:name=systemd:/system.slice/docker-" + own + ".scope\n"}, own},
		{"cgroup v2 with the host's name space", traces{cgroup: "0::/system.slice/docker-" + own + ".scope\n"}, own},
		{"cgroup v2 of its own, name set, mounted files", traces{cgroup: "0::/\n", hostName: "gw", mountInfo: mount(own, "hostname")}, own},
		{"kubernetes style path", traces{cgroup: "11:memory:/kubepods/burstable/pod1234/" + own + "\n"}, own},
		{"rootless", traces{mountInfo: "7 6 8:1 /home/me/.local/share/docker/containers/" + own + "/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"}, own},
		{"Docker Desktop", traces{mountInfo: "7 6 8:1 /data/docker/containers/" + own + "/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw\n"}, own},
		{"Podman, cgroup", traces{cgroup: "0::/machine.slice/libpod-" + own + ".scope/container\n"}, own},
		{"Podman, mounted files", traces{cgroup: "0::/\n", hostName: "gw", mountInfo: "9 8 0:5 /containers/storage/overlay-containers/" + own + "/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n"}, own},
		{"Podman, its mark", traces{cgroup: "0::/\n", hostName: "gw", mountInfo: "9 8 0:5 /user/1000/containers/vfs-containers/" + own + "/userdata/.containerenv /run/.containerenv rw - tmpfs tmpfs rw\n"}, own},
		{"engine in a container, asked for the inner one", traces{cgroup: "4:cpu:/docker/" + other + "/docker/" + own + "\n"}, own},
		{"engine in a container, the outer one asked", traces{cgroup: "4:cpu:/docker/" + other + "/docker/" + strings.Repeat("c3", 32) + "\n"}, other},
		{"under another engine", traces{mountInfo: mount(strings.Repeat("c3", 32), "hosts"), hostName: "cccccccccccc"}, ""},
		{"under another engine that gave the same address", traces{mountInfo: mount(strings.Repeat("c3", 32), "hosts"), addrs: having("172.20.0.3")}, ""},
		{"configured for another engine, the same address", traces{configured: "ffffffffffff", addrs: having("172.20.0.3")}, ""},
	}
	for _, tt := range tests {
		if got := findSelf(tt.t.identity(), list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What a real container leaves of itself to see, from where its process stands.
func TestRealOwnTraces(t *testing.T) {
	l := newLab(t)
	id, other := l.start(want{labels: port8080("self")}), l.start(want{})
	c, err := l.cli.ContainerInspect(t.Context(), id)
	l.must("inspect", err)
	proc := fmt.Sprintf("/proc/%d/", c.State.Pid)
	mountInfo, err := os.ReadFile(proc + "mountinfo")
	if err != nil {
		missing(t, "the containers' processes cannot be seen from here: %v", err)
	}
	ip, err := netip.ParseAddr(c.NetworkSettings.Networks[l.net].IPAddress)
	l.must("address", err)
	e := &engine{cli: l.cli}
	list, err := e.containers(t.Context())
	l.must("list", err)
	for name, tr := range map[string]traces{
		"configured":    {configured: id},
		"mounted files": {mountInfo: string(mountInfo)},
		"host name":     {hostName: c.Config.Hostname},
		"address":       {addrs: having(ip.String())},
		"another's":     {configured: other},
	} {
		want := id
		if name == "another's" {
			want = other
		}
		if got := findSelf(tr.identity(), list); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
