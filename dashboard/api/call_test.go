package api

import (
	"encoding/json"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
)

func TestAToolIsCalled(t *testing.T) {
	h := newRealHouse(t)
	m := newMCPServer(t)
	m.lists["tools"] += `,{"name":"hang","inputSchema":{"type":"object"}}`
	h.register(t, "a", m.url)
	h.call(t, "PATCH", "/api/backends/a", `{"enabled":true}`)
	for name, tt := range map[string]struct {
		tool, body, kind, error, result string
	}{
		"well":         {"a__get", `{"arguments":{"text":"<hi> ü"}}`, "", "", `{"text":"<hi> ü"}`},
		"no arguments": {"a__get", `{}`, "", "", `{}`},
		"null":         {"a__get", `{"arguments":null,"timeoutMs":null}`, "", "", `{}`},
		"tool error":   {"a__fail", `{"arguments":{}}`, "tool", "no such thing", "no such thing"},
		"refused":      {"a__put", `{"arguments":{}}`, "jsonrpc", "text is missing", ""},
		"timeout":      {"a__hang", `{"arguments":{},"timeoutMs":100}`, "timeout", "no result within", ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := h.call(t, "POST", "/api/tools/"+tt.tool+"/call", tt.body)
			var a toolCalled
			if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			var result struct{ Content []struct{ Text string } }
			_ = json.Unmarshal(a.Result, &result)
			text := ""
			if len(result.Content) > 0 {
				text = result.Content[0].Text
			}
			if a.OK != (tt.kind == "") || string(a.ErrorKind) != tt.kind || !strings.Contains(a.Error, tt.error) || text != tt.result || a.DurationMs <= 0 {
				t.Errorf("%s", body)
			}
		})
	}
	h.want(t, "POST", "/api/tools/a__none/call", `{}`, 404, `{"error":"no tool is called \"a__none\"; GET /api/tools lists all"}`)
	h.want(t, "POST", "/api/tools/a__get/call", `{"arguments":[]}`, 400, `{"error":"arguments must be an object"}`)
	h.want(t, "POST", "/api/tools/a__get/call", `{"timeoutMs":0}`, 400, `{"error":"timeoutMs is 0, must be from 1 to 600000"}`)
	calls := 0
	for _, e := range h.gw.Journal().Entries(0) {
		if e.Type == journal.TypeCall && e.Tool == "get" {
			calls++
		}
	}
	if calls != 3 {
		t.Errorf("the log has %d calls of get", calls)
	}

	h.call(t, "PATCH", "/api/tools/a__get", `{"enabled":false}`)
	before := m.calls
	_, body := h.call(t, "POST", "/api/tools/a__get/call", `{}`)
	if field(t, body, "errorKind") != `"gateway"` || !strings.Contains(body, "is switched off") || m.calls != before {
		t.Errorf("%s", body)
	}
}
