package main

import (
	"context"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// newServer returns a server with all tools but those in the toolbox.
func newServer(name string) *server.MCPServer {
	s := server.NewMCPServer(name, "1.0.0",
		server.WithToolCapabilities(true),
		server.WithInputSchemaValidation(),
		server.WithRecovery(),
		server.WithInstructions("Clock, unit converter and notebook. toolbox shows and hides more tools."),
	)
	s.AddTools(clockTool(), convertTool(), countdownTool(), replicaTool(), toolboxTool(s))
	s.AddTools(newNotebook().tools()...)
	return s
}

// readOnly marks a tool that changes nothing and looks at nothing outside.
func readOnly() mcp.ToolOption {
	yes, no := true, false
	return mcp.WithToolAnnotation(mcp.ToolAnnotation{ReadOnlyHint: &yes, DestructiveHint: &no, IdempotentHint: &yes, OpenWorldHint: &no})
}

// tool pairs a description with a handler whose result has a type and a line of
// text for people. An error becomes a result that the model reads.
func tool[In, Out any](t mcp.Tool, handle func(context.Context, In) (Out, string, error)) server.ServerTool {
	return server.ServerTool{Tool: t, Handler: mcp.NewTypedToolHandler(
		func(ctx context.Context, _ mcp.CallToolRequest, in In) (*mcp.CallToolResult, error) {
			out, text, err := handle(ctx, in)
			if err != nil {
				return mcp.NewToolResultError(fmt.Sprintf("%s: %s", t.Name, err)), nil
			}
			return mcp.NewToolResultStructured(out, text), nil
		})}
}
