package docker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// crash is one more life of o that ended at once: the engine waits to start it again.
func crash(o observation, at time.Time, n int) observation {
	o = ended(o, at)
	o.status, o.restarts, o.exitCode = "restarting", n, 3
	return o
}

// F08: a crash loop hides the tools once, and they come back when the process has
// run for a while. In between there is one line in the log a minute.
func TestF08CrashLoopIsQuarantined(t *testing.T) {
	var log bytes.Buffer
	v := newVoice(slog.New(slog.NewTextHandler(&log, nil)))
	b := newBench()
	o := running("a")
	b.sees(running("other"))
	shows := 0 // how often what clients see changes
	seen := ""
	look := func() {
		a := b.assemble(b.now)
		v.stamp(&a, b.now)
		now := ""
		for _, x := range a.set {
			if x.Withheld == "" {
				now += x.Name + " "
			}
			if x.Name == "c-other" && (x.Held || x.Withheld != "") {
				t.Fatalf("its neighbour suffers: %+v", x)
			}
		}
		if now != seen {
			seen, shows = now, shows+1
		}
	}
	look()
	for n := range 30 {
		life := later(o, b.now)
		life.restarts = n
		b.sees(life)
		look()
		b.pass(time.Second)
		b.event("die", "a")
		look()
		b.sees(crash(life, b.now, n+1))
		look()
		b.pass(5 * time.Second)
		look()
	}
	if o := b.assemble(b.now).observed[0]; o.Verdict != verdictFlapping || !strings.Contains(o.Reason, "over and over") || !strings.Contains(o.Reason, "code 3") || o.Fix != "docker logs c-a" {
		t.Errorf("%s: %s (%s)", o.Verdict, o.Reason, o.Fix)
	}
	if n := strings.Count(log.String(), "msg=\"container starts"); n < 2 || n > 4 {
		t.Errorf("three minutes, %d lines:\n%s", n, log.String())
	}
	b.sees(later(o, b.now))
	look()
	if next := b.assemble(b.now).next; !next.Equal(b.now.Add(calmTime)) {
		t.Errorf("it is trusted at %v, want after %v", next, calmTime)
	}
	b.pass(calmTime)
	look()
	if shows > 4 { // first both, then one, then both; once at the beginning
		t.Errorf("what clients see changed %d times", shows)
	}
	b.expect(t, "calm again", "c-a c-other")
	if got := b.verdict("a"); got != verdictRegistered {
		t.Errorf("verdict %s", got)
	}
}

// The engine's count tells of starts that nobody saw.
func TestF08RestartsThatNobodySaw(t *testing.T) {
	b := newBench()
	o := running("a")
	b.sees(o)
	b.pass(20 * time.Second)
	o = later(o, b.now)
	o.restarts = flapStarts
	b.sees(o)
	if got := b.verdict("a"); got != verdictFlapping {
		t.Errorf("verdict %s", got)
	}
	b.pass(calmTime)
	b.expect(t, "calm again", "c-a")
}

// Who restarts a container now and then does not lose its tools.
func TestRestartsNowAndThenAreNoFlapping(t *testing.T) {
	b := newBench()
	for range 20 {
		b.sees(later(running("a"), b.now))
		if got := b.verdict("a"); got != verdictRegistered {
			t.Fatalf("verdict %s", got)
		}
		b.pass(11 * time.Second)
	}
}

func TestRemovalGrace(t *testing.T) {
	o := running("a", labelled("mcp-gw.name", "x", "mcp-gw.removal-grace", "30s"))
	b := newBench()
	b.sees(o)
	b.set() // it was shown
	b.event("kill", "a", "9")
	b.event("die", "a")
	b.misses("a")
	b.expect(t, "removed", "x!")
	b.pass(29 * time.Second)
	b.expect(t, "in its grace", "x!")
	b.pass(time.Second)
	b.expect(t, "after it", "")
}

// What the event of the end told is remembered: the container is gone with it.
func TestF06WhoIsGoneIsShownWithItsExitCode(t *testing.T) {
	b := newBench()
	b.sees(running("a"))
	b.event("oom", "a")
	b.note(event{kind: "container", action: "die", id: "a", exitCode: "137", at: b.now}, b.now)
	b.misses("a")
	if o := b.assemble(b.now).observed[0]; o.Verdict != verdictGone || o.Reason != "removed; it had exited with code 137, out of memory" {
		t.Errorf("%s: %s", o.Verdict, o.Reason)
	}
}
