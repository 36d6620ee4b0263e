package main

import (
	"context"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// countdownTool is slow on purpose. It reports each step to callers that sent a
// progress token, and stops as soon as the call is cancelled.
func countdownTool() server.ServerTool {
	t := mcp.NewTool("countdown",
		mcp.WithTitleAnnotation("Count down"),
		mcp.WithDescription("Count down step by step, with a progress report for each."),
		mcp.WithInteger("steps", mcp.Min(1), mcp.Max(100), mcp.DefaultNumber(5), mcp.Description("Steps to count")),
		mcp.WithInteger("interval_ms", mcp.Min(10), mcp.Max(10_000), mcp.DefaultNumber(1000), mcp.Description("Milliseconds a step takes")),
		readOnly(),
	)
	return server.ServerTool{Tool: t, Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		steps := req.GetInt("steps", 5)
		interval := time.Duration(req.GetInt("interval_ms", 1000)) * time.Millisecond
		report := reporter(ctx, req)
		for step := 1; step <= steps; step++ {
			// Report first, then wait: the server may drop a notification that is
			// followed by the result at once.
			report(step, steps, fmt.Sprintf("%d to go", steps-step))
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("countdown cancelled at step %d of %d: %w", step, steps, context.Cause(ctx))
			case <-time.After(interval):
			}
		}
		return mcp.NewToolResultText(fmt.Sprintf("Lift-off after %d steps.", steps)), nil
	}}
}

// reporter returns a function that sends progress to the caller of req, or does
// nothing when the caller did not ask for it.
func reporter(ctx context.Context, req mcp.CallToolRequest) func(done, total int, message string) {
	s := server.ServerFromContext(ctx)
	if s == nil || req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil {
		return func(int, int, string) {}
	}
	token := req.Params.Meta.ProgressToken
	return func(done, total int, message string) {
		// Progress is a courtesy: a caller that cannot take it still gets the result.
		_ = s.SendNotificationToClient(ctx, "notifications/progress",
			map[string]any{"progressToken": token, "progress": done, "total": total, "message": message})
	}
}
