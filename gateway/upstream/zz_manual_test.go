package upstream

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestManualEverything(t *testing.T) {
	url := os.Getenv("EVERY")
	if url == "" {
		t.Skip()
	}
	u := start(t, at(url), quick())
	s := awaitReady(t, u)
	fmt.Println("peer", s.Peer, "tools", len(s.Tools), "prompts", len(s.Prompts), "res", len(s.Resources), "templ", len(s.Templates), string(s.Capabilities), s.Remarks)
	time.Sleep(1500 * time.Millisecond)
	s = u.State()
	fmt.Println("tools later", len(s.Tools), s.Announced, s.Reason)
	if err := u.Subscribe(t.Context(), "demo://resource/dynamic/text/1"); err != nil {
		fmt.Println("subscribe", err)
	}
	c := &client{}
	lane := &Lane{Key: "a", Inbox: c, Capabilities: []byte(`{"roots":{"listChanged":true},"sampling":{},"elicitation":{}}`)}
	lane.SetLevel("debug")
	for _, tool := range []string{"echo", "get-sum"} {
		a := &ask{as: lane, tool: tool}
		err := u.Call(t.Context(), a)
		answer, n := a.got()
		fmt.Println(tool, err, answer, n)
	}
	time.Sleep(1000 * time.Millisecond)
	n, asked := c.got()
	fmt.Println("inbox", n, asked)
}

func TestManualRetry(t *testing.T) {
	url := os.Getenv("EVERY")
	if url == "" {
		t.Skip()
	}
	cfg := quick()
	cfg.CallTimeout = 20 * time.Second
	u := start(t, at(url), cfg)
	s := awaitReady(t, u)
	for _, tool := range s.Tools {
		a := &ask{as: &Lane{Key: "a"}, tool: tool.Name}
		err := u.Call(t.Context(), a)
		answer, n := a.got()
		fmt.Println(tool.Name, err, answer, n)
	}
}
