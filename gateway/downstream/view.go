package downstream

import (
	"fmt"
	"slices"
	"strings"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
)

// View is what clients see at one moment. It is immutable.
type View struct {
	// Scopes are the endpoints: "" is /mcp, "x" is /mcp/x, which is a backend
	// without prefixes, or a group.
	Scopes map[string]*Scope
	// Absent are the backends that are known and not connected, with the reason.
	Absent map[string]string
	// Prefixes are what the names of those of them begin with that have no usual prefix.
	Prefixes map[string]string
}

// Scope is what clients of one endpoint see.
type Scope struct {
	// Name is what follows /mcp/, empty for /mcp itself.
	Name string
	// Plain leaves names, URIs and task ids as the backend's.
	Plain bool
	*catalog.Snapshot
	// Versions count the changes of each list. A list that changed twice and is the
	// first again has another version, because a client may have seen the one
	// between.
	Versions [catalog.Kinds]uint64
	// Backends are those that are connected, by name in that order.
	Backends []*Backend
	// Tools and Prompts are the routes by exposed name.
	Tools, Prompts map[string]*bridge.Route
	// Identity is what the gateway says of itself here.
	Identity Identity
}

// Backend is one connected backend, as far as a request needs it.
type Backend struct {
	Name   string
	Legacy bool
	Target bridge.Target
	// Capabilities is the raw JSON of its handshake, Server that of its
	// Implementation.
	Capabilities, Server []byte
	Instructions         string
	// URIs is how its URIs change on their way to clients; nil where they do not.
	URIs *catalog.Rewriter
	// Shut are the kinds of which only what is listed may be reached, although the
	// backend may have more: somebody chose what clients are to see.
	Shut [catalog.Kinds]bool
	// Meter answers the meter of a method, or of what is called by one.
	Meter func(what string) *journal.Meter
}

// nothing is the scope of an endpoint that was there once.
var nothing = &Scope{Snapshot: catalog.Build(nil, catalog.Options{}), Identity: NewIdentity("", nil, false)}

func (v *View) scope(name string) *Scope {
	if s := v.Scopes[name]; s != nil {
		return s
	}
	return nothing
}

// unknown says that there is no endpoint of that name, and which there are.
func (v *View) unknown(name string) string {
	names := make([]string, 0, len(v.Scopes))
	for n := range v.Scopes {
		if n != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	const most = 20
	text := "there are none"
	switch {
	case len(names) > most:
		text = fmt.Sprintf("known are %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	case len(names) > 0:
		text = "known are " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("there is no backend and no group called %.100q: %s; all together are at /mcp", name, text)
}

func (s *Scope) backend(name string) *Backend {
	i, ok := slices.BinarySearchFunc(s.Backends, name, func(b *Backend, name string) int { return strings.Compare(b.Name, name) })
	if !ok {
		return nil
	}
	return s.Backends[i]
}

// route answers the route of something of b that has no route of its own.
func (s *Scope) route(b *Backend, what string, place bridge.Place, name string) *bridge.Route {
	r := &bridge.Route{Backend: b.Name, Name: name, Place: place, Meter: b.Meter(what), Target: b.Target, Legacy: b.Legacy, URIs: b.URIs}
	r.Tasks = s.tasks(b)
	return r.Prepare(nil)
}

// tasks answers what stands in front of a backend's task ids here.
func (s *Scope) tasks(b *Backend) string {
	if s.Plain || !hasTasks(b.Capabilities) {
		return ""
	}
	return bridge.TaskPrefix(b.Name)
}

// Route makes the route of a tool or a prompt of b.
func (s *Scope) Route(b *Backend, e catalog.Entry, what string) *bridge.Route {
	return &bridge.Route{Backend: b.Name, Name: e.Name, Place: bridge.AtName, Meter: b.Meter(what), Target: b.Target,
		Legacy: b.Legacy, URIs: b.URIs, Tasks: s.tasks(b)}
}

// missingTool says what is wrong with a tool that the catalogue does not have. known
// is false when no backend of that name exists.
func (v *View) missingTool(s *Scope, name string) (text string, known bool) {
	if s.Plain {
		if reason, absent := v.Absent[s.Name]; absent {
			return notConnected(s.Name, reason), true
		}
		return "Unknown tool: " + name, false
	}
	whose, longest := "", ""
	for backend, prefix := range v.Prefixes {
		if strings.HasPrefix(name, prefix) && (len(prefix) > len(longest) || prefix != "" && prefix == longest && backend < whose) {
			whose, longest = backend, prefix
		}
	}
	if whose != "" {
		return notConnected(whose, v.Absent[whose]), true
	}
	for i := 0; ; {
		n := strings.Index(name[i:], "__")
		if n < 0 {
			break
		}
		i += n
		if reason, absent := v.Absent[name[:i]]; absent {
			return notConnected(name[:i], reason), true
		}
		i++
	}
	if !strings.Contains(name, "__") {
		return `Invalid tool name (missing "__" prefix): ` + name, true
	}
	return "Unknown tool: " + name, false
}

func notConnected(backend, reason string) string {
	if reason != "" {
		reason = ": " + reason
	}
	return `Backend "` + backend + `" is not connected` + reason
}
