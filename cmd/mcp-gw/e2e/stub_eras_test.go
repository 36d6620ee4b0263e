package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
)

func (s *stub) postLegacy(w http.ResponseWriter, r *http.Request, body []byte) {
	id, method := get(body, "id"), str(body, "method")
	if method == "initialize" {
		session := rand.Text()
		s.mu.Lock()
		s.sessions[session] = true
		s.mu.Unlock()
		w.Header().Set("Mcp-Session-Id", session)
		respond(w, 200, id, `"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"stub","version":"1"}}`)
		return
	}
	switch {
	case r.Header.Get("Mcp-Session-Id") == "":
		respond(w, 400, id, `"error":{"code":-32000,"message":"Bad Request: no session"}`)
	case !s.known(r):
		respond(w, s.lost, id, s.lostMember)
	case method == "notifications/cancelled":
		s.mu.Lock()
		cancel := s.pending[r.Header.Get("Mcp-Session-Id")+string(get(body, "params", "requestId"))]
		s.mu.Unlock()
		if cancel != nil {
			cancel()
		}
		w.WriteHeader(202)
	case id == nil, method == "": // a notification, or the response to a request of ours
		w.WriteHeader(202)
	case method == "ping":
		respond(w, 200, id, `"result":{}`)
	case method == "tools/list":
		respond(w, 200, id, s.list(body, ""))
	case method == "tools/call":
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		key := r.Header.Get("Mcp-Session-Id") + string(id)
		s.mu.Lock()
		s.pending[key] = cancel
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(s.pending, key)
			s.mu.Unlock()
		}()
		s.call(ctx, w, r, body)
	default:
		respond(w, 200, id, `"error":{"code":-32601,"message":"Method not found"}`)
	}
}

func (s *stub) postModern(w http.ResponseWriter, r *http.Request, body []byte) {
	id, method := get(body, "id"), str(body, "method")
	meta := get(body, "params", "_meta")
	switch {
	case id == nil:
		w.WriteHeader(202)
	case str(meta, "io.modelcontextprotocol/protocolVersion") != modernVersion:
		respond(w, 400, id, `"error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"2025-11-25"}}`)
	case get(meta, "io.modelcontextprotocol/clientCapabilities") == nil:
		respond(w, 400, id, `"error":{"code":-32602,"message":"Missing clientCapabilities"}`)
	case r.Header.Get("Mcp-Method") != method, r.Header.Get("MCP-Protocol-Version") != modernVersion,
		method == "tools/call" && decoded(r.Header.Get("Mcp-Name")) != str(body, "params", "name"):
		respond(w, 400, id, `"error":{"code":-32020,"message":"Header mismatch"}`)
	case method == "server/discover":
		respond(w, 200, id, `"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}},"ttlMs":0,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"stub","version":"1"}}}`)
	case method == "tools/list":
		respond(w, 200, id, s.list(body, `,"resultType":"complete","ttlMs":0,"cacheScope":"public"`))
	case method == "tools/call":
		s.call(r.Context(), w, r, body)
	case method == "subscriptions/listen":
		s.keepStream(w, r, string(id), `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/subscriptionId":`+string(id)+`}}}`)
	default:
		respond(w, 404, id, `"error":{"code":-32601,"message":"Method not found"}`)
	}
}

// decoded is a header's value as it was before it was made to fit a header.
func decoded(value string) string {
	inner, ok := strings.CutPrefix(value, "=?base64?")
	if inner, end := strings.CutSuffix(inner, "?="); ok && end {
		text, err := base64.StdEncoding.DecodeString(inner)
		if err == nil {
			return string(text)
		}
	}
	return value
}
