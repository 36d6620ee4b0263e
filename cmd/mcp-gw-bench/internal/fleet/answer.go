package fleet

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

// answer writes the "result" or "error" member of the answer to out. Where it
// returns a list, that and then the end of the result are to follow out.
func (s *server) answer(w http.ResponseWriter, r *http.Request, method string, params []byte, stateless, legacy bool, out *bytes.Buffer) (list []byte) {
	result := func() {
		out.WriteString(`,"result":{`)
		if stateless {
			out.WriteString(`"resultType":"complete",`)
		}
	}
	fail := func(code int, msg string) {
		fmt.Fprintf(out, `,"error":{"code":%d,"message":%s}`, code, strconv.Quote(msg))
	}
	const capabilities = `"capabilities":{"tools":{"listChanged":true}}`
	const info = `{"name":"bench-backend","version":"1.0.0"}`
	switch method {
	case "initialize":
		s.inits.Add(1)
		s.open.Add(1)
		sid := rand.Text()
		s.sessions.Store(sid, make(chan struct{}))
		w.Header().Set("Mcp-Session-Id", sid)
		version := "2025-11-25"
		switch v := string(rawjson.Get(params, "protocolVersion")); v {
		case `"2025-06-18"`, `"2025-03-26"`:
			version = v[1 : len(v)-1]
		}
		result()
		out.WriteString(`"protocolVersion":"` + version + `",` + capabilities + `,"serverInfo":` + info + `}`)
	case "server/discover":
		if legacy {
			fail(-32601, "method not found")
			return nil
		}
		stateless = true
		result()
		out.WriteString(`"ttlMs":60000,"cacheScope":"public","supportedVersions":["2026-07-28","2025-11-25","2025-06-18"],` +
			capabilities + `,"_meta":{"io.modelcontextprotocol/serverInfo":` + info + `}}`)
	case "ping":
		result()
		if stateless {
			out.Truncate(out.Len() - 1) // the comma
		}
		out.WriteByte('}')
	case "tools/list":
		s.lists.Add(1)
		n := s.tools
		if q := r.URL.RawQuery; q != "" {
			n, _ = strconv.Atoi(r.URL.Query().Get("tools"))
		}
		cat, next := s.catalog(n), ""
		list = cat.all
		if s.page > 0 {
			var at int
			json.Unmarshal(bytes.Trim(rawjson.Get(params, "cursor"), `"`), &at)
			tools := cat.tools[min(max(at, 0), len(cat.tools)):]
			if len(tools) > s.page {
				tools, next = tools[:s.page], strconv.Itoa(at+s.page)
			}
			list = join(tools)
		}
		result()
		if stateless {
			out.WriteString(`"ttlMs":60000,"cacheScope":"public",`)
		}
		if next != "" {
			out.WriteString(`"nextCursor":"` + next + `",`)
		}
		out.WriteString(`"tools":`)
	case "tools/call":
		s.calls.Add(1)
		text := []byte(`"ok"`)
		switch string(rawjson.Get(params, "name")) {
		case `"echo"`:
			text = rawjson.Get(params, "arguments", "message")
			if len(text) == 0 || text[0] != '"' {
				fail(-32602, "echo needs a string argument, message")
				return nil
			}
		case `"sleep"`:
			var ms int
			json.Unmarshal(rawjson.Get(params, "arguments", "ms"), &ms)
			select {
			case <-time.After(time.Duration(ms) * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		result()
		out.WriteString(`"content":[{"type":"text","text":`)
		out.Write(text)
		out.WriteString(`}]}`)
	default:
		fail(-32601, "method not found")
	}
	return list
}
