package docker

import (
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mcp-gw/discovery"
)

func TestInferPort(t *testing.T) {
	tests := []struct {
		exposed []int
		want    int
		ok      bool
	}{
		{nil, 0, false},
		{[]int{6379}, 6379, true},
		{[]int{6379, 8080}, 8080, true},
		{[]int{3000, 5432, 6379}, 3000, true},
		{[]int{6379, 9090}, 0, false},
		{[]int{3000, 8080}, 0, false},
		{[]int{80, 443}, 80, true},
	}
	for _, tt := range tests {
		if got, ok := inferPort(tt.exposed); got != tt.want || ok != tt.ok {
			t.Errorf("inferPort(%v) = %d, %v; want %d, %v", tt.exposed, got, ok, tt.want, tt.ok)
		}
	}
}

func TestURLs(t *testing.T) {
	v4, v6 := netip.MustParseAddr("172.20.0.2"), netip.MustParseAddr("fd00::2")
	tests := []struct {
		name         string
		s            settings
		addr         netip.Addr
		first        string
		alternatives []string
	}{
		{"auto", settings{scheme: "http", transport: discovery.TransportAuto}, v4, "http://172.20.0.2:8080/mcp", []string{"http://172.20.0.2:8080/", "http://172.20.0.2:8080/sse"}},
		{"auto with path", settings{scheme: "http", transport: discovery.TransportAuto, path: "/x?y=1"}, v4, "http://172.20.0.2:8080/x?y=1", nil},
		{"http", settings{scheme: "https", transport: discovery.TransportHTTP}, v4, "https://172.20.0.2:8080/mcp", nil},
		{"sse", settings{scheme: "http", transport: discovery.TransportSSE}, v6, "http://[fd00::2]:8080/sse", nil},
	}
	for _, tt := range tests {
		first, alternatives := urls(tt.s, tt.addr, 8080)
		if first != tt.first || !slices.Equal(alternatives, tt.alternatives) {
			t.Errorf("%s: %q, %q; want %q, %q", tt.name, first, alternatives, tt.first, tt.alternatives)
		}
	}
}

func TestHomeFind(t *testing.T) {
	ip := netip.MustParseAddr("10.0.0.2")
	old := endpoint{network: "net", networkID: "old", ipv4: ip}
	ours := endpoint{network: "net", networkID: "id", ipv4: ip}
	renamed := endpoint{network: "other", networkID: "id", ipv4: ip}
	fresh := endpoint{network: "net"}
	foreign := endpoint{network: "foreign", networkID: "f", ipv4: ip}
	tests := []struct {
		name string
		home home
		in   []endpoint
		want int // index, -1 = none
	}{
		{"by id", home{name: "net", id: "id"}, []endpoint{foreign, ours}, 1},
		{"id beats name", home{name: "net", id: "id"}, []endpoint{old, renamed}, 1},
		{"never started", home{name: "net", id: "id"}, []endpoint{foreign, fresh}, 1},
		{"id unknown", home{name: "net"}, []endpoint{foreign, old}, 1},
		{"not there", home{name: "net", id: "id"}, []endpoint{foreign}, -1},
		{"ambiguous", home{name: "net", ambiguous: true}, []endpoint{ours}, -1},
		{"none", home{name: "net", id: "id"}, nil, -1},
	}
	for _, tt := range tests {
		got, ok := tt.home.find(tt.in)
		if ok != (tt.want >= 0) || ok && !reflect.DeepEqual(got, tt.in[tt.want]) {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
	both := endpoint{ipv4: ip, ipv6: netip.MustParseAddr("fd00::2")}
	if both.addr() != ip {
		t.Error("IPv6 before IPv4")
	}
}

func TestChooseHome(t *testing.T) {
	n := func(id, name string) netInfo { return netInfo{id: id, name: name} }
	tests := []struct {
		name    string
		all     []netInfo
		id      string
		problem string // part of it
	}{
		{"there", []netInfo{n("1", "mcp-gw-net-2"), n("2", "mcp-gw-net")}, "2", ""},
		{"missing", []netInfo{n("1", "mcp-gw-net-2")}, "", "docker network create mcp-gw-net"},
		{"compose made it", []netInfo{n("1", "shop_mcp-gw-net")}, "1", ""},
		{"compose made two", []netInfo{n("1", "a_mcp-gw-net"), n("2", "b_mcp-gw-net")}, "", "does not exist"},
		{"exact before compose", []netInfo{n("1", "a_mcp-gw-net"), n("2", "mcp-gw-net")}, "2", ""},
		{"twice", []netInfo{n("2", "mcp-gw-net"), n("1", "mcp-gw-net")}, "", "(1, 2)"},
	}
	for _, tt := range tests {
		h := chooseHome("mcp-gw-net", tt.all)
		if h.id != tt.id || (tt.problem == "") != (h.problem == "") || !strings.Contains(h.problem, tt.problem) {
			t.Errorf("%s: %+v", tt.name, h)
		}
	}
}

func FuzzURLs(f *testing.F) {
	f.Add("/mcp", 8080)
	f.Add("/a%20b?x=y", 1)
	f.Fuzz(func(t *testing.T, path string, port int) {
		s := defaults()
		if _, err := setPath(&s, "", path); err != nil || port < 1 || port > 65535 {
			return // no label can say this
		}
		first, _ := urls(s, netip.MustParseAddr("10.0.0.2"), port)
		u, err := url.Parse(first)
		if err != nil {
			t.Fatalf("%q: %v", first, err)
		}
		if u.Hostname() != "10.0.0.2" || u.User != nil || u.Scheme != "http" || u.Fragment != "" {
			t.Fatalf("path %q leads to %q", path, first)
		}
	})
}
