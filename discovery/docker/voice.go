package docker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// voice is what the provider says in the log. It says each thing once: a remark
// once a generation of its container, a change of state when it happens. It
// belongs to Run's goroutine.
type voice struct {
	log     *slog.Logger
	said    map[remarkKey]time.Time // when it was said first
	away    string                  // why the engine is away; "" while it is not
	problem string                  // with the network
	refusal string                  // of an inspect
	limit   string                  // what is refused altogether
	flapped map[string]time.Time    // containers that start over and over: when that was said
	// verdicts are the judgements of the last assembly, by container.
	verdicts map[string]string
}

// remarkKey is what makes two remarks the same.
type remarkKey struct{ generation, code, label string }

func newVoice(log *slog.Logger) voice {
	return voice{log: log, away: "not connected yet", said: map[remarkKey]time.Time{}, flapped: map[string]time.Time{}}
}

// stamp dates the remarks of an assembly, and logs those that are new.
func (v *voice) stamp(a *assembly, now time.Time) {
	current := map[string][]string{} // generations that there are remarks on, by container
	for i := range a.observed {
		o := &a.observed[i]
		current[o.ID] = nil
		v.flap(*o, now)
		for j := range o.Diagnostics {
			d := &o.Diagnostics[j]
			key := remarkKey{d.Generation, d.Code, strings.ToLower(d.Label)}
			current[o.ID] = append(current[o.ID], d.Generation)
			first, said := v.said[key]
			if !said {
				first = now
				v.said[key] = now
				if o.Verdict != verdictFlapping { // each start is a generation
					v.remark(*d)
				}
			}
			d.FirstSeen = first
		}
	}
	for i := range a.set {
		b := &a.set[i]
		b.Diagnostics = slices.Clone(b.Diagnostics)
		for j := range b.Diagnostics {
			d := &b.Diagnostics[j]
			d.FirstSeen = v.said[remarkKey{d.Generation, d.Code, strings.ToLower(d.Label)}]
		}
	}
	for key := range v.said {
		id, _, _ := strings.Cut(key.generation, "@")
		now, there := current[id]
		if !there || len(now) > 0 && !slices.Contains(now, key.generation) {
			delete(v.said, key)
		}
	}
	for id := range v.flapped {
		if _, there := current[id]; !there {
			delete(v.flapped, id)
		}
	}
}

// flap tells that a container starts over and over: once in a while, not with each
// start. And that it has stopped doing so.
func (v *voice) flap(o discovery.Observed, now time.Time) {
	last, before := v.flapped[o.ID]
	switch flaps := o.Verdict == verdictFlapping; {
	case flaps && (!before || now.Sub(last) >= flapSaid):
		v.flapped[o.ID] = now
		v.log.Warn("container starts over and over", "container", o.Name, "reason", o.Reason, "fix", o.Fix)
	case !flaps && before && hasProcess(o.State):
		delete(v.flapped, o.ID)
		v.log.Info("container has settled", "container", o.Name)
	}
}

// quiet reports whether what happens to the backend's container is told by flap.
func (v *voice) quiet(b discovery.Backend) bool {
	_, flapped := v.flapped[b.Container.ID]
	return flapped
}

func (v *voice) remark(d discovery.Diagnostic) {
	level := slog.LevelWarn
	if d.Severity == discovery.SeverityInfo {
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{slog.String("code", d.Code), slog.String("container", d.Container), slog.String("reason", d.Message)}
	if d.Label != "" {
		attrs = append(attrs, slog.String("label", d.Label))
	}
	if d.Suggestion != "" {
		attrs = append(attrs, slog.String("fix", d.Suggestion))
	}
	v.log.LogAttrs(context.Background(), level, "container remark", attrs...)
}

// setChanged logs what a person would want to know of a new set.
func (v *voice) setChanged(before []discovery.Backend, a assembly) {
	old := map[string]discovery.Backend{}
	for _, b := range before {
		old[b.Name] = b
	}
	for _, b := range a.set {
		o, had := old[b.Name]
		delete(old, b.Name)
		switch {
		case v.quiet(b):
		case !had:
			v.log.Info("backend registered", "backend", b.Name, "container", b.Container.Name, "url", discovery.ShowURL(b.URL))
		case o.Generation != b.Generation:
			v.log.Info("backend replaced", "backend", b.Name, "container", b.Container.Name, "url", discovery.ShowURL(b.URL))
		}
		if had {
			v.replicasChanged(o, b)
		}
	}
	for name, b := range old {
		if v.quiet(b) {
			continue
		}
		reason := "removed"
		if i := slices.IndexFunc(a.observed, func(o discovery.Observed) bool { return o.ID == b.Container.ID }); i >= 0 {
			reason = a.observed[i].Reason
		}
		v.log.Info("backend left", "backend", name, "container", b.Container.Name, "reason", reason)
	}
}

// replicasChanged tells of the containers that came to a backend beside others, and of
// those that left it so.
func (v *voice) replicasChanged(before, after discovery.Backend) {
	if len(before.Replicas) == 0 && len(after.Replicas) == 0 {
		return
	}
	processes := func(b discovery.Backend) map[string]string {
		out := map[string]string{b.Container.ID: b.Container.Name}
		for _, r := range b.Replicas {
			out[r.Container.ID] = r.Container.Name
		}
		return out
	}
	old, now := processes(before), processes(after)
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, had := old[id]; !had {
			v.log.Info("replica joined", "backend", after.Name, "container", now[id], "replicas", len(now))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if _, has := now[id]; !has {
			v.log.Info("replica left", "backend", after.Name, "container", old[id], "replicas", len(now))
		}
	}
}

func (v *voice) engineAway(code, text string, err error) {
	if text == v.away {
		v.log.Debug("engine still away", "err", err)
		return
	}
	v.away = text
	v.log.Warn("engine away, its last backends stand", "code", code, "reason", text, "err", err)
}

func (v *voice) engineBack(e *engine, host string) {
	if v.away == "" {
		v.log.Debug("connected to the engine", "endpoint", host)
		return
	}
	v.away = ""
	v.log.Info("connected to the engine", "endpoint", host, "version", e.version, "api_version", e.apiVersion)
}

func (v *voice) limits(code, text string) {
	if text == v.limit {
		return
	}
	v.limit = text
	if text != "" {
		v.log.Warn("the engine refuses something", "code", code, "reason", text)
	} else {
		v.log.Info("the engine refuses nothing any more")
	}
}

func (v *voice) networkProblem(text string) {
	if text == v.problem {
		return
	}
	v.problem = text
	if text != "" {
		v.log.Warn("network problem", "reason", text)
	} else {
		v.log.Info("network problem solved")
	}
}

func (v *voice) inspectProblem(text string) {
	if text != "" && text != v.refusal {
		v.log.Warn("inspect fails", "reason", text)
	}
	v.refusal = text
}
