package e2e

//lint:file-ignore SA1019 What the 2026 era deprecates is in use, and so in these tests.

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// capableGo is a connection of the Go SDK's client.
type capableGo struct {
	recorder
	client  *mcp.Client
	session *mcp.ClientSession
	modern  bool
}

// hearAs files what an SDK's handler was given.
func (c *capableGo) hearAs(request bool, method string, params any) {
	text, err := json.Marshal(params)
	if err != nil {
		text = []byte(fmt.Sprintf("%q", err))
	}
	c.hear(request, method, text)
}

func dialCapableGo(t *testing.T, version, url, transport string) *capableGo {
	t.Helper()
	c := &capableGo{}
	client := mcp.NewClient(&mcp.Implementation{Name: "capable", Version: "1"}, &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{
			RootsV2:     &mcp.RootCapabilities{ListChanged: true},
			Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{}},
		},
		CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			c.hearAs(true, "sampling/createMessage", r.Params)
			result := new(mcp.CreateMessageResult)
			return result, json.Unmarshal([]byte(theSample), result)
		},
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			c.hearAs(true, "elicitation/create", r.Params)
			params, err := json.Marshal(r.Params)
			if err != nil {
				return nil, err
			}
			result := new(mcp.ElicitResult)
			return result, json.Unmarshal([]byte(answerTo("elicitation/create", params)), result)
		},
		ToolListChangedHandler:     func(context.Context, *mcp.ToolListChangedRequest) { c.hear(false, changedOf("tools"), nil) },
		PromptListChangedHandler:   func(context.Context, *mcp.PromptListChangedRequest) { c.hear(false, changedOf("prompts"), nil) },
		ResourceListChangedHandler: func(context.Context, *mcp.ResourceListChangedRequest) { c.hear(false, changedOf("resources"), nil) },
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
			c.hear(false, resourceUpdated, []byte(fmt.Sprintf(`{"uri":%q}`, r.Params.URI)))
		},
		ElicitationCompleteHandler: func(_ context.Context, r *mcp.ElicitationCompleteNotificationRequest) {
			c.hearAs(false, "notifications/elicitation/complete", r.Params)
		},
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) {
			c.hearAs(false, "notifications/message", r.Params)
		},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			c.hearAs(false, "notifications/progress", r.Params)
		},
	})
	client.AddRoots(roots()...)
	var over mcp.Transport = &mcp.StreamableClientTransport{Endpoint: url}
	if transport == "sse" {
		over = &mcp.SSEClientTransport{Endpoint: url}
	}
	session, err := client.Connect(t.Context(), over, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("Go SDK %s to %s: %v", version, url, err)
	}
	t.Cleanup(func() { session.Close() })
	c.client, c.session, c.modern = client, session, session.InitializeResult().ProtocolVersion == modernVersion
	return c
}

// roots are theRoots as the SDK wants them.
func roots() []*mcp.Root {
	var result mcp.ListRootsResult
	if err := json.Unmarshal([]byte(theRoots), &result); err != nil {
		panic(err)
	}
	return result.Roots
}

func (c *capableGo) hello() serverHello {
	r := c.session.InitializeResult()
	text := func(v any) []byte { out, _ := json.Marshal(v); return out }
	return serverHello{text(r.ServerInfo), text(r.Capabilities), text(r.Instructions)}
}

func (c *capableGo) do(t *testing.T, s step) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c.begin()
	var meta []string
	if s.reports {
		meta = append(meta, `"progressToken":"tok"`)
	}
	if s.level != "" {
		if c.modern {
			meta = append(meta, fmt.Sprintf(`"io.modelcontextprotocol/logLevel":%q`, s.level))
		} else if err := c.session.SetLoggingLevel(ctx, &mcp.SetLoggingLevelParams{Level: mcp.LoggingLevel(s.level)}); err != nil {
			t.Fatal(err)
		}
	}
	params := s.params
	if meta != nil {
		params = s.withMeta(strings.Join(meta, ","))
	}
	var o outcome
	result, err := c.request(ctx, s.method, []byte(params))
	if err == nil {
		o.result, err = json.Marshal(result)
	}
	if err != nil {
		o.failure = []byte(fmt.Sprintf(`{"message":%q}`, err))
	}
	return c.end(t, s, o)
}

// request calls the SDK's function for a method.
func (c *capableGo) request(ctx context.Context, method string, params []byte) (any, error) {
	switch method {
	case "ping":
		return struct{}{}, c.session.Ping(ctx, nil)
	case rootsChanged:
		// A root that it has already: the list stays, the notification goes out.
		c.client.AddRoots(roots()[0])
		return struct{}{}, nil
	case "tools/list":
		return call(ctx, params, c.session.ListTools)
	case "tools/call":
		return call(ctx, params, func(ctx context.Context, p *mcp.CallToolParams) (*mcp.CallToolResult, error) {
			p.Arguments = json.RawMessage(get(params, "arguments"))
			return c.session.CallTool(ctx, p)
		})
	case "prompts/list":
		return call(ctx, params, c.session.ListPrompts)
	case "prompts/get":
		return call(ctx, params, c.session.GetPrompt)
	case "resources/list":
		return call(ctx, params, c.session.ListResources)
	case "resources/templates/list":
		return call(ctx, params, c.session.ListResourceTemplates)
	case "resources/read":
		return call(ctx, params, c.session.ReadResource)
	case "completion/complete":
		return call(ctx, params, c.session.Complete)
	case "resources/subscribe":
		return call(ctx, params, func(ctx context.Context, p *mcp.SubscribeParams) (*struct{}, error) {
			return nil, c.session.Subscribe(ctx, p)
		})
	case "resources/unsubscribe":
		return call(ctx, params, func(ctx context.Context, p *mcp.UnsubscribeParams) (*struct{}, error) {
			return nil, c.session.Unsubscribe(ctx, p)
		})
	}
	return nil, fmt.Errorf("no such method here: %s", method)
}

func call[P, R any](ctx context.Context, params []byte, f func(context.Context, *P) (*R, error)) (*R, error) {
	p := new(P)
	if err := json.Unmarshal(params, p); err != nil {
		return nil, err
	}
	return f(ctx, p)
}
