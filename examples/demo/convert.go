package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// unit is a quantity's unit: base = value × factor + offset.
type unit struct {
	quantity       string
	factor, offset float64
}

var units = map[string]unit{
	"mm": {"length", 0.001, 0}, "cm": {"length", 0.01, 0}, "m": {"length", 1, 0}, "km": {"length", 1000, 0},
	"in": {"length", 0.0254, 0}, "ft": {"length", 0.3048, 0}, "mi": {"length", 1609.344, 0},
	"g": {"mass", 0.001, 0}, "kg": {"mass", 1, 0}, "oz": {"mass", 0.028349523125, 0}, "lb": {"mass", 0.45359237, 0},
	"K": {"temperature", 1, 0}, "C": {"temperature", 1, 273.15}, "F": {"temperature", 5.0 / 9, 459.67 * 5 / 9},
}

type quantity struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func convertTool() server.ServerTool {
	names := slices.Sorted(maps.Keys(units))
	type input struct {
		Value float64 `json:"value"`
		From  string  `json:"from"`
		To    string  `json:"to"`
	}
	return tool(mcp.NewTool("convert",
		mcp.WithTitleAnnotation("Convert units"),
		mcp.WithDescription("Convert a length, a mass or a temperature from one unit to another."),
		mcp.WithNumber("value", mcp.Required(), mcp.Description("Number to convert")),
		mcp.WithString("from", mcp.Required(), mcp.Enum(names...), mcp.Description("Unit of value")),
		mcp.WithString("to", mcp.Required(), mcp.Enum(names...), mcp.Description("Unit wanted")),
		mcp.WithOutputSchema[quantity](), readOnly(),
	), func(_ context.Context, in input) (quantity, string, error) {
		from, to := units[in.From], units[in.To]
		if from.quantity != to.quantity {
			return quantity{}, "", fmt.Errorf("%s is a %s and %s is a %s", in.From, from.quantity, in.To, to.quantity)
		}
		value := (in.Value*from.factor + from.offset - to.offset) / to.factor
		// Twelve digits: more would show the rounding of binary fractions.
		text := strconv.FormatFloat(value, 'g', 12, 64)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return quantity{}, "", fmt.Errorf("%g %s is out of range", in.Value, in.From)
		}
		return quantity{value, in.To}, text + " " + in.To, nil
	})
}
