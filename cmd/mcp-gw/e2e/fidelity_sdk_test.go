package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// sdkConnection is a connection of an official client.
type sdkConnection interface {
	// list returns the tools as the SDK hands them out, as JSON.
	list(t *testing.T) [][]byte
	// call returns the result with the progress reports before it, or the error,
	// as JSON.
	call(t *testing.T, c sdkCall) []byte
	// version is the protocol version agreed on.
	version() string
}

// sdkDialers are the official clients. Each is one that people use: both
// TypeScript SDKs as they are out of the box, the second one also asking for the
// newest era, and the Go SDK in both.
func sdkDialers(t *testing.T) map[string]func(t *testing.T, url, transport string) sdkConnection {
	clients := startSDKClients(t)
	typescript := func(sdk string) func(*testing.T, string, string) sdkConnection {
		return func(t *testing.T, url, transport string) sdkConnection { return clients.dial(t, sdk, url, transport) }
	}
	golang := func(version string) func(*testing.T, string, string) sdkConnection {
		return func(t *testing.T, url, transport string) sdkConnection { return dialGoSDK(t, version, url, transport) }
	}
	return map[string]func(*testing.T, string, string) sdkConnection{
		"TypeScript 1.x":             typescript("v1"),
		"TypeScript 2.x":             typescript("v2"),
		"TypeScript 2.x, newest era": typescript("v2-auto"),
		"Go SDK, 2025":               golang(legacyVersion),
		"Go SDK, 2026":               golang(modernVersion),
	}
}

type typescriptConnection struct {
	clients *sdkClients
	name    string
	agreed  string
}

func (c *sdkClients) dial(t *testing.T, sdk, url, transport string) *typescriptConnection {
	t.Helper()
	c.mu.Lock()
	name := fmt.Sprintf("c%d", c.next)
	c.mu.Unlock()
	hello := c.must(t, "connect", fmt.Sprintf(`"as":%q,"sdk":%q,"url":%q,"transport":%q`, name, sdk, url, transport))
	t.Cleanup(func() { c.do(t, "close", fmt.Sprintf(`"as":%q`, name)) })
	return &typescriptConnection{c, name, str(hello, "version")}
}

func (c *typescriptConnection) version() string { return c.agreed }

func (c *typescriptConnection) list(t *testing.T) [][]byte {
	t.Helper()
	return elements(t, c.clients.must(t, "list", fmt.Sprintf(`"as":%q`, c.name)))
}

func (c *typescriptConnection) call(t *testing.T, call sdkCall) []byte {
	t.Helper()
	value, failure := c.clients.do(t, "call", fmt.Sprintf(`"as":%q,"name":%q,"arguments":%s,"progress":%v`, c.name, call.tool, call.arguments, call.reports > 0))
	if failure != nil {
		return failure
	}
	return value
}

type goConnection struct {
	session *mcp.ClientSession

	mu       sync.Mutex // guards progress
	progress map[string][]json.RawMessage
}

func dialGoSDK(t *testing.T, version, url, transport string) *goConnection {
	t.Helper()
	c := &goConnection{progress: map[string][]json.RawMessage{}}
	client := mcp.NewClient(&mcp.Implementation{Name: "go", Version: "1"}, &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			report, _ := json.Marshal(map[string]any{"progress": r.Params.Progress, "total": r.Params.Total, "message": r.Params.Message})
			c.mu.Lock()
			defer c.mu.Unlock()
			key := fmt.Sprint(r.Params.ProgressToken)
			c.progress[key] = append(c.progress[key], report)
		},
	})
	var over mcp.Transport = &mcp.StreamableClientTransport{Endpoint: url}
	if transport == "sse" {
		over = &mcp.SSEClientTransport{Endpoint: url}
	}
	session, err := client.Connect(t.Context(), over, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("Go SDK %s to %s: %v", version, url, err)
	}
	t.Cleanup(func() { session.Close() })
	c.session = session
	return c
}

func (c *goConnection) version() string { return c.session.InitializeResult().ProtocolVersion }

func (c *goConnection) list(t *testing.T) [][]byte {
	t.Helper()
	var list [][]byte
	for tool, err := range c.session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tool)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return list
}

func (c *goConnection) call(t *testing.T, call sdkCall) []byte {
	t.Helper()
	params := &mcp.CallToolParams{Name: call.tool, Arguments: json.RawMessage(call.arguments)}
	token := "token of " + call.tool
	if call.reports > 0 {
		params.SetProgressToken(token)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := c.session.CallTool(ctx, params)
	var outcome any = result
	if err != nil {
		outcome = "error: " + err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := json.Marshal(map[string]any{"result": outcome, "progress": c.progress[token]})
	if err != nil {
		t.Fatal(err)
	}
	delete(c.progress, token)
	return text
}

// eraless makes comparable what an SDK handed out for c directly and through the
// gateway, and returns the progress reports apart from it. It removes what the
// eras differ in by design, and so cannot be the same on both ways: the
// backend's own identity on each result, which only 2026 has.
func eraless(t *testing.T, text []byte, c sdkCall) (rest string, reports []any) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if top, ok := v.(map[string]any); ok {
		if result, ok := top["result"].(map[string]any); ok {
			delete(result, "resultType")
			if c.echoesToken() {
				delete(result, "content")
			}
			if meta, ok := result["_meta"].(map[string]any); ok {
				delete(meta, "io.modelcontextprotocol/serverInfo")
				if len(meta) == 0 {
					delete(result, "_meta")
				}
			}
		}
		delete(top, "execution")
		reports, _ = top["progress"].([]any)
		delete(top, "progress")
	}
	out, _ := json.MarshalIndent(v, "", " ")
	return string(out), reports
}

func TestOfficialClientsSeeTheSameThroughTheGateway(t *testing.T) {
	t.Parallel()
	backends := realBackends(t)
	gateways := make([]*gateway, len(backends)) // one each: several have the same URIs
	for i, b := range backends {
		gateways[i] = startGateway(t)
		gateways[i].connect(t, b.name, b.url, b.transport)
	}
	dialers := sdkDialers(t)
	for _, who := range slices.Sorted(maps.Keys(dialers)) {
		t.Run(who, func(t *testing.T) {
			for i, b := range backends {
				through := dialers[who](t, gateways[i].mcp(), "http")
				version := legacyVersion
				if strings.Contains(who, "newest") || strings.Contains(who, "2026") {
					version = modernVersion
				}
				if got := through.version(); got != version {
					t.Errorf("agreed on %q with the gateway, want %s", got, version)
				}
				listed := map[string][]byte{}
				for _, tool := range through.list(t) {
					listed[str(tool, "name")] = tool
				}
				direct := dialers[who](t, b.url, b.transport)
				for _, tool := range direct.list(t) {
					name := str(tool, "name")
					got := listed[b.name+"__"+name]
					if got == nil {
						t.Errorf("%s: tool %s is not listed", b.name, name)
						continue
					}
					same, _ := eraless(t, replace(got, "name", fmt.Sprintf("%q", name)), sdkCall{})
					if want, _ := eraless(t, tool, sdkCall{}); same != want {
						t.Errorf("%s: tool %s: got %s\nwant %s", b.name, name, same, want)
					}
				}
				for _, call := range b.calls {
					want, reports := eraless(t, direct.call(t, call), call)
					call.tool = b.name + "__" + call.tool
					got, relayed := eraless(t, through.call(t, call), call)
					if got != want {
						t.Errorf("%s with %s: got %s\nwant %s", call.tool, call.arguments, got, want)
					}
					// These clients drop reports that arrive together with the result, on
					// either way, so the shorter list must be the beginning of the longer
					// one. (That the gateway loses none is shown with raw clients.)
					n := min(len(reports), len(relayed))
					if !reflect.DeepEqual(reports[:n], relayed[:n]) {
						t.Errorf("%s: got reports %v, want %v", call.tool, relayed, reports)
					}
				}
			}
		})
	}
}
