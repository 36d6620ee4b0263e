package docker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// misplaced finds the services whose own labels were meant for their containers:
// labels under deploy never reach those.
func misplaced(prefix string, all []service, now time.Time) []discovery.Observed {
	var out []discovery.Observed
	for _, s := range all {
		if !speaks(prefix, s.labels) || speaks(prefix, s.containerLabels) {
			continue
		}
		p := parseLabels(prefix, s.labels)
		keys := slices.Sorted(maps.Keys(p.shown))
		const most = 4
		named := strings.Join(keys[:min(len(keys), most)], ", ")
		if len(keys) > most {
			named += ", …"
		}
		o := discovery.Observed{
			Container: discovery.Container{ID: s.id, Name: s.name, Image: s.image},
			State:     "service", Verdict: verdictDeployLabels,
			Reason: fmt.Sprintf("labels are under deploy.labels; move to labels: the service %q has %s, and its containers have none of that", s.name, named),
			Fix:    fmt.Sprintf("move them to labels: of the service in the stack file, or: docker service update%s %s", labelFlags(p.shown, keys), s.name),
			Labels: p.shown, SeenAt: now.UTC(),
		}
		o.Diagnostics = []discovery.Diagnostic{{
			Severity: discovery.SeverityError, Code: codeDeployLabels, Container: s.name,
			Message: o.Reason, Suggestion: o.Fix, Generation: s.id + "@",
		}}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b discovery.Observed) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// labelFlags gives the containers of a service its labels, by command; masked values
// are to be filled in.
func labelFlags(shown map[string]string, keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, " --container-label-add %s=%s", k, shown[k])
	}
	return b.String()
}
