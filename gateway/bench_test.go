package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcp-gw/discovery"
	"mcp-gw/gateway/wire"
)

// fastServer answers handshakes with canned text and calls with what they were
// asked, so that next to nothing of a call's cost is the backend's.
func fastServer(modern bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, _ := io.ReadAll(r.Body)
		var m wire.Message
		if m.Scan(body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var result string
		switch m.Method {
		case "server/discover":
			if !modern {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			result = `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}`
		case "initialize":
			w.Header().Set("Mcp-Session-Id", "s")
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"fast","version":"1"}}`
		case "tools/list":
			result = `{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}`
		case "tools/call":
			result = `{"resultType":"complete","content":[{"type":"text","text":` + string(wire.Member(m.Arguments.In(body), "text")) + `}]}`
		default:
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		out := []byte(`{"jsonrpc":"2.0","id":` + string(m.ID.In(body)) + `,"result":` + result + `}`)
		w.Header()["Content-Length"] = []string{fmt.Sprint(len(out))}
		_, _ = w.Write(out)
	})
}

// BenchmarkCall carries calls through the gateway, in both eras, and through a
// bare reverse proxy. The client and the backend are part of every figure:
// compare them, within one run.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{100, 64 << 10} {
		text := strings.Repeat("x", size)
		for _, way := range []string{"floor", "2025", "2026"} {
			b.Run(fmt.Sprintf("%dB/%s", size, way), func(b *testing.B) {
				backend := httptest.NewServer(fastServer(way == "2026"))
				b.Cleanup(backend.Close)
				var target string
				name, header := "echo", http.Header{}
				switch way {
				case "floor":
					u, _ := url.Parse(backend.URL)
					proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(u))
					b.Cleanup(proxy.Close)
					target = proxy.URL
				default:
					g, gw := run(b)
					g.Put(manual(discovery.Backend{Name: "b", URL: backend.URL, Transport: discovery.TransportHTTP}))
					await(b, "the tool", func() bool { return len(g.Tools()) == 1 })
					target, name = gw, "b__echo"
				}
				params := `"name":"` + name + `","arguments":{"text":"` + text + `"}`
				if way == "2026" {
					params += "," + meta
					header = http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {name}}
				} else if way == "2025" {
					_, h, _ := post(b, target, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`)
					header = http.Header{"Mcp-Session-Id": {h.Get("Mcp-Session-Id")}}
				}
				header["Content-Type"] = []string{"application/json"}
				header["Accept"] = []string{"application/json, text/event-stream"}
				body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`)
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
				b.Cleanup(client.CloseIdleConnections)
				b.SetParallelism(8)
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						r, _ := http.NewRequest(http.MethodPost, target, bytes.NewReader(body))
						r.Header = header
						res, err := client.Do(r)
						if err != nil {
							b.Error(err)
							return
						}
						n, _ := io.Copy(io.Discard, res.Body)
						res.Body.Close()
						if res.StatusCode != http.StatusOK || n < int64(size) {
							b.Errorf("status %d, %d bytes", res.StatusCode, n)
							return
						}
					}
				})
			})
		}
	}
}
