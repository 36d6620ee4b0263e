package pool

import (
	"strings"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// That one of several equal replicas comes or goes is no news to clients: not even the
// lists are other ones.
func TestStateIsStable(t *testing.T) {
	a, b, c := newProcess(t, "a"), newProcess(t, "b"), newProcess(t, "c")
	p := startReady(t, a, b, c)
	before := p.State()
	if before.Phase != upstream.PhaseReady || len(before.Tools) != 1 || len(before.Remarks) != 0 {
		t.Fatalf("%s, %d tools, %v", before.Phase, len(before.Tools), before.Remarks)
	}
	if p.State() != before {
		t.Error("the same state is another one")
	}
	for _, held := range []string{"a", "b", "c"} {
		want := backend(a, b, c)
		switch held {
		case "a":
			want.Held = true
		case "b":
			want.Replicas[0].Held = true
		case "c":
			want.Replicas[1].Held = true
		}
		p.Set(want)
		s := p.State()
		if s.Phase != upstream.PhaseReady || &s.Tools[0] != &before.Tools[0] || s.Announced != before.Announced {
			t.Errorf("without %s: %s, other tools %t, announced %v", held, s.Phase, &s.Tools[0] != &before.Tools[0], s.Announced)
		}
		await(t, "the loss", func() bool {
			for _, e := range p.Endpoints() {
				if e.Backend.Held && e.State.Phase == upstream.PhaseHolding {
					return true
				}
			}
			return false
		})
		p.Set(backend(a, b, c))
		awaitAll(t, p, 3)
		if s := p.State(); &s.Tools[0] != &before.Tools[0] || s.Announced != before.Announced {
			t.Errorf("%s is back, and the lists are other ones", held)
		}
	}
}

// Of two images, the newer one's tools are shown, once it is there.
func TestF23RollingImageChange(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	n := newProcess(t, "n")
	n.tools = `{"name":"who","inputSchema":{"type":"object"}},{"name":"newer","inputSchema":{"type":"object"}}`
	p := startReady(t, a, b)
	settled := lane("settled")
	home := mustWho(t, p, settled, "")

	rolling := backend(a, b, n)
	rolling.Replica.Drain, rolling.Replicas[0].Drain = true, true
	rolling.Replicas[1].URL = "http://127.0.0.1:1/mcp" // it is starting
	p.Set(rolling)
	if s := p.State(); s.Phase != upstream.PhaseReady || len(s.Tools) != 1 {
		t.Errorf("while the new one starts: %s, %d tools", s.Phase, len(s.Tools))
	}
	if _, err := who(p, lane("early"), ""); err != nil {
		t.Error(err)
	}
	rolling = backend(a, b, n)
	rolling.Replica.Drain, rolling.Replicas[0].Drain = true, true
	p.Set(rolling)
	awaitAll(t, p, 3)
	if s := p.State(); len(s.Tools) != 2 || len(s.Remarks) != 0 {
		t.Errorf("with the new one: %d tools, %v", len(s.Tools), s.Remarks)
	}
	if now := mustWho(t, p, settled, ""); now != home {
		t.Errorf("a client moved from %s to %s before it had to", home, now)
	}
	if now := mustWho(t, p, lane("new"), ""); now != "n" {
		t.Errorf("a newcomer is at %s", now)
	}
	p.Set(backend(n))
	if now := mustWho(t, p, settled, ""); now != "n" {
		t.Errorf("the client is at %s", now)
	}
}

func TestReplicasThatDifferAreRemarked(t *testing.T) {
	tests := map[string]struct{ other, want string }{
		"lacks one":   {`{"name":"else","inputSchema":{"type":"object"}}`, `b differs: it lacks "who"`},
		"has another": {`{"name":"who","inputSchema":{"type":"object"}},{"name":"more","inputSchema":{"type":"object"}}`, `b differs: it has "more" besides`},
		"otherwise":   {`{"name":"who","inputSchema":{"type":"object"},"description":"x"}`, `b differs: it describes "who" otherwise`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := newProcess(t, "a"), newProcess(t, "b")
			b.tools = tt.other
			p := startReady(t, a, b)
			s := p.State()
			if len(s.Remarks) != 1 || s.Remarks[0].Code != codeUnequal || s.Remarks[0].Severity != discovery.SeverityWarning ||
				s.Remarks[0].Suggestion == "" || !strings.Contains(s.Remarks[0].Message, tt.want) {
				t.Errorf("%+v", s.Remarks)
			}
		})
	}
}

func TestWithheldReplicaIsLeftOut(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	sick := backend(a, b)
	sick.Replicas[0].Withheld = "it is unhealthy"
	p.Set(sick)
	for range 6 {
		if name := mustWho(t, p, nil, ""); name != "a" {
			t.Errorf("it went to %s", name)
		}
	}
	sick.Held = true
	p.Set(sick)
	if s := p.State(); s.Phase != upstream.PhaseHolding || !strings.Contains(s.Reason, "b: it is unhealthy") {
		t.Errorf("%s, %q", s.Phase, s.Reason)
	}
}

func TestDisabledIsDisabled(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	p := startReady(t, a, b)
	off := backend(a, b)
	off.Disabled = true
	p.Set(off)
	await(t, "the end of both", func() bool { return p.State().Phase == upstream.PhaseDisabled })
	if _, err := who(p, nil, ""); err == nil || err.Error() != `backend "b": it is switched off` {
		t.Error(err)
	}
}

// What is noted for people names the replica, where there are several.
func TestReasonsNameTheReplica(t *testing.T) {
	a, b := newProcess(t, "a"), newProcess(t, "b")
	a.kill()
	b.kill()
	p := start(t, backend(a, b), quick())
	await(t, "both being tried", func() bool { return p.State().Reason != "" })
	s := p.State()
	if s.Phase != upstream.PhaseProbing || !strings.Contains(s.Reason, "none of its 2 replicas is there: a: ") || !strings.Contains(s.Reason, "; b: ") {
		t.Errorf("%s, %q", s.Phase, s.Reason)
	}
}
