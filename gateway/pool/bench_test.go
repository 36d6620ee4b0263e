package pool

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"mcp-gw/discovery"
	"mcp-gw/gateway/upstream"
	"mcp-gw/gateway/wire"
)

// caller is an Exchange that keeps nothing.
type caller struct {
	ask
}

func (c *caller) Receive(*wire.Message, upstream.Peer) error { return nil }

// BenchmarkCall is a call on an open lane: through an Upstream, through the Pool of one,
// and through one of three. The backend is part of every figure: compare them, within
// one run.
func BenchmarkCall(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m wire.Message
		if r.Method != http.MethodPost || m.Scan(body) != nil || m.ID.In(body) == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if m.Method == "server/discover" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		result := `{"tools":[],"content":[]}`
		if m.Method == "initialize" {
			w.Header().Set("Mcp-Session-Id", "s")
			result = `{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}`
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID.In(body), result)
	}))
	b.Cleanup(server.Close)
	one := discovery.Backend{Name: "b", Source: discovery.SourceDocker, URL: server.URL, Transport: discovery.TransportHTTP}
	three := one
	for _, id := range []string{"2", "3"} {
		three.Replicas = append(three.Replicas, discovery.Replica{ReplicaRole: discovery.ReplicaRole{ID: id}, URL: server.URL})
	}
	u := upstream.New(one, quick(), func() {})
	done := make(chan struct{})
	go func() { defer close(done); u.Run() }()
	b.Cleanup(func() { u.Stop(); <-done })
	await(b, "connecting", u.Connected)
	single, several := start(b, one, quick()), start(b, three, quick())
	awaitAll(b, single, 1)
	awaitAll(b, several, 3)
	for _, way := range []struct {
		name string
		call func(context.Context, upstream.Exchange) error
	}{{"upstream", u.Call}, {"pool of 1", single.Call}, {"pool of 3", several.Call}} {
		b.Run(way.name, func(b *testing.B) {
			c := &caller{ask{lane: lane("a")}}
			b.ReportAllocs()
			for b.Loop() {
				if err := way.call(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
