package downstream

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/bridge"
	"mcp-gw/gateway/wire"
)

// withTasks answers the legacy backends that run tasks: those whose list can be
// asked for.
func (s *Scope) withTasks() (all []*Backend) {
	for _, b := range s.Backends {
		if b.Legacy && wire.Member(b.Capabilities, "tasks") != nil {
			all = append(all, b)
		}
	}
	return all
}

// taskPages routes a tasks/list (2025-11-25) of several backends: their pages follow
// each other, and a cursor says whose turn it is and how far its list was read. The
// request that it answers is the backend's.
func taskPages(m *wire.Message, s *Scope) ([]*bridge.Route, *wire.Message, *refusal) {
	all := s.withTasks()
	turn, own := all[0].Name, ""
	if m.Cursor.Present() {
		text, _ := wire.Unquote(m.Cursor.In(m.Raw))
		raw, err := base64.RawURLEncoding.DecodeString(text)
		var ok bool
		turn, own, ok = strings.Cut(string(raw), "\n")
		if own != "" && ok {
			_, ok = wire.Unquote([]byte(own))
		}
		if err != nil || !ok {
			return nil, m, &refusal{code: mcp.INVALID_PARAMS, text: fmt.Sprintf("cursor %.80q is not of this list: list again from the start", text)}
		}
	}
	i, found := slices.BinarySearchFunc(all, turn, func(b *Backend, name string) int { return strings.Compare(b.Name, name) })
	if i == len(all) {
		return nil, m, &refusal{code: mcp.INVALID_PARAMS, text: fmt.Sprintf("the backend %q, whose tasks this cursor continues, is gone: list again from the start", turn)}
	}
	if !found {
		own = "" // its successor's list begins
	}
	r := s.route(all[i], m.Method, bridge.Nowhere, "")
	r.Next = func(cursor []byte) []byte {
		if text, more := wire.Unquote(cursor); more {
			return pageCursor(all[i].Name, wire.Quote(text))
		}
		if i+1 < len(all) {
			return pageCursor(all[i+1].Name, nil)
		}
		return nil
	}
	return []*bridge.Route{r}, ownPage(m, own), nil
}

func pageCursor(backend string, cursor []byte) []byte {
	return wire.Quote(base64.RawURLEncoding.EncodeToString(append([]byte(backend+"\n"), cursor...)))
}

// ownPage is m with the backend's own cursor, JSON, or without one.
func ownPage(m *wire.Message, cursor string) *wire.Message {
	if !m.Cursor.Present() {
		return m
	}
	edit := wire.Edit{Span: m.Cursor, New: []byte(cursor)}
	if cursor == "" {
		edit = wire.Edit{Span: m.Params, New: wire.WithoutMember(m.Params.In(m.Raw), "cursor")}
	}
	own := new(wire.Message)
	if own.Scan(wire.Splice(nil, m.Raw, edit)) != nil {
		return m
	}
	return own
}
