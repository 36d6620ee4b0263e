package docker

import (
	"fmt"
	"strconv"
	"time"

	"mcp-gw/discovery"
)

// observed is what people are told of the container. seats are the names that were
// given.
func (m *member) observed(seats map[string]seat, had tenure, prefix string, now time.Time) discovery.Observed {
	o := discovery.Observed{
		Container: *containerOf(m.obs), State: m.obs.status,
		Verdict: m.verdict, Reason: m.reason, Fix: m.fix, Labels: m.labels,
		Diagnostics: append([]discovery.Diagnostic{}, m.diagnostics...), SeenAt: m.seen.UTC(),
	}
	for i := range m.parts {
		p := &m.parts[i]
		b, remarks := m.observedPart(p, seats, had, prefix, now)
		o.Diagnostics = append(o.Diagnostics, remarks...)
		if i > 0 {
			o.Others = append(o.Others, b)
			continue
		}
		o.Backend, o.URL, o.Verdict, o.Reason, o.Fix, o.Settings = b.Backend, b.URL, b.Verdict, b.Reason, b.Fix, b.Settings
	}
	if m.gone {
		o.State, o.Verdict, o.Reason, o.Fix = "removed", verdictGone, "removed; it had "+m.exitWords(), ""
		for i := range o.Others {
			o.Others[i].Verdict, o.Others[i].Reason, o.Others[i].Fix = o.Verdict, o.Reason, o.Fix
		}
		for _, s := range seats {
			if c, ok := s.of(m.obs.id); ok && c.backend.Held {
				o.Reason += holdRemark
				break
			}
		}
	}
	return o
}

// exitWords say how its process ended. An event may know what no inspect could tell,
// because the container was removed with it.
func (m *member) exitWords() string {
	code := m.exit
	if code == "" {
		code = strconv.Itoa(m.obs.exitCode)
	}
	words := "exited with code " + code
	if m.oom || m.obs.oom {
		words += ", out of memory"
	}
	return words
}

const holdRemark = "; its tools stay listed for a moment, calls do not get through"

// observedPart is what people are told of one backend.
func (m *member) observedPart(p *part, seats map[string]seat, had tenure, prefix string, now time.Time) (discovery.ObservedBackend, []discovery.Diagnostic) {
	b := discovery.ObservedBackend{Backend: p.name, URL: p.url, Verdict: p.verdict, Reason: p.reason, Fix: p.fix, Settings: p.shown}
	if m.died && !m.gone && p.routable {
		b.Verdict, b.Reason, b.Fix = verdictNotRunning, "its process ended", ""
	}
	if p.wants {
		if flaps, _ := m.flaps(now); flaps && (m.obs.up() || m.obs.status == "restarting") {
			b.Verdict, b.Reason, b.Fix = verdictFlapping, flapReason(m.obs), "docker logs "+m.obs.name
			if !m.obs.up() {
				b.Reason += "; it last " + m.exitWords()
			}
		} else if p.routable && !m.sickUntil(p, now).IsZero() {
			b.Verdict, b.Reason = verdictRegisteredWarn, fmt.Sprintf("%s; its tools are hidden once that has lasted for %s", p.backend.Withheld, brief(sickTime))
		}
	}
	s, taken := seats[p.name]
	if c, sits := s.of(m.obs.id); sits {
		if c.alive {
			b.Reason += s.remark(c)
		} else if c.backend.Held && c.backend.Withheld == "" {
			b.Reason += holdRemark
		}
	} else if d, kept := had.deeds[p.name]; kept && had.exclusive && p.routable && m.running() && !d.admits(m.obs) {
		return b, []discovery.Diagnostic{d.reserved(&b, m.obs, prefix)}
	} else if taken && p.routable && m.running() {
		d := conflict(&b, m.obs, s.lead, prefix, len(m.parts) > 1)
		return b, []discovery.Diagnostic{d}
	}
	return b, nil
}

// conflict rewrites the judgement of a backend whose name another container has.
func conflict(b *discovery.ObservedBackend, o observation, winner claim, prefix string, several bool) discovery.Diagnostic {
	other := winner.obs.name
	fix := fmt.Sprintf("%s.name=<another name>, as a label of %s or of %s", prefix, o.name, other)
	if several {
		fix = fmt.Sprintf("give the backend another name in the labels %s.%s%s.* of %s", prefix, severalKey, b.Backend, o.name)
	}
	message := fmt.Sprintf("the name %q belongs to %s (%s), which had it first; %s waits for it",
		b.Backend, other, short(winner.obs.id), o.name)
	b.Verdict, b.Reason, b.Fix = verdictConflict, message, fix
	return discovery.Diagnostic{
		Severity: discovery.SeverityError, Code: codeConflict, Container: o.name,
		Message: message, Suggestion: fix, Generation: o.generation(),
	}
}
