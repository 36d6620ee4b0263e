package docker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// serviceOf names the service that a container is one of several processes of; ""
// for a container that stands alone. Names prove nothing: whoever could choose one
// would get a share of the calls.
func serviceOf(o observation) string {
	if id := o.labels[labelSwarmServiceID]; id != "" {
		return "swarm " + id
	}
	if project, service := composeOf(o.labels); project != "" && service != "" {
		return "compose " + project + " " + service
	}
	return ""
}

// team names the set that a container may be one of: one service, with the same
// labels for the gateway. Only the weight is each container's own.
func team(prefix string, o observation) string {
	service := serviceOf(o)
	if service == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(service)
	for _, key := range slices.Sorted(maps.Keys(o.labels)) {
		lower := lowerASCII(key)
		if strings.HasPrefix(lower, prefix+".") && !strings.HasSuffix(lower, ".weight") {
			fmt.Fprintf(&b, "\n%s=%q", lower, o.labels[key])
		}
	}
	return b.String()
}

// holder is who has a name: the container that leads, the team it is of, and all that
// sit there.
type holder struct {
	id, team string
	all      []string
}

// seat is a name that was given: to one claim, or to those of one team.
type seat struct {
	lead claim
	all  []claim // the lead among them; sorted by container id
}

// of returns the claim of a container that sits there.
func (s seat) of(id string) (claim, bool) {
	i := slices.IndexFunc(s.all, func(c claim) bool { return c.obs.id == id })
	if i < 0 {
		return claim{}, false
	}
	return s.all[i], true
}

// assign gives a name to one of the claims, and to the others of its team.
func assign(claims []claim, had holder) seat {
	first := decide(claims, had)
	all := []claim{first}
	if first.part.team != "" {
		all = slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.part.team != first.part.team || c.superseded(claims) })
	}
	if len(all) == 0 {
		all = []claim{first}
	}
	// The lead stays as long as it is fit. Others come and go beside it.
	lead := slices.MinFunc(all, func(a, b claim) int {
		return cmp.Or(
			before(a.alive, b.alive),
			before(a.backend.Withheld == "", b.backend.Withheld == ""),
			before(a.obs.id == had.id, b.obs.id == had.id),
			a.started().Compare(b.started()), cmp.Compare(a.obs.id, b.obs.id))
	})
	slices.SortFunc(all, func(a, b claim) int { return cmp.Compare(a.obs.id, b.obs.id) })
	image := newestImage(all)
	for i := range all {
		if id := all[i].obs.imageID; all[i].alive && image != "" && id != image {
			all[i].backend.Replica.Drain = true
		}
	}
	s := seat{all: all}
	s.lead, _ = s.of(lead.obs.id)
	return s
}

func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// newestImage is the image of the container that was made last: during a rolling
// update the others only finish what they have.
func newestImage(all []claim) string {
	var newest *member
	for _, c := range all {
		if c.alive && (newest == nil || c.obs.created.After(newest.obs.created)) {
			newest = c.member
		}
	}
	if newest == nil {
		return ""
	}
	return newest.obs.imageID
}

// superseded reports whether a container that ended has nothing to come back to:
// another of its team runs, and this one was removed, or that one has its place.
func (c claim) superseded(claims []claim) bool {
	if c.alive {
		return false
	}
	return slices.ContainsFunc(claims, func(o claim) bool {
		if !o.alive || o.part.team != c.part.team {
			return false
		}
		number := c.obs.labels[labelComposeNumber]
		return c.gone || number != "" && number == o.obs.labels[labelComposeNumber] && o.started().After(c.ended)
	})
}

func (s seat) holder() holder {
	h := holder{id: s.lead.obs.id, team: s.lead.part.team}
	for _, c := range s.all {
		h.all = append(h.all, c.obs.id)
	}
	return h
}

// backend is what is put for the seat.
func (s seat) backend() discovery.Backend {
	b := s.lead.backend
	for _, c := range s.all {
		if c.obs.id == s.lead.obs.id {
			continue
		}
		b.Replicas = append(b.Replicas, discovery.Replica{
			ReplicaRole: c.backend.Replica, URL: c.backend.URL, Alternatives: c.backend.Alternatives, Open: c.backend.Open,
			Generation: c.backend.Generation, Held: c.backend.Held, Doubted: c.backend.Doubted, Withheld: c.backend.Withheld,
			Container: c.backend.Container,
		})
	}
	return b
}

// remark says what a container's part in a team of several is, "" when it is alone.
func (s seat) remark(c claim) string {
	switch {
	case len(s.all) < 2:
		return ""
	case c.backend.Replica.Drain:
		return fmt.Sprintf(", one of %d replicas; it gets no new sessions", len(s.all))
	}
	return fmt.Sprintf(", one of %d replicas", len(s.all))
}
