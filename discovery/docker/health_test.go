package docker

import (
	"strings"
	"testing"
	"time"
)

// F19, F20: a check that is starting keeps nobody waiting, one that fails hides the
// tools until it passes; the connection stays.
func TestF20HealthHidesAndShows(t *testing.T) {
	for _, tt := range []struct{ policy, health, withheld string }{
		{"", "starting", ""},
		{"", "healthy", ""},
		{"", "", ""},
		{"", "unhealthy", `the health check of "c-a" fails`},
		{"docker", "starting", "has not passed yet"},
		{"docker", "", "has no health check to pass"},
		{"docker", "healthy", ""},
		{"docker", "unhealthy", "fails"},
		{"mcp", "unhealthy", ""},
		{"none", "unhealthy", ""},
	} {
		b := newBench()
		o := running("a")
		if tt.policy != "" {
			o = running("a", labelled("mcp-gw.health", tt.policy))
		}
		o.health = tt.health
		b.sees(o)
		a := b.assemble(b.now)
		if len(a.set) != 1 {
			t.Fatalf("%+v: %d backends", tt, len(a.set))
		}
		if got := a.set[0].Withheld; (got == "") != (tt.withheld == "") || !strings.Contains(got, tt.withheld) {
			t.Errorf("policy %q, health %q: withheld %q", tt.policy, tt.health, got)
		}
		if o := a.observed[0]; (o.Verdict == verdictUnhealthy) != (tt.withheld != "") {
			t.Errorf("policy %q, health %q: verdict %s: %s", tt.policy, tt.health, o.Verdict, o.Reason)
		}
		if tt.policy == "none" != a.set[0].Tuning.NoPing {
			t.Errorf("policy %q: pinged %t", tt.policy, !a.set[0].Tuning.NoPing)
		}
	}
}

// F04: a signal that may mean the end brings doubt, and no more; the next process is
// not doubted for it.
func TestF04ASignalBringsDoubt(t *testing.T) {
	b := newBench()
	o := running("a")
	b.sees(o)
	b.now = b.now.Add(time.Second)
	r := b.event("kill", o.id, "15")
	if set := b.assemble(b.now).set; !r.changed || len(set) != 1 || !set[0].Doubted.Equal(b.now) || set[0].Held {
		t.Errorf("changed %t: %+v", r.changed, set)
	}
	b.sees(later(o, b.now.Add(time.Second)))
	if set := b.assemble(b.now).set; len(set) != 1 || !set[0].Doubted.IsZero() {
		t.Errorf("its successor: %+v", set)
	}
}
