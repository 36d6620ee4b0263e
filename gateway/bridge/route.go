// Package bridge carries one request from a client to a backend when the two may
// speak different eras of MCP: it translates the request on its way there, what
// comes back, and what the backend asks of the client meanwhile, by replacing
// single values in the bytes. Arguments and results are never decoded.
//
//	                    legacy backend                modern backend
//	legacy client   requests both ways, with      input_required is fulfilled by
//	                ids of each side's own        real requests to the client
//	modern client   the call is parked, asks      untouched
//	                go out as input_required
package bridge

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
	"mcp-gw/gateway/journal"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// Place is where in a request stands what the backend calls by another name than
// the client.
type Place uint8

// The places, by the members of params.
const (
	Nowhere   Place = iota
	AtName          // name
	AtURI           // uri
	AtRefName       // ref.name
	AtRefURI        // ref.uri
	AtTask          // taskId
)

// in answers where the place is in m.
func (p Place) in(m *wire.Message) wire.Span {
	switch p {
	case AtName:
		return m.Name
	case AtURI:
		return m.URI
	case AtRefName:
		return at(m.Raw, m.Ref, "name")
	case AtRefURI:
		return at(m.Raw, m.Ref, "uri")
	case AtTask:
		return m.TaskID
	}
	return wire.Span{}
}

// Route is where requests about one thing of a backend go. That of a tool or a
// prompt is made once a change of the catalogue, with all that can be prepared
// then.
type Route struct {
	Backend string
	Name    string // the backend's own, at Place
	Place   Place
	Meter   *journal.Meter
	Target  Target
	// Legacy tells which era the backend was of when the route was made. It may be
	// of another by now, which costs a client the backend's questions, no more.
	Legacy bool
	// URIs changes the backend's URIs on their way to the client; nil where they
	// stay as they are.
	URIs *catalog.Rewriter
	// Tasks is put in front of the backend's task ids; empty where they stay.
	Tasks string
	// Next, when not nil, answers the cursor (JSON) that the client gets in place of
	// the backend's own, which is nil on the last page.
	Next func(own []byte) []byte

	quoted []byte    // Name as JSON
	header []string  // Name as an HTTP header's value
	mirror *mcp.Tool // set when arguments are repeated in headers
}

// Target takes requests: a pool of upstreams.
type Target interface {
	Call(ctx context.Context, x upstream.Exchange) error
}

// Prepare makes r ready for use; mirror is set for a tool whose arguments are
// repeated in headers.
func (r *Route) Prepare(mirror *mcp.Tool) *Route {
	if r.Place == Nowhere {
		return r
	}
	r.quoted = wire.Quote(r.Name)
	header, _ := mcp.EncodeHeaderValue(r.Name)
	r.header, r.mirror = []string{header}, mirror
	return r
}
