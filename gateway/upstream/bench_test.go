package upstream

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"mcp-gw/gateway/wire"
)

// caller is an Exchange that keeps nothing.
type caller struct {
	ask
	lane *Lane
}

func (c *caller) Lane() *Lane { return c.lane }

func (c *caller) Encode(dst []byte, id int64, _ Peer) []byte {
	return appendLegacy(dst, id, "tools/call", `"name":"echo","arguments":{}`)
}

func (c *caller) Receive(*wire.Message, Peer) error { return nil }

// BenchmarkCall is a call on an open lane of a legacy backend, answered in JSON.
func BenchmarkCall(b *testing.B) {
	back := newBackend(b)
	back.handle("tools/call", func(w http.ResponseWriter, q *question) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, q.id)
	})
	u := New(at(back.URL), quick(), func() {})
	done := make(chan struct{})
	go func() { defer close(done); u.Run() }()
	defer func() { u.Stop(); <-done }()
	for !isReady(u.State()) {
		time.Sleep(time.Millisecond)
	}
	c := &caller{lane: &Lane{Key: "a"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := u.Call(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}
