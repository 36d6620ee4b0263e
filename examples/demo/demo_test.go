package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

const wait = 10 * time.Second // for what takes milliseconds

// start serves a demo on a port of its own. stop ends it and waits.
func start(t *testing.T) (url string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, newServer("demo")) }()
	var ended bool
	stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(2 * drain):
			return errors.New("did not stop")
		}
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/mcp", stop
}

// connect opens a client whose notifications arrive in the channel, and which
// listens for changes of the tool list.
func connect(t *testing.T, url, version string) (*client.Client, chan mcp.JSONRPCNotification) {
	t.Helper()
	var options []transport.StreamableHTTPCOption
	legacy := version != mcp.ProtocolVersion20260728
	if legacy {
		//lint:ignore SA1019 the versions before 2026-07-28 have nothing else
		options = append(options, transport.WithContinuousListening())
	}
	tr, err := transport.NewStreamableHTTP(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	c := client.NewClient(tr, client.WithProtocolVersion(version))
	notes := make(chan mcp.JSONRPCNotification, 100)
	c.OnNotification(func(n mcp.JSONRPCNotification) { notes <- n })
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var init mcp.InitializeRequest
	init.Params.ProtocolVersion = version
	init.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
	if _, err := c.Initialize(t.Context(), init); err != nil {
		t.Fatal(err)
	}
	if c.ProtocolVersion() != version {
		t.Fatalf("speaks %s, want %s", c.ProtocolVersion(), version)
	}
	if !legacy {
		end, err := c.ListenAsync(t.Context(), mcp.SubscriptionFilter{ToolsListChanged: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(end)
		await(t, notes, "notifications/subscriptions/acknowledged")
	}
	return c, notes
}

func await(t *testing.T, notes <-chan mcp.JSONRPCNotification, method string) mcp.JSONRPCNotification {
	t.Helper()
	timeout := time.After(wait)
	for {
		select {
		case n := <-notes:
			if n.Method == method {
				return n
			}
		case <-timeout:
			t.Fatalf("no %s within %s", method, wait)
		}
	}
}

func call(ctx context.Context, c *client.Client, name string, args map[string]any) (*mcp.CallToolResult, error) {
	var r mcp.CallToolRequest
	r.Params.Name, r.Params.Arguments = name, args
	return c.CallTool(ctx, r)
}

func text(r *mcp.CallToolResult) string {
	if r == nil || len(r.Content) == 0 {
		return ""
	}
	return mcp.GetTextFromContent(r.Content[0])
}

// eras runs f once with sessions and once without.
func eras(t *testing.T, f func(t *testing.T, version string)) {
	for _, v := range []string{"2025-11-25", mcp.ProtocolVersion20260728} {
		t.Run(v, func(t *testing.T) { f(t, v) })
	}
}

func names(t *testing.T, c *client.Client) (names []string) {
	t.Helper()
	list, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	return names
}

func TestTools(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		url, _ := start(t)
		c, _ := connect(t, url, version)
		want := []string{"add_note", "convert", "countdown", "search_notes", "time_in", "toolbox", "which_replica"}
		if got := names(t, c); !slices.Equal(got, want) {
			t.Errorf("tools %v, want %v", got, want)
		}
		for _, tt := range []struct {
			tool  string
			args  map[string]any
			want  string // in the text
			fails bool
		}{
			{"time_in", map[string]any{"zone": "Europe/Berlin"}, "CE", false},
			{"time_in", map[string]any{"zone": "Mars/Olympus"}, `no time zone "Mars/Olympus"`, true},
			{"time_in", map[string]any{}, "zone", true},
			{"convert", map[string]any{"value": 100, "from": "C", "to": "F"}, "212 F", false},
			{"convert", map[string]any{"value": 1, "from": "mi", "to": "km"}, "1.609344 km", false},
			{"convert", map[string]any{"value": 0.3, "from": "m", "to": "cm"}, "30 cm", false},
			{"convert", map[string]any{"value": 1, "from": "kg", "to": "m"}, "kg is a mass and m is a length", true},
			{"convert", map[string]any{"value": 1, "from": "parsec", "to": "m"}, "from", true},
			{"add_note", map[string]any{"text": "Grüße aus dem Container"}, "number 1", false},
			{"add_note", map[string]any{"text": "buy milk"}, "number 2", false},
			{"add_note", map[string]any{"text": strings.Repeat("x", 4001)}, "text", true},
			{"search_notes", map[string]any{"query": "grüße"}, "1 found.\n1: Grüße aus dem Container", false},
			{"search_notes", map[string]any{}, "2 found.\n2: buy milk\n1: ", false},
			{"which_replica", map[string]any{"wait_ms": 5, "call": "mine"}, "Answered by ", false},
			{"which_replica", map[string]any{"wait_ms": 10_001}, "wait_ms", true},
			{"countdown", map[string]any{"steps": 2, "interval_ms": 10}, "after 2 steps", false},
			{"countdown", map[string]any{"steps": 101}, "steps", true},
		} {
			r, err := call(t.Context(), c, tt.tool, tt.args)
			if err != nil {
				t.Errorf("%s %v: %v", tt.tool, tt.args, err)
				continue
			}
			if !strings.Contains(text(r), tt.want) || r.IsError != tt.fails {
				t.Errorf("%s %v: %q, error %v; want %q, error %v", tt.tool, tt.args, text(r), r.IsError, tt.want, tt.fails)
			}
			if !tt.fails && tt.tool != "countdown" && r.StructuredContent == nil {
				t.Errorf("%s: no structured content", tt.tool)
			}
		}
	})
}

func TestProgress(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		url, _ := start(t)
		c, notes := connect(t, url, version)
		var r mcp.CallToolRequest
		r.Params.Name = "countdown"
		r.Params.Arguments = map[string]any{"steps": 3, "interval_ms": 20}
		r.Params.Meta = &mcp.Meta{ProgressToken: "tok"}
		if _, err := c.CallTool(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		for step := range 3 {
			n := await(t, notes, "notifications/progress")
			f := n.Params.AdditionalFields
			if f["progressToken"] != "tok" || f["progress"] != float64(step+1) || f["total"] != 3.0 {
				t.Errorf("progress %v, want step %d of 3 for tok", f, step+1)
			}
		}
	})
}

// A cancelled call must not go on counting: the server would not be able to
// stop until it had.
func TestCancel(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		url, stop := start(t)
		c, notes := connect(t, url, version)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			var r mcp.CallToolRequest
			r.Params.Name = "countdown"
			r.Params.Arguments = map[string]any{"steps": 100, "interval_ms": 200}
			r.Params.Meta = &mcp.Meta{ProgressToken: "tok"}
			_, err := c.CallTool(ctx, r)
			done <- err
		}()
		await(t, notes, "notifications/progress")
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("call ended with %v, want context.Canceled", err)
		}
		begin := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took >= drain {
			t.Errorf("stopping took %s: the cancelled call went on", took)
		}
	})
}

func TestToolbox(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		url, _ := start(t)
		c, notes := connect(t, url, version)
		for _, open := range []bool{true, false} {
			if _, err := call(t.Context(), c, "toolbox", map[string]any{"open": open}); err != nil {
				t.Fatal(err)
			}
			await(t, notes, "notifications/tools/list_changed")
			if got := slices.Contains(names(t, c), "roll_dice"); got != open {
				t.Errorf("toolbox open %v: roll_dice listed %v", open, got)
			}
			if !open {
				break
			}
			r, err := call(t.Context(), c, "roll_dice", nil)
			if err != nil || !strings.HasPrefix(text(r), "Rolled ") {
				t.Errorf("roll_dice: %q, %v", text(r), err)
			}
		}
	})
}

// Clients that hold a stream open must not hold up a restart.
func TestStopsUnderOpenStreams(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		url, stop := start(t)
		connect(t, url, version)
		begin := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took >= drain {
			t.Errorf("stopping took %s under an open stream", took)
		}
	})
}

// A session of a server that ran before is unknown here, and the answer tells.
func TestUnknownSession(t *testing.T) {
	url, _ := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Mcp-Session-Id", "mcp-session-6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("unknown session: %s, want 404", res.Status)
	}
}

func TestNotebookIsBounded(t *testing.T) {
	b := newNotebook()
	for range maxNotes + 5 {
		b.add("same")
	}
	if len(b.notes) != maxNotes || b.notes[0].ID != 6 {
		t.Errorf("%d notes from %d, want %d from 6", len(b.notes), b.notes[0].ID, maxNotes)
	}
	if got := b.search("SAME"); len(got) != maxMatches || got[0].ID != maxNotes+5 {
		t.Errorf("%d found from %d, want the latest %d", len(got), got[0].ID, maxMatches)
	}
}
