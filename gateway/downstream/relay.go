package downstream

import (
	"context"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/wire"
)

// refusal is an answer of the gateway's own to a request that goes nowhere.
type refusal struct {
	code int
	text string
	// tool makes it a result that a model sees instead of a client's error.
	tool bool
}

// relay carries a request to the backend that it belongs to, and answers it.
func (h *Handler) relay(ctx context.Context, m *wire.Message, s *Scope, client bridge.Client, who *journal.Client, answer *responder) {
	defer answer.finish()
	routes, no := h.routes(m, s)
	if no == nil && routes == nil { // tasks/list of several backends
		routes, m, no = taskPages(m, s)
	}
	h.begin(m, client.Header, who, routes, answer)
	if no != nil {
		answer.Note(&journal.Fate{Kind: journal.ErrGateway, Err: no.text})
		id := m.ID.In(m.Raw)
		if no.tool {
			_ = answer.Reply(bridge.ToolError(nil, id, client.Modern, "Error: "+no.text), 0)
			return
		}
		if no.code == resourceNotFound && client.Modern {
			no.code = mcp.INVALID_PARAMS // what it is since 2026-07-28
		}
		_ = answer.Reply(bridge.RPCError(nil, id, no.code, no.text, nil), no.code)
		return
	}
	route := routes[0]
	if client.Modern {
		if err := route.CheckParams(client.Header, m.Params.In(m.Raw)); err != nil {
			answer.Note(&journal.Fate{Kind: journal.ErrGateway, Err: err.Error()})
			_ = answer.Reply(bridge.RPCError(nil, m.ID.In(m.Raw), mcp.HEADER_MISMATCH, err.Error(), nil), mcp.HEADER_MISMATCH)
			return
		}
	}
	if len(routes) > 1 {
		h.find(ctx, routes, client, m, answer)
		return
	}
	if client.Modern && route.Legacy && bridge.Asks(client.Capabilities) {
		h.parking.Carry(ctx, route, client, m, answer)
		return
	}
	bridge.Carry(ctx, route, client, m, answer)
}

// routes answers where a request may go: to one backend, save a resource that no
// backend lists, which is asked for at each that has resources. Names are looked
// up, never split: which part is the backend's is the catalogue's business.
func (h *Handler) routes(m *wire.Message, s *Scope) ([]*bridge.Route, *refusal) {
	one := func(r *bridge.Route) ([]*bridge.Route, *refusal) { return []*bridge.Route{r}, nil }
	switch method := mcp.MCPMethod(m.Method); method {
	case mcp.MethodToolsCall:
		return h.toolRoute(m, s)
	case mcp.MethodPromptsGet:
		name, ok := wire.Unquote(m.Name.In(m.Raw))
		if !ok {
			return nil, needsString(m.Method, "name")
		}
		if r := s.Prompts[name]; r != nil {
			return one(r)
		}
		if b := s.only(); s.Plain && b != nil && !b.Shut[catalog.Prompts] {
			return one(s.route(b, m.Method, bridge.AtName, name)) // the backend's own answer is the best one
		}
		return nil, &refusal{code: mcp.INVALID_PARAMS, text: "Unknown prompt: " + name}
	case mcp.MethodResourcesRead, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe:
		uri, ok := wire.Unquote(m.URI.In(m.Raw))
		if !ok {
			return nil, needsString(m.Method, "uri")
		}
		return h.resourceRoutes(m.Method, uri, s)
	case mcp.MethodCompletionComplete:
		return h.completionRoutes(m, s)
	default:
		return h.otherRoutes(m, s)
	}
}

func needsString(method, member string) *refusal {
	return &refusal{code: mcp.INVALID_PARAMS, text: fmt.Sprintf("%s needs a string %q in its params", method, member)}
}

func (h *Handler) toolRoute(m *wire.Message, s *Scope) ([]*bridge.Route, *refusal) {
	name, ok := wire.Unquote(m.Name.In(m.Raw))
	if !ok {
		return nil, needsString(m.Method, "name")
	}
	if r := s.Tools[name]; r != nil {
		return []*bridge.Route{r}, nil
	}
	if s.IsOff(name) {
		return nil, &refusal{code: mcp.INVALID_PARAMS, text: fmt.Sprintf("Tool %q is switched off in the gateway", name), tool: true}
	}
	if b := s.only(); s.Plain && b != nil && !b.Shut[catalog.Tools] {
		// It may have a tool that it does not list: it says best itself.
		return []*bridge.Route{s.route(b, m.Method, bridge.AtName, name)}, nil
	}
	text, known := h.core.View().missingTool(s, name)
	return nil, &refusal{code: mcp.INVALID_PARAMS, text: text, tool: known}
}

// only answers the scope's backend when there is just one.
func (s *Scope) only() *Backend {
	if len(s.Backends) == 1 {
		return s.Backends[0]
	}
	return nil
}

// owner answers whose uri is, and how that backend knows it; nil when nobody's is
// known, or when nothing of the backend's is to be read: tools name URIs too, and
// clients can write one for any backend.
func (s *Scope) owner(uri string) (b *Backend, own string) {
	name, own, ok := s.Origin(uri)
	if b = s.backend(name); !ok || b == nil || b.Shut[catalog.Resources] {
		return nil, ""
	}
	return b, own
}

// named answers the route of the tool or prompt that a request names, nil when there is
// none.
func (s *Scope) named(m *wire.Message) *bridge.Route {
	name, _ := wire.Unquote(m.Name.In(m.Raw))
	if r := s.Tools[name]; r != nil {
		return r
	}
	return s.Prompts[name]
}

// hides reports whether a request of a method that the gateway does not know names
// something of b that clients are not to reach. named is what it names that they may.
func (b *Backend) hides(m *wire.Message, named *bridge.Route) bool {
	return b.Shut[catalog.Tools] && m.Name.Present() && named == nil || b.Shut[catalog.Resources] && m.URI.Present()
}

// resourceRoutes answers whose uri is: by the lists, by a template, by what was
// found before, or else all that have resources.
func (h *Handler) resourceRoutes(method, uri string, s *Scope) ([]*bridge.Route, *refusal) {
	if b, own := s.owner(uri); b != nil {
		return []*bridge.Route{s.route(b, method, bridge.AtURI, own)}, nil
	}
	if name, ok := h.found.get(s.Name, uri); ok {
		if b := s.backend(name); b != nil && !b.Shut[catalog.Resources] {
			return []*bridge.Route{s.route(b, method, bridge.AtURI, uri)}, nil
		}
	}
	var routes []*bridge.Route
	for _, b := range s.Backends {
		if b.Shut[catalog.Resources] {
			continue
		}
		if s.Plain || wire.Member(b.Capabilities, "resources") != nil {
			routes = append(routes, s.route(b, method, bridge.AtURI, uri))
		}
	}
	if len(routes) == 0 {
		return nil, &refusal{code: resourceNotFound, text: "Resource not found: " + uri}
	}
	return routes, nil
}

func (h *Handler) completionRoutes(m *wire.Message, s *Scope) ([]*bridge.Route, *refusal) {
	ref := m.Ref.In(m.Raw)
	kind, _ := wire.Unquote(wire.Member(ref, "type"))
	place, member, list := bridge.AtRefName, "name", catalog.Prompts
	switch kind {
	case "ref/prompt":
	case "ref/resource":
		place, member, list = bridge.AtRefURI, "uri", catalog.Templates
	default:
		return nil, &refusal{code: mcp.INVALID_PARAMS, text: fmt.Sprintf(`completion/complete needs a "ref" of the type ref/prompt or ref/resource, not %.80q`, kind)}
	}
	name, ok := wire.Unquote(wire.Member(ref, member))
	if !ok {
		return nil, needsString(m.Method, "ref."+member)
	}
	var b *Backend
	own := name
	if e, found := s.Lookup(list, name); found {
		b, own = s.backend(e.Backend), e.Name
	} else if list == catalog.Templates {
		b, own = s.owner(name)
	}
	if only := s.only(); b == nil && s.Plain && only != nil && !only.Shut[list] {
		b, own = only, name
	}
	if b == nil {
		return nil, &refusal{code: mcp.INVALID_PARAMS, text: "Unknown " + kind + ": " + name}
	}
	return []*bridge.Route{s.route(b, m.Method, place, own)}, nil
}

// otherRoutes is for what the gateway does not know: tasks go by their id, methods
// of extensions by what they name, or to the only backend there is.
func (h *Handler) otherRoutes(m *wire.Message, s *Scope) ([]*bridge.Route, *refusal) {
	one := func(b *Backend, place bridge.Place, name string) ([]*bridge.Route, *refusal) {
		return []*bridge.Route{s.route(b, counted(m.Method), place, name)}, nil
	}
	named := s.named(m)
	if b := s.only(); b != nil && s.Plain && !b.hides(m, named) {
		place, span := bridge.Nowhere, wire.Span{}
		switch {
		case m.TaskID.Present():
			place, span = bridge.AtTask, m.TaskID
		case m.Name.Present():
			place, span = bridge.AtName, m.Name
		case m.URI.Present():
			place, span = bridge.AtURI, m.URI
		}
		name, ok := wire.Unquote(span.In(m.Raw))
		if !ok {
			place = bridge.Nowhere
		}
		if place == bridge.AtName && named != nil {
			name = named.Name
		}
		return one(b, place, name)
	}
	if id, ok := wire.Unquote(m.TaskID.In(m.Raw)); ok {
		for _, b := range s.Backends {
			if own, its := bridge.TaskID(b.Name, id); its && hasTasks(b.Capabilities) {
				return one(b, bridge.AtTask, own)
			}
		}
		return nil, &refusal{code: mcp.INVALID_PARAMS, text: "Unknown task: " + id}
	}
	if named != nil {
		return one(s.backend(named.Backend), bridge.AtName, named.Name)
	}
	if uri, ok := wire.Unquote(m.URI.In(m.Raw)); ok {
		if b, own := s.owner(uri); b != nil {
			return one(b, bridge.AtURI, own)
		}
	}
	if m.Method == string(mcp.MethodTasksList) && len(s.withTasks()) > 0 {
		return nil, nil // which pages there are is taskPages' business
	}
	if b := s.only(); b != nil && !b.hides(m, named) {
		return one(b, bridge.Nowhere, "")
	}
	return nil, &refusal{code: mcp.METHOD_NOT_FOUND, text: fmt.Sprintf("method %.100q is not supported", m.Method)}
}

// counted is what calls of a method are counted under: clients can make up names
// without end, and each is kept.
func counted(method string) string {
	switch mcp.MCPMethod(method) {
	case mcp.MethodTasksGet, mcp.MethodTasksList, mcp.MethodTasksResult, mcp.MethodTasksCancel, methodTasksUpdate:
		return method
	}
	return "other methods"
}

// find asks one backend after the other for a resource that none lists, and
// remembers who had it. Reading twice harms nobody.
func (h *Handler) find(ctx context.Context, routes []*bridge.Route, client bridge.Client, m *wire.Message, answer *responder) {
	for i, route := range routes {
		t := &trial{Answer: answer, last: i == len(routes)-1}
		bridge.Carry(ctx, route, client, m, t)
		if t.had {
			h.found.put(answer.scope, route.Name, route.Backend)
		}
		if t.had || ctx.Err() != nil {
			return
		}
	}
}

// trial is an Answer that keeps an error to itself while there are others to ask.
type trial struct {
	bridge.Answer
	last, had bool
}

func (t *trial) Reply(message []byte, code int) error {
	if t.had = code == 0; !t.had && !t.last {
		return nil
	}
	return t.Answer.Reply(message, code)
}
