package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/discovery"
	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/wire"
)

// Codes of the remarks on a backend's lists; labels.md explains them.
const (
	codeLeftOut = "T001"
	codeCursor  = "T002"
)

// lists says of each kind how it is listed, and what it is called.
var lists = [catalog.Kinds]struct {
	method     mcp.MCPMethod
	capability string // what a backend declares that has some
	one, many  string
}{
	catalog.Tools:     {mcp.MethodToolsList, "tools", "tool", "tools"},
	catalog.Prompts:   {mcp.MethodPromptsList, "prompts", "prompt", "prompts"},
	catalog.Resources: {mcp.MethodResourcesList, "resources", "resource", "resources"},
	catalog.Templates: {mcp.MethodResourcesTemplatesList, "resources", "resource template", "resource templates"},
}

// kinds is a set of kinds.
type kinds uint8

const allKinds kinds = 1<<catalog.Kinds - 1

func of(k catalog.Kind) kinds               { return 1 << k }
func (ks kinds) has(k catalog.Kind) bool    { return ks&of(k) != 0 }
func (i serverInfo) has(member string) bool { return wire.Member(i.capabilities, member) != nil }

// offered answers the kinds that are worth asking for. Tools are asked for always:
// there are servers that have some and do not say so.
func (i serverInfo) offered() kinds {
	ks := of(catalog.Tools)
	for k, l := range lists {
		if i.has(l.capability) {
			ks |= of(catalog.Kind(k))
		}
	}
	return ks
}

// announced answers the kinds for whose capability says answers true.
func announced(says func(capability string) []byte) (ks kinds) {
	for k, l := range lists {
		if string(says(l.capability)) == "true" {
			ks |= of(catalog.Kind(k))
		}
	}
	return ks
}

// announced answers the kinds of whose changes a legacy backend says that it tells.
func (i serverInfo) announced() kinds {
	return announced(func(capability string) []byte {
		return wire.Member(wire.Member(i.capabilities, capability), "listChanged")
	})
}

// list is one kind's list as it was read.
type list struct {
	tools   []Tool
	items   []catalog.Item
	hint    catalog.Hint
	remarks []discovery.Diagnostic
	bad     int // elements left out
}

// readList reads all pages of a backend's list. Elements that no client could use are
// left out, each with a diagnostic: one bad one must not cost the others, and clients
// that validate would refuse the whole list because of it.
func (l *link) readList(ctx context.Context, s session, kind catalog.Kind) (*list, error) {
	what := lists[kind]
	broken := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", what.method, fmt.Errorf(format, args...))
	}
	read := &list{}
	seen := map[string]bool{}
	params, size := "", 0
	for page := range maxListPages {
		result, err := l.self.ask(ctx, s, l.nextID.Add(1), what.method, params)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what.method, err)
		}
		if size += len(result); size > maxListBytes {
			return nil, broken("more than %d MiB", maxListBytes>>20)
		}
		elements := wire.Member(result, kind.String())
		if elements == nil {
			return nil, broken("the result has no %q: %s", kind.String(), oneLine(string(result[:min(len(result), 200)])))
		}
		if err := wire.Elements(elements, func(raw []byte) error { return read.add(kind, raw) }); err != nil {
			return nil, broken("%w", err)
		}
		if s.peer().Modern {
			read.hinted(page, result)
		}
		cursor := wire.Member(result, "nextCursor")
		last := cursor == nil || string(cursor) == "null"
		if repeated := seen[string(cursor)]; last || repeated {
			if page == 0 && cursor == nil {
				read.hint.Frame = frameOf(result, kind)
			}
			if read.bad > maxRemarks {
				read.remarks = append(read.remarks, leftOut(kind, fmt.Sprintf("%d more %s are left out", read.bad-maxRemarks, what.many)))
			}
			if repeated {
				read.remarks = append(read.remarks, discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeCursor,
					Message: fmt.Sprintf("%s repeats the cursor %s: the list was read until there", what.method, oneLine(string(cursor)))})
			}
			return read, nil
		}
		seen[string(cursor)] = true
		params = `"cursor":` + string(cursor)
	}
	return nil, broken("more than %d pages", maxListPages)
}

// maxFrame bounds what is kept of a list result besides its items.
const maxFrame = 64 << 10

// frameOf answers what stands around the items of a list that came in one piece, and
// nothing where that is no valid JSON, or where two readers could find different items
// in it.
func frameOf(result []byte, kind catalog.Kind) catalog.Frame {
	at := wire.Find(result, kind.String())
	if !at.Present() || result[at.Start] != '[' || len(result)-(at.End-at.Start) > maxFrame {
		return catalog.Frame{}
	}
	f := catalog.Frame{Head: string(result[:at.Start+1]), Tail: string(result[at.End-1:])}
	if around := []byte(f.Head + f.Tail); !json.Valid(around) || !utf8.Valid(around) {
		return catalog.Frame{}
	}
	steering := []string{kind.String(), "nextCursor", "resultType", "ttlMs", "cacheScope", "_meta"}
	seen := map[string]bool{}
	if wire.Members(result, func(name []byte, _ wire.Span) error {
		folded := strings.ToLower(string(name)) // many a reader takes "Tools" for "tools"
		for _, steers := range steering {
			if strings.EqualFold(folded, steers) && string(name) != steers {
				return errOdd
			}
		}
		if seen[folded] {
			return errOdd
		}
		seen[folded] = true
		return nil
	}) != nil {
		return catalog.Frame{}
	}
	return f
}

// errOdd ends the reading of a result that two readers could read differently.
var errOdd = errors.New("a member is there twice, or looks like another")

// maxRemarks is how many bad elements of one list are named; the rest is counted.
const maxRemarks = 50

func leftOut(kind catalog.Kind, message string) discovery.Diagnostic {
	return discovery.Diagnostic{Severity: discovery.SeverityWarning, Code: codeLeftOut, Message: message,
		Suggestion: "mend the " + lists[kind].one + "'s definition in the server"}
}

// add takes one element of the list.
func (r *list) add(kind catalog.Kind, raw []byte) error {
	what := lists[kind]
	item, err := catalog.Parse(kind, bytes.Clone(raw))
	t := Tool{Item: item}
	if err == nil && kind == catalog.Tools {
		t, err = readTool(item)
	}
	if err != nil {
		if r.bad++; r.bad <= maxRemarks {
			r.remarks = append(r.remarks, leftOut(kind, fmt.Sprintf("%s %s is left out: %v", what.one, label(raw), err)))
		}
		return nil
	}
	if len(r.tools)+len(r.items) == maxItems {
		return fmt.Errorf("more than %d %s", maxItems, what.many)
	}
	if kind == catalog.Tools {
		r.tools = append(r.tools, t)
	} else {
		r.items = append(r.items, item)
	}
	return nil
}

// label is what people know an element by.
func label(raw []byte) string {
	for _, member := range []string{"name", "uri", "uriTemplate"} {
		if value := wire.Member(raw, member); value != nil {
			return oneLine(string(value))
		}
	}
	return "without a name"
}

// readTool prepares what a call of a tool needs. A client must leave out a tool whose
// x-mcp-header annotations are wrong (2026-07-28, basic/transports), which the
// gateway does for its own.
func readTool(item catalog.Item) (Tool, error) {
	t := Tool{Item: item}
	if schema := wire.Member(item.Raw, "inputSchema"); bytes.Contains(schema, []byte("x-mcp-header")) {
		m := &mcp.Tool{Name: item.Name, RawInputSchema: json.RawMessage(schema)}
		if err := mcp.ValidateParamHeaderAnnotations(m); err != nil {
			return Tool{}, err
		}
		if len(mcp.ExtractParamHeaderBindings(m)) > 0 {
			t.Mirror = m
		}
	}
	return t, nil
}

// hinted takes what a page says on caching: the list is good as long as each page is,
// and nobody's unless all are everybody's.
func (r *list) hinted(page int, result []byte) {
	ttl, err := strconv.ParseInt(string(wire.Member(result, "ttlMs")), 10, 64)
	h := catalog.Hint{TTL: ttl, Known: err == nil && ttl >= 0, Private: string(wire.Member(result, "cacheScope")) != `"public"`}
	if page > 0 {
		h = catalog.Hint{TTL: min(h.TTL, r.hint.TTL), Known: h.Known && r.hint.Known, Private: h.Private || r.hint.Private}
	}
	if r.hint = h; !h.Known {
		r.hint = catalog.Hint{}
	}
}

// fetch reads one list in the gateway's own session, in a fresh one when the backend
// lost that.
func (u *Upstream) fetch(ctx context.Context, l *link, kind catalog.Kind) (*list, error) {
	s, err := l.shared.acquire(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { l.shared.release(time.Now()) }()
	read, err := l.readList(ctx, s, kind)
	if errors.Is(err, errSessionLost) {
		fresh, openErr := l.shared.acquire(ctx, s)
		if openErr != nil {
			return nil, openErr
		}
		defer func() { l.shared.release(time.Now()) }()
		read, err = l.readList(ctx, fresh, kind)
	}
	var rpc *rpcError
	missing := errors.As(err, &rpc) && rpc.code == mcp.METHOD_NOT_FOUND
	if missing && (kind == catalog.Templates || kind == catalog.Tools && !l.info.has(lists[kind].capability)) {
		return &list{}, nil // a backend that has none is no broken one
	}
	return read, err
}
