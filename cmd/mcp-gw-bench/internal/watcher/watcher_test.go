package watcher

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func TestAwait(t *testing.T) {
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			s := server.NewMCPServer("test", "1", server.WithToolCapabilities(true))
			h := httptest.NewServer(server.NewStreamableHTTPServer(s))
			defer h.Close()
			defer h.CloseClientConnections()
			w, err := Connect(t.Context(), h.URL+"/mcp", version)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			// Already so, but not announced: that must not pass for seen.
			if _, err := w.Await(t.Context(), "wanted", false, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "not seen within") {
				t.Errorf("without list_changed: %v, want a timeout", err)
			}
			add := func(name string) {
				s.AddTool(mcp.NewTool(name), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) { return nil, nil })
			}
			add("other") // announced too, but not what is awaited
			add("wanted")
			at, err := w.Await(t.Context(), "wanted", true, 10*time.Second)
			if err != nil || time.Since(at) > time.Minute {
				t.Fatalf("at %v, %v", at, err)
			}
			s.DeleteTools("wanted")
			if _, err := w.Await(t.Context(), "wanted", false, 10*time.Second); err != nil {
				t.Fatal(err)
			}
		})
	}
}
