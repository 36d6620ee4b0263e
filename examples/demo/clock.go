package main

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // an image made from scratch has no zones of its own

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

type moment struct {
	Zone    string `json:"zone"`
	Time    string `json:"time" jsonschema:"RFC 3339, with the offset of the zone"`
	Weekday string `json:"weekday"`
}

func clockTool() server.ServerTool {
	type input struct {
		Zone string `json:"zone"`
	}
	return tool(mcp.NewTool("time_in",
		mcp.WithTitleAnnotation("Time in a zone"),
		mcp.WithDescription("Tell the current time in a time zone."),
		mcp.WithString("zone", mcp.Required(), mcp.MinLength(1), mcp.MaxLength(64),
			mcp.Description("Name in the IANA database, such as Europe/Berlin, or UTC")),
		mcp.WithOutputSchema[moment](), readOnly(),
	), func(_ context.Context, in input) (moment, string, error) {
		zone, err := time.LoadLocation(in.Zone)
		if err != nil || in.Zone == "Local" {
			return moment{}, "", fmt.Errorf("no time zone %q; use a name such as Europe/Berlin", in.Zone)
		}
		now := time.Now().In(zone)
		m := moment{Zone: in.Zone, Time: now.Format(time.RFC3339), Weekday: now.Weekday().String()}
		return m, now.Format("Monday 2 January 2006, 15:04:05 MST"), nil
	})
}
