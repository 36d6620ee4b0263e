// Package bridge carries one call from a client to a backend when the two may
// speak different eras of MCP: it translates the request on its way there and
// what comes back, by replacing single values in the bytes. Arguments and results
// are never decoded.
package bridge

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
)

// Route is where calls of one tool go. It is made once a change of the catalogue,
// with all that can be prepared then.
type Route struct {
	catalog.Entry
	Meter  *journal.Meter
	Target Target

	quoted []byte    // the backend's own name as JSON
	header []string  // the same as an HTTP header's value
	mirror *mcp.Tool // set when arguments are repeated in headers
}

// Target takes calls: an upstream.
type Target interface {
	Call(ctx context.Context, x upstream.Exchange) error
}

// NewRoute prepares the route of one tool.
func NewRoute(e catalog.Entry, mirror *mcp.Tool, m *journal.Meter, t Target) *Route {
	quoted, _ := json.Marshal(e.Name) // a string always can be
	header, _ := mcp.EncodeHeaderValue(e.Name)
	return &Route{Entry: e, Meter: m, Target: t, quoted: quoted, header: []string{header}, mirror: mirror}
}
