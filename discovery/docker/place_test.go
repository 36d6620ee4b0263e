package docker

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// beside is a labelled container that shares the network of another.
func beside(id, other string, started time.Time) observation {
	o := later(running(id, labelled("mcp-gw.name", "x", "mcp-gw.port", "9000"), offNetwork), started)
	o.endpoints, o.networkMode = nil, "container:"+other
	return o
}

// F17: a container that shares another's network is found at that one's address, and
// ends with its network.
func TestF17SharedNetwork(t *testing.T) {
	b := newBench()
	host := running("host", unlabelled)
	dep := beside("dep", "host", testStart.Add(time.Second))
	why := func(what, verdict, reason, fix string) {
		t.Helper()
		for _, o := range b.assemble(b.now).observed {
			if o.ID == "dep" && (o.Verdict != verdict || !strings.Contains(o.Reason, reason) || !strings.Contains(o.Fix, fix)) {
				t.Errorf("%s: %s: %s (%s)", what, o.Verdict, o.Reason, o.Fix)
			}
		}
	}
	b.sees(dep)
	b.expect(t, "the other is not known", "")
	why("the other is not known", verdictNoSharedNetwork, "container host, which is not on", "docker network connect net host")
	b.sees(host)
	b.expect(t, "the other is known", "x")
	first := b.assemble(b.now).set[0]
	if first.URL != "http://10.0.0.2:9000/mcp" || !strings.HasSuffix(first.Generation, "+"+host.generation()) {
		t.Errorf("%+v", first)
	}
	if r := b.event("die", "host"); !r.changed {
		t.Error("the other's death changes nothing")
	}
	b.expect(t, "the other died", "")
	why("the other died", verdictNoSharedNetwork, "does not run", "docker start c-host && docker restart c-dep")
	b.pass(time.Second)
	again := later(host, testStart.Add(time.Minute))
	b.sees(again)
	b.expect(t, "the other runs anew", "")
	why("the other runs anew", verdictNoSharedNetwork, "left behind", "docker restart c-dep")
	b.sees(beside("dep", "host", testStart.Add(2*time.Minute)))
	b.expect(t, "both run anew", "x")
	if now := b.assemble(b.now).set[0]; now.Generation == first.Generation {
		t.Error("another network, the same generation")
	}
	off := again
	offNetwork(&off)
	b.sees(off)
	b.expect(t, "the other lost our network", "")
	b.sees(again)
	b.misses("host")
	b.expect(t, "the other was removed", "")
}

func TestF16HostNetwork(t *testing.T) {
	onHost := func(labels ...string) observation {
		o := running("a", labelled(labels...), offNetwork)
		o.networkMode = "host"
		return o
	}
	w := testWorld
	w.home.host = netip.MustParseAddr("172.17.0.1")
	for _, tt := range []struct {
		what    string
		w       world
		o       observation
		verdict string
		url     string
		fix     string
	}{
		{"with a port", w, onHost("mcp-gw.port", "9000"), verdictRegistered, "http://172.17.0.1:9000/mcp", ""},
		{"the exposed port says nothing", w, onHost("mcp-gw.enable", "true"), verdictNoPort, "", "mcp-gw.port=8080"},
		{"the host is not known", testWorld, onHost("mcp-gw.port", "9000"), verdictNoSharedNetwork, "", "host.docker.internal:host-gateway"},
	} {
		d := describe(tt.o, tt.w, "")
		if d.verdict != tt.verdict || d.parts[0].url != tt.url || !strings.Contains(d.fix, tt.fix) {
			t.Errorf("%s: %s: %s (%s), %s", tt.what, d.verdict, d.reason, d.fix, d.parts[0].url)
		}
	}
	if d := describe(running("a", unlabelled, offNetwork, func(o *observation) { o.networkMode = "host" }), w, ""); d.concerns {
		t.Error("whoever uses the host's network is asked what it is for")
	}
}

// A container is reached on the first of the gateway's networks that it is on, or on
// the one that its label names, and on no other.
func TestF15SeveralNetworksOfTheGateway(t *testing.T) {
	w := testWorld
	w.more = []home{{name: "second", id: "secondid"}, {name: "p_third", asked: "third", id: "thirdid"}}
	at := func(name, id string, last byte) endpoint {
		return endpoint{network: name, networkID: id, ipv4: netip.AddrFrom4([4]byte{10, 0, 0, last})}
	}
	first, second, third, foreign := at("net", "netid", 1), at("second", "secondid", 2), at("p_third", "thirdid", 3), at("foreign", "f", 4)
	for _, tt := range []struct {
		what    string
		label   string
		on      []endpoint
		verdict string
		host    string
		fix     string
	}{
		{"the first that it is on", "", []endpoint{second, first}, verdictRegistered, "10.0.0.1", ""},
		{"only on a further one", "", []endpoint{foreign, second}, verdictRegistered, "10.0.0.2", ""},
		{"the label decides", "second", []endpoint{first, second}, verdictRegistered, "10.0.0.2", ""},
		{"by the name that was asked for", "third", []endpoint{first, third}, verdictRegistered, "10.0.0.3", ""},
		{"not on the label's", "second", []endpoint{first}, verdictNoSharedNetwork, "", "docker network connect second c-a"},
		{"a label of no network of ours", "foreign", []endpoint{first, foreign}, verdictLabelValue, "", "mcp-gw.network=net"},
		{"on none", "", []endpoint{foreign}, verdictNoSharedNetwork, "", "docker network connect net c-a"},
	} {
		o := running("a", labelled("mcp-gw.port", "80"))
		if tt.label != "" {
			o.labels["mcp-gw.network"] = tt.label
		}
		o.endpoints = tt.on
		d := describe(o, w, "")
		if d.verdict != tt.verdict || !strings.Contains(d.parts[0].url, tt.host) || !strings.Contains(d.fix, tt.fix) {
			t.Errorf("%s: %s: %s (%s), %s", tt.what, d.verdict, d.reason, d.fix, d.parts[0].url)
		}
	}
}

// The gateway has to be on each network that somebody waits on.
func TestF14GatewayOnOneOfItsNetworks(t *testing.T) {
	b := newBench()
	second := home{name: "second", id: "secondid"}
	b.move(testWorld.home, "gw", b.now, second)
	b.sees(running("gw", unlabelled))
	if p := b.problem(); p != "" {
		t.Errorf("nobody is on the other: %s", p)
	}
	o := running("a")
	o.endpoints = []endpoint{{network: "second", networkID: "secondid", ipv4: netip.MustParseAddr("10.1.0.2")}}
	b.sees(o)
	if p := b.problem(); !strings.Contains(p, `not attached to "second"; backends waiting for it: 1`) || !strings.Contains(p, "docker network connect second c-gw") {
		t.Errorf("somebody is: %s", p)
	}
}
