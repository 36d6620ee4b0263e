package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *rowsStub) postLegacy(w http.ResponseWriter, r *http.Request, body []byte, session string) {
	id, method := get(body, "id"), str(body, "method")
	if list, _ := members(get(body, "params", "_meta")); slices.ContainsFunc(list, func(m member) bool {
		return strings.HasPrefix(m.key, "io.modelcontextprotocol/") && m.key != relatedTask
	}) {
		s.fault("got members of _meta that a session does not know: %s", body)
	}
	switch {
	case method == "initialize":
		session = rand.Text()
		s.mu.Lock()
		s.sessions[session] = map[string]context.CancelFunc{}
		s.mu.Unlock()
		w.Header().Set("Mcp-Session-Id", session)
		respond(w, 200, id, `"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"`+s.name+`","version":"1"},`+s.says+`}`)
	case method == "notifications/cancelled":
		s.mu.Lock()
		cancel := s.sessions[session][string(get(body, "params", "requestId"))]
		s.mu.Unlock()
		if cancel != nil {
			cancel()
		}
		w.WriteHeader(http.StatusAccepted)
	case id == nil || method == "":
		w.WriteHeader(http.StatusAccepted)
	default:
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		s.mu.Lock()
		running := s.sessions[session]
		if running[string(id)] != nil {
			s.faults = append(s.faults, fmt.Sprintf("two requests under the id %s at once: %s", id, body))
		}
		running[string(id)] = cancel
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(running, string(id))
			s.mu.Unlock()
		}()
		s.answer(&rowsCall{ctx: ctx, stub: s, w: w, session: session, id: id, params: get(body, "params"), body: body}, method)
	}
}

func (s *rowsStub) postModern(w http.ResponseWriter, r *http.Request, body []byte) {
	id, method := get(body, "id"), str(body, "method")
	params := get(body, "params")
	meta := get(params, "_meta")
	if id == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if str(meta, "io.modelcontextprotocol/protocolVersion") != modernVersion || r.Header.Get("MCP-Protocol-Version") != modernVersion {
		respond(w, 400, id, `"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"]}}`)
		return
	}
	named := ""
	switch method {
	case "tools/call", "prompts/get", "resources/read", "tasks/get", "tasks/update", "tasks/cancel":
		named = names(body)
	}
	if r.Header.Get("Mcp-Method") != method || decoded(r.Header.Get("Mcp-Name")) != named || r.Header.Get("Mcp-Session-Id") != "" {
		s.fault("got the headers %q with %s", r.Header, body)
	}
	if get(meta, "io.modelcontextprotocol/clientCapabilities") == nil || get(meta, "io.modelcontextprotocol/clientInfo") == nil {
		s.fault("got a request without the client's capabilities and name: %s", body)
	}
	switch method {
	case "server/discover":
		respond(w, 200, id, `"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"ttlMs":0,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"`+s.name+`","version":"1"}},`+s.says+`}`)
	case "subscriptions/listen":
		filter := get(params, "notifications")
		s.hear(w, r, rowsEar{subscription: string(id), filter: filter}, `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":`+
			string(filter)+`,"_meta":{"io.modelcontextprotocol/subscriptionId":`+string(id)+`}}}`)
	default:
		s.answer(&rowsCall{ctx: r.Context(), stub: s, w: w, id: id, params: params, body: body}, method)
	}
}
