package docker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
)

// Why a container is not shown is in the log once, and not again when what was shown
// leaves.
func TestWhoIsNotShownIsTold(t *testing.T) {
	var log bytes.Buffer
	v := newVoice(slog.New(slog.NewTextHandler(&log, nil)))
	b := newBench()
	var last []discovery.Backend
	look := func() string {
		a := b.assemble(b.now)
		v.stamp(&a, b.now)
		v.out(last, a.observed)
		v.setChanged(last, a)
		last = a.set
		said := log.String()
		log.Reset()
		return said
	}
	b.sees(running("web"))
	b.sees(running("once", labelled(labelComposeOneOff, "True", labelComposeService, "shop")))
	b.sees(running("ill", func(o *observation) { o.health = "unhealthy" }))
	said := look()
	for _, want := range []string{"container=c-once verdict=one_off", `fix="docker compose up -d shop`, "level=WARN msg=\"container is not shown\" container=c-ill verdict=unhealthy"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in\n%s", want, said)
		}
	}
	if said := look(); said != "" {
		t.Errorf("told again: %s", said)
	}
	b.pass(time.Minute)
	b.event("die", "web")
	stopped := running("web")
	stopped.status, stopped.finishedAt = "exited", b.now
	b.sees(stopped)
	said = look()
	b.pass(time.Minute)
	if said += look(); strings.Count(said, "c-web") == 0 || strings.Contains(said, "is not shown") {
		t.Errorf("who leaves is told of once, as that: %s", said)
	}
}

// An address in the log has no secret in it.
func TestAddressesInTheLogAreMasked(t *testing.T) {
	var log bytes.Buffer
	v := newVoice(slog.New(slog.NewTextHandler(&log, nil)))
	b := newBench()
	b.sees(running("web", labelled("mcp-gw.path", "/mcp?api_key=s3cret")))
	a := b.assemble(b.now)
	v.setChanged(nil, a)
	b.sees(later(running("web", labelled("mcp-gw.path", "/mcp?api_key=s3cret")), b.now.Add(time.Second)))
	v.setChanged(a.set, b.assemble(b.now))
	if said := log.String(); strings.Count(said, "api_key=xxxxx") != 2 || strings.Contains(said, "s3cret") {
		t.Error(said)
	}
}

// What was said of a container is forgotten with each start, and kept while it lasts.
func TestWhatWasSaidIsForgotten(t *testing.T) {
	var log bytes.Buffer
	v := newVoice(slog.New(slog.NewTextHandler(&log, nil)))
	b := newBench()
	remarked := running("web", labelled("mcp-gw.transprot", "http"))
	for n := range 20 {
		b.sees(later(remarked, b.now))
		for range 2 {
			a := b.assemble(b.now)
			v.stamp(&a, b.now)
		}
		if len(v.said) != 1 || strings.Count(log.String(), "transprot") == 0 {
			t.Fatalf("after %d starts it remembers %d remarks, and said %s", n+1, len(v.said), log.String())
		}
		if n := strings.Count(log.String(), "container remark"); n != 1 {
			t.Fatalf("it was said %d times", n)
		}
		log.Reset()
		b.pass(time.Hour)
	}
}
