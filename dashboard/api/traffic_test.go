package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcp-gw/gateway/journal"
)

// mcp sends a message to /mcp as a client of either era does.
func (h *house) mcp(t *testing.T, session, message string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:3000/mcp", strings.NewReader(message))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("User-Agent", "tester/1.0")
	if session != "" {
		r.Header.Set("Mcp-Session-Id", session)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// begin opens a session.
func (h *house) begin(t *testing.T) string {
	t.Helper()
	w := h.mcp(t, "", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}},"clientInfo":{"name":"Claude Code","version":"2.1"}}}`)
	session := w.Header().Get("Mcp-Session-Id")
	if session == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return session
}

// read calls the API and reads the answer.
func read[T any](t *testing.T, h *house, path string) (out T) {
	t.Helper()
	status, text := h.call(t, "GET", path, "")
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
		t.Fatalf("%s: %d %v %s", path, status, err, text)
	}
	return out
}

func TestCallsOfBothErasAreRecorded(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "b", newMCPServer(t).url)
	h.want(t, "GET", "/api/calls", "", 200, `{"calls":[],"oldest":0,"kept":0,"redaction":"redacted"}`)

	session := h.begin(t)
	call := func(name, arguments string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments)
	}
	const secret = "ghp_0123456789abcdefghij"
	h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	h.mcp(t, session, call("b__get", `{"q":"x","password":"hunter2","text":"`+secret+`"}`))
	h.mcp(t, session, call("b__fail", `{}`))
	h.mcp(t, session, call("b__put", `{}`))
	h.mcp(t, session, call("b__nothing", `{}`))
	h.mcp(t, "", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__get","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"modern","version":"3"},"io.modelcontextprotocol/clientCapabilities":{}}}}`,
		"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "b__get")

	all := read[callsAnswer](t, h.house, "/api/calls")
	var got []string
	for _, c := range all.Calls {
		got = append(got, fmt.Sprintf("%s %s>%s %s %s %s %s %q", c.State, c.Name, c.Original, c.Backend, c.Client.Name, c.Era, c.ErrorKind, c.Error))
		if c.State != "running" && (c.DurationMs == nil || c.ResponseBytes == nil || *c.ResponseBytes == 0 || c.RequestBytes == 0) {
			t.Errorf("call %d has no sizes: %+v", c.ID, c)
		}
	}
	want := []string{
		`ok b__get>get b modern modern  ""`,
		`error b__nothing>  Claude Code legacy gateway "Unknown tool: b__nothing"`,
		`error b__put>put b Claude Code legacy jsonrpc "-32602: text is missing"`,
		`error b__fail>fail b Claude Code legacy tool "no such thing"`,
		`ok b__get>get b Claude Code legacy  ""`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || all.Kept != 5 {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	withLists := read[callsAnswer](t, h.house, "/api/calls?protocol=true&limit=500")
	methods := map[string]int{}
	for _, c := range withLists.Calls {
		methods[c.Method]++
		if protocol := c.Method != "tools/call"; c.Protocol != protocol {
			t.Errorf("%+v", c)
		}
	}
	if methods["initialize"] != 1 || methods["tools/list"] != 1 || methods["tools/call"] != 5 {
		t.Errorf("%v", methods)
	}

	id := all.Calls[4].ID
	d := read[journal.CallDetail](t, h.house, fmt.Sprint("/api/calls/", id))
	if string(d.Arguments) != `{"q":"x","password":"•••• redacted, 7 chars","text":"•••• redacted, 24 chars"}` || d.Result == nil || d.Raw == nil || d.SessionID == "" {
		t.Errorf("%+v", d)
	}
	if d.Timing.WaitMs == nil || d.Timing.FirstByteMs == nil || *d.Timing.WaitMs > *d.Timing.FirstByteMs || *d.Timing.FirstByteMs > d.Timing.TotalMs {
		t.Errorf("timing %+v", d.Timing)
	}
	for _, path := range []string{"/api/calls", fmt.Sprint("/api/calls/", id), "/api/logs"} {
		if _, text := h.call(t, "GET", path, ""); strings.Contains(text, secret) || strings.Contains(text, "hunter2") {
			t.Errorf("%s says it: %s", path, text)
		}
	}
	if page := read[callsAnswer](t, h.house, fmt.Sprint("/api/calls?limit=2&before=", all.Calls[1].ID)); len(page.Calls) != 2 || page.Calls[0].ID != all.Calls[2].ID {
		t.Errorf("the next page: %+v", page)
	}
	h.want(t, "GET", "/api/calls?limit=501", "", 400, `{"error":"limit=\"501\" is not a number from 1 to 500"}`)
	h.want(t, "GET", "/api/calls?before=x", "", 400, `{"error":"before=\"x\" is not a number from 1 to 9223372036854775807"}`)
	h.want(t, "GET", "/api/calls/x", "", 404, `{"error":"\"x\" is not the id of a call; GET /api/calls lists them"}`)
	h.want(t, "GET", "/api/calls/9999", "", 404, fmt.Sprintf(`{"error":"call 9999 is not kept any more, or was never made: the oldest that is kept is %d"}`, all.Oldest))

	_, text := h.call(t, "POST", "/api/tools/b__get/call", `{"arguments":{}}`)
	d = read[journal.CallDetail](t, h.house, "/api/calls/"+field(t, text, "callId"))
	if d.Client.Name != "mcp-gw dashboard" || d.Name != "b__get" {
		t.Errorf("the dashboard's own call is %+v", d.Call)
	}
}

func TestStatsOfRanges(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "b", newMCPServer(t).url)
	session := h.begin(t)
	for range 25 {
		h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__get"}}`)
	}
	h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b__fail"}}`)
	h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"b__greet"}}`)
	for _, r := range []string{"", "?range=15m", "?range=1h", "?range=6h", "?range=24h"} {
		a := read[statsAnswer](t, h.house, "/api/stats"+r)
		if a.Total.Calls != 27 || a.Total.Errors != 1 || a.Total.P95Ms == nil || len(a.Series.T) != len(a.Series.OK) || len(a.Series.ByKind[journal.ErrTool]) != len(a.Series.T) {
			t.Errorf("%s: %+v", r, a.Total)
		}
		if len(a.Tools) != 3 || a.Tools[0].Name != "b__get" || a.Tools[0].Calls != 25 || a.Tools[0].P50Ms == nil || a.Tools[1].P50Ms != nil {
			t.Errorf("%s: %+v", r, a.Tools)
		}
		if len(a.Backends) != 1 || a.Backends[0].Calls != 27 || a.Self.MemoryBytes == 0 || a.Self.Goroutines == 0 || a.Self.Version != "1.2.3" {
			t.Errorf("%s: %+v %+v", r, a.Backends, a.Self)
		}
	}
	if a := read[statsAnswer](t, h.house, "/api/stats?backend=b&range=15m"); a.Total.Calls != 27 || a.StepSeconds != 60 {
		t.Errorf("%+v", a.Total)
	}
	for _, narrow := range []string{"tool=b__get", "tool=get&backend=b", "tool=b__get&backend=b"} {
		if a := read[statsAnswer](t, h.house, "/api/stats?"+narrow); a.Total.Calls != 25 || len(a.Tools) != 1 || a.StepSeconds != 300 {
			t.Errorf("%s: %+v", narrow, a.Total)
		}
	}
	h.want(t, "GET", "/api/stats?range=2h", "", 400, `{"error":"range=\"2h\" is none of 15m, 1h, 6h and 24h"}`)
	h.want(t, "GET", "/api/stats?tool=x", "", 404, `{"error":"no tool is called \"x\"; with backend=, tool is the name that the backend has for it"}`)
}

func TestClientsAndTheEndOfASession(t *testing.T) {
	h := newRealHouse(t)
	h.register(t, "b", newMCPServer(t).url)
	h.want(t, "GET", "/api/clients", "", 200, `{"clients":[],"refused":[]}`)
	session := h.begin(t)
	h.mcp(t, session, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	h.mcp(t, session, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b__fail"}}`)
	h.mcp(t, "", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}`,
		"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/list")
	a := read[clientsAnswer](t, h.house, "/api/clients")
	if len(a.Clients) != 2 {
		t.Fatalf("%+v", a)
	}
	modern, legacy := a.Clients[0], a.Clients[1]
	if modern.Name != "tester" || modern.Version != "1.0" || modern.Era != "modern" || fmt.Sprint(modern.Capabilities) != "[elicitation]" || *modern.ToolsSeen != 3 || !modern.Connected {
		t.Errorf("%+v", modern)
	}
	if legacy.Name != "Claude Code" || legacy.ProtocolVersion != "2025-11-25" || legacy.Calls != 1 || legacy.Errors != 1 || *legacy.ToolsSeen != 3 || legacy.Address != "192.0.2.1" {
		t.Errorf("%+v", legacy)
	}

	h.want(t, "DELETE", "/api/clients/"+legacy.ID, "", 200, `{"ok":true}`)
	if w := h.mcp(t, session, `{"jsonrpc":"2.0","id":3,"method":"tools/list"}`); w.Code != 404 {
		t.Errorf("the session goes on: %d %s", w.Code, w.Body)
	}
	h.want(t, "DELETE", "/api/clients/"+legacy.ID, "", 409, `{"error":"the session of Claude Code is over already"}`)
	h.want(t, "DELETE", "/api/clients/"+modern.ID, "", 409, `{"error":"tester has no session that could be ended: its requests stand each for itself"}`)
	h.want(t, "DELETE", "/api/clients/x", "", 404, `{"error":"no client has the id \"x\"; GET /api/clients lists those that were seen"}`)

	h.mcp(t, "", `{"jsonrpc":"2.0","id":3,"method":"tools/list"}`)
	h.mcp(t, session, `{}`, "Origin", "https://evil.example")
	h.mcp(t, session, `{}`, "Content-Type", "text/plain")
	h.mcp(t, session, `{`)
	h.mcp(t, "", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2031-01-01"}}}`, "MCP-Protocol-Version", "2031-01-01")
	var codes []string
	for _, r := range read[clientsAnswer](t, h.house, "/api/clients").Refused {
		codes = append(codes, fmt.Sprint(r.Code, " ", r.Status))
		if r.Address != "192.0.2.1" || r.UserAgent != "tester/1.0" || r.Reason == "" {
			t.Errorf("%+v", r)
		}
	}
	if got, want := strings.Join(codes, ", "), "version 400, message 400, content_type 415, origin 403, session_missing 400, session_unknown 404"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
