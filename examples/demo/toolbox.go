package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// toolboxTool shows and hides roll_dice. Every change makes the server send
// notifications/tools/list_changed to all its clients.
func toolboxTool(s *server.MCPServer) server.ServerTool {
	type input struct {
		Open bool `json:"open"`
	}
	type output struct {
		Open    bool `json:"open"`
		Changed bool `json:"changed"`
	}
	var mu sync.Mutex // guards open, and makes one change at a time
	open := false
	return tool(mcp.NewTool("toolbox",
		mcp.WithTitleAnnotation("Toolbox"),
		mcp.WithDescription("Open the toolbox, which adds the tool roll_dice, or close it, which takes the tool away."),
		mcp.WithBoolean("open", mcp.Required(), mcp.Description("true to open, false to close")),
		mcp.WithDestructiveHintAnnotation(false), mcp.WithIdempotentHintAnnotation(true), mcp.WithOpenWorldHintAnnotation(false),
		mcp.WithOutputSchema[output](),
	), func(_ context.Context, in input) (output, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if in.Open == open {
			return output{Open: open}, "It was so already.", nil
		}
		if open = in.Open; open {
			s.AddTools(diceTool())
			return output{open, true}, "Open: roll_dice is there.", nil
		}
		s.DeleteTools("roll_dice")
		return output{open, true}, "Closed: roll_dice is gone.", nil
	})
}

func diceTool() server.ServerTool {
	type input struct {
		Sides int `json:"sides"`
	}
	type output struct {
		Rolled int `json:"rolled"`
	}
	no := false
	return tool(mcp.NewTool("roll_dice",
		mcp.WithTitleAnnotation("Roll a die"),
		mcp.WithDescription("Roll one die."),
		mcp.WithInteger("sides", mcp.Min(2), mcp.Max(1000), mcp.DefaultNumber(6), mcp.Description("Sides of the die")),
		mcp.WithReadOnlyHintAnnotation(true), mcp.WithDestructiveHintAnnotation(no), mcp.WithIdempotentHintAnnotation(no), mcp.WithOpenWorldHintAnnotation(no),
		mcp.WithOutputSchema[output](),
	), func(_ context.Context, in input) (output, string, error) {
		if in.Sides == 0 {
			in.Sides = 6
		}
		n := 1 + rand.IntN(in.Sides)
		return output{n}, fmt.Sprintf("Rolled %d.", n), nil
	})
}
