package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const listChanged = "notifications/tools/list_changed"

// awaitTool waits for a list change on messages until name is listed (or, with
// listed false, is not). A change may be announced in several steps.
func awaitTool(t *testing.T, c *rawClient, messages <-chan []byte, name string, listed bool) {
	t.Helper()
	for {
		message := receive(t, fmt.Sprintf("a list change that makes %s listed=%v", name, listed), messages)
		if got := str(message, "method"); got != listChanged {
			t.Errorf("unexpected message on the stream: %s", message)
			continue
		}
		if c.modern {
			if got := string(get(message, "params", "_meta", "io.modelcontextprotocol/subscriptionId")); got != `"listen:0"` {
				t.Errorf("subscriptionId: got %s, want \"listen:0\" in %s", got, message)
			}
		}
		if _, ok := c.tools(t)[name]; ok == listed {
			return
		}
	}
}

func TestListChangesReachBothKindsOfStreams(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for _, client := range []bool{false, true} {
		t.Run(eraName(client)+" client", func(t *testing.T) {
			c := dial(t, g.mcp(), client)
			messages, _ := c.listen(t)
			for _, kind := range stubKinds {
				name := kind.name + "-" + eraName(client)
				s := kind.start(t).tool("first", fixed(`"result":{"content":[]}`))
				g.connect(t, name, s.url, s.transport())
				awaitTool(t, c, messages, name+"__first", true)

				s.awaitStream(t)
				s.tool("second", fixed(`"result":{"content":[]}`))
				s.changed()
				awaitTool(t, c, messages, name+"__second", true)
				c.must(t, callTool(name+"__second", `{}`))

				if status, _, body := g.api(t, "DELETE", "/api/backends/"+name, ""); status != 200 {
					t.Fatalf("DELETE: got HTTP %d %s", status, body)
				}
				awaitTool(t, c, messages, name+"__first", false)
			}
		})
	}
}

// awaitStream waits until somebody listens for changes.
func (s *stub) awaitStream(t *testing.T) {
	t.Helper()
	eventually(t, "the gateway to listen at the backend", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.streams) > 0
	})
}

// Clients re-list at every announcement, so one that changes nothing costs each
// of them a request.
func TestNoListChangeWithoutAChange(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	s := newStub(t, false, false).tool("first", fixed(`"result":{"content":[]}`))
	g.connect(t, "b", s.url, "http")
	legacy, modern := dialLegacy(t, g.mcp()), dialModern(t, g.mcp())
	onGet, _ := legacy.listen(t)
	onListen, _ := modern.listen(t)
	s.awaitStream(t)

	lists := len(s.received("tools/list"))
	s.changed()
	eventually(t, "the gateway to list again", func() bool { return len(s.received("tools/list")) > lists })
	s.tool("second", fixed(`"result":{"content":[]}`))
	s.changed()
	for _, c := range []struct {
		client   *rawClient
		messages <-chan []byte
	}{{legacy, onGet}, {modern, onListen}} {
		receive(t, "the announcement of the second tool", c.messages)
		if c.client.tools(t)["b__second"] == nil {
			t.Errorf("%s client: the first announcement came before the change", eraName(c.client.modern))
		}
		select {
		case extra := <-c.messages:
			t.Errorf("%s client: got a further announcement for one change: %s", eraName(c.client.modern), extra)
		default:
		}
	}
}

func TestListChangesOfRealBackendsReachOfficialClients(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	v1, v2 := typescriptV1(t), typescriptV2(t)
	g.connect(t, "http25", v1.address("/mcp"), "http")
	g.connect(t, "http26", v2.address("/mcp"), "http")
	g.connect(t, "sse24", typescriptV1(t).address("/sse"), "sse")
	clients := startSDKClients(t)
	connections := map[string]*typescriptConnection{}
	for _, sdk := range []string{"v1", "v2", "v2-auto"} {
		connections[sdk] = clients.dial(t, sdk, g.mcp(), "http")
	}
	grow := func(backend string) string {
		result := connections["v1"].call(t, sdkCall{tool: backend + "__grow", arguments: `{}`})
		return backend + "__" + str(elements(t, get(result, "result", "content"))[0], "text")
	}
	// The clients open their streams in the background: make changes until each
	// has heard of one.
	eventually(t, "every client to have its stream open", func() bool {
		grow("http25")
		time.Sleep(100 * time.Millisecond)
		for _, c := range connections {
			if clients.changes(c) == 0 {
				return false
			}
		}
		return true
	})
	for _, backend := range []string{"http25", "http26", "sse24"} {
		t.Run(backend, func(t *testing.T) {
			before := map[string]int{}
			for sdk, c := range connections {
				before[sdk] = clients.changes(c)
			}
			grown := grow(backend)
			for sdk, c := range connections {
				eventually(t, sdk+" to be told of "+grown, func() bool { return clients.changes(c) > before[sdk] })
				if !slices.ContainsFunc(c.list(t), func(tool []byte) bool { return str(tool, "name") == grown }) {
					t.Errorf("%s: %s was announced, but is not listed", sdk, grown)
				}
			}
		})
	}
}
