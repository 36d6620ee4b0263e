package docker

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFindSelf(t *testing.T) {
	own, other := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	list := []summary{
		{id: other, endpoints: []endpoint{{network: "net", ipv4: netip.MustParseAddr("172.20.0.9")}, {network: "stopped"}}},
		{id: own, endpoints: []endpoint{{network: "net", ipv4: netip.MustParseAddr("172.20.0.3")}}},
	}
	mount := func(id, file string) string {
		return "700 600 254:1 /var/lib/docker/containers/" + id + "/" + file + " /etc/" + file + " rw - ext4 /dev/vda rw\n"
	}
	tests := []struct {
		name string
		t    traces
		want string
	}{
		{"outside", traces{hostName: "myhost", cgroup: "0::/user.slice", addrs: []netip.Addr{netip.MustParseAddr("172.20.0.1")}}, ""},
		{"configured", traces{configured: own[:12]}, own},
		{"configured, not there", traces{configured: "ffffffffffff"}, ""},
		{"configured, too short to be sure", traces{configured: "a1"}, ""},
		{"mounted files", traces{mountInfo: "1 2 3\n" + mount(own, "resolv.conf"), hostName: "gw"}, own},
		{"a mount that is nobody's file", traces{mountInfo: mount(other, "mounts/shm")}, ""},
		{"cgroup v1", traces{cgroup: "12:pids:/docker/" + own + "\n"}, own},
		{"host name", traces{cgroup: "0::/\n", hostName: own[:12]}, own},
		{"address", traces{cgroup: "0::/\n", hostName: "gw", addrs: []netip.Addr{netip.MustParseAddr("172.20.0.3")}}, own},
		{"under another engine", traces{mountInfo: mount(strings.Repeat("c3", 32), "hosts"), hostName: "cccccccccccc"}, ""},
	}
	for _, tt := range tests {
		if got := findSelf(tt.t, list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
