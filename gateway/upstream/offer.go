package upstream

import (
	"github.com/mark3labs/mcp-go/mcp"

	"mcp-gw/gateway/catalog"
)

// Tool is one tool of the backend, with what a call of it needs to know.
type Tool struct {
	catalog.Item
	// Mirror is set when arguments have to be repeated in headers (x-mcp-header,
	// 2026-07-28): what mcp.GenerateParamHeaders needs.
	Mirror *mcp.Tool
}

// Offer is what a backend has, each kind in the backend's own order.
type Offer struct {
	Tools                         []Tool
	Prompts, Resources, Templates []catalog.Item
	// Hints are what a backend of 2026-07-28 says on caching its lists.
	Hints [catalog.Kinds]catalog.Hint
}
