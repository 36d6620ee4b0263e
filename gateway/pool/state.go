package pool

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/upstream"
)

// codeUnequal is the remark on replicas that offer different tools; labels.md explains
// it.
const codeUnequal = "T004"

// composition is the state that was made of those of several replicas.
type composition struct {
	set   *set
	of    []*upstream.State
	state *upstream.State
	lead  *replica
	from  *upstream.State // the lead's
}

// State answers what the backend is as a whole: what it offers is what one of its
// replicas does, of the newest image where they differ.
func (p *Pool) State() *upstream.State {
	if s := p.set.Load(); s.only != nil {
		return s.only.up.State()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.set.Load()
	if s.only != nil {
		return s.only.up.State()
	}
	states := make([]*upstream.State, len(s.all))
	for i, pl := range s.all {
		states[i] = pl.up.State()
	}
	if p.shown.set != s || !slices.Equal(p.shown.of, states) {
		p.shown = p.shown.next(s, states)
	}
	return p.shown.state
}

// part is what a replica may be to the whole: the lower the better.
type part uint8

const (
	serving  part = iota
	retiring      // serving, but the others are newer
	awaited       // a moment ago it was serving
	tried
	failed
	disabled
)

func partOf(pl place, s *upstream.State, unwell bool) part {
	switch s.Phase {
	case upstream.PhaseReady:
		switch {
		case pl.want.Held || !pl.meets(s) || pl.want.Withheld != "" && !unwell:
			return awaited
		case pl.want.Replica.Drain:
			return retiring
		}
		return serving
	case upstream.PhaseHolding:
		return awaited
	case upstream.PhaseProbing:
		return tried
	case upstream.PhaseDisabled:
		return disabled
	}
	return failed
}

// next composes the states of the replicas of s. Whoever leads stays while none is
// better, and what is equal stays the same: that one replica comes or goes is no news.
func (old composition) next(s *set, states []*upstream.State) composition {
	unwell := !slices.ContainsFunc(s.all, func(pl place) bool { return pl.want.Withheld == "" })
	parts := make([]part, len(states))
	for i, pl := range s.all {
		parts[i] = partOf(pl, states[i], unwell)
	}
	best := slices.Min(parts)
	lead := slices.Index(parts, best)
	if i := slices.IndexFunc(s.all, func(pl place) bool { return pl.replica == old.lead }); i >= 0 && parts[i] == best {
		lead = i
	}
	out := *states[lead] // with its next, which nobody waits for: see Pool.news
	out.Backend, out.URL, out.SSE = s.want, states[0].URL, states[0].SSE
	out.Attempts, out.RetryAt = 0, time.Time{}
	for _, st := range states {
		out.Attempts += st.Attempts
		if out.RetryAt.IsZero() || !st.RetryAt.IsZero() && st.RetryAt.Before(out.RetryAt) {
			out.RetryAt = st.RetryAt
		}
	}
	switch best {
	case serving, retiring:
		out.Phase, out.Reason, out.Failure, out.RetryAt = upstream.PhaseReady, "", "", time.Time{}
		out.Remarks = slices.Concat(out.Remarks, unequal(s, states, parts, lead))
	case awaited:
		out.Phase, out.Reason = upstream.PhaseHolding, reasons(s, states)
	case tried:
		out.Reason = reasons(s, states)
		for i, st := range states {
			if parts[i] == tried && st.Reason == "" {
				out.Reason = "" // it is not known yet
			}
		}
	case failed:
		out.Reason = reasons(s, states)
	}
	c := composition{set: s, of: states, state: &out, lead: s.all[lead].replica, from: states[lead]}
	c.settle(old)
	return c
}

// settle takes over from the last composition what did not change.
func (c *composition) settle(old composition) {
	if old.state == nil {
		return
	}
	now, was := c.state, old.state
	announced := was.Announced
	if c.lead == old.lead {
		for k := range announced {
			announced[k] += now.Announced[k] - old.from.Announced[k]
		}
	}
	now.Announced = announced
	if sameTools(now.Tools, was.Tools) {
		now.Tools = was.Tools
	}
	for _, l := range []struct{ now, was *[]catalog.Item }{
		{&now.Prompts, &was.Prompts}, {&now.Resources, &was.Resources}, {&now.Templates, &was.Templates}} {
		if slices.EqualFunc(*l.now, *l.was, func(a, b catalog.Item) bool { return bytes.Equal(a.Raw, b.Raw) }) {
			*l.now = *l.was
		}
	}
}

func sameTools(a, b []upstream.Tool) bool {
	return slices.EqualFunc(a, b, func(a, b upstream.Tool) bool { return bytes.Equal(a.Raw, b.Raw) })
}

// maxReasons is how many replicas are named in one sentence.
const maxReasons = 3

// reasons says why no replica can take requests.
func reasons(s *set, states []*upstream.State) string {
	var all []string
	for i, st := range states {
		reason := cmp.Or(st.Reason, s.all[i].want.Withheld)
		if reason == "" && s.all[i].want.Held {
			reason = "it stopped and is expected back"
		}
		if reason != "" {
			all = append(all, nameOf(s.all[i].want)+": "+reason)
		}
	}
	if len(all) == 0 {
		return ""
	}
	more := ""
	if n := len(all) - maxReasons; n > 0 {
		all, more = all[:maxReasons], fmt.Sprintf("; and %d more", n)
	}
	return fmt.Sprintf("none of its %d replicas is there: %s%s", len(states), strings.Join(all, "; "), more)
}

// unequal remarks on replicas that list other tools than the lead, although they are
// not said to differ.
func unequal(s *set, states []*upstream.State, parts []part, lead int) []discovery.Diagnostic {
	var others []string
	what := ""
	for i, st := range states {
		if parts[i] != parts[lead] || sameTools(st.Tools, states[lead].Tools) {
			continue
		}
		if others = append(others, nameOf(s.all[i].want)); what == "" {
			what = difference(states[lead].Tools, st.Tools)
		}
	}
	if len(others) == 0 {
		return nil
	}
	if n := len(others) - maxReasons; n > 0 {
		others = append(others[:maxReasons], fmt.Sprintf("%d more", n))
	}
	return []discovery.Diagnostic{{Severity: discovery.SeverityWarning, Code: codeUnequal,
		Message: fmt.Sprintf("replicas of one image list different tools: clients see those of %s, and %s differs: %s",
			nameOf(s.all[lead].want), strings.Join(others, ", "), what),
		Suggestion: "give the replicas the same environment and data, or a name each (mcp-gw.name)"}}
}

// difference says in what two lists of tools differ.
func difference(lead, other []upstream.Tool) string {
	for _, d := range []struct {
		a, b   []upstream.Tool
		format string
	}{{lead, other, "it lacks %q"}, {other, lead, "it has %q besides"}} {
		for _, t := range d.a {
			if !slices.ContainsFunc(d.b, func(o upstream.Tool) bool { return o.Name == t.Name }) {
				return fmt.Sprintf(d.format, t.Name)
			}
		}
	}
	for _, t := range lead {
		for _, o := range other {
			if o.Name == t.Name && !bytes.Equal(o.Raw, t.Raw) {
				return fmt.Sprintf("it describes %q otherwise", t.Name)
			}
		}
	}
	return "they come in another order"
}
