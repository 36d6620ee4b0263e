package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// replicaTool tells which of several processes answers. A call that names itself is in
// the log, so that it can be seen where it ran, and how often.
func replicaTool() server.ServerTool {
	type input struct {
		Call   string `json:"call"`
		WaitMS int    `json:"wait_ms"`
	}
	type output struct {
		Replica string `json:"replica" jsonschema:"name of the host: in a container, the beginning of its id"`
		Call    string `json:"call,omitempty"`
	}
	return tool(mcp.NewTool("which_replica",
		mcp.WithTitleAnnotation("Which replica"),
		mcp.WithDescription("Tell which of the replicas of this server answers."),
		mcp.WithString("call", mcp.MaxLength(64), mcp.Description("A name for the call, for the server's log")),
		mcp.WithInteger("wait_ms", mcp.Min(0), mcp.Max(10_000), mcp.DefaultNumber(0), mcp.Description("Milliseconds to take")),
		mcp.WithOutputSchema[output](), readOnly(),
	), func(ctx context.Context, in input) (output, string, error) {
		host, err := os.Hostname()
		if err != nil {
			return output{}, "", err
		}
		if in.Call != "" {
			slog.Info("called", "call", in.Call)
		}
		select {
		case <-time.After(time.Duration(in.WaitMS) * time.Millisecond):
		case <-ctx.Done():
			return output{}, "", context.Cause(ctx)
		}
		return output{host, in.Call}, "Answered by " + host + ".", nil
	})
}
