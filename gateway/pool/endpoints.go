package pool

import (
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
)

// nameOf is what people know a process by.
func nameOf(b discovery.Backend) string {
	if b.Container != nil && b.Container.Name != "" {
		return b.Container.Name
	}
	if b.Replica.ID != "" {
		return b.Replica.ID
	}
	return b.URL
}

// called answers the name of a replica where there are several, "" otherwise.
func (s *set) called(r *replica) string {
	if s.only == nil {
		for _, pl := range s.all {
			if pl.replica == r {
				return nameOf(pl.want)
			}
		}
	}
	return ""
}

// Endpoint is one replica as people see it.
type Endpoint struct {
	// Backend is what is wanted of it, State what it is.
	Backend discovery.Backend
	State   *upstream.State
	// Ending: it was told to end a moment ago, and gets nothing new while another is there.
	Ending bool
	// Sessions are those of clients, Calls what is under way. Calls are counted where
	// there are several replicas.
	Sessions, Calls int
}

// Endpoints answers all replicas that are wanted.
func (p *Pool) Endpoints() []Endpoint {
	s := p.set.Load()
	out := make([]Endpoint, len(s.all))
	for i, pl := range s.all {
		out[i] = Endpoint{Backend: pl.want, State: pl.up.State(), Ending: pl.ending(time.Now()), Sessions: pl.up.Sessions(), Calls: int(pl.calls.Load())}
	}
	return out
}
