package e2e

import (
	"testing"
)

// TestPeersDirectly puts clients and servers together without a gateway. When
// this fails, a peer has changed, and what the other tests say is about that.
func TestPeersDirectly(t *testing.T) {
	t.Parallel()
	v1, v2 := typescriptV1(t), typescriptV2(t)
	legacyGo, modernGo, both := goSDK(t, false), goSDK(t, true), mcpGo(t)

	t.Run("raw", func(t *testing.T) {
		const arguments = `{"n":12345678901234567890,"f":1.0,"z":-0,"s":"\u2028\/é","a":1,"a":2}`
		for _, c := range []struct {
			name, url string
			modern    bool
		}{
			{"TypeScript 1.x", v1.address("/mcp"), false},
			{"TypeScript 2.x", v2.address("/mcp"), true},
		} {
			client := dial(t, c.url, c.modern)
			if got := client.tools(t); got["echo"] == nil || got["odd"] == nil {
				t.Errorf("%s: no echo and odd in the list: %v", c.name, got)
			}
			got := client.must(t, callTool("echo", arguments))
			if text := str(elements(t, get(got.result(), "content"))[0], "text"); text != arguments {
				t.Errorf("%s: sent %s, the server saw %s", c.name, arguments, text)
			}
		}
		old := dialOldSSE(t, v1.address("/sse"))
		if got := old.tools(t); got["echo"] == nil {
			t.Errorf("HTTP+SSE: no echo in the list: %v", got)
		}
		for _, c := range []struct {
			name   string
			p      *peer
			path   string
			modern bool
		}{
			{"Go SDK with sessions", legacyGo, "/mcp", false}, {"Go SDK without", modernGo, "/mcp", true},
			{"mcp-go, 2025", both, "/mcp", false}, {"mcp-go, 2026", both, "/mcp", true},
		} {
			client := dial(t, c.p.address(c.path), c.modern)
			client.must(t, callTool("test_simple_text", `{}`))
		}
	})

	t.Run("TypeScript clients", func(t *testing.T) {
		clients := startSDKClients(t)
		for _, c := range []struct{ sdk, url, transport, version string }{
			{"v1", v1.address("/mcp"), "http", "2025-11-25"},
			{"v1", v1.address("/sse"), "sse", ""},
			{"v2", v2.address("/mcp"), "http", "2025-11-25"},
			{"v2-auto", v1.address("/mcp"), "http", "2025-11-25"},
			{"v2-auto", v2.address("/mcp"), "http", "2026-07-28"},
			{"v2-auto", modernGo.address("/mcp"), "http", "2026-07-28"},
			{"v2-auto", legacyGo.address("/mcp"), "http", "2025-11-25"},
		} {
			hello := clients.must(t, "connect", `"as":"c","sdk":"`+c.sdk+`","url":"`+c.url+`","transport":"`+c.transport+`"`)
			if got := str(hello, "version"); got != c.version {
				t.Errorf("%s to %s: got version %q, want %q", c.sdk, c.url, got, c.version)
			}
			if got := elements(t, clients.must(t, "list", `"as":"c"`)); len(got) < 5 {
				t.Errorf("%s to %s: got %d tools", c.sdk, c.url, len(got))
			}
			clients.must(t, "close", `"as":"c"`)
		}
	})
}

// TestStubsDirectly holds the test's own backends and clients against each other:
// what they show of the gateway is worth no more than they are.
func TestStubsDirectly(t *testing.T) {
	t.Parallel()
	for _, modern := range []bool{false, true} {
		t.Run(eraName(modern), func(t *testing.T) {
			s := newStub(t, modern, true).toolObject("odd", oddTool, fixed(oddResult))
			h := addHanging(s, "hang")
			s.tool("report", func(c *stubCall) string {
				c.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":` + report(string(c.progressToken), 1, "1") + `}`)
				return `"result":{"content":[]}`
			})
			c := dial(t, s.url, modern)
			sameBytes(t, "the listed tool", c.tools(t)["odd"], []byte(oddTool))
			got := c.must(t, callTool("odd", oddArguments))
			sameBytes(t, "the result", got.result(), []byte(oddResult[len(`"result":`):]))
			sent := s.received("tools/call")
			sameBytes(t, "the arguments", get(sent[0], "params", "arguments"), []byte(oddArguments))

			a := callTool("report", `{}`)
			a.meta = `"progressToken":"p"`
			got = c.must(t, a)
			if len(got.before) != 1 || string(get(got.before[0], "params")) != report(`"p"`, 1, "1") {
				t.Errorf("progress: got %s", got.before)
			}

			messages, end := c.listen(t)
			s.awaitStream(t)
			s.tool("late", fixed(`"result":{}`))
			s.changed()
			awaitTool(t, c, messages, "late", true)
			end()

			a = callTool("hang", `{}`)
			a.id = "99"
			disconnect, _ := begin(t, c, a)
			receive(t, "the call to start", h.started)
			if modern {
				disconnect()
			} else {
				c.notify(t, "notifications/cancelled", `"requestId":99`)
			}
			if how := receive(t, "the call to end", h.ended); how != "cancelled" {
				t.Errorf("the call was %s, want cancelled", how)
			}
		})
	}
}
