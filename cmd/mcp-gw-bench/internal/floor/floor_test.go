package floor

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/fleet"
	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

func TestFloors(t *testing.T) {
	backend := httptest.NewServer(fleet.New(fleet.Options{Tools: 9}))
	defer backend.Close()
	to, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, tool string
		h          http.Handler
	}{{"proxy", "echo", Proxy(to)}, {"raw", "b1__echo", Raw(to)}, {"raw without prefix", "echo", Raw(to)}} {
		for _, version := range []string{"2025-11-25", "2026-07-28"} {
			t.Run(tt.name+" "+version, func(t *testing.T) {
				front := httptest.NewServer(tt.h)
				defer front.Close()
				// Several clients and large answers: this is where a proxy that
				// does not read the whole request breaks off.
				r, err := load.Run(t.Context(), load.Config{URL: front.URL + "/mcp", Version: version, Tool: tt.tool,
					Payload: 64 << 10, Clients: 4, Duration: 200 * time.Millisecond})
				if err != nil || r.OK == 0 || r.Errors > 0 {
					t.Errorf("calls: %+v, %v", r, err)
				}
				err = load.Probe(t.Context(), load.Config{URL: front.URL + "/mcp?tools=30", Version: version, Mode: load.ModeList, Tool: "echo", WantTools: 30})
				if err != nil {
					t.Errorf("list: %v", err)
				}
			})
		}
	}
}
