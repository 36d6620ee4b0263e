package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
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

// F20: one failed check takes nothing from anybody; one that goes on failing does.
func TestF20AFailingCheckIsGivenAMoment(t *testing.T) {
	b := newBench()
	o := running("a")
	o.health = "healthy"
	b.sees(o)
	o.health, o.said = "unhealthy", "curl: (7) refused"
	b.sees(o)
	look := func() (string, string, string) {
		a := b.assemble(b.now)
		return a.set[0].Withheld, a.observed[0].Verdict, a.observed[0].Reason
	}
	if w, v, r := look(); w != "" || v != verdictRegisteredWarn || !strings.Contains(r, "hidden once") {
		t.Errorf("at once: %q, %s: %s", w, v, r)
	}
	if next := b.assemble(b.now).next; !next.Equal(b.now.Add(sickTime)) {
		t.Errorf("it is hidden at %v", next)
	}
	b.pass(sickTime / 2)
	b.sees(o) // another failed check does not begin the time anew
	b.pass(sickTime / 2)
	if w, v, _ := look(); !strings.Contains(w, "curl: (7) refused") || v != verdictUnhealthy {
		t.Errorf("after %v: %q, %s", sickTime, w, v)
	}
	o.health = "healthy"
	b.sees(o)
	if w, v, _ := look(); w != "" || v != verdictRegistered {
		t.Errorf("healthy: %q, %s", w, v)
	}
}

// Both engines' words for a check are heard, and one without news asks for nothing.
func TestF20HealthEventsOfBothDialects(t *testing.T) {
	b := newBench()
	o := running("a")
	o.health = "healthy"
	b.sees(o)
	for _, tt := range []struct {
		message events.Message
		asks    bool
	}{
		{events.Message{Action: "health_status: healthy"}, false},
		{events.Message{Action: "health_status: unhealthy"}, true},
		{events.Message{Action: "health_status", Actor: events.Actor{Attributes: map[string]string{"health_status": "healthy"}}}, false},
		{events.Message{Action: "health_status", Actor: events.Actor{Attributes: map[string]string{"healthStatus": "unhealthy"}}}, true},
		{events.Message{Action: "health_status"}, true}, // untold: look
	} {
		tt.message.Type, tt.message.Actor.ID, tt.message.TimeNano = "container", "a", b.now.UnixNano()
		if r := b.note(toEvent(tt.message), b.now); (r.attend != "") != tt.asks {
			t.Errorf("%+v: %+v", tt.message, r)
		}
		b.sees(o)
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"curl: (7)\n  refused\x00":         "curl: (7) refused",
		"GET / with Bearer abcdefghijklmn": masked,
		"API_TOKEN=hunter2 is wrong":       masked,
		"Authorization: x":                 masked,
		"":                                 "",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := oneLine(strings.Repeat("x", 10000)); len(got) > maxShown+4 {
		t.Errorf("%d bytes", len(got))
	}
}
